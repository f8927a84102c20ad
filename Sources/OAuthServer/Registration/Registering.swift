import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import TimeKit

/// Programs register themselves, where the site allows it (RFC 7591, RFC 7592).
extension OAuthServer {
    /// How many programs of one organization may have registered themselves.
    static let mostRegistered = 1_000

    func respond(_ route: RegistrationRoute, _ call: Call) throws -> Response {
        guard settings.allowsRegistration else { throw Problem.notFound }
        do {
            return switch (route, call.request.method) {
            case (.register, _): try register(call)
            case (.client(let id), .put): try replaceRegistered(id, call)
            case (.client(let id), .delete): try deleteRegistered(id, call)
            case (.client(let id), _): try showRegistered(id, call)
            }
        } catch let error as OAuthError {
            return error.response()
        }
    }

    private func register(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let metadata = try RegistrationMetadata(body(call), settings: settings)
        try Self.requireRights(metadata.terms.scopes, of: scope)
        let token = RegistrationToken()
        let new = NewApp(
            id: Identifier(world), terms: metadata.terms, secret: metadata.isConfidential ? ClientSecret() : nil,
            isDynamic: true, registrationHash: token.digest)
        let store = store(scope)
        let holder = try store.holder(in: database)
        let app = try change(isolation: .readCommitted) { transaction in
            try holder.lock(in: transaction)
            guard try store.dynamicCount(in: transaction) < Self.mostRegistered else {
                throw Problem(
                    409, "too_many_apps",
                    "\(Self.mostRegistered) programs have registered themselves here already. Remove some first.")
            }
            return try insert(new, holder: holder, by: scope, in: transaction)
        }
        return answer(app, secret: new.secret, token: token, status: 201)
            .with("location", call.link(RegistrationRoute.client(app.id)))
    }

    private func showRegistered(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        answer(try registered(id, call).app)
    }

    private func replaceRegistered(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let (app, scope) = try registered(id, call)
        let json = try body(call)
        guard json["client_id"]?.text == app.clientID else {
            throw OAuthError(.invalidClientMetadata, "client_id is missing, or is another app's.")
        }
        // > MUST NOT include the "registration_access_token", "registration_client_uri", "client_secret_expires_at", or
        // > "client_id_issued_at" fields     RFC 7592 §2.2
        let forbidden = [
            "registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at",
        ]
        guard forbidden.allSatisfy({ json[$0] == nil }) else {
            throw OAuthError(.invalidClientMetadata, "Send what the client says of itself, and not what the hub says.")
        }
        let metadata = try RegistrationMetadata(json, settings: settings)
        guard metadata.isConfidential == app.isConfidential else {
            throw OAuthError(.invalidClientMetadata, "Whether it has a secret is settled when it registers.")
        }
        let changed = try update(id, by: scope) { old in
            // Its registration token is no credential that could lend it more than it was given, or give back what was
            // taken from it since.
            guard metadata.terms.scopes.areCovered(by: old.scopes) else {
                throw OAuthError(.invalidClientMetadata, "scope is more than was registered. Register anew.")
            }
            guard metadata.terms.grants.isSubset(of: old.grants) else {
                throw OAuthError(.invalidClientMetadata, "grant_types are more than were registered. Register anew.")
            }
            var terms = metadata.terms
            (terms.description, terms.rateLimit) = (old.terms.description, old.terms.rateLimit)
            terms.requiresPushedRequests = old.requiresPushedRequests
            return terms
        }
        return answer(changed)
    }

    private func deleteRegistered(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let (_, scope) = try registered(id, call)
        try delete(id, by: scope)
        return Response.noContent.neverStored()
    }

    // MARK: -

    /// The app of a registration token, and the scope in which it changes itself.
    ///
    /// > If the registration access token used to make this request is not valid, the server MUST respond with an error as
    /// > described in OAuth Bearer Token Usage.     RFC 7592 §2
    private func registered(
        _ id: Identifier<OAuthApp>, _ call: Call
    ) throws -> (app: AppRecord, scope: OrganizationScope) {
        guard case .sent(let sent) = Credential(call.request.headers), let app = try AppReader.find(id, in: database),
            let kept = try registrationHash(of: id), RegistrationToken.isRight(sent, kept: kept)
        else {
            let subject = LimitSubject(address: call.request.remoteAddress, for: "client-secret")
            let guess = limiter.take(from: authentication.guesses, of: subject, at: world.now())
            guard guess.isAllowed else { throw Problem.quotaExceeded(guess) }
            throw OAuthError(
                .invalidToken, "The registration token is not this app's.", status: 401,
                headers: ["www-authenticate": "Bearer realm=\"hub\", error=\"invalid_token\""])
        }
        let actor = Actor(kind: .oauthApp, id: id.bytes, name: app.name)
        return (
            app,
            OrganizationScope(
                trusted: app.organization, name: app.organizationName, actor: actor, requestID: call.request.id)
        )
    }

    private func registrationHash(of id: Identifier<OAuthApp>) throws -> [UInt8]? {
        try database.row("SELECT registration_hash FROM oauth_apps WHERE id = \(id) AND deleted_at IS NULL")?
            .get("registration_hash")
    }

    private func body(_ call: Call) throws(OAuthError) -> JSON {
        do throws(Problem) {
            return try call.request.json()
        } catch {
            throw OAuthError(.invalidClientMetadata, error.detail, status: error.status)
        }
    }

    private func answer(
        _ app: AppRecord, secret: ClientSecret? = nil, token: RegistrationToken? = nil, status: Status = 200
    ) -> Response {
        let method = app.terms.authMethod ?? (app.isConfidential ? .basic : .none)
        var members: [JSON.Member] = [
            .init("client_id", .string(app.clientID)),
            .init("client_id_issued_at", JSON(app.createdAt.milliseconds / 1_000)),
        ]
        if let secret { members.append(.init("client_secret", .string(secret.secret.reveal { $0 }))) }
        // > REQUIRED if "client_secret" is issued. … 0 if it will not expire.     RFC 7591 §3.2.1
        if app.isConfidential { members.append(.init("client_secret_expires_at", 0)) }
        if let token { members.append(.init("registration_access_token", .string(token.secret.reveal { $0 }))) }
        members += [
            .init("registration_client_uri", .string(site.url(RegistrationRoute.client(app.id)))),
            .init("client_name", .string(app.name)),
            .init("redirect_uris", .array(app.redirectURIs.map { .string($0.text) })),
            .init("grant_types", .array(app.grants.sorted.map { .string($0.rawValue) })),
            .init("response_types", app.grants.contains(.authorizationCode) ? ["code"] : []),
            .init("token_endpoint_auth_method", .string(method.rawValue)), .init("scope", .string(app.scopes.stored)),
        ]
        if let url = app.terms.websiteURL { members.append(.init("client_uri", .string(url))) }
        if let url = app.terms.privacyPolicyURL { members.append(.init("policy_uri", .string(url))) }
        return Response.json(.object(members), status: status).neverStored()
    }
}
