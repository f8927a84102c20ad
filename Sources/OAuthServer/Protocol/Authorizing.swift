import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import TimeKit

/// Browsers come from an app and go back to it with a code (RFC 6749 §4.1).
extension OAuthServer {
    /// For how long a request waits for somebody to sign in and consent.
    static let patience = Duration.minutes(10)
    /// How often strangers of one address may begin, since each time a row is kept for them.
    private static let strangers = [Quota.minute(300)]

    /// Keeps whoever knows the id of a public app from filling tables in its name.
    func admitStranger(_ call: Call, as app: AppRecord) throws(OAuthError) {
        guard !app.isConfidential, let seconds = LimitFields.retryAfter(countStranger(call)) else { return }
        throw OAuthError(
            .temporarilyUnavailable, "Too many requests came from this address; try again later.", status: 429,
            headers: ["retry-after": "\(seconds)"])
    }

    private func countStranger(_ call: Call) -> LimitVerdict {
        limiter.take(
            1, from: Self.strangers,
            of: LimitSubject(address: call.request.remoteAddress, for: "oauth-authorize"), at: world.now())
    }

    /// The authorization endpoint.
    ///
    /// Who is not signed in is asked to, and only then is anybody sent anywhere: an address of ours that leads on by itself
    /// would lend our name to whoever registers an app.
    ///
    /// > the authorization server MUST always authenticate the user first and, with the exception of the silent
    /// > authentication use case, prompt the user for credentials when needed, before redirecting the user.
    /// >     RFC 9700 §4.11.2
    func authorize(_ call: Call) throws -> Response {
        var parameters = try call.request.query()
        guard call.request.method != .head else { return try look(parameters) }
        do {
            parameters = try reader.parameters(parameters)
            let request = try reader.request(parameters)
            guard call.principal?.browser != nil else { return try wait(parameters, of: request.app, call) }
            return try proceed(request, parameters, call)
        } catch let refusal as AuthorizationRefusal {
            guard case .returned = refusal, call.principal?.browser == nil else {
                return try turnBack(refusal, parameters, call)
            }
            return try wait(parameters, of: reader.app(parameters), call)
        }
    }

    /// A look at an address does nothing: no code is made, and what was pushed stays.
    private func look(_ query: Form) throws -> Response {
        let reader = AuthorizationReader(
            origin: site.origin, find: { try memory.app(clientID: $0) }, pushed: { _, _ in nil })
        do {
            _ = try reader.request(reader.parameters(query))
        } catch AuthorizationRefusal.shown(let problem) {
            throw problem
        } catch is AuthorizationRefusal {
            return .noContent
        }
        return .noContent
    }

    /// The same request once its person has signed in.
    func continueAuthorization(_ call: Call) throws -> Response {
        let id = try call.request.query()["request"] ?? ""
        guard let kept = try RequestStore(world: world).find(id, .waiting, in: database) else {
            throw Problem.authorizationOver
        }
        guard call.request.method != .head else { return .noContent }
        do {
            var request = try reader.request(kept.parameters)
            request.id = id
            return try proceed(request, kept.parameters, call)
        } catch let refusal as AuthorizationRefusal {
            _ = try RequestStore(world: world).take(id, .waiting, in: database)
            return try turnBack(refusal, kept.parameters, call)
        }
    }

    /// Asks the person, unless that was done before for as much.
    private func proceed(_ request: PendingAuthorization, _ parameters: Form, _ call: Call) throws -> Response {
        let scope = try call.scope()
        guard try needsConsent(request, call, by: scope) else {
            return try call.leave(
                to: grantAuthorization(request, call, by: scope, isAsked: false), app: request.app, isAllowed: true)
        }
        let id =
            request.id.isEmpty
            ? try RequestStore(world: world).keep(
                parameters, .waiting, of: request.app.id, for: Self.patience, in: database) : request.id
        return .seeOther("\(site.mount)/oauth/consent?request=\(id)").neverStored()
    }

    /// Keeps a request until somebody has signed in, one that will be refused then, too.
    private func wait(_ parameters: Form, of app: AppRecord, _ call: Call) throws -> Response {
        let verdict = countStranger(call)
        guard verdict.isAllowed else { throw Problem.quotaExceeded(verdict) }
        let id = try RequestStore(world: world).keep(
            parameters, .waiting, of: app.id, for: Self.patience, in: database)
        return .seeOther("\(site.mount)\(OAuthEndpointRoute.continueAuthorization.path)?request=\(id)").neverStored()
    }

    private func turnBack(_ refusal: AuthorizationRefusal, _ query: Form, _ call: Call) throws -> Response {
        switch refusal {
        case .shown(let problem): throw problem
        case .returned(let error, let back):
            let app = try OAuthForm.lone("client_id", in: query).flatMap { try memory.app(clientID: $0) }
            // Whoever was known a moment ago may have been removed since.
            guard let app else { throw Problem.unknownApp }
            return try call.leave(to: back.address(error, issuer: issuer), app: app, isAllowed: false)
        }
    }

    private var reader: AuthorizationReader {
        AuthorizationReader(
            origin: site.origin, find: { try memory.app(clientID: $0) },
            pushed: { name, app in try takePushed(name, of: app) })
    }

    // MARK: What the consent page calls

    /// The request that waits under a name, checked again.
    ///
    /// - Throws: `Problem` 410 when it is over, or its app no longer allows it.
    func pendingAuthorization(_ id: String, _ call: Call) throws -> PendingAuthorization {
        guard let kept = try RequestStore(world: world).find(id, .waiting, in: database) else {
            throw Problem.authorizationOver
        }
        do {
            var request = try reader.request(kept.parameters)
            request.id = id
            return request
        } catch is AuthorizationRefusal {
            throw Problem.authorizationOver
        }
    }

    /// Whether the person must be asked.
    ///
    /// > If the client is a native app … authorization servers SHOULD NOT process authorization requests automatically
    /// > without user consent or interaction, except when the identity of the client can be assured.     RFC 8252 §8.6
    func needsConsent(_ request: PendingAuthorization, _ call: Call, by scope: OrganizationScope) throws -> Bool {
        guard request.app.isConfidential, !request.app.isDynamic, !request.forcesConsent else { return true }
        let remembered = try consents.remembered(
            .init(app: request.app.id, user: call.browser().user, organization: scope.organization), in: database)
        return !request.scopes.areCovered(by: remembered)
    }

    /// The person has consented, now or before: remembers it, and makes the code.
    ///
    /// - Parameter isAsked: false when nobody was asked, since as much was consented to before.
    /// - Returns: where the browser goes now.
    /// - Throws: `Problem` 410 when the request was answered already, or what was consented to is taken back just now.
    func grantAuthorization(
        _ request: PendingAuthorization, _ call: Call, by scope: OrganizationScope, isAsked: Bool = true
    ) throws -> String {
        let user = try call.browser().user
        let code = TokenText(.code, id: Identifier<OAuthToken>(world).bytes)
        try database.transaction { transaction in
            guard try request.id.isEmpty || RequestStore(world: world).take(request.id, .waiting, in: transaction)
            else { throw Problem.authorizationOver }
            if isAsked {
                try remember(request.scopes, request.app, user, by: scope, in: transaction)
            } else {
                let remembered = try consents.remembered(
                    .init(app: request.app.id, user: user, organization: scope.organization),
                    locking: "LOCK IN SHARE MODE", in: transaction)
                guard request.scopes.areCovered(by: remembered) else { throw Problem.authorizationOver }
            }
            try CodeStore(world: world).insert(
                code, for: request, user: user, organization: scope.organization,
                expiresAt: world.now() + .seconds(settings.codeSeconds), in: transaction)
        }
        note("an authorization code was given", request.app, .authorizationCode, call, user: user.text)
        return request.back.address([("code", code.secret.reveal { $0 })], issuer: issuer)
    }

    /// Remembers what a person lets an app do, and writes it down.
    func remember(
        _ scopes: [Scope], _ app: AppRecord, _ user: Identifier<User>, by scope: OrganizationScope,
        in transaction: Transaction
    ) throws {
        let new = try consents.remember(
            scopes, .init(app: app.id, user: user, organization: scope.organization), in: transaction)
        try audit.record(
            "oauth_app.consented", .init("oauth_app", app.id, name: app.name),
            details: ["scopes": .string(scopes.stored), "new_scopes": .string(new.stored)], by: scope, in: transaction)
    }

    /// The person has said no.
    ///
    /// - Returns: where the browser goes now.
    /// - Throws: `Problem` 410 when the request was answered already.
    func denyAuthorization(_ request: PendingAuthorization, _ call: Call) throws -> String {
        guard try RequestStore(world: world).take(request.id, .waiting, in: database) else {
            throw Problem.authorizationOver
        }
        let user = try call.browser().user
        note("an authorization was denied", request.app, .authorizationCode, call, user: user.text)
        let error = OAuthError(.accessDenied, "The person has not given access.")
        return request.back.address(error, issuer: issuer)
    }
}

extension PendingAuthorization {
    /// Where the answer goes.
    var back: AuthorizationReturn { AuthorizationReturn(redirectURI: redirectURI, state: state) }
}
