import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// Signed-in browsers. A cookie's value is never kept, only its SHA-256.
struct SessionStore: Sendable {
    let database: Database
    let world: World
    /// After so long without a request a session ends.
    let idle: Duration
    /// After so long a session ends whatever happens.
    let absolute: Duration

    /// Begins a session and gives its cookie's value.
    func begin(
        for user: Identifier<User>, organization: Identifier<Organization>?, address: String, agent: String,
        in querying: some Querying
    ) throws -> String {
        let token = Base64URL.encode(world.randomBytes(32))
        let now = world.now()
        try querying.execute(
            """
            INSERT INTO sessions
                   (id, token_hash, user_id, organization_id, remote_address, user_agent, created_at, last_seen_at, expires_at)
            VALUES (\(Identifier<Session>(world)), \(Self.digest(token)), \(user), \(organization), \(address),
                    \(String(agent.unicodeScalars.prefix(255))), \(now), \(now), \(now + absolute))
            """)
        return token
    }

    /// Whose browser sent a cookie, and where they belong; nil for one that is unknown, at rest too long, or over.
    func principal(token: String) throws -> Principal? {
        let now = world.now()
        let rows = try database.rows(
            """
            SELECT s.id, s.user_id, s.organization_id, s.last_seen_at, u.email, u.name, u.theme,
                   m.organization_id AS member_of, m.role, o.name AS organization_name
              FROM sessions s
              JOIN users u ON u.id = s.user_id
              LEFT JOIN memberships m ON m.user_id = s.user_id
              LEFT JOIN organizations o ON o.id = m.organization_id
             WHERE s.token_hash = \(Self.digest(token)) AND s.expires_at > \(now) AND s.last_seen_at > \(now - idle)
                   AND u.disabled_at IS NULL
             ORDER BY o.name
             LIMIT 200
            """)
        guard let first = rows.first else { return nil }
        let session: Identifier<Session> = try first.get("id")
        if try now - first.get("last_seen_at") > .minutes(1) { try touch(session) }
        let memberships = try rows.compactMap { row -> Principal.Membership? in
            guard let organization = try row.get("member_of", as: Identifier<Organization>?.self) else { return nil }
            return Principal.Membership(
                organization: organization, name: try row.get("organization_name"), role: try row.get("role"))
        }
        let user: Identifier<User> = try first.get("user_id")
        let chosen: Identifier<Organization>? = try first.get("organization_id")
        let browser = Principal.Browser(
            session: session, user: user, name: try first.get("name"),
            organization: memberships.first { $0.organization == chosen }?.organization ?? memberships.first?.organization,
            theme: try first.get("theme"), csrfToken: Self.csrfToken(of: token))
        let actor = Actor(kind: .user, id: user.bytes, name: try first.get("email"))
        return Principal(actor: actor, memberships: memberships, browser: browser)
    }

    /// At most once a minute, so that reading a page is not a write.
    private func touch(_ session: Identifier<Session>) throws {
        try database.execute("UPDATE sessions SET last_seen_at = \(world.now()) WHERE id = \(session)")
    }

    func choose(_ organization: Identifier<Organization>, in session: Identifier<Session>) throws {
        try database.execute("UPDATE sessions SET organization_id = \(organization) WHERE id = \(session)")
    }

    /// The living sessions of a user, the newest use first.
    func sessions(of user: Identifier<User>) throws -> [Row] {
        let now = world.now()
        return try database.rows(
            """
            SELECT id, remote_address, user_agent, created_at, last_seen_at
              FROM sessions
             WHERE user_id = \(user) AND expires_at > \(now) AND last_seen_at > \(now - idle)
             ORDER BY last_seen_at DESC
             LIMIT 50
            """)
    }

    func end(token: String) throws {
        try database.execute("DELETE FROM sessions WHERE token_hash = \(Self.digest(token))")
    }

    /// Ends one session of a user; false when it is none of theirs.
    func end(_ session: Identifier<Session>, of user: Identifier<User>) throws -> Bool {
        try database.execute("DELETE FROM sessions WHERE id = \(session) AND user_id = \(user)").affectedRows == 1
    }

    /// Ends every session of a user, save perhaps the one that asks.
    func endAll(of user: Identifier<User>, except kept: Identifier<Session>?, in querying: some Querying) throws {
        try querying.execute(
            """
            DELETE FROM sessions
             WHERE user_id = \(user) AND id <> \(kept?.bytes ?? [UInt8](repeating: 0, count: 16))
            """)
    }

    private static func digest(_ token: String) -> [UInt8] { SHA256.digest(token.utf8) }

    /// What every form of a session carries: derived from the cookie, so that nothing more is stored.
    private static func csrfToken(of token: String) -> String {
        Base64URL.encode(HMAC.sha256(Array("csrf".utf8), key: Array(token.utf8)))
    }
}
