import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// What a client is given.
struct IssuedTokens: Sendable {
    let access: TokenText
    /// How long the access token still opens anything.
    let life: Duration
    let refresh: TokenText?
    let scopes: [Scope]
    /// For whom; nil for the app itself.
    var user: Identifier<User>?

    /// The answer of the token endpoint, never to be stored.
    ///
    /// > The authorization server MUST include the HTTP "Cache-Control" response header field with a value of "no-store" in
    /// > any response containing tokens, credentials, or other sensitive information, as well as the "Pragma" response
    /// > header field with a value of "no-cache".     RFC 6749 §5.1
    func response() -> Response {
        var members: [JSON.Member] = [
            .init("access_token", .string(access.secret.reveal { $0 })), .init("token_type", "Bearer"),
            .init("expires_in", .integer(max(0, life.components.seconds))),
        ]
        if let refresh { members.append(.init("refresh_token", .string(refresh.secret.reveal { $0 }))) }
        members.append(.init("scope", .string(scopes.stored)))
        return Response.json(.object(members)).with("pragma", "no-cache").neverStored()
    }
}

/// How a transaction at the token endpoint ended: what it has noted is kept either way.
enum GrantOutcome: Sendable {
    /// The client gets tokens.
    case given(IssuedTokens)
    /// The client gets nothing.
    case refused(OAuthError)
    /// The client gets nothing, and a grant of this person was ended.
    case revoked(OAuthError, of: Identifier<User>)
}

extension OAuthServer {
    /// The token endpoint (RFC 6749 §3.2).
    func token(_ call: Call) throws -> Response {
        let form = try OAuthForm(call.request)
        let app = try client(call, form)
        let type = try form.required("grant_type")
        guard let grant = GrantType(rawValue: type) else {
            throw OAuthError(
                .unsupportedGrantType,
                "grant_type must be authorization_code, refresh_token, client_credentials or the one of RFC 8628.")
        }
        guard app.grants.contains(grant) else {
            throw OAuthError(.unauthorizedClient, "This app is not registered for this grant_type.")
        }
        return switch grant {
        case .authorizationCode: try redeemCode(of: app, form, call)
        case .refreshToken: try refresh(of: app, form, call)
        case .clientCredentials: try giveAppToken(to: app, form, call)
        case .deviceCode: try redeemDeviceCode(of: app, form, call)
        }
    }

    /// Carries out what ends in tokens or in none, and tells the client.
    ///
    /// Not one picture of the data: who has waited for a row must see what the one before has done with it.
    func settle(
        _ call: Call, of app: AppRecord, by grant: GrantType, _ body: (Transaction) throws -> GrantOutcome
    )
        throws -> Response
    {
        let outcome: GrantOutcome
        do {
            outcome = try database.transaction(isolation: .readCommitted, body)
        } catch let error as DatabaseError where error.code == .commitUnknown {
            memory.changed()
            throw error
        }
        switch outcome {
        case .given(let tokens):
            note("OAuth tokens were given", app, grant, call, user: tokens.user?.text ?? "")
            return tokens.response()
        case .refused(let error):
            note("an OAuth grant was refused", app, grant, call, error.code.rawValue)
            throw error
        case .revoked(let error, let user):
            memory.changed()
            note(
                "an OAuth grant was ended, since what can be used once came again", app, grant, call, user: user.text,
                error.code.rawValue)
            throw error
        }
    }

    /// Notes for the log who got what from where; never the text of a token.
    func note(
        _ what: StaticString, _ app: AppRecord, _ grant: GrantType?, _ call: Call, user: String = "",
        _ error: String = ""
    ) {
        call.log.info(
            what,
            [
                "client": .init(app.clientID), "user": .init(user), "grant_type": .init(grant?.rawValue ?? ""),
                "address": .init(call.request.remoteAddress), "error": .init(error),
            ])
    }

    /// Makes a grant with its first pair, in the transaction that uses up what it comes of.
    func give(
        to app: AppRecord, user: Identifier<User>, organization: Identifier<Organization>, scopes: [Scope],
        resources: [String], narrowedTo narrowed: [String], in transaction: Transaction
    ) throws -> (grant: Identifier<OAuthGrant>, tokens: IssuedTokens) {
        let now = world.now()
        let store = TokenStore(world: world)
        let grant = Identifier<OAuthGrant>(world)
        let isRenewable = app.grants.contains(.refreshToken)
        try store.insertGrant(
            grant, app: app.id, user: user, organization: organization, scopes: scopes, resources: resources,
            expiresAt: now + (isRenewable ? settings.grantLife : .seconds(settings.accessSeconds)), in: transaction)
        let access = TokenText(.accessToken, id: Identifier<OAuthToken>(world).bytes)
        let life = Duration.seconds(settings.accessSeconds)
        try store.insert(
            NewAccessToken(
                text: access, app: app.id, grant: grant, scopes: scopes, resources: narrowed, expiresAt: now + life),
            in: transaction)
        guard isRenewable else {
            return (grant, IssuedTokens(access: access, life: life, refresh: nil, scopes: scopes, user: user))
        }
        let refresh = TokenText(.refreshToken, id: Identifier<OAuthToken>(world).bytes)
        try store.insert(refresh, of: grant, expiresAt: now + .seconds(settings.refreshSeconds), in: transaction)
        return (grant, IssuedTokens(access: access, life: life, refresh: refresh, scopes: scopes, user: user))
    }
}

extension OAuthServer.Settings {
    /// How long a grant can be renewed at most, however often its tokens are used: then the person is asked again.
    ///
    /// > Authorization servers … refresh tokens SHOULD expire if the client has been inactive for some time.
    /// >     RFC 9700 §4.14.2
    var grantLife: Duration { max(.days(365), .seconds(refreshSeconds)) }
}
