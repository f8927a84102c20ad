import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// The keys of one organization, as far as the one who asks may see them: members their own, others all.
struct KeyStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    // MARK: Whose

    /// Whose keys the one who asks would make.
    func holder(in querying: some Querying) throws -> Holder {
        guard let bytes = scope.actor.id else { return .commandLine }
        switch scope.actor.kind {
        case .user: return Identifier<User>(bytes: bytes).map(Holder.user) ?? .commandLine
        case .commandLine, .hub: return .commandLine
        case .siteToken:
            let row = try querying.row(
                "SELECT user_id FROM memberships WHERE user_id = \(bytes) AND organization_id = \(scope.organization)")
            guard let row else {
                throw Problem(
                    403, "account_required",
                    "A key would outlive this token, whose bearer has no account here that could hold it.")
            }
            return .user(try row.get("user_id"))
        case .apiKey:
            let row = try querying.row(
                """
                SELECT user_id, COALESCE(issuer_id, id) AS issuer_id
                  FROM api_keys
                 WHERE id = \(bytes) AND organization_id = \(scope.organization)
                """)
            guard let row else { return .commandLine }
            return try row.get("user_id", as: Identifier<User>?.self).map(Holder.user) ?? .key(row.get("issuer_id"))
        }
    }

    /// Which keys may be seen: a condition on `k`.
    private func visible() throws -> SQL {
        let ours: SQL = "k.organization_id = \(scope.organization)"
        guard scope.role == .member else { return ours }
        return "\(ours) AND k.user_id = \(try holder(in: database).user)"
    }

    // MARK: Reading

    /// Keys, the newest first.
    func keys(after last: Identifier<APIKey>?, limit: Int) throws -> [KeyRecord] {
        let before: SQL = if let last { "AND k.id < \(last)" } else { "" }
        return try database.rows(
            """
            SELECT \(Self.columns)
              FROM api_keys k
             WHERE \(try visible()) \(before)
             ORDER BY k.id DESC
             LIMIT \(limit)
            """
        ).map(KeyRecord.init)
    }

    func key(_ id: Identifier<APIKey>) throws -> KeyRecord? {
        try key(id, locking: "", in: database)
    }

    /// The key, held until the transaction ends.
    func lock(_ id: Identifier<APIKey>, in transaction: Transaction) throws -> KeyRecord? {
        try key(id, locking: "FOR UPDATE", in: transaction)
    }

    private func key(_ id: Identifier<APIKey>, locking: SQL, in querying: some Querying) throws -> KeyRecord? {
        let owner: SQL = scope.role == .member ? "AND k.user_id = \(try holder(in: querying).user)" : ""
        return try querying.row(
            """
            SELECT \(Self.columns)
              FROM api_keys k
             WHERE k.id = \(id) AND k.organization_id = \(scope.organization) \(owner)
             \(locking)
            """
        ).map(KeyRecord.init)
    }

    /// How many keys open something now.
    func activeCount() throws -> Int {
        try database.row(
            "SELECT COUNT(*) AS count FROM api_keys k WHERE \(try visible()) AND \(living(world.now()))"
        )?.get("count") ?? 0
    }

    /// Keys that will end by themselves before a moment, the first to end first.
    func expiring(before moment: Timestamp, limit: Int) throws -> [KeyRecord] {
        try database.rows(
            """
            SELECT \(Self.columns)
              FROM api_keys k
             WHERE \(try visible()) AND \(living(world.now())) AND k.expires_at < \(moment)
             ORDER BY k.expires_at, k.id
             LIMIT \(limit)
            """
        ).map(KeyRecord.init)
    }

    /// How many living keys a holder has; nil for the command line, where nobody counts.
    func count(of holder: Holder, in querying: some Querying) throws -> Int? {
        let held: SQL
        switch holder {
        case .user(let id): held = "k.user_id = \(id)"
        case .key(let id): held = "k.issuer_id = \(id)"
        case .commandLine: return nil
        }
        return try querying.row("SELECT COUNT(*) AS count FROM api_keys k WHERE \(held) AND \(living(world.now()))")?
            .get("count")
    }

    private func living(_ now: Timestamp) -> SQL {
        "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > \(now))"
    }

    // MARK: Changing

    /// Holds the holder's row, so that of several keys made at once each sees the ones before.
    func lock(_ holder: Holder, in transaction: Transaction) throws {
        switch holder {
        case .user(let id): _ = try transaction.row("SELECT id FROM users WHERE id = \(id) FOR UPDATE")
        case .key(let id): _ = try transaction.row("SELECT id FROM api_keys WHERE id = \(id) FOR UPDATE")
        case .commandLine: break
        }
    }

    func insert(
        _ id: Identifier<APIKey>, _ text: KeyText, name: String, scopes: [Scope], expiresAt: Timestamp?, holder: Holder,
        in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO api_keys
                   (id, organization_id, user_id, issuer_id, name, prefix, last_four, key_hash, scopes, expires_at,
                    created_at, updated_at)
            VALUES (\(id), \(scope.organization), \(holder.user), \(holder.issuer), \(name), \(text.prefix),
                    \(text.lastFour), \(text.digest), \(scopes.stored), \(expiresAt), \(now), \(now))
            """)
    }

    func rename(_ id: Identifier<APIKey>, _ name: String, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE api_keys
               SET name = \(name), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }

    func revoke(_ id: Identifier<APIKey>, in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            """
            UPDATE api_keys
               SET revoked_at = \(now), version = version + 1, updated_at = \(now)
             WHERE id = \(id) AND organization_id = \(scope.organization) AND revoked_at IS NULL
            """)
    }

    private static let columns: SQL = """
        k.id, k.user_id, (SELECT u.name FROM users u WHERE u.id = k.user_id) AS owner, k.name, k.prefix, k.last_four, k.scopes,
        k.expires_at, k.revoked_at, k.last_used_at, k.last_used_address, k.version, k.created_at
        """
}
