import TimeKit

/// When a crashed child of one kind may be replaced: at once as a rule, ever more slowly when crashes come quickly.
///
/// Crashes are quick when the child died within its first second, or when there were more of them in a minute than
/// there are children to lose. Each round of quick crashes doubles the delay, from 0.1 s to 30 s, or to half a second
/// when the child had served longer than its first second: starting one so seldom costs little, and without it the
/// others would go too, one by one. A minute without a crash forgets them. A round is what dies before the previous
/// delay has passed: four workers that die together count once.
struct RestartPolicy: Equatable, Sendable {
    /// No replacement before this moment.
    private(set) var notBefore = MonotonicTime(milliseconds: 0)
    private var recent: [MonotonicTime] = []
    private var doublings = 0
    private let allowance: Int

    /// A policy for so many children of one kind.
    init(children: Int) {
        allowance = max(5, 3 * children)
    }

    /// Takes note of a crash and tells how long its replacement waits.
    mutating func crashed(young: Bool, at now: MonotonicTime) -> Duration {
        if let last = recent.last, now - last > .minutes(1) { doublings = 0 }
        recent = recent.filter { now - $0 <= .minutes(1) }.suffix(allowance) + [now]
        guard now >= notBefore else { return notBefore - now }
        guard young || recent.count > allowance else { return .zero }
        let longest = young ? Duration.seconds(30) : .milliseconds(500)
        let delay = min(Duration.milliseconds(100) * (1 << doublings), longest)
        if delay < longest { doublings += 1 }
        notBefore = now + delay
        return delay
    }
}
