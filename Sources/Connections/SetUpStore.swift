import DatabaseKit
import Domain
import JSONKit
import TimeKit

extension ConnectionStore {
    /// What becomes of what is known of a connection when it is stored anew.
    enum Knowledge: Sendable {
        /// The set-up is the same: everything stays.
        case all
        /// The set-up is another one, and somebody is signed in still: only what was tested no longer counts. What failed to
        /// be renewed is tried again at once, since that may be what the change has mended.
        case grant
        /// The set-up is another one, and nothing is known of it.
        case nothing
    }

    /// Stores another name, place or set-up.
    func update(
        _ id: Identifier<Connection>, name: String, workspace: Identifier<Workspace>?, setup: JSON,
        sealedSecrets: [UInt8]?, keeping knowledge: Knowledge, in transaction: Transaction
    ) throws {
        let now = world.now()
        let untested: SQL = """
            , tested_at = NULL, test_duration_ms = NULL, test_rests_until = NULL, sync_rests_until = NULL
            """
        let forgotten: SQL =
            switch knowledge {
            case .all: ""
            case .grant:
                """
                \(untested), refresh_due_at = IF(status = \(ConnectionStatus.needsReauth) OR refresh_failures > 0, \(now),
                                                 refresh_due_at)
                """
            case .nothing:
                """
                \(untested), status = \(ConnectionStatus.disconnected), status_detail = NULL, status_changed_at = \(now),
                metadata = '{}'
                """
            }
        try transaction.execute(
            """
            UPDATE connections
               SET name = \(name), workspace_id = \(workspace), setup = \(setup.stored), secrets_sealed = \(sealedSecrets),
                   version = version + 1, updated_at = \(now)\(forgotten)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }
}

extension ConnectionView {
    /// What is known of the connection still once it is stored anew.
    func knowledge(isSetUpAnew: Bool, isElsewhere: Bool) -> ConnectionStore.Knowledge {
        guard isSetUpAnew else { return .all }
        return record.grant.sealed == nil || isElsewhere ? .nothing : .grant
    }
}
