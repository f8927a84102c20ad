import DatabaseKit
import Domain
import TimeKit

/// What is stored of a grant besides the sealed tokens.
struct GrantTimes: Sendable {
    /// When the access token ends; nil when it does not.
    let expiresAt: Timestamp?
    /// When it is renewed.
    let refreshDueAt: Timestamp?
    /// When the grant itself ends.
    let endsAt: Timestamp?
}

extension ConnectionStore {
    /// Stores what a person granted by signing in: the connection works since now.
    func storeGrant(
        _ id: Identifier<Connection>, sealedTokens: [UInt8], times: GrantTimes, requested: [String], granted: [String]?,
        metadata: String, status: ConnectionStatus, detail: String?, grantKey: GrantKey?, in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE connections
               SET tokens_sealed = \(sealedTokens), tokens_version = tokens_version + 1,
                   token_expires_at = \(times.expiresAt), refresh_due_at = \(times.refreshDueAt),
                   grant_ends_at = \(times.endsAt), authorized_at = \(now), refreshed_at = NULL, refresh_failures = 0,
                   refresh_lease = NULL, refresh_lease_until = NULL, grant_key = \(grantKey?.whole),
                   grant_client = \(grantKey?.client),
                   requested_scopes = \(requested.joined(separator: " ")),
                   granted_scopes = \(granted?.joined(separator: " ")), metadata = \(metadata),
                   status = \(status), status_detail = \(detail), status_changed_at = \(now),
                   probe_due_at = \(now + .days(1)), sync_due_at = \(now), sync_rests_until = NULL, version = version + 1, updated_at = \(now)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """)
    }

    /// Notes whose grant it is, unless another one was stored since.
    func setGrantKey(_ id: Identifier<Connection>, _ key: GrantKey, of version: Int64) throws {
        try database.execute(
            """
            UPDATE connections
               SET grant_key = \(key.whole), grant_client = \(key.client)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
                   AND tokens_version = \(version)
            """)
    }

    /// Says on a connection that nobody has signed in to yet why it came to nothing.
    func noteFailedSignIn(_ id: Identifier<Connection>, _ sentence: String, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE connections
               SET status_detail = \(String(sentence.unicodeScalars.prefix(500)))
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
                   AND tokens_sealed IS NULL AND status = \(ConnectionStatus.disconnected)
            """)
    }
}
