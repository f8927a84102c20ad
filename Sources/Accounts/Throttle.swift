import TimeKit

/// How long guessing must wait: the first failures are free, then the wait doubles, and never ends in a lock-out.
///
/// A pure value: the store counts, this decides.
struct Throttle: Equatable {
    /// Failures that cost no wait.
    let free: Int
    /// The longest wait.
    let longest: Duration

    /// For one account: five free, then 1 s, 2 s, 4 s … up to 15 minutes.
    static let account = Throttle(free: 5, longest: .minutes(15))

    /// After this long without a failure the count begins anew.
    static let memory = Duration.hours(24)

    /// How long the next attempt must still wait.
    func wait(failures: Int, lastFailedAt: Timestamp, now: Timestamp) -> Duration {
        guard failures >= free, now - lastFailedAt < Self.memory else { return .zero }
        let doubled = Duration.seconds(1 << min(failures - free, 20))
        let until = lastFailedAt + min(doubled, longest)
        return max(.zero, until - now)
    }
}
