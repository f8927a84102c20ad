#if canImport(Glibc)
import Glibc
#endif

/// A moment in UTC, counted in whole microseconds since 1970-01-01T00:00:00Z.
///
/// Microseconds because MariaDB's `DATETIME(6)` keeps exactly these: what is written is what is read.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z; negative before.
    public let microseconds: Int64

    /// A moment given in microseconds since 1970-01-01T00:00:00Z.
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// A moment given in whole seconds since 1970-01-01T00:00:00Z.
    public init(seconds: Int64) {
        microseconds = clamped(seconds.multipliedReportingOverflow(by: 1_000_000), isNegative: seconds < 0)
    }

    /// 9999-12-31T23:59:59Z: the last second whose year has four digits, as RFC 3339 and a `DATETIME` column write it.
    public static let latest = Timestamp(seconds: 253_402_300_799)

    /// The moment of the system's wall clock.
    public static func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// Whole seconds since 1970, rounded down.
    public var seconds: Int64 {
        Calendar.floorDivide(microseconds, 1_000_000)
    }

    /// Whole milliseconds since 1970, rounded down.
    public var milliseconds: Int64 {
        Calendar.floorDivide(microseconds, 1_000)
    }

    /// Orders moments by time.
    public static func < (one: Timestamp, other: Timestamp) -> Bool {
        one.microseconds < other.microseconds
    }

    /// The moment this much later, held at the last one that can be counted: a setting or a client may name any time,
    /// and an overflow would end the process.
    public static func + (moment: Timestamp, duration: Duration) -> Timestamp {
        let more = duration.microseconds
        return Timestamp(
            microseconds: clamped(moment.microseconds.addingReportingOverflow(more), isNegative: more < 0))
    }

    /// The moment this much earlier, held at the first one that can be counted.
    public static func - (moment: Timestamp, duration: Duration) -> Timestamp {
        let less = duration.microseconds
        return Timestamp(
            microseconds: clamped(moment.microseconds.subtractingReportingOverflow(less), isNegative: less > 0))
    }

    /// The time between two moments.
    public static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .microseconds(later.microseconds) - .microseconds(earlier.microseconds)
    }
}

/// The outcome of a calculation, or the end of the range that it went beyond.
private func clamped(_ outcome: (partialValue: Int64, overflow: Bool), isNegative: Bool) -> Int64 {
    guard outcome.overflow else { return outcome.partialValue }
    return isNegative ? .min : .max
}

extension Duration {
    /// A number of whole minutes.
    public static func minutes(_ count: Int) -> Duration { whole(count, of: 60) }
    /// A number of whole hours.
    public static func hours(_ count: Int) -> Duration { whole(count, of: 3_600) }
    /// A number of whole days of 24 hours.
    public static func days(_ count: Int) -> Duration { whole(count, of: 86_400) }

    private static func whole(_ count: Int, of unit: Int64) -> Duration {
        .seconds(clamped(Int64(count).multipliedReportingOverflow(by: unit), isNegative: count < 0))
    }

    /// This duration in whole milliseconds, rounded towards zero and held within 64 bits.
    public var milliseconds: Int64 { counted(in: 1_000) }

    /// This duration in whole microseconds, rounded towards zero and held within 64 bits.
    public var microseconds: Int64 { counted(in: 1_000_000) }

    private func counted(in unitsPerSecond: Int64) -> Int64 {
        let (seconds, attoseconds) = components
        let whole = seconds.multipliedReportingOverflow(by: unitsPerSecond)
        let fraction = attoseconds / (1_000_000_000_000_000_000 / unitsPerSecond)
        let sum = whole.partialValue.addingReportingOverflow(fraction)
        return clamped((sum.partialValue, whole.overflow || sum.overflow), isNegative: seconds < 0)
    }
}
