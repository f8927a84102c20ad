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
        microseconds = seconds * 1_000_000
    }

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

    /// The moment this much later.
    public static func + (moment: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(microseconds: moment.microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    /// The moment this much earlier.
    public static func - (moment: Timestamp, duration: Duration) -> Timestamp {
        moment + (.zero - duration)
    }

    /// The time between two moments.
    public static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        .microseconds(later.microseconds - earlier.microseconds)
    }
}

extension Duration {
    /// A number of whole minutes.
    public static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
    /// A number of whole hours.
    public static func hours(_ count: Int) -> Duration { .seconds(count * 3_600) }
    /// A number of whole days of 24 hours.
    public static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }

    /// This duration in whole milliseconds, rounded towards zero.
    public var milliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }

    /// This duration in whole microseconds, rounded towards zero.
    public var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
