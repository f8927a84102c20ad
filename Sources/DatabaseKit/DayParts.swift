import TimeKit

/// Tables that are parted by day. A part is named by its day, `d20270131`; `future` is what lies beyond the last.
///
/// Tables are named by the program, never by anybody outside.
public struct DayParts: Sendable {
    private let database: Database

    /// The days of a database's tables.
    public init(database: Database) { self.database = database }

    /// Makes the days that are missing, which takes a moment since nothing lies beyond the last one.
    ///
    /// Whoever reads or writes the table in a transaction holds this up, and whoever comes then waits behind it: so it
    /// gives up after seconds, and the job comes again.
    public func make(_ table: String, from first: Timestamp, through last: Timestamp) throws(DatabaseError) {
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
    public func drop(_ table: String, before first: Timestamp) throws(DatabaseError) {
        let over = try days(of: table).filter { $0 < first }
        guard !over.isEmpty else { return }
        try alter(table, "DROP PARTITION \(over.map(Self.name).joined(separator: ", "))")
    }

    /// The days that a table has, the earliest first.
    public func days(of table: String) throws(DatabaseError) -> [Timestamp] {
        let rows = try database.rows(
            """
            SELECT PARTITION_NAME AS name
              FROM information_schema.PARTITIONS
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \(table) AND PARTITION_NAME LIKE 'd%'
             ORDER BY PARTITION_NAME
             LIMIT 8192
            """)
        var days: [Timestamp] = []
        for row in rows {
            let digits = try row.get("name", as: String.self).dropFirst()
            let text = "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))T00:00:00Z"
            if let day = Timestamp(rfc3339: text) { days.append(day) }
        }
        return days
    }

    /// Another runner on another host may have done the same just now; then this one fails, and finds it done next time.
    private func alter(_ table: String, _ change: String) throws(DatabaseError) {
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
