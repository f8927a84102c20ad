import TimeKit

/// How long a failed job waits before its next attempt.
///
/// The wait doubles from attempt to attempt up to a longest, less a random part of up to a fifth, so that jobs which
/// failed together do not all come back together.
public struct RetryPolicy: Sendable, Equatable {
    /// The wait after the first failed attempt.
    public var first: Duration
    /// The longest wait.
    public var longest: Duration

    /// Ten seconds at first, an hour at most, unless told otherwise.
    public init(first: Duration = .seconds(10), longest: Duration = .hours(1)) {
        self.first = first
        self.longest = longest
    }

    /// The wait after this failed attempt, counted from 1; `jitter` is from 0 to 1.
    public func wait(afterAttempt attempt: Int, jitter: Double) -> Duration {
        var wait = first
        for _ in 1..<max(2, attempt) where attempt > 1 && wait < longest { wait = wait * 2 }
        return min(wait, longest) * (1 - 0.2 * jitter)
    }
}

/// What becomes of a job after an attempt.
enum Verdict: Equatable {
    /// It is done and leaves the queue.
    case finish
    /// It comes again at this time as if new: a recurring job.
    case again(at: Timestamp)
    /// It failed and is tried again at this time.
    case retry(at: Timestamp)
    /// It failed for good.
    case park

    /// Decides about an attempt that went well.
    static func success(of job: Job, every interval: Duration?, now: Timestamp) -> Verdict {
        interval.map { .again(at: next(after: job.runAt, every: $0, now: now)) } ?? .finish
    }

    /// Decides about an attempt that failed; a recurring job is never parked, its next turn is its next chance.
    static func failure(
        of job: Job, with error: any Error, policy: RetryPolicy, every interval: Duration?, now: Timestamp,
        jitter: Double
    ) -> Verdict {
        let giveUp = interval.map { Verdict.again(at: next(after: job.runAt, every: $0, now: now)) } ?? .park
        guard job.attempt < job.maxAttempts else { return giveUp }
        switch error as? JobFailure {
        case .park: return giveUp
        case .retry(let wait, _): return .retry(at: now + wait)
        case nil: return .retry(at: now + policy.wait(afterAttempt: job.attempt, jitter: jitter))
        }
    }

    /// The first turn after now, in steps from the last one: turns that were missed are not made up for.
    static func next(after turn: Timestamp, every interval: Duration, now: Timestamp) -> Timestamp {
        let step = max(1, interval.microseconds)
        let behind = max(0, now.microseconds - turn.microseconds)
        return Timestamp(microseconds: turn.microseconds + (behind / step + 1) * step)
    }
}
