import DatabaseKit
import LogKit
import Synchronization
import ThreadKit
import TimeKit

/// Does the jobs of a queue in a number of threads, until told to stop.
///
/// Any number of runners on any number of hosts may share a queue. Kinds without a handler here are left to runners that
/// have one, so an old program and a new one can work side by side.
public final class JobRunner: Sendable {
    private let queue: JobQueue
    private let handlers: [String: JobHandler]
    private let threadCount: Int
    private let rest: Duration
    private let now: @Sendable () -> Timestamp
    private let log: Log
    private let stopping = StopSignal()
    private let threads = Lock<[WorkerThread]>([])
    private let areRecurringKnown = Atomic(false)
    private let nextSweep: Lock<Timestamp?> = Lock(nil)

    /// How often what dead workers left is looked for.
    private static let sweepInterval: Duration = .seconds(10)

    /// A runner for these kinds; `rest` is how long a thread waits when nothing is due.
    public init(
        _ queue: JobQueue, _ handlers: [JobHandler], threads: Int = 4, rest: Duration = .milliseconds(500),
        log: Log = Log(), now: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        self.queue = queue
        self.handlers = Dictionary(handlers.map { ($0.kind, $0) }) { first, _ in first }
        threadCount = max(1, threads)
        self.rest = rest
        self.log = log
        self.now = now
    }

    /// Starts the threads and returns.
    public func start() {
        let started = (0..<threadCount).compactMap { number in try? WorkerThread(name: "job \(number)") { self.work() }
        }
        if started.count < threadCount { log.error("Too few job threads", ["started": .init(started.count)]) }
        threads.withLock { $0 += started }
    }

    /// Asks the threads to stop after the job each has in hand; ``wait()`` tells when they have.
    public func stop() {
        stopping.raise()
    }

    /// Returns when all threads have ended.
    public func wait() {
        for thread in threads.withLock({ threads in
            defer { threads = [] }; return threads
        }) { thread.join() }
    }

    /// Does one job that is due, and answers whether there was one; also looks after recurring and lost jobs.
    ///
    /// Throws what the queue throws; what a handler throws is noted with its job.
    @discardableResult
    public func runOne() throws -> Bool {
        try prepare()
        guard let job = try queue.claim(handlers.mapValues(\.lease)).first, let handler = handlers[job.kind] else {
            return false
        }
        guard !stopping.isRaised else {
            try queue.release(job)
            return false
        }
        try perform(job, with: handler)
        return true
    }

    private func work() {
        while !stopping.isRaised {
            do {
                if try !runOne() { stopping.sleep(for: rest * .random(in: 0.5...1.5)) }
            } catch {
                log.warning("The job queue cannot be reached", ["error": .init(Self.words(for: error))])
                stopping.sleep(for: .seconds(1) * .random(in: 0.5...1.5))
            }
        }
    }

    private func perform(_ job: Job, with handler: JobHandler) throws {
        let run = JobRun(job, of: handler, in: queue, stop: stopping, now: now())
        do {
            try handler.body(run)
            if !run.isNoted { try run.finish(in: queue.database) }
        } catch {
            try settle(job, handler, after: error)
        }
    }

    /// Notes a failed attempt; that the job belongs to another by now is no failure of this runner.
    private func settle(_ job: Job, _ handler: JobHandler, after error: any Error) throws {
        let words = Self.words(for: error)
        log.warning(
            "A job failed",
            ["kind": .init(job.kind), "job": .init(job.id), "attempt": .init(job.attempt), "error": .init(words)])
        let verdict = Verdict.failure(
            of: job, with: error, policy: handler.policy, every: handler.interval, now: now(),
            jitter: .random(in: 0...1))
        do {
            switch verdict {
            case .finish: try queue.finish(job)
            case .again(let moment): try queue.again(job, at: moment, because: words)
            case .retry(let moment): try queue.retry(job, at: moment, because: words)
            case .park:
                try queue.park(job, because: words)
                log.error("A job was parked", ["kind": .init(job.kind), "job": .init(job.id)])
            }
        } catch is LeaseLost {
            log.warning("A job outlived its lease", ["kind": .init(job.kind), "job": .init(job.id)])
        }
    }

    /// Makes the rows of recurring jobs once, and now and then takes up what dead workers left.
    private func prepare() throws {
        if !areRecurringKnown.load(ordering: .acquiring) {
            for handler in handlers.values where handler.interval != nil { try queue.enqueueRecurring(handler.kind) }
            areRecurringKnown.store(true, ordering: .releasing)
        }
        let now = now()
        let isDue = nextSweep.withLock { next in
            if let next, now < next { return false }
            next = now + Self.sweepInterval
            return true
        }
        guard isDue else { return }
        for job in try queue.expired(handlers.keys) {
            if let handler = handlers[job.kind] { try settle(job, handler, after: WorkerLost()) }
        }
    }

    /// An error's own words when it has any meant for showing, otherwise only its type: it may hold anything.
    private static func words(for error: any Error) -> String {
        (error as? any CustomStringConvertible)?.description ?? "\(type(of: error))"
    }
}

/// A worker died with the job in hand, or took longer than its lease.
struct WorkerLost: Error, CustomStringConvertible {
    var description: String { "its worker was lost" }
}
