import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// The request log of one organization, as far as the one who asks may see it. Nothing here changes it.
struct LogStore: Sendable {
    let database: Database
    let directory: ActorDirectory
    let scope: OrganizationScope
    /// Whose requests may be seen; nil for everybody's.
    let visible: Set<[UInt8]>?

    /// Requests, the newest first.
    ///
    /// An id begins with its time, so a range of time is a range of the key; the time itself is named too, since it is
    /// what the table is parted by.
    ///
    /// - Throws: `Problem` 422 when what is looked for is too rare to be found in time in so long a stretch of time.
    func entries(_ filter: LogFilter, after last: Identifier<LoggedRequest>?, limit: Int) throws -> [LogEntry] {
        let before: SQL =
            if let last { "AND r.id < \(last) AND r.at < \(last.made + .milliseconds(1))" } else { "" }
        do {
            return try named(
                database.rows(
                    """
                    SELECT \(Self.columns)
                      FROM request_logs r \(filter.index)
                     WHERE r.organization_id = \(scope.organization) AND \(filter.condition) AND \(mine) \(before)
                     ORDER BY r.id DESC
                     LIMIT \(limit)
                    """))
        } catch let error as DatabaseError where error.code == .statementTimeout {
            throw Problem.invalid(
                "start_date", "range_too_wide",
                "Too many requests lie in this range. Narrow it by start_date and end_date.")
        }
    }

    func entry(_ id: Identifier<LoggedRequest>) throws -> LogEntry? {
        let rows = try database.rows(
            """
            SELECT \(Self.columns)
              FROM request_logs r
             WHERE r.organization_id = \(scope.organization) AND r.id = \(id)
               AND r.at >= \(id.made) AND r.at < \(id.made + .milliseconds(1)) AND \(mine)
            """)
        return try named(rows).first
    }

    var mine: SQL {
        guard let visible else { return "TRUE" }
        return "r.actor_id IN (\(list: visible.sorted { $0.lexicographicallyPrecedes($1) }))"
    }

    func named(_ rows: [Row]) throws -> [LogEntry] {
        let requests = try rows.map { (try $0.get("id", as: Identifier<LoggedRequest>.self), try LoggedRequest($0)) }
        let names = try directory.names(of: Set(requests.compactMap(\.1.actorID)), by: scope)
        return requests.map { id, request in
            LogEntry(id: id, request: request, actorName: request.actorID.flatMap { names[$0] })
        }
    }

    static let columns: SQL = """
        r.id, r.at, r.organization_id, r.surface, r.actor_kind, r.actor_id, r.connection_id, r.method, r.route, r.path,
        r.status, r.microseconds, r.bytes, r.address, r.user_agent, r.request_id, r.code
        """
}

extension LoggedRequest {
    init(_ row: Row) throws {
        self.init(
            at: try row.get("at"), organization: try row.get("organization_id"),
            surface: Surface(rawValue: try row.get("surface")) ?? .api,
            actorKind: Actor.Kind(rawValue: try row.get("actor_kind")) ?? .apiKey, actorID: try row.get("actor_id"),
            connection: try row.get("connection_id"), method: try row.get("method"), route: try row.get("route"),
            path: try row.get("path"), status: try row.get("status"),
            duration: .microseconds(try row.get("microseconds", as: Int64.self)), bytes: try row.get("bytes"),
            address: try row.get("address"), userAgent: try row.get("user_agent"), requestID: try row.get("request_id"),
            code: try row.get("code"))
    }
}

extension LogFilter {
    /// How the server is to look: one request is found by its id, not by going through all in their order.
    fileprivate var index: SQL { requestID == nil ? "" : "FORCE INDEX (request)" }

    /// The requests' condition on `r`.
    var condition: SQL {
        var sql: SQL = "TRUE"
        if let key { sql = "\(sql) AND r.actor_id = \(key)" }
        if let app { sql = "\(sql) AND r.actor_id = \(app)" }
        if let connection { sql = "\(sql) AND r.connection_id = \(connection)" }
        if let since { sql = "\(sql) AND r.at >= \(since) AND r.id >= \(Self.bound(since))" }
        if let until { sql = "\(sql) AND r.at < \(until) AND r.id < \(Self.bound(until + .milliseconds(1)))" }
        switch outcome {
        case nil: break
        case .failed: sql = "\(sql) AND r.is_failed = 1"
        case .succeeded: sql = "\(sql) AND r.is_failed = 0"
        case .hundred(let digit):
            sql = """
                \(sql) AND r.is_failed = \(digit >= 4)
                AND r.status >= \(100 * digit) AND r.status < \(100 * digit + 100)
                """
        case .exactly(let status): sql = "\(sql) AND r.is_failed = \(status >= 400) AND r.status = \(status)"
        }
        if let path { sql = "\(sql) AND r.path LIKE \(Self.beginning(path))" }
        if let route { sql = "\(sql) AND r.route = \(route)" }
        if let method { sql = "\(sql) AND r.method = \(method)" }
        if let requestID { sql = "\(sql) AND r.request_id = \(requestID)" }
        return sql
    }

    /// The least id of a moment's millisecond.
    private static func bound(_ moment: Timestamp) -> [UInt8] {
        let milliseconds = UInt64(max(0, moment.milliseconds))
        return (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64($0))) }
            + [UInt8](repeating: 0, count: 10)
    }

    private static func beginning(_ path: String) -> String {
        path.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_") + "%"
    }
}
