import AdminShell
import CipherKit
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import TimeKit

/// Tokens that the existing site signs (JSON Web Tokens, RFC 7519), as credentials of the hub's interface for scripts.
///
/// A bearer who has an account in the hub acts with the role of that account; anybody else has the rights that the token
/// states, since the site vouches for them. No token is asked what it may be checked with: keys come from the settings
/// alone, and each has one algorithm.
public struct SiteTokens: Sendable {
    /// What tokens must be like.
    public struct Settings: Sendable {
        /// The only `iss` that counts.
        public var issuer: String
        /// What `aud` must name one of; when there are none, a token that names any is refused.
        public var audiences: [String]
        /// The claim that holds the id of an organization of the hub.
        public var organizationClaim: String
        /// Whether a token may state `admin:*`.
        public var allowsAdmin: Bool

        /// The given demands.
        public init(issuer: String, audiences: [String], organizationClaim: String, allowsAdmin: Bool) {
            self.issuer = issuer
            self.audiences = audiences
            self.organizationClaim = organizationClaim
            self.allowsAdmin = allowsAdmin
        }
    }

    private let settings: Settings
    private let keys: any SiteKeys
    private let bearers: SiteBearers
    private let world: World

    /// The room.
    ///
    /// - Parameter keys: where the site's keys are.
    public init(
        database: Database, world: World, settings: Settings, keys: KeyPlace, client: Client, log: Log
    ) throws(KeyPlaceError) {
        self.settings = settings
        self.world = world
        bearers = SiteBearers(database: database)
        self.keys =
            switch keys {
            case .file(let path): try KeyFile(path: path, world: world, log: log)
            case .address(let url): KeyAddress(url: url, client: client, world: world, log: log)
            }
    }

    /// Whether a credential is a token of this kind: two dots, which no key has.
    public static func isToken(_ credential: String) -> Bool {
        credential.utf8.count { $0 == UInt8(ascii: ".") } == 2
    }

    /// Begins to fetch the keys, so that the first request need not wait for them.
    public func prepare() { keys.prepare() }

    /// Whose token this is.
    ///
    /// - Throws: `Problem` 401 for a token that does not count, 404 for an organization that there is not, 503 while the
    ///   site's keys cannot be had.
    public func principal(_ token: Secret<String>) throws -> Principal {
        let payload = try token.reveal { try verified($0) }
        let claims: SiteClaims
        do throws(SiteClaims.Refusal) {
            claims = try SiteClaims(payload, settings, at: world.now())
        } catch {
            throw Problem.unauthorized("invalid_credential", error.sentence)
        }
        return try principal(claims)
    }

    private func verified(_ text: String) throws -> VerifiedPayload {
        guard let token = try? CompactJWS(text), Self.types.contains(token.type ?? "jwt"),
            let key = try keys.key(for: token), let payload = token.verified(by: key)
        else {
            // One sentence for all: whoever cannot sign learns nothing of the keys.
            throw Problem.unauthorized("invalid_credential", "The token is not signed as this hub demands.")
        }
        return payload
    }

    /// What a token may say that it is; others, such as those of a logout, are meant for somebody else (RFC 8725 §3.11).
    private static let types: Set<String> = ["jwt", "at+jwt"]

    private func principal(_ claims: SiteClaims) throws -> Principal {
        if let bearer = try bearers.account(claims) {
            guard !bearer.isDisabled else {
                throw Problem.unauthorized("invalid_credential", "The account of the token's bearer is switched off.")
            }
            let memberships = try bearer.memberships(claims)
            if !memberships.isEmpty {
                return Principal(
                    actor: Actor(kind: .siteToken, id: bearer.user.bytes, name: bearer.email), memberships: memberships,
                    limits: claims.statesRights ? claims.scopes : nil)
            }
        }
        return Principal(
            actor: Actor(
                kind: .siteToken, id: claims.subjectID, name: String(claims.subject.unicodeScalars.prefix(254))),
            memberships: try bearers.organizations(claims).map {
                // The rights are those stated and no others, so the role does not narrow them.
                Principal.Membership(organization: $0.id, name: $0.name, role: .admin)
            },
            limits: claims.scopes.filter { settings.allowsAdmin || $0 != .everything })
    }
}

extension Problem {
    static let noSuchOrganization = Problem(404, "organization_not_found", "There is no such organization.")
    static let keysAway = Problem(
        503, "token_keys_unavailable",
        "The keys of the site's tokens cannot be had just now. Try again in a few seconds.",
        headers: ["retry-after": "3"])
}
