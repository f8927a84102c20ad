import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// Apps get tokens for themselves (RFC 6749 §4.4).
extension OAuthServer {
    /// One row, committed with those of others who ask meanwhile: who asks is known from memory, and nothing else is
    /// written.
    ///
    /// > The client credentials grant type MUST only be used by confidential clients.     RFC 6749 §4.4
    /// >
    /// > A refresh token SHOULD NOT be included.     RFC 6749 §4.4.3
    func giveAppToken(to app: AppRecord, _ form: OAuthForm, _ call: Call) throws -> Response {
        guard app.isConfidential else {
            throw OAuthError(.unauthorizedClient, "Only an app that can keep a secret gets tokens for itself.")
        }
        guard app.ownerRole != nil else {
            throw OAuthError(.unauthorizedClient, "The person whose app this is was put aside or has left.")
        }
        let scopes = try AuthorizationReader.scopes(form, of: app)
        let resources = try ResourceIndicator.list(form.all("resource"), at: site.origin)
        let access = TokenText(.accessToken, id: Identifier<OAuthToken>(world).bytes)
        let life = Duration.seconds(settings.accessSeconds)
        try keep(
            NewAccessToken(
                text: access, app: app.id, grant: nil, scopes: scopes, resources: resources,
                expiresAt: world.now() + life))
        note("OAuth tokens were given", app, .clientCredentials, call)
        return IssuedTokens(access: access, life: life, refresh: nil, scopes: scopes).response()
    }

    /// Commits a token, in one transaction with those that others wait for.
    private func keep(_ token: NewAccessToken) throws {
        _ = try ownTokens.take([token], for: 0) { tokens in
            try TokenStore(world: world).insert(tokens, in: database)
            return tokens.map { _ in () }
        }
    }
}
