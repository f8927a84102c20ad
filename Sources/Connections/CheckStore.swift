import DatabaseKit
import Domain
import TimeKit

/// One time that a service was asked.
public enum ConnectionCheck {}

/// How a connection has fared: each time that its service was asked, and what it said.
struct CheckStore: Sendable {
    /// How many checks are kept of each connection, and for how long.
    static let most = 100
    static let lifetime = Duration.days(30)

    /// Why the service was asked.
    enum Kind: String, Sendable, CaseIterable, Bindable, Readable {
        /// Somebody wanted to know.
        case test
        /// The daily look.
        case probe
        /// The tokens were renewed.
        case refresh
        /// Facts were read.
        case sync

        /// The kind in a word.
        var word: String {
            switch self {
            case .test: "Test"
            case .probe: "Daily test"
            case .refresh: "Renewal"
            case .sync: "Sync"
            }
        }
    }

    /// A check as it was noted.
    struct Check: Sendable {
        let id: Identifier<ConnectionCheck>
        let kind: Kind
        let isSuccess: Bool
        let at: Timestamp
        let duration: Duration
        /// What was said of a failure.
        let detail: String?
    }

    let database: Database
    let world: World
    let scope: OrganizationScope

    /// Notes a check in the transaction that stores its outcome, and forgets the oldest.
    ///
    /// - Parameters:
    ///   - failure: what was said of it; nil when it went well.
    ///   - duration: how long the service took, where that was measured.
    func record(
        _ kind: Kind, _ connection: Identifier<Connection>, _ failure: String?, _ duration: Duration?,
        in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO connection_checks
                   (id, organization_id, connection_id, kind, is_success, checked_at, duration_ms, detail)
            VALUES (\(Identifier<ConnectionCheck>(world)), \(scope.organization), \(connection), \(kind),
                    \(failure == nil), \(world.now()), \(max(0, duration?.milliseconds ?? 0)), \(failure))
            """)
        let known: [Identifier<ConnectionCheck>] = try transaction.rows(
            """
            SELECT id
              FROM connection_checks
             WHERE connection_id = \(connection)
             ORDER BY id DESC
             LIMIT \(Self.most + 10)
            """
        ).map { try $0.get("id") }
        // Each by its key, so that no gap is locked in which others write theirs.
        for old in known.dropFirst(Self.most) {
            try transaction.execute("DELETE FROM connection_checks WHERE id = \(old)")
        }
    }

    /// The checks of a connection after a given one, the newest first.
    func list(
        _ connection: Identifier<Connection>, after last: Identifier<ConnectionCheck>? = nil, limit: Int
    ) throws -> [Check] {
        let after: SQL = last.map { "AND id < \($0)" } ?? ""
        return try database.rows(
            """
            SELECT id, kind, is_success, checked_at, duration_ms, detail
              FROM connection_checks
             WHERE connection_id = \(connection) AND organization_id = \(scope.organization) \(after)
             ORDER BY id DESC
             LIMIT \(limit)
            """
        ).map { row in
            Check(
                id: try row.get("id"), kind: try row.get("kind"), isSuccess: try row.get("is_success"),
                at: try row.get("checked_at"), duration: .milliseconds(try row.get("duration_ms", as: Int.self)),
                detail: try row.get("detail"))
        }
    }

    /// Forgets checks of a month ago, a thousand at a time.
    static func purge(_ database: Database, _ world: World) throws {
        while true {
            let forgotten = try database.execute(
                "DELETE FROM connection_checks WHERE checked_at < \(world.now() - lifetime) LIMIT 1000")
            guard forgotten.affectedRows == 1_000 else { return }
        }
    }
}

extension Connections {
    /// The checks of an organization's connections.
    func checks(_ scope: OrganizationScope) -> CheckStore {
        CheckStore(database: database, world: world, scope: scope)
    }
}
