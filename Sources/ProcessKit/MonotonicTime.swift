import Glibc

/// A moment of the machine's monotonic clock, in whole milliseconds since it started.
///
/// Processes of one host read the same clock, so a moment written by a worker can be judged by its supervisor; setting
/// the wall clock changes nothing.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Whole milliseconds since the machine started.
    public let milliseconds: UInt64

    /// A moment given in milliseconds since the machine started.
    public init(milliseconds: UInt64) {
        self.milliseconds = milliseconds
    }

    /// The present moment.
    public static func now() -> MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(milliseconds: UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000)
    }

    /// The present moment, some milliseconds ago at most: for a tenth of the price, where each request asks.
    public static func lately() -> MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return MonotonicTime(milliseconds: UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000)
    }

    /// Orders moments by time.
    public static func < (one: MonotonicTime, other: MonotonicTime) -> Bool {
        one.milliseconds < other.milliseconds
    }

    /// The moment this much later; a negative duration counts as none.
    public static func + (moment: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        return MonotonicTime(milliseconds: moment.milliseconds + UInt64(max(0, milliseconds)))
    }

    /// The time from one moment to another; none when the first is the later one.
    public static func - (later: MonotonicTime, earlier: MonotonicTime) -> Duration {
        .milliseconds(later > earlier ? later.milliseconds - earlier.milliseconds : 0)
    }
}
