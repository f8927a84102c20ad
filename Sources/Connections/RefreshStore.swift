import DatabaseKit
import Domain
import TimeKit

/// The right to renew a connection's tokens: a committed row, and no lock.
struct RefreshLease: Sendable {
    /// How long the right lasts: two calls and what is written after them.
    static let duration = Duration.seconds(30)
    /// How far the clocks of hosts may be apart, and how long a statement may wait for a row.
    static let tolerance = Duration.minutes(1)
    /// How long a service is left in peace after an attempt, whoever asks.
    static let rest = Duration.seconds(5)

    let id: Identifier<Connection>
    /// Proves that it is ours.
    let token: [UInt8]
    /// The version of the tokens that are renewed.
    let version: Int64
}

/// How far a renewal is that somebody else may be at.
struct RefreshState: Sendable {
    /// The version of the tokens.
    let version: Int64
    /// Whether somebody holds the right to renew them.
    let isHeld: Bool
    /// Whether somebody took the right and never gave it back: nobody knows what became of it.
    let isAbandoned: Bool
}

extension ConnectionStore {
    /// Takes the right to renew tokens of this version; nil when somebody else has it, or has just tried.
    ///
    /// The right ends by itself, so that a worker that dies takes it along for half a minute at most: the renewal is due
    /// again then, since nobody knows what became of it. A time much further ahead was written by a host whose clock goes
    /// fast; a little further ahead stands the right of one who looked at the clock later and came to the row sooner.
    ///
    /// A transaction for one statement, since that is what is tried again where many who ask at once meet in a deadlock.
    func claimRefresh(of id: Identifier<Connection>, version: Int64) throws -> RefreshLease? {
        let now = world.now()
        let until = now + RefreshLease.duration
        let lease = RefreshLease(id: id, token: world.randomBytes(16), version: version)
        let claimed = try database.transaction { transaction in
            try transaction.execute(
                """
                UPDATE connections
                   SET refresh_lease = \(lease.token), refresh_lease_until = \(until), refresh_due_at = \(until)
                 WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
                       AND tokens_version = \(version) AND tokens_sealed IS NOT NULL
                       AND (refresh_lease_until IS NULL OR refresh_lease_until <= \(now)
                            OR refresh_lease_until > \(until + RefreshLease.tolerance))
                """)
        }
        return claimed.affectedRows == 1 ? lease : nil
    }

    /// How far a renewal is; nil when the connection is not there any more.
    func refreshState(of id: Identifier<Connection>) throws -> RefreshState? {
        let now = world.now()
        return try database.row(
            """
            SELECT tokens_version, refresh_lease IS NOT NULL AND refresh_lease_until > \(now) AS is_held,
                   refresh_lease IS NOT NULL AND refresh_lease_until <= \(now) AS is_abandoned
              FROM connections
             WHERE id = \(id) AND organization_id = \(scope.organization) AND removed_at IS NULL
            """
        ).map { row in
            RefreshState(
                version: try row.get("tokens_version"), isHeld: try row.get("is_held"),
                isAbandoned: try row.get("is_abandoned"))
        }
    }

    /// What is stored after a renewal.
    struct Renewed: Sendable {
        let sealedTokens: [UInt8]
        let times: GrantTimes
        /// Nil when the service said nothing of them: they stay.
        let scopes: [String]?
        let status: ConnectionStatus
        let detail: String?
        /// Whether the status is another one than before.
        let isChange: Bool
        let rest: Duration
    }

    /// Stores renewed tokens over those that they were renewed from; the caller has locked the row and compared the
    /// version.
    func storeRenewed(_ lease: RefreshLease, _ renewed: Renewed, in transaction: Transaction) throws {
        let now = world.now()
        let scopes: SQL = renewed.scopes.map { ", granted_scopes = \($0.joined(separator: " "))" } ?? ""
        try transaction.execute(
            """
            UPDATE connections
               SET tokens_sealed = \(renewed.sealedTokens), tokens_version = tokens_version + 1,
                   token_expires_at = \(renewed.times.expiresAt), refresh_due_at = \(renewed.times.refreshDueAt),
                   grant_ends_at = \(renewed.times.endsAt), refreshed_at = \(now), refresh_failures = 0,
                   refresh_lease = NULL, refresh_lease_until = \(now + renewed.rest), status = \(renewed.status),
                   status_detail = \(renewed.detail), version = version + \(renewed.isChange),
                   status_changed_at = IF(\(renewed.isChange), \(now), status_changed_at)\(scopes)
             WHERE id = \(lease.id) AND organization_id = \(scope.organization) AND removed_at IS NULL
                   AND tokens_version = \(lease.version)
            """)
    }

    /// Notes that a renewal failed; the caller has locked the row and compared the version.
    func storeFailure(
        _ lease: RefreshLease, _ verdict: RefreshVerdict, isChange: Bool, isNews: Bool, in transaction: Transaction
    ) throws {
        let now = world.now()
        let status: SQL = verdict.status.map { ", status = \($0), status_detail = \(verdict.detail)" } ?? ""
        try transaction.execute(
            """
            UPDATE connections
               SET refresh_failures = \(verdict.failures), refresh_due_at = \(verdict.dueAt), refresh_lease = NULL,
                   refresh_lease_until = \(now + RefreshLease.rest), version = version + \(isNews),
                   status_changed_at = IF(\(isChange), \(now), status_changed_at)\(status)
             WHERE id = \(lease.id) AND organization_id = \(scope.organization) AND removed_at IS NULL
                   AND tokens_version = \(lease.version) AND refresh_lease = \(lease.token)
            """)
    }

    /// Gives the right back untried, for tokens that turned out to be nothing to renew.
    func release(_ lease: RefreshLease, dueAt: Timestamp?) throws {
        try database.execute(
            """
            UPDATE connections
               SET refresh_lease = NULL, refresh_lease_until = NULL, refresh_due_at = \(dueAt)
             WHERE id = \(lease.id) AND organization_id = \(scope.organization) AND refresh_lease = \(lease.token)
            """)
    }
}
