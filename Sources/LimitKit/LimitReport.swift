/// All that one host counts of one subject, as the others read it.
public struct LimitReport: Equatable, Sendable {
    /// Of whom.
    public let subject: LimitSubject
    /// The counts, packed; at most ``longest`` bytes.
    public let counts: [UInt8]

    /// No report is longer.
    public static let longest = 1_024

    /// A report as it was read.
    public init(subject: LimitSubject, counts: [UInt8]) {
        (self.subject, self.counts) = (subject, counts)
    }
}

/// Counts by bucket of the wall clock, for each window.
///
/// Packed as a version, then for each window how many buckets follow, the number of the latest and, for each, how many
/// buckets before that it lies and what it holds; all of them numbers of 7 bits a byte, the lower ones first.
struct LimitCounts: Equatable {
    private static let version: UInt8 = 1
    /// Buckets, numbered from 1970 on, and what they hold.
    private(set) var buckets = [[Int64: UInt64]](repeating: [:], count: LimitWindow.allCases.count)

    init() {}

    /// What this host admitted, numbered by the wall clock. A slot that runs ahead of it is rounded to the later bucket, so
    /// that nothing is forgotten early elsewhere.
    init(_ slot: LimitSlot) {
        for window in LimitWindow.allCases {
            let length = LimitRing.length(window)
            let (ring, head) = (slot.admitted(window), slot.latest / length)
            guard ring.total > 0 else { continue }
            for bucket in max(0, head - Int64(LimitRing.buckets) + 1)...head where ring.count(bucket) > 0 {
                buckets[window.rawValue][bucket - slot.shift / length] = ring.count(bucket)
            }
        }
    }

    /// Reads what ``packed`` wrote; nil when it is something else.
    init?(_ bytes: [UInt8]) {
        var reader = NumberReader(bytes)
        guard bytes.count <= LimitReport.longest, bytes.first == Self.version, reader.next() != nil else { return nil }
        for window in LimitWindow.allCases {
            guard let count = reader.next(), count <= UInt64(LimitRing.buckets) else { return nil }
            guard count > 0 else { continue }
            guard let latest = reader.next(), latest < 1 << 60 else { return nil }
            for _ in 0..<count {
                guard let age = reader.next(), age < UInt64(LimitRing.buckets), let amount = reader.next(),
                    amount <= LimitRing.fullest
                else { return nil }
                buckets[window.rawValue][Int64(latest) - Int64(age), default: 0] += amount
            }
        }
        guard reader.isAtEnd else { return nil }
    }

    /// The bytes that ``init(_:)`` reads.
    var packed: [UInt8] {
        var bytes = [Self.version]
        for counts in buckets {
            Self.append(UInt64(counts.count), to: &bytes)
            guard let latest = counts.keys.max() else { continue }
            Self.append(UInt64(max(0, latest)), to: &bytes)
            for (bucket, count) in counts.sorted(by: { $0.key > $1.key }) {
                Self.append(UInt64(latest - bucket), to: &bytes)
                Self.append(count, to: &bytes)
            }
        }
        return bytes
    }

    /// Adds what another host counted.
    mutating func add(_ other: LimitCounts) {
        for window in LimitWindow.allCases {
            buckets[window.rawValue].merge(other.buckets[window.rawValue], uniquingKeysWith: +)
        }
    }

    /// Puts these into a slot in place of what was reported before.
    func write(to slot: LimitSlot) {
        slot.hasForeign = false
        var sum: UInt64 = 0
        for window in LimitWindow.allCases {
            let ring = slot.reported(window)
            let length = LimitRing.length(window)
            let head = slot.latest / length
            let ahead = (slot.shift + length - 1) / length
            ring.clear()
            for (bucket, count) in buckets[window.rawValue] {
                // The other host's clock may be a little ahead.
                let here = min(bucket + ahead, head)
                guard here >= 0, head - here < Int64(LimitRing.buckets) else { continue }
                ring.add(count, to: here, unit: 63)
            }
            sum += ring.total
        }
        slot.hasForeign = sum > 0
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Reads numbers of 7 bits a byte.
private struct NumberReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    mutating func next() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            index += 1
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }
}
