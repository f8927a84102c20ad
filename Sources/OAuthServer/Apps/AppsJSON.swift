import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Apps as scripts see, make and change them.
extension OAuthServer {
    func listAppsJSON(_ call: Call) throws -> Response {
        var query = Input(try call.request.query())
        let filter = AppFilter(&query)
        let part = Listing<OAuthApp>(&query)
        guard query.isComplete else { throw query.refusal }
        let found = try store(call.scope()).apps(filter, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map(json), next: part.next(found, \.id), at: OAuthAppRoute.listJSON)
    }

    func appJSON(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        guard let app = try store(call.scope()).app(id) else { throw Problem.notFound }
        return answer(app)
    }

    /// The only answers to a script that hold a secret are this and ``postAppRoll(_:_:)``.
    func postApp(_ call: Call) throws -> Response {
        var input = try call.json()
        let isConfidential = input.truth("confidential") ?? true
        let terms = termsReader.patched(
            termsReader.defaults(isConfidential: isConfidential), &input, isConfidential: isConfidential, isNew: true)
        guard input.isComplete else { throw input.refusal }
        let made = try create(terms, isConfidential: isConfidential, by: call.scope())
        return answer(made.app, secret: made.secret?.secret, status: 201)
            .with("location", call.link(OAuthAppRoute.appJSON(made.app.id)))
    }

    func patchApp(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let input = try call.json()
        let app = try update(id, by: call.scope(), check: isMatched(call)) { app in
            var input = input
            let terms = termsReader.patched(app.terms, &input, isConfidential: app.isConfidential)
            guard input.isComplete else { throw input.refusal }
            return terms
        }
        return answer(app)
    }

    func deleteApp(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try delete(id, by: call.scope(), check: isMatched(call))
        return .noContent
    }

    func postAppRoll(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        var input = try call.json()
        let grace = input.number("grace_seconds", 0...Self.longestGrace).map { Duration.seconds($0) }
        guard input.isComplete else { throw input.refusal }
        let rolled = try roll(id, grace: grace ?? Self.usualGrace, by: call.scope(), check: isMatched(call))
        return answer(rolled.app, secret: rolled.secret.secret)
    }

    func deleteAppPrevious(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try endPrevious(id, by: call.scope(), check: isMatched(call))
        return .noContent
    }

    func postAppDisable(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try call.json().requireNothing()
        return answer(try disable(id, by: call.scope(), check: isMatched(call)))
    }

    func postAppEnable(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try call.json().requireNothing()
        return answer(try enable(id, by: call.scope(), check: isMatched(call)))
    }

    /// How long the secret before a roll lives on at most: 30 days, in seconds.
    static let longestGrace: Int64 = 2_592_000
    /// How long it lives on when nothing is said.
    static let usualGrace = Duration.hours(24)

    var termsReader: TermsReader { TermsReader(settings: settings) }

    private func isMatched(_ call: Call) -> (AppRecord) throws -> Void {
        { app in try call.request.requireMatch(entityTag(version: app.version)) }
    }

    // MARK: What apps hold

    func listTokensJSON(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let part = try Listing<OAuthToken>(of: call.request)
        guard try store(scope).app(id) != nil else { throw Problem.notFound }
        let found = try held(scope).tokens(of: id, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map(\.json), next: part.next(found, \.id), at: OAuthAppRoute.tokensJSON(id))
    }

    func deleteTokens(_ id: Identifier<OAuthApp>, _ call: Call) throws -> Response {
        try revokeAllHeld(of: id, by: call.scope())
        return .noContent
    }

    func deleteToken(_ id: Identifier<OAuthToken>, _ call: Call) throws -> Response {
        try revokeHeld(id, by: call.scope())
        return .noContent
    }

    // MARK: -

    /// An app with its entity tag; with its secret it is stored nowhere on its way.
    private func answer(_ app: AppRecord, secret: Secret<String>? = nil, status: Status = 200) -> Response {
        guard let secret else {
            return Response.json(json(app), status: status).tagged(entityTag(version: app.version))
        }
        let member = secret.reveal { JSON.Member("client_secret", .string($0)) }
        let members = json(app).members ?? []
        return Response.json(.object(members.prefix(2) + [member] + members.dropFirst(2)), status: status)
            .tagged(entityTag(version: app.version)).neverStored()
    }

    private func json(_ app: AppRecord) -> JSON {
        let now = world.now()
        let identity: [JSON.Member] = [
            .init("id", .string(app.id.text)), .init("client_id", .string(app.clientID)),
            .init("state", .string(app.isUsable ? "active" : "disabled")),
            .init("confidential", .bool(app.isConfidential)), .init("dynamic", .bool(app.isDynamic)),
            .init("user_id", JSON(app.owner?.text)),
        ]
        let previous = app.livingPrevious(now: now).map { previous -> JSON in
            ["last_four": .string(previous.lastFour), "ends_at": JSON(previous.endsAt)]
        }
        let moments: [JSON.Member] = [
            .init("secret_last_four", JSON(app.secrets.first { $0.endsAt == nil }?.lastFour)),
            .init("previous_secret", previous ?? .null), .init("created_at", JSON(app.createdAt)),
            .init("disabled_at", JSON(app.disabledAt)), .init("last_used_at", JSON(app.lastUsedAt)),
        ]
        return .object(identity + app.terms.members + moments)
    }
}

extension HeldToken {
    /// As scripts see it.
    fileprivate var json: JSON {
        [
            "id": .string(id.text), "kind": .string(kind.rawValue), "user_id": JSON(person?.id.text),
            "user": JSON(person?.name), "organization_id": .string(organization.text),
            "scopes": .array(scopes.map { .string($0.description) }), "created_at": JSON(createdAt),
            "expires_at": JSON(expiresAt), "last_used_at": JSON(lastUsedAt),
        ]
    }
}
