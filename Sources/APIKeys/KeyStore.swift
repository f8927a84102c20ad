import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// The keys of one organization, as far as the one who asks may see them: members their own, others all.
struct KeyStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    // MARK: Whose

    /// Whose keys the one who asks would make.
    func holder(in querying: some Querying) throws -> Holder {
        guard let holder = try Holder(scope, in: querying) else {
            throw Problem(
                403, "account_required",
                "A key would outlive this token, whose bearer has no account here that could hold it.")
        }
        return holder
    }

    /// Which keys may be seen: a condition on `k`.
    private func visible(in querying: (some Querying)? = Database?.none) throws -> SQL {
        let ours: SQL = "k.organization_id = \(scope.organization)"
        guard scope.role == .member else { return ours }
        let holder = if let querying { try holder(in: querying) } else { try holder(in: database) }
        return "\(ours) AND k.user_id = \(holder.user)"
    }

    // MARK: Reading

    /// Keys of a filter, the newest first.
    func keys(
        _ filter: KeyFilter = .none, after last: Identifier<APIKey>? = nil, limit: Int
    ) throws -> [KeyRecord] {
        let before: SQL = if let last { "AND k.id < \(last)" } else { "" }
        return try database.rows(
            """
            SELECT \(KeyRecord.columns)
              FROM api_keys k
             WHERE \(try visible()) \(filter.condition(now: world.now())) \(before)
             ORDER BY k.id DESC
             LIMIT \(limit)
            """
        ).map(KeyRecord.init)
    }

    /// The most keys that are looked through, and ended, for nobody having used them.
    static let mostUnused = 200

    /// Keys that could be used and nobody has for 90 days, the oldest first, at most ``mostUnused``.
    func unused(in querying: some Querying, isLocking: Bool = false) throws -> [KeyRecord] {
        let locking: SQL = isLocking ? "FOR UPDATE" : ""
        return try querying.rows(
            """
            SELECT \(KeyRecord.columns)
              FROM api_keys k
             WHERE \(try visible(in: querying)) AND \(KeyFilter.Shown.unused.condition(now: world.now()))
             ORDER BY k.id
             LIMIT \(Self.mostUnused)
            \(locking)
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
            SELECT \(KeyRecord.columns)
              FROM api_keys k
             WHERE k.id = \(id) AND k.organization_id = \(scope.organization) \(owner)
             \(locking)
            """
        ).map(KeyRecord.init)
    }

    /// The last lines of the audit log about a key.
    func activity(_ id: Identifier<APIKey>) throws -> [KeyActivity] {
        try database.rows(
            """
            SELECT action, actor_name, occurred_at
              FROM audit_events
             WHERE organization_id = \(scope.organization) AND object_id = \(id)
             ORDER BY id DESC
             LIMIT 8
            """
        ).map(KeyActivity.init)
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
            SELECT \(KeyRecord.columns)
              FROM api_keys k
             WHERE \(try visible()) AND \(living(world.now())) AND k.expires_at < \(moment)
             ORDER BY k.expires_at, k.id
             LIMIT \(limit)
            """
        ).map(KeyRecord.init)
    }

    /// How many living keys a holder has; nil for the command line, where nobody counts.
    func count(of holder: Holder, in querying: some Querying) throws -> Int? {
        guard let held = holder.condition else { return nil }
        return try querying.row("SELECT COUNT(*) AS count FROM api_keys k WHERE \(held) AND \(living(world.now()))")?
            .get("count")
    }

    private func living(_ now: Timestamp) -> SQL {
        "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > \(now))"
    }

    // MARK: Changing

    func insert(
        _ id: Identifier<APIKey>, _ text: KeyText, _ terms: KeyTerms, holder: Holder, in transaction: Transaction
    ) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO api_keys
                   (id, organization_id, user_id, issuer_id, name, prefix, last_four, key_hash, scopes,
                    requests_per_minute, requests_per_hour, requests_per_day, allowed_ips, metadata, expires_at,
                    expiry_noticed, created_at, updated_at)
            VALUES (\(id), \(scope.organization), \(holder.user), \(holder.issuer), \(terms.name), \(text.prefix),
                    \(text.lastFour), \(text.digest), \(terms.scopes.stored),
                    \(terms.rateLimit.perMinute), \(terms.rateLimit.perHour), \(terms.rateLimit.perDay),
                    \(terms.allowedIPs.stored), \(terms.storedMetadata), \(terms.expiresAt),
                    \(ExpiryNotice.due(for: terms.expiresAt, at: now)), \(now), \(now))
            """)
        try changed(in: transaction)
    }

    /// Stores other terms; the end is told of anew when it has moved.
    func save(_ terms: KeyTerms, of key: KeyRecord, in transaction: Transaction) throws {
        let noticed: SQL =
            terms.expiresAt == key.expiresAt
            ? "expiry_noticed" : "\(ExpiryNotice.due(for: terms.expiresAt, at: world.now()))"
        try update(
            key.id,
            """
            name = \(terms.name), scopes = \(terms.scopes.stored),
            requests_per_minute = \(terms.rateLimit.perMinute), requests_per_hour = \(terms.rateLimit.perHour),
            requests_per_day = \(terms.rateLimit.perDay), allowed_ips = \(terms.allowedIPs.stored),
            metadata = \(terms.storedMetadata), expires_at = \(terms.expiresAt), expiry_noticed = \(noticed)
            """, in: transaction)
    }

    /// Puts another secret in the place of a key's present one, which lives on until `previousEnd`; at once over without.
    func roll(
        _ id: Identifier<APIKey>, to text: KeyText, previousEnd: Timestamp?, in transaction: Transaction
    ) throws {
        // MariaDB assigns from left to right, so what is kept is read before it is overwritten.
        let kept: SQL =
            previousEnd == nil
            ? "previous_hash = NULL, previous_prefix = NULL, previous_last_four = NULL, previous_ends_at = NULL"
            : """
            previous_hash = key_hash, previous_prefix = prefix, previous_last_four = last_four,
            previous_ends_at = \(previousEnd)
            """
        try update(
            id, "\(kept), key_hash = \(text.digest), prefix = \(text.prefix), last_four = \(text.lastFour)",
            in: transaction)
    }

    /// Ends the secret before the last roll.
    func endPrevious(_ id: Identifier<APIKey>, in transaction: Transaction) throws {
        try update(
            id, "previous_hash = NULL, previous_prefix = NULL, previous_last_four = NULL, previous_ends_at = NULL",
            in: transaction)
    }

    /// Puts a key aside, or takes it back into use.
    func disable(_ id: Identifier<APIKey>, at moment: Timestamp?, in transaction: Transaction) throws {
        try update(id, "disabled_at = \(moment)", in: transaction)
    }

    func revoke(_ id: Identifier<APIKey>, in transaction: Transaction) throws {
        try update(id, "revoked_at = COALESCE(revoked_at, \(world.now()))", in: transaction)
    }

    private func update(_ id: Identifier<APIKey>, _ changes: SQL, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE api_keys
               SET \(changes), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
        try changed(in: transaction)
    }

    /// Notes that keys kept in memory have grown old; every change of a key comes by here.
    private func changed(in transaction: Transaction) throws {
        try Generations.bump(Generations.apiKeys, in: transaction)
    }
}

extension KeyTerms {
    /// The metadata as it is stored; nil without any.
    fileprivate var storedMetadata: String? {
        metadata.isEmpty ? nil : String(decoding: JSON.object(metadata).bytes, as: UTF8.self)
    }
}
