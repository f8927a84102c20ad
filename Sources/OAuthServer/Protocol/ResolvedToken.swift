import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import Synchronization
import ThreadKit
import TimeKit

/// An access token with everything that is asked of it, as the database had it at one moment.
final class ResolvedToken: Sendable {
    /// What becomes of a token that somebody came with.
    enum Verdict: Equatable {
        case valid
        /// It has ended by itself.
        case expired
        /// What it was given for was taken back.
        case revoked
        /// The app or the person that it acts for is put aside.
        case disabled
    }

    /// The person that it acts for.
    struct Person: Sendable {
        let id: Identifier<User>
        let email: String
        let grant: Identifier<OAuthGrant>
        let isGrantRevoked: Bool
    }

    let id: Identifier<OAuthToken>
    let app: AppRecord
    /// Whom it acts for; nil for the app itself.
    let person: Person?
    let organization: Identifier<Organization>
    let scopes: [Scope]
    /// What it is meant for; empty for whatever takes this hub's tokens.
    let resources: [String]
    let expiresAt: Timestamp
    /// As whom the house knows it.
    let principal: Principal
    /// The header lines by which a site learns whose request it is, each with its line break.
    let lines: [UInt8]
    /// The app's limits, for the gate.
    let tally: GateTally
    /// The role of its person, or of the app's owner, now; nil when they are put aside or no longer belong.
    private let role: Role?
    private let described = Lock<[UInt8]?>(nil)
    private let noted = Atomic<Int64>(.min)

    /// Reads a row of ``TokenReader``.
    init(_ row: Row, of app: AppRecord) throws {
        id = try row.get("id")
        self.app = app
        scopes = Scope.list(stored: try row.get("scopes"))
        resources = ResourceIndicator.list(joined: try row.get("resources"))
        expiresAt = try row.get("expires_at")
        person = try Self.person(row)
        let name: String
        if person != nil {
            organization = try row.get("organization_id")
            name = try row.get("organization")
            let disabled: Timestamp? = try row.get("user_disabled_at")
            role = disabled == nil ? try row.get("role") : nil
        } else {
            organization = app.organization
            name = app.organizationName
            role = app.ownerRole
        }
        principal = Principal(
            actor: Self.actor(app, person),
            memberships: [.init(organization: organization, name: name, role: role ?? .support)], limits: scopes)
        lines = Self.lines(app, person, organization, scopes)
        tally = GateTally(app.quotas)
    }

    private static func person(_ row: Row) throws -> Person? {
        guard let grant = try row.get("grant_id", as: Identifier<OAuthGrant>?.self) else { return nil }
        // A token whose grant is gone opens nothing: it is as if it had been revoked.
        guard let user = try row.get("user_id", as: Identifier<User>?.self) else { throw Orphan() }
        return Person(
            id: user, email: try row.get("email"), grant: grant,
            isGrantRevoked: try row.get("revoked_at", as: Timestamp?.self) != nil)
    }

    /// A token whose grant, person or organization is no longer there.
    struct Orphan: Error {}

    /// How the audit log and the request log name it: by its app, and for whom the app acts.
    private static func actor(_ app: AppRecord, _ person: Person?) -> Actor {
        let name = person.map { "\(app.name) for \($0.email)" } ?? app.name
        return Actor(
            kind: .oauthApp, id: app.id.bytes, name: String(name.unicodeScalars.prefix(254)),
            user: person?.id ?? app.owner)
    }

    private static func lines(
        _ app: AppRecord, _ person: Person?, _ organization: Identifier<Organization>, _ scopes: [Scope]
    ) -> [UInt8] {
        var text = "X-Hub-App-Id: \(app.id)\r\nX-Hub-Org-Id: \(organization)\r\nX-Hub-Scopes: \(scopes.stored)\r\n"
        if let person { text += "X-Hub-User-Id: \(person.id)\r\n" }
        return Array(text.utf8)
    }

    /// The header lines by which nginx's log learns whose token was refused.
    var refusal: String { "X-Hub-Refused-App: \(app.id)\r\nX-Hub-Refused-Org: \(organization)\r\n" }

    /// Whom it speaks for: a person by their id, or the app by its client id, which is no id of a person.
    ///
    /// > Authorization servers SHOULD NOT allow clients to influence their client_id or any claim that could cause
    /// > confusion with a genuine resource owner.     RFC 9700 §4.15
    var subject: String { person?.id.text ?? app.clientID }

    /// Whether it opens anything at all.
    func verdict(at now: Timestamp) -> Verdict {
        if person?.isGrantRevoked == true { return .revoked }
        if person == nil, let end = app.ownTokensAfter, id.made <= end { return .revoked }
        if expiresAt <= now { return .expired }
        return app.isUsable && role != nil ? .valid : .disabled
    }

    /// Whether the role and the token both hold a right; nil when it is none.
    func holds(_ right: String) -> Bool? {
        guard let wanted = Scope(right),
            let scope = OrganizationScope(of: principal, in: organization, remoteAddress: "-", requestID: "-")
        else { return nil }
        return scope.allows(wanted)
    }

    /// What a protected resource is told of it (RFC 7662 §2.2), written once.
    func introspection(issuer: String) -> [UInt8] {
        if let known = described.withLock({ $0 }) { return known }
        var members: [JSON.Member] = [
            .init("active", true), .init("scope", .string(scopes.stored)), .init("client_id", .string(app.clientID)),
            .init("token_type", "Bearer"), .init("exp", .integer(expiresAt.seconds)),
            .init("iat", .integer(id.made.seconds)), .init("sub", .string(subject)),
            .init("aud", .array((resources.isEmpty ? [issuer] : resources).map { .string($0) })),
            .init("iss", .string(issuer)), .init("organization_id", .string(organization.text)),
        ]
        if let person { members.append(.init("username", .string(person.email))) }
        let bytes = JSON.object(members).bytes
        described.withLock { $0 = bytes }
        return bytes
    }

    /// Whether a use should be noted now: not with each request.
    func isToBeNoted(at now: Timestamp) -> Bool {
        let last = noted.load(ordering: .relaxed)
        let due = last == .min || now.microseconds - last >= GrantUses.grain.microseconds || now.microseconds < last
        return due
            && noted.compareExchange(expected: last, desired: now.microseconds, ordering: .relaxed).exchanged
    }
}

/// Where access tokens are looked up: by the id in their text, on the primary key.
struct TokenReader: Sendable {
    let database: Database

    /// The token that somebody sent; nil when there is none, or its grant or app is gone.
    ///
    /// - Parameter app: finds an app by its id.
    func token(
        _ sent: TokenText, app: (Identifier<OAuthApp>) throws -> AppRecord?
    ) throws -> ResolvedToken? {
        let row = try database.row(
            """
            SELECT t.id, t.token_hash, t.app_id, t.grant_id, t.scopes, t.resources, t.expires_at,
                   g.user_id, g.organization_id, g.revoked_at, u.email, u.disabled_at AS user_disabled_at, m.role,
                   o.name AS organization
              FROM oauth_access_tokens t
              LEFT JOIN oauth_grants g ON g.id = t.grant_id
              LEFT JOIN users u ON u.id = g.user_id
              LEFT JOIN organizations o ON o.id = g.organization_id
              LEFT JOIN memberships m ON m.user_id = g.user_id AND m.organization_id = g.organization_id
             WHERE t.id = \(sent.id)
            """)
        guard let row, equalInConstantTime(try row.get("token_hash"), sent.digest),
            let app = try app(row.get("app_id"))
        else { return nil }
        do {
            return try ResolvedToken(row, of: app)
        } catch is ResolvedToken.Orphan {
            return nil
        }
    }
}
