import AddressKit
import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// A key as the database knows it, its secret gone.
struct KeyRecord: Sendable {
    /// Whether a key opens anything.
    enum State: String, CaseIterable {
        case active
        /// Put aside for a time.
        case disabled
        case expired
        case revoked

        /// Whether it is over for good.
        var isEnded: Bool { self == .expired || self == .revoked }
    }

    /// The secret before the last roll.
    struct Previous: Sendable, Equatable {
        let prefix: String
        let lastFour: String
        let endsAt: Timestamp
    }

    let id: Identifier<APIKey>
    let user: Identifier<User>?
    let owner: String?
    let prefix: String
    let lastFour: String
    var terms: KeyTerms
    var previous: Previous?
    var disabledAt: Timestamp?
    var revokedAt: Timestamp?
    let lastUsedAt: Timestamp?
    let lastUsedAddress: String?
    let version: Int64
    let createdAt: Timestamp

    var name: String { terms.name }
    var scopes: [Scope] { terms.scopes }
    var expiresAt: Timestamp? { terms.expiresAt }

    func state(now: Timestamp) -> State {
        if revokedAt != nil { return .revoked }
        if let end = expiresAt, end <= now { return .expired }
        return disabledAt == nil ? .active : .disabled
    }

    /// The secret before the last roll, as long as it opens anything.
    func livingPrevious(now: Timestamp) -> Previous? {
        previous.flatMap { $0.endsAt > now && !state(now: now).isEnded ? $0 : nil }
    }

    /// How long a key that nobody uses is left alone.
    static let unusedAfter = Duration.days(90)

    /// Whether it could be used and nobody has for long.
    func isUnused(now: Timestamp) -> Bool {
        state(now: now) == .active && now - (lastUsedAt ?? createdAt) >= Self.unusedAfter
    }
}

extension KeyRecord {
    init(_ row: Row) throws(DatabaseError) {
        let metadata: String? = try row.get("metadata")
        let terms = KeyTerms(
            name: try row.get("name"), scopes: Scope.list(stored: try row.get("scopes")),
            rateLimit: RateLimit(
                perMinute: try row.get("requests_per_minute"), perHour: try row.get("requests_per_hour"),
                perDay: try row.get("requests_per_day")),
            expiresAt: try row.get("expires_at"), allowedIPs: Network.list(stored: try row.get("allowed_ips")),
            metadata: metadata.flatMap { try? JSON(parsing: Array($0.utf8)).members } ?? [])
        self.init(
            id: try row.get("id"), user: try row.get("user_id"), owner: try row.get("owner"),
            prefix: try row.get("prefix"), lastFour: try row.get("last_four"), terms: terms,
            previous: try Previous(row), disabledAt: try row.get("disabled_at"), revokedAt: try row.get("revoked_at"),
            lastUsedAt: try row.get("last_used_at"), lastUsedAddress: try row.get("last_used_address"),
            version: try row.get("version"), createdAt: try row.get("created_at"))
    }

    /// What a store reads of the table `api_keys k` for ``init(_:)``.
    static let columns: SQL = """
        k.id, k.user_id, (SELECT u.name FROM users u WHERE u.id = k.user_id) AS owner, k.name, k.prefix, k.last_four,
        k.scopes, k.requests_per_minute, k.requests_per_hour, k.requests_per_day, k.allowed_ips, k.metadata,
        k.previous_prefix, k.previous_last_four, k.previous_ends_at, k.expires_at, k.disabled_at, k.revoked_at,
        k.last_used_at, k.last_used_address, k.version, k.created_at
        """
}

extension KeyRecord.Previous {
    fileprivate init?(_ row: Row) throws(DatabaseError) {
        guard let prefix = try row.get("previous_prefix", as: String?.self),
            let lastFour = try row.get("previous_last_four", as: String?.self),
            let endsAt = try row.get("previous_ends_at", as: Timestamp?.self)
        else { return nil }
        self.init(prefix: prefix, lastFour: lastFour, endsAt: endsAt)
    }
}
