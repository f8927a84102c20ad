import DatabaseKit
import TimeKit

/// Work to be done once, kept in the table `jobs`.
///
/// A job is claimed by writing a lease into its row and committing that before anything is done: no lock is held while
/// a job runs, any number of hosts may take part, and what a dead worker held comes back when the lease ends. Whatever
/// is written about a job afterwards names the lease, so a worker that was too slow cannot undo its successor's work.
/// A job may run twice when its worker died between doing it and noting it: handlers must bear that.
public struct JobQueue: Sendable {
    let database: Database
    private let now: @Sendable () -> Timestamp

    /// A queue in this database; hosts that share it keep their clocks together by NTP.
    public init(_ database: Database, now: @escaping @Sendable () -> Timestamp = Timestamp.now) {
        self.database = database
        self.now = now
    }

    /// Puts a job into the queue as part of the caller's transaction, so that it exists exactly when its cause does.
    ///
    /// Answers false, and leaves the queue as it is, when a job with the same unique key is there already.
    @discardableResult
    public func enqueue(_ job: NewJob, in querying: some Querying) throws(DatabaseError) -> Bool {
        let now = now()
        do {
            try querying.execute(
                """
                INSERT INTO jobs (kind, payload, unique_key, state, run_at, max_attempts, created_at)
                VALUES (\(job.kind), \(job.payload), \(job.uniqueKey), 'waiting', \(job.runAt ?? now),
                        \(max(1, job.maxAttempts)), \(now))
                """)
            return true
        } catch  where error.code == .duplicate && error.constraint == "unique_key" {
            return false
        }
    }

    /// Claims due jobs of these kinds, the longest due first, each until its kind's lease has passed.
    public func claim(_ leases: [String: Duration], limit: Int = 1) throws -> [Job] {
        guard !leases.isEmpty else { return [] }
        let now = now()
        var generator = SystemRandomNumberGenerator()
        let token = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return try database.transaction(isolation: .readCommitted) { transaction in
            let rows = try transaction.rows(
                """
                SELECT id, kind, payload, attempts, max_attempts, run_at, created_at
                  FROM jobs
                 WHERE state = 'waiting' AND run_at <= \(now) AND kind IN (\(list: leases.keys.sorted()))
                 ORDER BY run_at, id
                 LIMIT \(limit)
                   FOR UPDATE SKIP LOCKED
                """)
            let jobs = try rows.map { row in
                let until = now + (leases[try row.get("kind")] ?? .zero)
                return try Job(
                    claimed: row, token: token, until: until, attempt: row.get("attempts", as: Int.self) + 1)
            }
            for (until, jobs) in Dictionary(grouping: jobs, by: \.leaseUntil) {
                try transaction.execute(
                    """
                    UPDATE jobs
                       SET state = 'running', attempts = attempts + 1, lease_until = \(until), lease_token = \(token)
                     WHERE id IN (\(list: jobs.map(\.id)))
                    """)
            }
            return jobs
        }
    }

    /// Jobs of these kinds whose worker let the lease end: it died, or was too slow. They are still under that lease.
    public func expired(_ kinds: some Collection<String>, limit: Int = 100) throws(DatabaseError) -> [Job] {
        guard !kinds.isEmpty else { return [] }
        let rows = try database.rows(
            """
            SELECT id, kind, payload, attempts, max_attempts, run_at, created_at, lease_until, lease_token
              FROM jobs
             WHERE state = 'running' AND lease_until <= \(now()) AND kind IN (\(list: kinds.sorted()))
             LIMIT \(limit)
            """)
        var jobs: [Job] = []
        for row in rows {
            jobs.append(
                try Job(
                    claimed: row, token: row.get("lease_token"), until: row.get("lease_until"),
                    attempt: row.get("attempts")))
        }
        return jobs
    }

    /// Takes a job that is done out of the queue; within a transaction, done and noted are one.
    public func finish(_ job: Job, in querying: some Querying) throws {
        try held(querying.execute("DELETE FROM jobs WHERE id = \(job.id) AND lease_token = \(job.token)"))
    }

    /// Takes a job that is done out of the queue.
    public func finish(_ job: Job) throws {
        try finish(job, in: database)
    }

    /// Takes a job that nobody is at out of the queue by its unique key, and answers whether it was there: its cause is
    /// gone, or somebody has done it otherwise.
    @discardableResult
    public func withdraw(_ uniqueKey: String, in querying: some Querying) throws(DatabaseError) -> Bool {
        try querying.execute(
            "DELETE FROM jobs WHERE unique_key = \(uniqueKey) AND state = 'waiting'"
        ).affectedRows == 1
    }

    /// Gives a job back to be tried again later, with what went wrong.
    public func retry(_ job: Job, after wait: Duration, because reason: String) throws {
        try retry(job, at: now() + wait, because: reason)
    }

    func retry(_ job: Job, at moment: Timestamp, because reason: String) throws {
        try giveBack(job, "state = 'waiting', run_at = \(moment), last_error = \(Self.shortened(reason))", in: database)
    }

    /// Puts a job aside for a person to look at, with what went wrong.
    public func park(_ job: Job, because reason: String) throws {
        try giveBack(job, "state = 'parked', last_error = \(Self.shortened(reason))", in: database)
    }

    /// Gives a job back as if it had not been claimed.
    public func release(_ job: Job) throws {
        try giveBack(job, "state = 'waiting', attempts = attempts - 1", in: database)
    }

    /// Lets a recurring job wait for its next turn; the reason is nil when this turn went well.
    public func again(_ job: Job, at moment: Timestamp, because reason: String?, in querying: some Querying) throws {
        let reason = reason.map(Self.shortened)
        try giveBack(
            job, "state = 'waiting', run_at = \(moment), attempts = 0, last_error = \(reason)", in: querying)
    }

    /// Lets a recurring job wait for its next turn.
    func again(_ job: Job, at moment: Timestamp, because reason: String?) throws {
        try again(job, at: moment, because: reason, in: database)
    }

    /// Puts the row of a recurring job into the queue, unless it is there: one row, whoever runs it.
    func enqueueRecurring(_ kind: String) throws(DatabaseError) {
        try enqueue(NewJob(kind, uniqueKey: "every:\(kind)"), in: database)
    }

    /// How many jobs wait, run and are parked.
    public func counts() throws(DatabaseError) -> (waiting: Int, running: Int, parked: Int) {
        var counts: [String: Int] = [:]
        for row in try database.rows("SELECT state, COUNT(*) AS jobs FROM jobs GROUP BY state") {
            counts[try row.get("state")] = try row.get("jobs", as: Int.self)
        }
        return (counts["waiting"] ?? 0, counts["running"] ?? 0, counts["parked"] ?? 0)
    }

    private func giveBack(_ job: Job, _ changes: SQL, in querying: some Querying) throws {
        try held(
            querying.execute(
                """
                UPDATE jobs
                   SET \(changes), lease_until = NULL, lease_token = NULL
                 WHERE id = \(job.id) AND lease_token = \(job.token)
                """))
    }

    private func held(_ outcome: Outcome) throws(LeaseLost) {
        guard outcome.affectedRows == 1 else { throw LeaseLost() }
    }

    private static func shortened(_ reason: String) -> String {
        String(String.UnicodeScalarView(reason.unicodeScalars.prefix(500)))
    }
}

extension Job {
    fileprivate init(claimed row: Row, token: [UInt8], until: Timestamp, attempt: Int) throws(DatabaseError) {
        id = try row.get("id")
        kind = try row.get("kind")
        payload = try row.get("payload")
        self.attempt = attempt
        maxAttempts = try row.get("max_attempts")
        runAt = try row.get("run_at")
        createdAt = try row.get("created_at")
        leaseUntil = until
        self.token = token
    }
}
