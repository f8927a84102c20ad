/// How many calls took how long, in buckets of which each begins a ninth part later than the one before.
///
/// Eight buckets for each doubling from 64 µs to 67 s: what is read from it lies within five percent of the truth. Kept as
/// pairs of a bucket and its count, and several histograms written one after the other are their sum, so that adding to
/// what is stored means appending.
public struct LatencyHistogram: Sendable, Equatable {
    /// How many buckets there are; the first holds all that is faster, the last all that is slower.
    static let buckets = 160
    private static let perOctave = 8.0
    private static let firstOctave = 6.0

    private(set) var counts: [Int: Int] = [:]

    /// Of nothing.
    public init() {}

    /// How many were counted.
    public var total: Int { counts.values.reduce(0, +) }

    /// Counts one.
    public mutating func count(microseconds: Int64) {
        counts[Self.bucket(of: microseconds), default: 0] += 1
    }

    /// Counts others in.
    public mutating func merge(_ other: LatencyHistogram) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    /// The time that this part of them does not exceed, in microseconds, such as 0.95 of them; nil of none.
    ///
    /// Within a bucket times are taken to lie evenly on the logarithmic scale.
    public func quantile(_ part: Double) -> Double? {
        let total = total
        guard total > 0 else { return nil }
        let rank = max(1, min(Double(total), (part * Double(total)).rounded(.up)))
        var before = 0.0
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            let count = Double(count)
            if before + count >= rank {
                return Self.time(at: Double(bucket) + (rank - before - 0.5) / count)
            }
            before += count
        }
        return nil
    }

    // MARK: As it is stored

    /// The pairs, each number in seven bits a byte, the lowest first and the last without the high bit.
    public var stored: [UInt8] {
        var bytes: [UInt8] = []
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            Self.append(UInt64(bucket), to: &bytes)
            Self.append(UInt64(count), to: &bytes)
        }
        return bytes
    }

    /// Reads what was stored, however many histograms were appended; what is broken off is left out.
    public init(stored bytes: [UInt8]) {
        var rest = bytes[...]
        while let bucket = Self.number(&rest), let count = Self.number(&rest) {
            guard bucket < UInt64(Self.buckets) else { continue }
            counts[Int(bucket), default: 0] += Int(clamping: count)
        }
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var number = number
        while number >= 0x80 {
            bytes.append(UInt8(number & 0x7f) | 0x80)
            number >>= 7
        }
        bytes.append(UInt8(number))
    }

    private static func number(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            guard shift < 63 else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }

    // MARK: Buckets

    /// Where a time belongs: by the exponent of its highest bit, and by the bounds within.
    static func bucket(of microseconds: Int64) -> Int {
        guard microseconds >= 64 else { return 0 }
        let octave = 63 - microseconds.leadingZeroBitCount
        let mantissa = Double(microseconds) / Double(Int64(1) << octave)
        let eighth = bounds.lastIndex { mantissa >= $0 } ?? 0
        return min(buckets - 1, (octave - Int(firstOctave)) * Int(perOctave) + eighth)
    }

    /// Two to the power of eighths, from 0 to 7.
    private static let bounds: [Double] = [
        1, 1.090_507_732_665_257_7, 1.189_207_115_002_721, 1.296_839_554_651_009_6, 1.414_213_562_373_095_1,
        1.542_210_825_407_940_7, 1.681_792_830_507_429, 1.834_008_086_409_342_4,
    ]

    /// The time at a place on the scale, in microseconds.
    private static func time(at place: Double) -> Double {
        let octave = (place / perOctave).rounded(.down)
        let eighth = place - octave * perOctave
        let whole = min(7, Int(eighth))
        let low = bounds[whole]
        let high = whole == 7 ? 2 : bounds[whole + 1]
        return Double(Int64(1) << Int64(octave + firstOctave)) * (low + (high - low) * (eighth - Double(whole)))
    }
}
