import DatabaseKit
import Domain
import TimeKit

/// What is due, of all organizations.
struct DueStore: Sendable {
    /// How many connections of one service are picked at a time.
    static let mostOfOne = 200

    /// What can be due.
    enum Work: Sendable, CaseIterable {
        case refresh
        case probe
        case sync

        /// The column that says when.
        var column: SQL {
            switch self {
            case .refresh: "refresh_due_at"
            case .probe: "probe_due_at"
            case .sync: "sync_due_at"
            }
        }
    }

    /// A connection for which something is due.
    struct Item: Sendable {
        let id: Identifier<Connection>
        let organization: Identifier<Organization>
        let provider: String
    }

    let database: Database
    let world: World

    /// The connections for which something is due, the longest due first, and not more of one service than that others
    /// have their turn; of one service the organizations take turns.
    func due(_ work: Work) throws -> [Item] {
        let now = world.now()
        let column = work.column
        return try database.rows(
            """
            SELECT id, organization_id, provider
              FROM (SELECT id, organization_id, provider, due_at,
                           ROW_NUMBER() OVER (PARTITION BY provider ORDER BY turn, due_at) AS place
                      FROM (SELECT id, organization_id, provider, \(column) AS due_at,
                                   ROW_NUMBER() OVER (PARTITION BY provider, organization_id ORDER BY \(column)) AS turn
                              FROM connections
                             WHERE \(column) <= \(now) AND removed_at IS NULL AND enabled = 1
                                   AND (refresh_lease IS NULL OR refresh_lease_until <= \(now))) AS turns) AS due
             WHERE place <= \(Self.mostOfOne)
             ORDER BY due_at
             LIMIT 2000
            """
        ).map { row in
            Item(
                id: try row.get("id"), organization: try row.get("organization_id"), provider: try row.get("provider"))
        }
    }
}
