import CipherKit
import DatabaseKit
import Domain
import LogKit
import TimeKit

/// Who began a sign-in at a service, and alone may end it: a browser session; for a script its credential.
///
/// A valid state in another person's browser would connect that person's account to whoever sent the link, against which
/// PKCE does not help (RFC 9700 §4.7; draft-ietf-oauth-security-topics-update §2.3).
struct FlowOwner: Sendable, Equatable {
    /// What the database knows the owner by.
    let digest: [UInt8]

    /// The session of a browser, or else whoever asks.
    init(_ principal: Principal) {
        if let browser = principal.browser {
            digest = SHA256.digest(Array("session\n".utf8) + browser.session.bytes)
        } else {
            let actor = principal.actor
            digest = SHA256.digest(Array("\(actor.kind.rawValue)\n\(actor.name)\n".utf8) + (actor.id ?? []))
        }
    }
}

/// The value of `state`, known to the browser and the service alone: the database has its digest.
struct FlowState: Sendable {
    let text: Secret<String>
    let digest: [UInt8]

    /// 256 random bits.
    init(_ world: World) {
        let made = Base64URL.encode(world.randomBytes(32))
        text = Secret(made)
        digest = SHA256.digest(Array(made.utf8))
    }

    /// Reads what came back; nil when it is none that the hub makes.
    init?(_ text: String) {
        guard text.utf8.count == 43, Base64URL.decode(text)?.count == 32 else { return nil }
        self.text = Secret(text)
        digest = SHA256.digest(Array(text.utf8))
    }
}

/// A sign-in that is under way.
struct AuthorizationFlow: Sendable {
    let state: [UInt8]
    let organization: Identifier<Organization>
    let connection: Identifier<Connection>
    let owner: [UInt8]
    let setUp: [UInt8]
    let provider: String
    let redirectURI: String
    let returnTo: String?
    /// The tenant that somebody signs in at, where it is another one than the set-up names.
    let tenant: String?
    let requestedScopes: [String]
    let sealedVerifier: [UInt8]?
    let expiresAt: Timestamp
    let usedAt: Timestamp?

    /// Where the verifier of a flow stands.
    static func place(_ state: [UInt8]) -> Vault.Place {
        Vault.Place("authorization_flows", row: state, "verifier_sealed")
    }
}

extension AuthorizationFlow {
    init(_ row: Row) throws {
        state = try row.get("state_hash")
        organization = try row.get("organization_id")
        connection = try row.get("connection_id")
        owner = try row.get("owner_hash")
        setUp = try row.get("setup_hash")
        provider = try row.get("provider")
        redirectURI = try row.get("redirect_uri")
        returnTo = try row.get("return_to")
        tenant = try row.get("tenant")
        requestedScopes = try row.get("requested_scopes", as: String.self).split(separator: " ").map(String.init)
        sealedVerifier = try row.get("verifier_sealed")
        expiresAt = try row.get("expires_at")
        usedAt = try row.get("used_at")
    }
}

/// The sign-ins that are under way, of all organizations: a callback names none, its state does.
struct AuthorizationStore: Sendable {
    let database: Database
    let world: World

    /// How long somebody may take to sign in.
    static let life = Duration.minutes(10)

    func insert(_ flow: AuthorizationFlow) throws {
        try database.execute(
            """
            INSERT INTO authorization_flows
                   (state_hash, organization_id, connection_id, owner_hash, setup_hash, provider, redirect_uri, return_to,
                    tenant, requested_scopes, verifier_sealed, created_at, expires_at)
            VALUES (\(flow.state), \(flow.organization), \(flow.connection), \(flow.owner), \(flow.setUp),
                    \(flow.provider), \(flow.redirectURI), \(flow.returnTo), \(flow.tenant),
                    \(flow.requestedScopes.joined(separator: " ")), \(flow.sealedVerifier), \(world.now()),
                    \(flow.expiresAt))
            """)
    }

    func find(_ state: FlowState) throws -> AuthorizationFlow? {
        try database.row(
            """
            SELECT state_hash, organization_id, connection_id, owner_hash, setup_hash, provider, redirect_uri, return_to,
                   tenant, requested_scopes, verifier_sealed, expires_at, used_at
              FROM authorization_flows
             WHERE state_hash = \(state.digest)
            """
        ).map(AuthorizationFlow.init)
    }

    /// Uses a state, which only one of many can; committed at once, before anything is sent to the service.
    func claim(_ state: FlowState, by owner: FlowOwner) throws -> Bool {
        let now = world.now()
        return try database.execute(
            """
            UPDATE authorization_flows
               SET used_at = \(now)
             WHERE state_hash = \(state.digest) AND owner_hash = \(owner.digest) AND used_at IS NULL
                   AND expires_at > \(now)
            """
        ).affectedRows == 1
    }

    /// Forgets what ended a day ago, a thousand at a time; until then a replayed state is told to be one.
    func purge() throws {
        try database.execute(
            "DELETE FROM authorization_flows WHERE expires_at < \(world.now() - .days(1)) LIMIT 1000")
    }
}
