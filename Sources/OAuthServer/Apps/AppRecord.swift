import DatabaseKit
import Domain
import LimitKit
import TimeKit

/// An app as the database knows it, with whose it is now; one value, so that it can be kept in memory.
struct AppRecord: Sendable {
    /// The app's own id.
    let id: Identifier<OAuthApp>
    /// The organization that it belongs to.
    let organization: Identifier<Organization>
    /// That organization's name.
    let organizationName: String
    /// The user it belongs to; nil for one that was made at the command line, or descends from a key made there.
    let owner: Identifier<User>?
    /// That user's name.
    let ownerName: String?
    /// The role of its owner now; nil when they were put aside or left: then it can no longer act for itself.
    let ownerRole: Role?
    /// What people and scripts set.
    var terms: AppTerms
    /// Whether it can keep a secret.
    let isConfidential: Bool
    /// Whether it registered itself.
    let isDynamic: Bool
    /// The secrets that it may prove itself by, ended ones of the last roll among them; none for a public app.
    let secrets: [AppSecret]
    /// The tokens that it got for itself until then open nothing.
    let ownTokensAfter: Timestamp?
    /// When it was put aside.
    let disabledAt: Timestamp?
    /// When a token of it was last used, to the minute.
    let lastUsedAt: Timestamp?
    /// Counts its changes.
    let version: Int64
    /// When it was made.
    let createdAt: Timestamp

    /// The id as it is sent.
    var clientID: String { ClientID(id).text }
    /// What it is called.
    var name: String { terms.name }
    /// Where the browser may be sent back to.
    var redirectURIs: [RedirectURI] { terms.redirectURIs }
    /// What it may ask for.
    var scopes: [Scope] { terms.scopes }
    /// How it may ask.
    var grants: Set<GrantType> { terms.grants }
    /// Whether it must push what it asks for.
    var requiresPushedRequests: Bool { terms.requiresPushedRequests }
    /// Whether anything can be had with it now.
    var isUsable: Bool { disabledAt == nil }

    /// How many requests all its tokens together are good for, as they are counted.
    var quotas: [Quota] { terms.rateLimit.quotas }
    /// Whose budget that is: the same for the interface and for a site's gate.
    var limitSubject: LimitSubject { LimitSubject("oauth-app", id.bytes) }

    /// The registered address that a client means.
    func redirectURI(matching sent: String) -> RedirectURI? { redirectURIs.first { $0.matches(sent) } }

    /// The present secret, as it may be seen; nil for a public app.
    var maskedSecret: String? { secrets.first { $0.endsAt == nil }.map { ClientSecret.masked($0.lastFour) } }

    /// The secret before the last roll, as long as it counts.
    func livingPrevious(now: Timestamp) -> AppSecret? { secrets.first { ($0.endsAt ?? now) > now } }
}

extension AppRecord {
    /// Reads a row of ``columns``.
    init(_ row: Row) throws(DatabaseError) {
        let isConfidential: Bool = try row.get("is_confidential")
        self.init(
            id: try row.get("id"), organization: try row.get("organization_id"),
            organizationName: try row.get("organization"), owner: try row.get("user_id"),
            ownerName: try row.get("owner"), ownerRole: try Self.role(row), terms: try AppTerms(row),
            isConfidential: isConfidential, isDynamic: try row.get("is_dynamic"), secrets: try Self.secrets(row),
            ownTokensAfter: try row.get("own_tokens_after"), disabledAt: try row.get("disabled_at"),
            lastUsedAt: try row.get("last_used_at"),
            version: try row.get("version"), createdAt: try row.get("created_at"))
    }

    /// What is read of an app, for ``init(_:)``; stores add their conditions on `a`.
    static let columns: SQL = """
        a.id, a.organization_id, o.name AS organization, a.user_id, u.name AS owner,
        u.disabled_at AS owner_disabled_at, m.role, a.name, a.description, a.website_url, a.privacy_policy_url,
        a.redirect_uris, a.grants, a.scopes, a.is_confidential, a.is_dynamic, a.requires_pushed_requests,
        a.requests_per_minute, a.requests_per_hour, a.requests_per_day, a.auth_method, a.secret_hash, a.secret_last_four,
        a.previous_hash, a.previous_last_four, a.previous_ends_at, a.own_tokens_after, a.disabled_at, a.last_used_at,
        a.version, a.created_at
        """

    /// Where that is read from.
    static let tables: SQL = """
        oauth_apps a
        JOIN organizations o ON o.id = a.organization_id
        LEFT JOIN users u ON u.id = a.user_id
        LEFT JOIN memberships m ON m.user_id = a.user_id AND m.organization_id = a.organization_id
        """

    /// Who made an app at the server may do everything; its scopes alone limit it.
    private static func role(_ row: Row) throws(DatabaseError) -> Role? {
        guard try row.get("user_id", as: Identifier<User>?.self) != nil else { return .owner }
        let isPutAside = try row.get("owner_disabled_at", as: Timestamp?.self) != nil
        return isPutAside ? nil : try row.get("role")
    }

    private static func secrets(_ row: Row) throws(DatabaseError) -> [AppSecret] {
        var secrets: [AppSecret] = []
        if let hash = try row.get("secret_hash", as: [UInt8]?.self) {
            secrets.append(
                AppSecret(hash: hash, lastFour: try row.get("secret_last_four"), endsAt: nil))
        }
        if let hash = try row.get("previous_hash", as: [UInt8]?.self) {
            secrets.append(
                AppSecret(
                    hash: hash, lastFour: try row.get("previous_last_four"), endsAt: try row.get("previous_ends_at")))
        }
        return secrets
    }
}

extension AppTerms {
    /// Reads a row of ``AppRecord/columns``.
    init(_ row: Row) throws(DatabaseError) {
        let lines: String = try row.get("redirect_uris")
        self.init(
            name: try row.get("name"), description: try row.get("description"), websiteURL: try row.get("website_url"),
            privacyPolicyURL: try row.get("privacy_policy_url"),
            redirectURIs: lines.split(separator: "\n").compactMap { try? RedirectURI(String($0)) },
            scopes: Scope.list(stored: try row.get("scopes")), grants: Set(stored: try row.get("grants")),
            authMethod: try row.get("auth_method", as: String?.self).flatMap {
                RegistrationMetadata.AuthMethod(rawValue: $0)
            },
            requiresPushedRequests: try row.get("requires_pushed_requests"),
            rateLimit: RateLimit(
                perMinute: try row.get("requests_per_minute"), perHour: try row.get("requests_per_hour"),
                perDay: try row.get("requests_per_day")))
    }
}

/// Looks apps up by the id that their client id holds: the one question that is asked before any organization is known.
enum AppReader {
    /// The app of an id, put aside or not; nil when there is none or it was removed.
    static func find(_ id: Identifier<OAuthApp>, in querying: some Querying) throws(DatabaseError) -> AppRecord? {
        let row = try querying.row(
            """
            SELECT \(AppRecord.columns)
              FROM \(AppRecord.tables)
             WHERE a.id = \(id) AND a.deleted_at IS NULL
            """)
        guard let row else { return nil }
        return try AppRecord(row)
    }
}
