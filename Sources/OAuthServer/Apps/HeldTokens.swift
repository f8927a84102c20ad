import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Something that an app holds: a person's grant with all its tokens, or a token that the app got for itself.
struct HeldToken: Sendable {
    /// What is held.
    enum Kind: String, CaseIterable, Sendable {
        /// What a person allowed; it ends with all tokens that came of it.
        case grant
        /// What the app got for itself.
        case clientCredentials = "client_credentials"
    }

    let id: Identifier<OAuthToken>
    let app: Identifier<OAuthApp>
    let kind: Kind
    /// The person, where one of the app's own organization.
    let person: (id: Identifier<User>, name: String)?
    /// The organization in which it opens anything.
    let organization: Identifier<Organization>
    let organizationName: String
    let scopes: [Scope]
    let createdAt: Timestamp
    let expiresAt: Timestamp
    let lastUsedAt: Timestamp?
}

/// Reads and ends what the apps of one organization hold.
struct HeldTokenStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// What an app holds and what still counts of it, the newest first.
    ///
    /// People of other organizations are not named: that they use an app is not for its makers to read here.
    func tokens(
        of app: Identifier<OAuthApp>, after last: Identifier<OAuthToken>? = nil, limit: Int
    ) throws -> [HeldToken] {
        let before: SQL = if let last { "AND g.id < \(last)" } else { "" }
        return try Array(
            (grants(of: app, before, limit: limit) + ownTokens(of: app, before, limit: limit))
                .sorted { $0.id.text > $1.id.text }.prefix(limit))
    }

    private func grants(of app: Identifier<OAuthApp>, _ which: SQL, limit: Int) throws -> [HeldToken] {
        try database.rows(
            """
            SELECT g.id, g.app_id, g.user_id, g.organization_id, o.name AS organization, u.name AS person, g.scopes,
                   g.created_at, g.expires_at, g.last_used_at
              FROM oauth_grants g
              JOIN oauth_apps a ON a.id = g.app_id
              JOIN organizations o ON o.id = g.organization_id
              LEFT JOIN users u ON u.id = g.user_id AND g.organization_id = a.organization_id
             WHERE g.app_id = \(app) AND a.organization_id = \(scope.organization) AND g.revoked_at IS NULL
                   AND g.expires_at > \(world.now()) \(which)
             ORDER BY g.id DESC
             LIMIT \(limit)
            """
        ).map { try HeldToken($0, .grant) }
    }

    private func ownTokens(of app: Identifier<OAuthApp>, _ which: SQL, limit: Int) throws -> [HeldToken] {
        let row = try database.row("SELECT own_tokens_after FROM oauth_apps WHERE id = \(app)")
        let end: Timestamp? = try row?.get("own_tokens_after")
        // Ids begin with the millisecond in which they were made.
        let first = end.map { Identifier<OAuthToken>(lowestAt: $0 + .milliseconds(1)) }
        let after: SQL = if let first { "AND g.id >= \(first)" } else { "" }
        return try database.rows(
            """
            SELECT g.id, g.app_id, a.organization_id, o.name AS organization, g.scopes, g.expires_at
              FROM oauth_access_tokens g
              JOIN oauth_apps a ON a.id = g.app_id
              JOIN organizations o ON o.id = a.organization_id
             WHERE g.app_id = \(app) AND a.organization_id = \(scope.organization) AND g.grant_id IS NULL
                   AND g.expires_at > \(world.now()) \(after) \(which)
             ORDER BY g.id DESC
             LIMIT \(limit)
            """
        ).map { try HeldToken($0, .clientCredentials) }
    }

    /// One thing that an app of this organization holds; nil when there is none, or it has ended.
    func token(_ id: Identifier<OAuthToken>) throws -> HeldToken? {
        let app = try database.row(
            """
            SELECT app_id
              FROM oauth_grants
             WHERE id = \(id) AND revoked_at IS NULL
             UNION ALL
            SELECT app_id
              FROM oauth_access_tokens
             WHERE id = \(id) AND grant_id IS NULL
             LIMIT 1
            """)
        guard let app: Identifier<OAuthApp> = try app?.get("app_id") else { return nil }
        let which: SQL = "AND g.id = \(id)"
        return try grants(of: app, which, limit: 1).first ?? ownTokens(of: app, which, limit: 1).first
    }

    /// Ends one of the tokens that an app got for itself.
    func removeToken(_ id: Identifier<OAuthToken>, in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM oauth_access_tokens WHERE id = \(id) AND grant_id IS NULL")
    }

    /// Who has let which app in where by a grant; nil when there is none.
    func subject(of grant: Identifier<OAuthToken>, in transaction: Transaction) throws -> Consents.Subject? {
        try transaction.row("SELECT app_id, user_id, organization_id FROM oauth_grants WHERE id = \(grant)").map {
            row in
            try Consents.Subject(
                app: row.get("app_id"), user: row.get("user_id"), organization: row.get("organization_id"))
        }
    }
}

extension HeldToken {
    fileprivate init(_ row: Row, _ kind: Kind) throws(DatabaseError) {
        let id: Identifier<OAuthToken> = try row.get("id")
        var person: (id: Identifier<User>, name: String)?
        if kind == .grant, let name = try row.get("person", as: String?.self) {
            person = (try row.get("user_id"), name)
        }
        self.init(
            id: id, app: try row.get("app_id"), kind: kind, person: person,
            organization: try row.get("organization_id"), organizationName: try row.get("organization"),
            scopes: Scope.list(stored: try row.get("scopes")),
            createdAt: kind == .grant ? try row.get("created_at") : id.made, expiresAt: try row.get("expires_at"),
            lastUsedAt: kind == .grant ? try row.get("last_used_at") : nil)
    }
}

/// Ending what apps hold: the same for pages and scripts.
extension OAuthServer {
    func held(_ scope: OrganizationScope) -> HeldTokenStore {
        HeldTokenStore(database: database, world: world, scope: scope)
    }

    /// Ends one thing that an app of this organization holds: a token of its own, or what a person let it do. That is all
    /// grants of theirs in that organization, since the consent goes with them, lest the app get the same again without a
    /// question, and nothing may live on that its person sees no more.
    ///
    /// - Parameter check: refuses one that belongs elsewhere.
    /// - Throws: `Problem` 404 when there is none.
    func revokeHeld(
        _ id: Identifier<OAuthToken>, by scope: OrganizationScope, check: (HeldToken) throws -> Void = { _ in }
    ) throws {
        let store = held(scope)
        guard let token = try store.token(id), let app = try self.store(scope).app(token.app) else {
            throw Problem.notFound
        }
        try check(token)
        try change { transaction in
            var count = 1
            switch token.kind {
            case .grant:
                guard let subject = try store.subject(of: id, in: transaction) else { throw Problem.notFound }
                try consents.forget(subject, in: transaction)
                count = try revokeGrants(.consent(subject), because: .administrator, in: transaction)
            case .clientCredentials: try store.removeToken(id, in: transaction)
            }
            try note(.tokensRevoked, app, details: ["count": JSON(count)], by: scope, in: transaction)
        }
    }

    /// Ends all that an app holds; people must allow it anew. Its own tokens, which may be millions, end by their time.
    func revokeAllHeld(of id: Identifier<OAuthApp>, by scope: OrganizationScope) throws {
        try change { transaction in
            let store = store(scope)
            guard let app = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try consents.forgetAll(of: id, in: transaction)
            let grants = try revokeGrants(.app(id), because: .administrator, in: transaction)
            let end = try store.endOwnTokens(id, in: transaction)
            try note(
                .tokensRevoked, app, details: ["count": JSON(grants), "own_tokens_before": JSON(end)], by: scope,
                in: transaction)
        }
    }
}

extension HeldToken {
    /// One for samples of pages.
    static let sample = HeldToken(
        id: Identifier(.real), app: Identifier(.real), kind: .grant, person: (Identifier(.real), "Mia Novak"),
        organization: Identifier(.real), organizationName: "Acme Shop", scopes: [.read(.connections)],
        createdAt: Timestamp(seconds: 0), expiresAt: Timestamp(seconds: 2_592_000), lastUsedAt: Timestamp(seconds: 60))
}
