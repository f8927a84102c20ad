import DatabaseKit
import Domain
import TimeKit

/// How the connections of an organization are, counted.
extension ConnectionStore {
    /// What tells how a connection is.
    struct State: Sendable {
        let id: Identifier<Connection>
        let stored: ConnectionStatus
        let isEnabled: Bool
        let sealedSecrets: [UInt8]?
        let sealedTokens: [UInt8]?
    }

    /// How each connection is as far as the database knows, the oldest first.
    func states(limit: Int) throws -> [State] {
        try database.rows(
            """
            SELECT id, status, enabled, secrets_sealed, tokens_sealed
              FROM connections
             WHERE organization_id = \(scope.organization) AND removed_at IS NULL
             ORDER BY id
             LIMIT \(limit)
            """
        ).map { row in
            State(
                id: try row.get("id"), stored: try row.get("status"), isEnabled: try row.get("enabled"),
                sealedSecrets: try row.get("secrets_sealed"), sealedTokens: try row.get("tokens_sealed"))
        }
    }

    /// How many connections need a person as far as the database knows, and those of the given ones that are still there.
    func attentionCount(besides unreadable: [Identifier<Connection>]) throws -> Int {
        let row = try database.row(
            """
            SELECT COUNT(*) AS count
              FROM connections
             WHERE organization_id = \(scope.organization) AND removed_at IS NULL AND enabled = 1
                   AND status IN (\(list: ConnectionStatus.allCases.filter(\.needsPerson)))
                   \(unreadable.isEmpty ? "" : "AND id NOT IN (\(list: unreadable))")
            """)
        return try (row?.get("count") ?? 0) + livingCount(of: unreadable)
    }

    private func livingCount(of ids: [Identifier<Connection>]) throws -> Int {
        guard !ids.isEmpty else { return 0 }
        let row = try database.row(
            """
            SELECT COUNT(*) AS count
              FROM connections
             WHERE organization_id = \(scope.organization) AND removed_at IS NULL AND id IN (\(list: ids))
            """)
        return try row?.get("count") ?? 0
    }

    func countsByWorkspace() throws -> [Identifier<Workspace>: Int] {
        let rows = try database.rows(
            """
            SELECT workspace_id, COUNT(*) AS count
              FROM connections
             WHERE organization_id = \(scope.organization) AND removed_at IS NULL AND workspace_id IS NOT NULL
             GROUP BY workspace_id
            """)
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0.get("workspace_id"), try $0.get("count")) })
    }

    func countsByProvider() throws -> [String: Int] {
        let rows = try database.rows(
            """
            SELECT provider, COUNT(*) AS count
              FROM connections
             WHERE organization_id = \(scope.organization) AND removed_at IS NULL
             GROUP BY provider
            """)
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0.get("provider"), try $0.get("count")) })
    }
}
