import DatabaseKit
import Domain
import TimeKit

/// How requests come from a host's files into the log: rows, figures and the place in each file together or not at all.
///
/// It stands before any organization, since a file holds the requests of all, so it takes no ``OrganizationScope``.
struct SpoolStore: Sendable {
    /// A file's place is not where it was thought to be: it was moved on by somebody else, or by a commit whose answer was
    /// lost.
    struct Moved: Error {}

    /// A file that was read on.
    struct Move: Sendable {
        let file: [UInt8]
        let name: String
        let from: Int
        let to: Int
    }

    /// A request and the id it has in the log, whoever takes it in and however often.
    struct Line: Sendable {
        let id: Identifier<LoggedRequest>
        let request: LoggedRequest
    }

    let database: Database
    let world: World
    let host: [UInt8]
    let routes: KnownRoutes

    /// Up to where files were read.
    func positions(of files: [[UInt8]]) throws -> [[UInt8]: Int] {
        var found: [[UInt8]: Int] = [:]
        for start in stride(from: 0, to: files.count, by: 100) {
            let some = files[start..<min(start + 100, files.count)]
            let rows = try database.rows(
                "SELECT file_id, position FROM spool_positions WHERE file_id IN (\(list: some)) LIMIT 100")
            for row in rows { found[try row.get("file_id")] = try row.get("position", as: Int.self) }
        }
        return found
    }

    /// Takes requests in.
    ///
    /// - Throws: ``Moved``; `DatabaseError`, after which nothing was taken in, unless it is `commitUnknown`.
    func take(_ lines: [Line], _ moves: [Move]) throws {
        var rollUp = RollUp()
        for line in lines { rollUp.count(line.request) }
        let units = try UsageUnit.allCases.map { unit in
            (unit, try rollUp.rows(of: unit) { try routes.label($0, $1, $2, unit, in: database) })
        }
        do {
            try database.transaction(isolation: .readCommitted) { transaction in
                for move in moves.sorted(by: { $0.file.lexicographicallyPrecedes($1.file) }) {
                    try note(move, in: transaction)
                }
                try insert(lines, in: transaction)
                for (unit, rows) in units { try add(rows, to: unit, in: transaction) }
            }
        } catch let error as DatabaseError where error.code == .duplicate {
            // The place of a file was lost, but not its lines: those that are new are taken in.
            let held = try held(of: lines)
            guard !held.isEmpty else { throw error }
            try take(lines.filter { !held.contains($0.id) }, moves)
        }
    }

    /// Which lines the log holds already.
    private func held(of lines: [Line]) throws -> Set<Identifier<LoggedRequest>> {
        var held: Set<Identifier<LoggedRequest>> = []
        for line in lines {
            let row = try database.row(
                """
                SELECT 1 AS one
                  FROM request_logs
                 WHERE organization_id = \(line.request.organization) AND id = \(line.id) AND at = \(line.request.at)
                """)
            if row != nil { held.insert(line.id) }
        }
        return held
    }

    private func note(_ move: Move, in transaction: Transaction) throws {
        let outcome = try transaction.execute(
            move.from == 0
                ? """
                INSERT IGNORE INTO spool_positions (file_id, host_id, name, position, updated_at)
                VALUES (\(move.file), \(host), \(move.name), \(move.to), \(world.now()))
                """
                : """
                UPDATE spool_positions
                   SET position = \(move.to), updated_at = \(world.now())
                 WHERE file_id = \(move.file) AND position = \(move.from)
                """)
        guard outcome.affectedRows == 1 else { throw Moved() }
    }

    private func insert(_ lines: [Line], in transaction: Transaction) throws {
        let head = """
            INSERT INTO request_logs
                   (id, at, organization_id, surface, actor_kind, actor_id, connection_id, method, route, path, status,
                    microseconds, bytes, address, user_agent, request_id, code)
            VALUES
            """
        try Rows.forEachPiece(lines) { piece in
            try transaction.execute(
                Rows.statement(head, piece) { line in
                    let request = line.request
                    return """
                        (\(line.id), \(request.at), \(request.organization), \(request.surface.rawValue),
                         \(request.actorKind.rawValue), \(request.actorID), \(request.connection), \(request.method),
                         \(request.route), \(request.path), \(request.status), \(request.duration.microseconds),
                         \(request.bytes), \(request.address), \(request.userAgent), \(request.requestID),
                         \(request.code))
                        """
                })
        }
    }

    private func add(
        _ rows: [(cell: UsageCell, tally: Tally)], to unit: UsageUnit, in transaction: Transaction
    ) throws {
        let head = """
            INSERT INTO \(unit.table)
                   (organization_id, subject, breakdown, at, label, hundred, requests, microseconds, bytes, latency)
            VALUES
            """
        let sum: SQL = """
            ON DUPLICATE KEY UPDATE requests = requests + VALUES(requests),
                microseconds = microseconds + VALUES(microseconds), bytes = bytes + VALUES(bytes),
                latency = CONCAT(latency, VALUES(latency))
            """
        try Rows.forEachPiece(rows) { piece in
            let statement = Rows.statement(head, piece) { row in
                """
                (\(row.cell.organization), \(row.cell.subject), \(row.cell.breakdown.rawValue), \(row.cell.at),
                 \(row.cell.label), \(row.cell.hundred), \(row.tally.requests), \(row.tally.microseconds),
                 \(row.tally.bytes), \(row.tally.latency.stored))
                """
            }
            try transaction.execute("\(statement) \(sum)")
        }
    }

    // MARK: Files that are gone

    /// Forgets a file that was read to its end and removed.
    func forget(_ file: [UInt8]) throws {
        try database.execute("DELETE FROM spool_positions WHERE file_id = \(file)")
    }

    /// The files of this host that are known, by id.
    func known() throws -> [(file: [UInt8], name: String)] {
        try database.rows("SELECT file_id, name FROM spool_positions WHERE host_id = \(host) LIMIT 10000").map {
            (file: try $0.get("file_id"), name: try $0.get("name"))
        }
    }
}

extension UsageUnit {
    /// Where requests are counted by it.
    var table: String {
        switch self {
        case .minute: "usage_minutes"
        case .hour: "usage_hours"
        case .day: "usage_days"
        }
    }
}

/// Statements of many rows, in few sizes, since each size is a statement of its own on the server.
private enum Rows {
    private static let sizes = [128, 16, 1]

    static func forEachPiece<Element>(_ all: [Element], _ body: (ArraySlice<Element>) throws -> Void) rethrows {
        var rest = all[...]
        while !rest.isEmpty {
            let size = sizes.first { $0 <= rest.count } ?? 1
            try body(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
    }

    static func statement<Element>(_ head: String, _ rows: ArraySlice<Element>, _ row: (Element) -> SQL) -> SQL {
        var text = SQL.StringInterpolation(literalCapacity: 256 * rows.count, interpolationCount: 20 * rows.count)
        text.appendLiteral(head)
        for (index, element) in rows.enumerated() {
            text.appendLiteral(index == 0 ? " " : ", ")
            text.appendInterpolation(row(element))
        }
        return SQL(stringInterpolation: text)
    }
}
