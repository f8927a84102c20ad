import DatabaseKit
import Synchronization
import TimeKit

/// What does the jobs of one kind.
public struct JobHandler: Sendable {
    /// The kind of job it does.
    public let kind: String
    /// How long one attempt may take; the handler asks ``JobRun/remaining`` and keeps to it.
    public let deadline: Duration
    /// How long a failed job waits.
    public let policy: RetryPolicy
    /// For a recurring job, the time from one turn to the next; whatever the number of hosts, one does each turn.
    public let interval: Duration?
    let body: @Sendable (JobRun) throws -> Void

    /// A handler; `every` makes its job recurring, and then nobody needs to put it into the queue.
    public init(
        _ kind: String, every interval: Duration? = nil, deadline: Duration = .seconds(30),
        policy: RetryPolicy = RetryPolicy(), body: @escaping @Sendable (JobRun) throws -> Void
    ) {
        self.kind = kind
        self.deadline = deadline
        self.policy = policy
        self.interval = interval
        self.body = body
    }

    /// The lease outlives the deadline, so that a job which keeps to it is never done by two at a time.
    var lease: Duration { deadline + .seconds(30) }
}

/// One attempt at a job, as its handler sees it.
public final class JobRun {
    /// The job.
    public let job: Job
    private let end: ContinuousClock.Instant
    private let queue: JobQueue
    private let stop: StopSignal
    private let success: Verdict
    private(set) var isNoted = false

    init(_ job: Job, of handler: JobHandler, in queue: JobQueue, stop: StopSignal, now: Timestamp) {
        self.job = job
        self.queue = queue
        self.stop = stop
        end = .now + handler.deadline
        success = .success(of: job, every: handler.interval, now: now)
    }

    /// The time left for this attempt, never below zero: the deadline for calls to the outside.
    public var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: end)) }

    /// Whether the program is stopping: a long job ends at its next good place.
    public var isStopping: Bool { stop.isRaised }

    /// Notes the job as done in the transaction that holds its effect, so that both happen or neither.
    ///
    /// Without this call the job is noted as done when its handler returns. Throws ``LeaseLost`` when another worker has
    /// taken the job over; let it through, so that the transaction is rolled back.
    public func finish(in querying: some Querying) throws {
        isNoted = false
        switch success {
        case .again(let moment): try queue.again(job, at: moment, because: nil, in: querying)
        default: try queue.finish(job, in: querying)
        }
        isNoted = true
    }
}
