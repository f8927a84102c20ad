import AdminShell
import CipherKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// A protected resource asks what a token is good for (RFC 7662).
extension OAuthServer {
    private static let inactive = Array(#"{"active":false}"#.utf8)

    /// The introspection endpoint, answered from memory for access tokens.
    ///
    /// A client learns of its own tokens; an app that was registered in the organization which a token is about, and may
    /// read apps, learns of all tokens there as long as its owner belongs there, since that is what a back end of the site
    /// is. Anything else is not active.
    ///
    /// > If the introspection call is properly authorized but the token is not active, does not exist on this server, or the
    /// > protected resource is not allowed to introspect this particular token, then the authorization server MUST return an
    /// > introspection response with the "active" field set to "false". Note that to avoid disclosing too much of the
    /// > authorization server's state to a third party, the authorization server SHOULD NOT include any additional
    /// > information about an inactive token, including why the token is inactive.     RFC 7662 §2.2
    func introspect(_ call: Call) throws -> Response {
        let form = try OAuthForm(call.request)
        let app = try client(call, form)
        guard app.isConfidential else {
            throw OAuthError(
                .invalidClient, "Only a client that proves itself may ask what a token is good for.", status: 401)
        }
        let sent = try form.required("token")
        switch TokenText.kind(of: sent) {
        case .accessToken: return Self.answer(try access(sent, for: app))
        case .refreshToken: return Self.answer(try refresh(sent, for: app))
        case .code, .deviceCode, nil: return Self.answer(Self.inactive)
        }
    }

    private func access(_ sent: String, for app: AppRecord) throws -> [UInt8] {
        guard let token = try memory.token(sent), token.verdict(at: world.now()) == .valid,
            Self.may(app, learnOf: token.app.id, in: token.organization)
        else { return Self.inactive }
        return token.introspection(issuer: issuer)
    }

    private func refresh(_ sent: String, for app: AppRecord) throws -> [UInt8] {
        let store = TokenStore(world: world)
        guard let sent = TokenText(sent), let record = try store.refresh(sent, in: database), record.usedAt == nil,
            record.expiresAt > world.now(),
            let grant = try store.grant(record.grant, in: database), !grant.isRevoked, grant.role != nil,
            grant.app == app.id
        else { return Self.inactive }
        return JSON.object([
            .init("active", true), .init("scope", .string(grant.scopes.stored)),
            .init("client_id", .string(app.clientID)), .init("token_type", "refresh_token"),
            .init("exp", .integer(record.expiresAt.seconds)), .init("sub", .string(grant.user.text)),
            .init("iss", .string(issuer)), .init("organization_id", .string(grant.organization.text)),
        ]).bytes
    }

    private static func may(
        _ app: AppRecord, learnOf other: Identifier<OAuthApp>, in organization: Identifier<Organization>
    ) -> Bool {
        app.id == other
            || app.organization == organization && app.ownerRole != nil
                && [Scope.read(.oauthApps)].areCovered(by: app.scopes)
    }

    private static func answer(_ bytes: [UInt8]) -> Response {
        Response(headers: ["content-type": "application/json", "cache-control": "no-store"], body: .bytes(bytes))
    }
}
