import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// An authorization code as it is kept.
struct CodeRecord: Sendable {
    let id: [UInt8]
    let app: Identifier<OAuthApp>
    let user: Identifier<User>
    let organization: Identifier<Organization>
    let redirectURI: String
    let challenge: CodeChallenge
    let scopes: [Scope]
    let resources: [String]
    let expiresAt: Timestamp
    /// What it gave when it was redeemed.
    let grant: Identifier<OAuthGrant>?
    let isRedeemed: Bool
}

/// The codes that wait to be redeemed, and those that were.
struct CodeStore: Sendable {
    let world: World

    /// Keeps a new code for a request that a person has consented to.
    func insert(
        _ code: TokenText, for request: PendingAuthorization, user: Identifier<User>,
        organization: Identifier<Organization>, expiresAt: Timestamp, in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO oauth_codes
                   (id, code_hash, app_id, user_id, organization_id, redirect_uri, challenge, scopes, resources,
                    expires_at)
            VALUES (\(code.id), \(code.digest), \(request.app.id), \(user), \(organization), \(request.redirectURI),
                    \(request.challenge.text), \(request.scopes.stored), \(request.resources.joined(separator: " ")),
                    \(expiresAt))
            """)
    }

    /// The code that a client sent, locked until the transaction ends; nil when there is none.
    ///
    /// Whoever comes second with the same code waits here, and then finds it redeemed.
    func locked(_ sent: TokenText, in transaction: Transaction) throws -> CodeRecord? {
        let row = try transaction.row(
            """
            SELECT code_hash, app_id, user_id, organization_id, redirect_uri, challenge, scopes, resources, expires_at,
                   redeemed_at, grant_id
              FROM oauth_codes
             WHERE id = \(sent.id)
               FOR UPDATE
            """)
        guard let row, equalInConstantTime(try row.get("code_hash"), sent.digest) else { return nil }
        return try CodeRecord(
            id: sent.id, app: row.get("app_id"), user: row.get("user_id"), organization: row.get("organization_id"),
            redirectURI: row.get("redirect_uri"), challenge: CodeChallenge(stored: row.get("challenge")),
            scopes: Scope.list(stored: row.get("scopes")),
            resources: ResourceIndicator.list(joined: row.get("resources")), expiresAt: row.get("expires_at"),
            grant: row.get("grant_id"), isRedeemed: row.get("redeemed_at", as: Timestamp?.self) != nil)
    }

    /// Notes what a code gave, in the transaction that gives it.
    func redeem(_ code: CodeRecord, for grant: Identifier<OAuthGrant>, in transaction: Transaction) throws {
        try transaction.execute(
            "UPDATE oauth_codes SET redeemed_at = \(world.now()), grant_id = \(grant) WHERE id = \(code.id)")
    }

    /// Removes the codes that have given nothing yet, of those that live for so long.
    ///
    /// One that is being redeemed just now is waited for. Ids begin with their time, so the living are read alone.
    func removeOpen(_ which: GrantSelection, life: Duration, in transaction: Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM oauth_codes
             WHERE id >= \(Identifier<OAuthToken>(lowestAt: world.now() - life - .minutes(1)))
                   AND \(which.condition) AND redeemed_at IS NULL
            """)
    }
}
