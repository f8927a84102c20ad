import DatabaseKit
import LimitKit
import LogKit
import ThreadKit
import TimeKit

/// Tells other hosts what this one has admitted, and counts here what they did.
///
/// Each host writes the whole state of every subject that changed, and reads that of the others: written or read twice it
/// is the same, and a host that was away catches up by itself. All times are those of the database, so hosts need not
/// agree on theirs; windows are of the wall clock, so they should agree to within a second. Between two hosts a subject
/// may exceed its limit by what it takes within the second or two until both know.
///
/// While the database is away each host limits by what it knows.
public final class LimitExchange: Sendable {
    private let database: Database
    private let limiter: Limiter
    private let world: World
    private let log: Log
    private let progress = Lock(Progress())

    private struct Progress: Sendable {
        /// Up to when the others' rows have been read, by the database's clock.
        var cursor: Timestamp?
        var rounds = 0
        /// Whether the last purge has left old rows.
        var isBehind = false
        var isAway = false
    }

    /// How many subjects a round writes, and how many of the others' a page has.
    static let page = 1_000
    /// How many pages a round reads; the rest follows a second later.
    static let pages = 10
    /// A row may become visible this much after the moment it bears.
    static let overlap = Duration.seconds(5)
    /// How long a round may remove old rows.
    private static let purgeTime = Duration.milliseconds(500)

    /// An exchange between a limiter and a database.
    public init(database: Database, limiter: Limiter, world: World, log: Log) {
        (self.database, self.limiter, self.world, self.log) = (database, limiter, world, log)
    }

    /// One round; what goes wrong is logged once and tried again in the next.
    ///
    /// - Parameter isFirst: whether this process has only now become the one that does it.
    public func round(isFirst: Bool) {
        if isFirst {
            limiter.reported(isDone: false)
            progress.withLock { $0 = Progress() }
        }
        do {
            try exchange()
            let wasAway = progress.withLock { progress -> Bool in
                defer { progress.isAway = false }
                return progress.isAway
            }
            if wasAway { log.info("limits are reconciled between hosts again") }
        } catch {
            let wasAway = progress.withLock { progress -> Bool in
                defer { progress.isAway = true }
                return progress.isAway
            }
            if !wasAway {
                log.warning(
                    "limits cannot be reconciled between hosts; each counts for itself",
                    ["error": .init(String(reflecting: error))])
            }
        }
    }

    /// Writes, reads, and now and then removes what is old.
    func exchange() throws {
        let others = try meet()
        if others.present > 0 { try tell() }
        if others.known > 0 { try listen(at: others.now) }
        let isDue = progress.withLock { progress -> Bool in
            progress.rounds += 1
            return progress.isBehind || progress.rounds % 300 == 1
        }
        if isDue { try purge() }
    }

    /// Shows that this host is there, and counts the others: all of the last day, and those that are there now.
    private func meet() throws -> (known: Int, present: Int, now: Timestamp) {
        try database.execute(
            """
            INSERT INTO limit_hosts (host, seen_at)
            VALUES (\(limiter.host), UTC_TIMESTAMP(6))
                ON DUPLICATE KEY UPDATE seen_at = VALUES(seen_at)
            """)
        let row = try database.row(
            """
            SELECT COUNT(*) AS known, COUNT(IF(seen_at > UTC_TIMESTAMP(6) - INTERVAL 1 MINUTE, 1, NULL)) AS present,
                   UTC_TIMESTAMP(6) AS now
              FROM limit_hosts
             WHERE host <> \(limiter.host)
            """)
        guard let row else { return (0, 0, Timestamp(seconds: 0)) }
        return try (row.get("known"), row.get("present"), row.get("now"))
    }

    private func tell() throws {
        let reports = limiter.reports(atMost: Self.page, at: world.now())
        do {
            var rest = reports[...]
            while !rest.isEmpty {
                // Three lengths, so that there are three statements to prepare.
                let size = [200, 20, 1].first { $0 <= rest.count } ?? 1
                try write(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
        } catch {
            limiter.reported(isDone: false)
            throw error
        }
        limiter.reported(isDone: true)
    }

    private func write(_ reports: ArraySlice<LimitReport>) throws {
        var rows: SQL = ""
        for report in reports {
            let row: SQL = "(\(report.subject.bytes), \(limiter.host), \(report.counts), UTC_TIMESTAMP(6))"
            rows = rows.text.isEmpty ? row : "\(rows), \(row)"
        }
        try database.execute(
            """
            INSERT INTO limit_counts (subject, host, counts, changed_at)
            VALUES \(rows)
                ON DUPLICATE KEY UPDATE counts = VALUES(counts), changed_at = VALUES(changed_at)
            """)
    }

    /// Reads what changed, in the order of changing: for each subject of it the rows of all other hosts.
    private func listen(at now: Timestamp) throws {
        for _ in 0..<Self.pages {
            let from = progress.withLock { $0.cursor } ?? Timestamp(seconds: 0)
            let rows = try database.rows(
                """
                SELECT counted.subject, counted.counts, news.newest
                  FROM (SELECT subject, MAX(changed_at) AS newest
                          FROM limit_counts
                         WHERE changed_at >= \(from) AND host <> \(limiter.host)
                         GROUP BY subject
                         ORDER BY newest
                         LIMIT \(Self.page)) AS news
                  JOIN limit_counts AS counted ON counted.subject = news.subject AND counted.host <> \(limiter.host)
                 ORDER BY news.newest, counted.subject
                """)
            let count = try adopt(rows)
            guard count == Self.page, let latest: Timestamp = try rows.last?.get("newest"), latest > from else {
                return progress.withLock { $0.cursor = max(from, now - Self.overlap) }
            }
            progress.withLock { $0.cursor = latest }
        }
    }

    /// Counts what rows say, those of one subject standing together; returns how many subjects there were.
    private func adopt(_ rows: [Row]) throws -> Int {
        var subjects: [(subject: [UInt8], counts: [[UInt8]])] = []
        for row in rows {
            let subject: [UInt8] = try row.get("subject")
            if subjects.last?.subject != subject { subjects.append((subject, [])) }
            subjects[subjects.count - 1].counts.append(try row.get("counts"))
        }
        var unreadable = 0
        for (bytes, counts) in subjects {
            guard let subject = LimitSubject(bytes: bytes) else { continue }
            unreadable += limiter.adopt(counts, of: subject, at: world.now())
        }
        if unreadable > 0 { log.warning("counts of another host cannot be read", ["rows": .init(unreadable)]) }
        return subjects.count
    }

    /// Removes what counts nowhere any more, for a short while: what is left is removed in the next round.
    private func purge() throws {
        let end = ContinuousClock.now + Self.purgeTime
        var isBehind = false
        try database.deleteAll("DELETE FROM limit_counts WHERE changed_at < UTC_TIMESTAMP(6) - INTERVAL 25 HOUR") {
            isBehind = .now >= end
            return !isBehind
        }
        progress.withLock { $0.isBehind = isBehind }
        try database.execute("DELETE FROM limit_hosts WHERE seen_at < UTC_TIMESTAMP(6) - INTERVAL 25 HOUR LIMIT 100")
    }
}
