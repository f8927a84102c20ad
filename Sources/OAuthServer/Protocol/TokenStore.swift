import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// A grant as it is kept, with what has become of its person.
struct GrantRecord: Sendable {
    let id: Identifier<OAuthGrant>
    let app: Identifier<OAuthApp>
    let user: Identifier<User>
    let userEmail: String
    let organization: Identifier<Organization>
    let organizationName: String
    let scopes: [Scope]
    let resources: [String]
    let expiresAt: Timestamp
    let isRevoked: Bool
    /// Nil when the person is put aside or no longer belongs to the organization.
    let role: Role?
}

/// A refresh token as it is kept.
struct RefreshRecord: Sendable {
    let id: [UInt8]
    let grant: Identifier<OAuthGrant>
    let expiresAt: Timestamp
    let usedAt: Timestamp?
    /// The ids of the pair that it gave.
    let next: (refresh: [UInt8], access: [UInt8])?
}

/// An access token that is to be kept.
struct NewAccessToken: Sendable {
    let text: TokenText
    let app: Identifier<OAuthApp>
    /// What gave it; nil for what an app gets for itself.
    let grant: Identifier<OAuthGrant>?
    let scopes: [Scope]
    let resources: [String]
    let expiresAt: Timestamp
}

/// An access token as it is kept: whose it is, for what, until when.
struct AccessRecord: Sendable {
    let digest: [UInt8]
    let app: Identifier<OAuthApp>
    /// For whom; nil for the app itself.
    let user: Identifier<User>?
    let scopes: [Scope]
    let expiresAt: Timestamp
}

/// Grants and the tokens that belong to them.
struct TokenStore: Sendable {
    let world: World

    // MARK: Grants

    func insertGrant(
        _ id: Identifier<OAuthGrant>, app: Identifier<OAuthApp>, user: Identifier<User>,
        organization: Identifier<Organization>, scopes: [Scope], resources: [String], expiresAt: Timestamp,
        in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO oauth_grants
                   (id, app_id, user_id, organization_id, scopes, resources, created_at, expires_at)
            VALUES (\(id), \(app), \(user), \(organization), \(scopes.stored), \(resources.joined(separator: " ")),
                    \(world.now()), \(expiresAt))
            """)
    }

    func grant(_ id: Identifier<OAuthGrant>, in querying: some Querying) throws -> GrantRecord? {
        let row = try querying.row(
            """
            SELECT g.id, g.app_id, g.user_id, g.organization_id, g.scopes, g.resources, g.expires_at, g.revoked_at,
                   u.email, u.disabled_at, m.role, o.name AS organization
              FROM oauth_grants g
              JOIN users u ON u.id = g.user_id
              JOIN organizations o ON o.id = g.organization_id
              LEFT JOIN memberships m ON m.user_id = g.user_id AND m.organization_id = g.organization_id
             WHERE g.id = \(id)
            """)
        guard let row else { return nil }
        let disabled: Timestamp? = try row.get("disabled_at")
        return try GrantRecord(
            id: id, app: row.get("app_id"), user: row.get("user_id"), userEmail: row.get("email"),
            organization: row.get("organization_id"), organizationName: row.get("organization"),
            scopes: Scope.list(stored: row.get("scopes")),
            resources: ResourceIndicator.list(joined: row.get("resources")), expiresAt: row.get("expires_at"),
            isRevoked: row.get("revoked_at", as: Timestamp?.self) != nil,
            role: disabled == nil ? row.get("role") : nil)
    }

    /// Ends a grant and with it all of its tokens; false when it had ended.
    func revokeGrant(
        _ id: Identifier<OAuthGrant>, because reason: RevocationReason, in transaction: Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE oauth_grants
               SET revoked_at = \(world.now()), revoked_because = \(reason)
             WHERE id = \(id) AND revoked_at IS NULL
            """
        ).affectedRows == 1
    }

    /// Ends grants with all of their tokens; how many there were.
    func revokeGrants(
        _ which: GrantSelection, because reason: RevocationReason, in transaction: Transaction
    ) throws -> Int {
        try transaction.execute(
            """
            UPDATE oauth_grants
               SET revoked_at = \(world.now()), revoked_because = \(reason)
             WHERE \(which.condition) AND revoked_at IS NULL
            """
        ).affectedRows
    }

    // MARK: Refresh tokens

    func insert(
        _ refresh: TokenText, of grant: Identifier<OAuthGrant>, expiresAt: Timestamp, in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO oauth_refresh_tokens (id, grant_id, token_hash, expires_at)
            VALUES (\(refresh.id), \(grant), \(refresh.digest), \(expiresAt))
            """)
    }

    /// The refresh token that a client sent, locked until the transaction ends; nil when there is none.
    ///
    /// Of many that come with the same token at once the first one renews it, and the others then find what it gave.
    func locked(_ sent: TokenText, in transaction: Transaction) throws -> RefreshRecord? {
        try refresh(sent, locking: "FOR UPDATE", in: transaction)
    }

    /// The refresh token that a client sent; nil when there is none.
    func refresh(_ sent: TokenText, locking: SQL = "", in querying: some Querying) throws -> RefreshRecord? {
        let row = try querying.row(
            """
            SELECT grant_id, token_hash, expires_at, used_at, next_refresh_id, next_access_id
              FROM oauth_refresh_tokens
             WHERE id = \(sent.id)
             \(locking)
            """)
        guard let row, equalInConstantTime(try row.get("token_hash"), sent.digest) else { return nil }
        let refresh: [UInt8]? = try row.get("next_refresh_id")
        let access: [UInt8]? = try row.get("next_access_id")
        return try RefreshRecord(
            id: sent.id, grant: row.get("grant_id"), expiresAt: row.get("expires_at"), usedAt: row.get("used_at"),
            next: refresh.flatMap { refresh in access.map { (refresh, $0) } })
    }

    func use(
        _ record: RefreshRecord, giving next: (refresh: [UInt8], access: [UInt8]), in transaction: Transaction
    )
        throws
    {
        try transaction.execute(
            """
            UPDATE oauth_refresh_tokens
               SET used_at = \(world.now()), next_refresh_id = \(next.refresh), next_access_id = \(next.access)
             WHERE id = \(record.id)
            """)
    }

    /// The digest that is kept of a refresh token.
    func refreshDigest(_ id: [UInt8], in querying: some Querying) throws -> [UInt8]? {
        try querying.row("SELECT token_hash FROM oauth_refresh_tokens WHERE id = \(id)")?.get("token_hash")
    }

    // MARK: Access tokens

    /// Keeps a new access token.
    func insert(_ token: NewAccessToken, in transaction: Transaction) throws {
        try insert([token], in: transaction)
    }

    /// Commits new access tokens, all or none; few of them in one statement.
    func insert(_ tokens: [NewAccessToken], in database: Database) throws {
        let parts = Chunks.of(tokens)
        if parts.count == 1 { return try insert(parts[0], in: database) }
        try database.transaction(isolation: .readCommitted) { transaction in
            for part in parts { try insert(part, in: transaction) }
        }
    }

    private func insert(_ tokens: ArraySlice<NewAccessToken>, in querying: some Querying) throws {
        let rows = tokens.map { token -> SQL in
            """
            (\(token.text.id), \(token.app), \(token.grant), \(token.text.digest), \(token.scopes.stored),
             \(token.resources.joined(separator: " ")), \(token.expiresAt))
            """
        }
        try querying.execute(
            """
            INSERT INTO oauth_access_tokens (id, app_id, grant_id, token_hash, scopes, resources, expires_at)
            VALUES \(SQL(joining: rows, by: ", "))
            """)
    }

    /// What is kept of an access token.
    func access(_ id: [UInt8], in querying: some Querying) throws -> AccessRecord? {
        try querying.row(
            """
            SELECT t.token_hash, t.app_id, t.scopes, t.expires_at, g.user_id
              FROM oauth_access_tokens t
              LEFT JOIN oauth_grants g ON g.id = t.grant_id
             WHERE t.id = \(id)
            """
        ).map { row in
            try AccessRecord(
                digest: row.get("token_hash"), app: row.get("app_id"), user: row.get("user_id"),
                scopes: Scope.list(stored: row.get("scopes")), expiresAt: row.get("expires_at"))
        }
    }

    /// Ends one access token.
    func removeAccess(_ id: [UInt8], in transaction: Transaction) throws {
        try transaction.execute("DELETE FROM oauth_access_tokens WHERE id = \(id)")
    }
}

/// Which grants are meant, and which codes that have given none yet.
enum GrantSelection: Sendable {
    /// Everything that an app was let do.
    case app(Identifier<OAuthApp>)
    /// Everything that a person has let apps do.
    case person(Identifier<User>)
    /// What one person has let one app do in one organization.
    case consent(Consents.Subject)

    /// The selection as a condition on the columns that grants and codes have alike.
    var condition: SQL {
        switch self {
        case .app(let app): "app_id = \(app)"
        case .person(let user): "user_id = \(user)"
        case .consent(let subject):
            """
            user_id = \(subject.user) AND app_id = \(subject.app) AND organization_id = \(subject.organization)
            """
        }
    }
}

/// Why a grant was ended.
enum RevocationReason: String, Sendable, Bindable {
    /// The client has given it back.
    case client
    /// The person has.
    case person
    /// Somebody who keeps the app has.
    case administrator
    /// A code came a second time.
    case codeReuse = "code_reuse"
    /// A refresh token came again, long after it was used.
    case refreshReuse = "refresh_reuse"
    /// The person has another password.
    case passwordChange = "password_change"
}
