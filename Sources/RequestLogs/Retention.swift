import DatabaseKit
import Domain
import JobKit
import TimeKit

/// How long requests and figures are kept.
extension RequestLogs {
    /// The jobs of this room.
    public var jobs: [JobHandler] {
        [JobHandler("request_logs.retention", every: .hours(1), deadline: .minutes(5)) { run in try keep(run) }]
    }

    /// The kinds of jobs as the system page names them.
    public static let jobLabels = [
        "request_logs.retention": "Make days of the request log ahead, drop those that are over"
    ]

    private func keep(_ run: JobRun) throws {
        try makeAndDropDays()
        while run.remaining > .zero, !run.isStopping, try dropOldFigures() {}
    }

    /// Makes the days ahead of each table that is parted by day, and drops those that are over.
    func makeAndDropDays() throws {
        let store = DayParts(database: database)
        let today = UsageUnit.day.floor(world.now())
        let tables = [
            ("request_logs", settings.logDays), (UsageUnit.minute.table, settings.minuteDays),
            (UsageUnit.hour.table, settings.hourDays),
        ]
        for (table, days) in tables {
            try store.make(table, from: today, through: today + .days(Self.daysAhead))
            try store.drop(table, before: today - .days(days))
        }
    }

    /// Deletes some figures by the day that are over; false when there are no more.
    func dropOldFigures() throws -> Bool {
        let end = UsageUnit.day.floor(world.now()) - .days(settings.dayDays)
        return try database.execute("DELETE FROM usage_days WHERE at < \(end) LIMIT 2000").affectedRows == 2_000
    }

    /// How many days stand ready: as long may the job fail before requests of several days share a part.
    static let daysAhead = 7
}

/// Tables that are parted by day. A part is named by its day, `d20270131`; `future` is what lies beyond the last.
struct DayParts: Sendable {
    let database: Database

    /// Makes the days that are missing, which takes a moment since nothing lies beyond the last one.
    ///
    /// Whoever reads or writes the table in a transaction holds this up, and whoever comes then waits behind it: so it
    /// gives up after seconds, and the job comes again.
    func make(_ table: String, from first: Timestamp, through last: Timestamp) throws {
        let newest = try days(of: table).last
        var day = newest.map { max($0 + .days(1), first) } ?? first
        var parts: [String] = []
        while day <= last {
            let end = (day + .days(1)).sqlDay
            parts.append("PARTITION \(Self.name(day)) VALUES LESS THAN ('\(end)')")
            day = day + .days(1)
        }
        guard !parts.isEmpty else { return }
        try alter(
            table,
            "REORGANIZE PARTITION future INTO (\(parts.joined(separator: ", ")), PARTITION future VALUES LESS THAN (MAXVALUE))"
        )
    }

    /// Drops the days before one.
    func drop(_ table: String, before first: Timestamp) throws {
        let over = try days(of: table).filter { $0 < first }
        guard !over.isEmpty else { return }
        try alter(table, "DROP PARTITION \(over.map(Self.name).joined(separator: ", "))")
    }

    /// The days that a table has, the earliest first.
    func days(of table: String) throws -> [Timestamp] {
        try database.rows(
            """
            SELECT PARTITION_NAME AS name
              FROM information_schema.PARTITIONS
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(table) AND PARTITION_NAME LIKE 'd%'
             ORDER BY PARTITION_NAME
             LIMIT 8192
            """
        ).compactMap { row in
            let digits = try row.get("name", as: String.self).dropFirst()
            return Timestamp(
                rfc3339: "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))T00:00:00Z")
        }
    }

    /// Another runner on another host may have done the same just now; then this one fails, and finds it done next time.
    private func alter(_ table: String, _ change: String) throws {
        try database.execute(
            "SET STATEMENT lock_wait_timeout = 3, max_statement_time = 15 FOR ALTER TABLE \(unescaped: table) \(unescaped: change)"
        )
    }

    private static func name(_ day: Timestamp) -> String { "d" + day.sqlDay.replacing("-", with: "") }
}

extension Timestamp {
    /// The day in UTC as MariaDB writes it.
    fileprivate var sqlDay: String { String(rfc3339.prefix(10)) }
}
