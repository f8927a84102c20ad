import CipherKit
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
        let marks = Array(text.utf8)
        guard marks.count == 36, [8, 13, 18, 23].allSatisfy({ marks[$0] == 0x2d }),
            let bytes = Hex.decode(text.replacing("-", with: ""))
        else { return nil }
        self.init(bytes: bytes)
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
        let digits = Array("0123456789abcdef".utf8)
        return String(asciiCount: 36) { place in
            switch place {
            case 8, 13, 18, 23: return 0x2d
            default:
                let skipped = place > 23 ? 4 : place > 18 ? 3 : place > 13 ? 2 : place > 8 ? 1 : 0
                let nibble = place - skipped
                let word = nibble < 16 ? high : low
                return digits[Int(word >> UInt64(60 - 4 * (nibble % 16)) & 0xf)]
            }
        }
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

extension String {
    /// A text of so many ASCII bytes, each given by its place.
    fileprivate init(asciiCount count: Int, _ byte: (Int) -> UInt8) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for place in 0..<count { bytes.append(byte(place)) }
        self.init(decoding: bytes, as: UTF8.self)
    }
}
