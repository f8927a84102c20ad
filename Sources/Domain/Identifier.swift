import TimeKit

/// The id of one kind of thing: a UUID version 7 (RFC 9562 §5.7), whose order is the order of making.
///
/// The kind is part of the type, so that an account's id cannot be given where a connection's is wanted.
public struct Identifier<Kind>: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// A new id.
    ///
    /// The twelve bits after the milliseconds tell their fraction (RFC 9562 §6.2, method 3), so that what one transaction
    /// writes line by line, such as the audit log, stays in the order of writing.
    public init(_ world: World) {
        let moment = max(world.now(), Timestamp(seconds: 0))
        let fraction = UInt64(moment.microseconds % 1_000) * 4_096 / 1_000
        let random = world.randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        high = UInt64(moment.milliseconds) << 16 | 0x7000 | fraction
        low = 0x8000_0000_0000_0000 | random & 0x3fff_ffff_ffff_ffff
    }

    /// What every id made at a moment or later lies above: a bound for looking things up by the time of their making.
    public init(lowestAt moment: Timestamp) {
        high = UInt64(max(0, moment.milliseconds)) << 16
        low = 0
    }

    /// Reads the sixteen bytes of a `BINARY(16)`.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            high = high << 8 | UInt64(bytes[index])
            low = low << 8 | UInt64(bytes[index + 8])
        }
        self.high = high
        self.low = low
    }

    /// Reads the 36 characters of RFC 9562 §4, in either case.
    public init?(_ text: String) {
        guard text.utf8.count == 36 else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        var count = 0
        for (place, mark) in text.utf8.enumerated() {
            switch place {
            case 8, 13, 18, 23:
                guard mark == 0x2d else { return nil }
                continue
            default:
                guard let digit = nibble(mark) else { return nil }
                if count < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
                count += 1
            }
        }
        self.high = high
        self.low = low
    }

    /// The sixteen bytes, most significant first.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        for place in 0..<16 {
            bytes.append(UInt8(truncatingIfNeeded: (place < 8 ? high : low) >> UInt64(56 - 8 * (place % 8))))
        }
        return bytes
    }

    /// The 36 characters of RFC 9562 §4, in lower case.
    public var text: String {
        var marks: [UInt8] = []
        marks.reserveCapacity(36)
        var rest = high
        for place in 0..<36 {
            switch place {
            case 8, 13, 18, 23: marks.append(0x2d)
            default:
                if place == 19 { rest = low }
                let digit = UInt8(truncatingIfNeeded: rest >> 60)
                marks.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
                rest <<= 4
            }
        }
        return String(decoding: marks, as: UTF8.self)
    }

    /// The same as ``text``.
    public var description: String { text }

    /// When this id was made, to the millisecond.
    ///
    /// An id may come from anywhere and claim any moment up to the year 10889; none is later than the last that a column of
    /// the database can be compared with.
    public var made: Timestamp {
        min(Timestamp(microseconds: Int64(high >> 16) * 1_000), .latest)
    }
}

/// What a hexadecimal digit in either case stands for; nil for any other character.
private func nibble(_ character: UInt8) -> UInt64? {
    switch character {
    case 0x30...0x39: UInt64(character - 0x30)
    case 0x41...0x46: UInt64(character - 0x37)
    case 0x61...0x66: UInt64(character - 0x57)
    default: nil
    }
}
