import Testing
import TimeKit

@testable import JobKit

@Suite struct RetryPolicyTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    private func job(attempt: Int, of maxAttempts: Int = 3, runAt: Timestamp? = nil) -> Job {
        Job(
            id: 1, kind: "k", payload: "{}", attempt: attempt, maxAttempts: maxAttempts, runAt: runAt ?? now,
            createdAt: now, leaseUntil: now, token: [])
    }

    private func failure(_ job: Job, _ error: any Error = Broken(), every interval: Duration? = nil) -> Verdict {
        .failure(of: job, with: error, policy: RetryPolicy(), every: interval, now: now, jitter: 0)
    }

    @Test("The wait doubles up to the longest, and jitter only shortens it by a fifth")
    func waits() {
        let policy = RetryPolicy(first: .seconds(10), longest: .seconds(60))
        #expect((1...5).map { policy.wait(afterAttempt: $0, jitter: 0).components.seconds } == [10, 20, 40, 60, 60])
        #expect(policy.wait(afterAttempt: 1, jitter: 1) == .seconds(8))
        #expect(policy.wait(afterAttempt: 65_000, jitter: 0) == .seconds(60))
    }

    @Test("A failed job is tried again until its last attempt, then parked")
    func attempts() {
        #expect(failure(job(attempt: 1)) == .retry(at: now + .seconds(10)))
        #expect(failure(job(attempt: 2)) == .retry(at: now + .seconds(20)))
        #expect(failure(job(attempt: 3)) == .park)
    }

    @Test("A handler may name the wait, or give up at once")
    func handlerKnows() {
        #expect(
            failure(job(attempt: 1), JobFailure.retry(after: .minutes(7), because: "")) == .retry(at: now + .minutes(7))
        )
        #expect(failure(job(attempt: 3), JobFailure.retry(after: .minutes(7), because: "")) == .park)
        #expect(failure(job(attempt: 1), JobFailure.park(because: "")) == .park)
    }

    @Test("A recurring job keeps its rhythm, makes up for no missed turn, and is never parked")
    func recurring() {
        let late = job(attempt: 3, runAt: now - .seconds(250))
        let next = Verdict.again(at: now + .seconds(50))
        #expect(Verdict.success(of: late, every: .seconds(100), now: now) == next)
        #expect(failure(late, every: .seconds(100)) == next)
        #expect(failure(late, JobFailure.park(because: ""), every: .seconds(100)) == next)
        #expect(Verdict.success(of: job(attempt: 1), every: .seconds(100), now: now) == .again(at: now + .seconds(100)))
        #expect(Verdict.success(of: late, every: nil, now: now) == .finish)
    }
}
