import AdminShell
import CipherKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Connections as scripts see them.
extension Connections {
    func listJSON(_ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let filter = try self.filter(&input, call.scope())
        let part = Listing<Connection>(&input)
        guard input.isComplete else { throw input.refusal }
        let found = try views(filter, part, call.scope())
        return try call.list(
            found.prefix(part.limit).map(Self.json), next: part.next(found, \.record.id), at: ConnectionRoute.listJSON)
    }

    func post(_ call: Call) throws -> Response {
        var input = try call.json()
        let scope = try call.scope()
        let key = input.optionalText("provider")
        let provider = try key.flatMap { try self.provider($0, scope, in: database, isAskedFor: true) }
        if key != nil, provider == nil { input.refuse("provider", "invalid", "There is no such provider.") }
        guard let provider = input.required("provider", provider) else {
            throw input.refusalIgnoring("name", "setup", "workspace_id")
        }
        let placing = try placingChange(&input, scope).applied(to: .initial)
        let setUp = SetUp.read(provider, &input, isForm: false, given: environment.fields(of: provider))
        guard input.isComplete else { throw input.refusal }
        let id = try create(provider, placing, setUp, by: scope)
        let made = try find(.id(id), scope)
        return Self.response(made, status: 201).with("location", call.link(ConnectionRoute.json(.id(id))))
    }

    func json(_ name: ConnectionName, _ call: Call) throws -> Response {
        Self.response(try find(name, call.scope()))
    }

    /// A connection and the tag of this very copy: when it was tested, synced or renewed last moves without a change of it.
    private static func response(_ view: ConnectionView, status: Status = 200) -> Response {
        let body = json(view)
        let state = Hex.encode(SHA256.digest(body.bytes).prefix(8))
        return .json(body, status: status).tagged(entityTag(version: view.record.version, state: state))
    }

    /// Merges what is sent into what is there; secrets that are not sent stay.
    func patch(_ name: ConnectionName, _ call: Call) throws -> Response {
        var input = try call.json()
        let scope = try call.scope()
        let id = try find(name, scope).record.id
        let placing = try placingChange(&input, scope)
        let isEnabled = input.truth("enabled")
        let asked = input
        try update(id, by: scope) { old in
            try call.request.requireMatch(version: old.record.version)
        } _: { old in
            var input = asked
            var change = Change(keeping: old)
            change.placing = placing.applied(to: change.placing)
            change.isEnabled = isEnabled ?? change.isEnabled
            if input.isGiven("setup") { change.setUp = try setUp(of: old, &input, isForm: false) }
            guard input.isComplete else { throw input.refusal }
            return change
        }
        return try json(.id(id), call)
    }

    func delete(_ name: ConnectionName, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let view = try find(name, scope)
        let revocation = try remove(view.record.id, by: scope) {
            try call.request.requireMatch(version: $0.record.version)
        }
        // Where nobody had signed in there is nothing to tell.
        guard view.record.grant.sealed != nil else { return .noContent }
        return .json(["id": .string(view.record.id.text), "revocation": revocation.json])
    }

    func statusJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        let view = try find(name, call.scope())
        return .json([
            "connected": .bool(view.status == .connected || view.status == .expiring),
            "status": .string(view.status.rawValue), "checked_at": JSON(view.record.testedAt),
        ])
    }

    func testJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let outcome = try test(find(name, scope), by: scope)
        let after = try find(name, scope)
        return .json([
            "ok": .bool(outcome.isSuccess), "status": .string(after.status.rawValue),
            "detail": .string(outcome.sentence), "duration_ms": .integer(outcome.duration.milliseconds),
            "checked_at": JSON(after.record.testedAt),
        ])
    }

    /// Renews the tokens; many who ask at once get what one call brought.
    func refreshJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        let scope = try call.scope()
        return .json(Self.json(try refresh(find(name, scope), by: scope)))
    }

    /// How the connection has fared lately, the newest first.
    func checksJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let part = try Listing<ConnectionCheck>(of: call.request)
        let found = try checks(scope).list(find(name, scope).record.id, after: part.last, limit: part.limit + 1)
        let checks = found.prefix(part.limit).map { check -> JSON in
            [
                "id": .string(check.id.text), "kind": .string(check.kind.rawValue), "ok": .bool(check.isSuccess),
                "checked_at": .string(check.at.rfc3339), "duration_ms": .integer(check.duration.milliseconds),
                "detail": JSON(check.detail),
            ]
        }
        return try call.list(checks, next: part.next(found, \.id), at: ConnectionRoute.checksJSON(name))
    }

    func disconnectJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let id = try find(name, scope).record.id
        let revocation = try disconnect(id, by: scope)
        return .json(Self.json(try find(.id(id), scope)).replacing(["revocation": revocation.json]))
    }

    /// Reads the facts of the service now.
    func syncJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let outcome = try sync(find(name, scope), by: scope)
        let view = try find(name, scope)
        return .json([
            "ok": .bool(outcome.error == nil), "detail": JSON(outcome.error), "metadata": .array(view.facts),
            "last_sync_at": JSON(view.record.syncedAt),
        ])
    }

    /// The live credentials: the only answer that holds them, and never without a line in the audit log.
    func credentialsJSON(_ name: ConnectionName, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let view = try find(name, scope)
        let secret = try credentials(of: view, by: scope)
        let values = secret.reveal { $0 }.sorted { $0.key < $1.key }.map { name, value in
            JSON.Member(name, view.provider?.field(name)?.json(value) ?? .string(value))
        }
        return Response.json([
            "id": .string(view.record.id.text), "provider": .string(view.record.provider),
            "name": .string(view.record.name), "kind": JSON(view.provider?.kind.rawValue),
            "credentials": .object(values),
        ]).neverStored()
    }

    /// The values that calls need, renewed if they end soon, with a line in the audit log.
    ///
    /// - Throws: `Problem` as ``live(_:by:forced:)``.
    func credentials(of view: ConnectionView, by scope: OrganizationScope) throws -> Secret<[String: String]> {
        let view = try live(view, by: scope)
        try audit.record(
            "credentials.read", .init("connection", view.record.id, name: view.title), by: scope, in: database)
        return Secret(view.values)
    }

    /// A connection as scripts see it: what is secret is told to be there, never what it is.
    static func json(_ view: ConnectionView) -> JSON {
        let record = view.record
        let setUp = (view.provider?.fields ?? []).compactMap { field -> JSON.Member? in
            if field.kind == .secret {
                let isThere = if case .sealed = view.secrets { true } else { view.secrets.values[field.name] != nil }
                return JSON.Member(field.name, isThere ? "***" : .null)
            }
            return record.setup[field.name]?.text.map { JSON.Member(field.name, field.json($0)) }
        }
        return [
            "id": .string(record.id.text), "provider": .string(record.provider), "name": .string(record.name),
            "workspace_id": JSON(record.workspace?.text), "kind": JSON(view.provider?.kind.rawValue),
            "status": .string(view.status.rawValue), "status_detail": .string(view.sentence),
            "enabled": .bool(record.isEnabled), "setup": .object(setUp), "access": JSON(view.access),
            "metadata": .array(view.facts), "scopes": scopes(view), "checked_at": JSON(record.testedAt),
            "authorized_at": JSON(record.grant.authorizedAt), "expires_at": JSON(record.grant.expiresAt),
            "refreshed_at": JSON(record.grant.refreshedAt), "grant_ends_at": JSON(record.grant.endsAt),
            "last_sync_at": JSON(record.syncedAt), "sync_error": JSON(record.syncError),
            "created_at": JSON(record.createdAt), "updated_at": JSON(record.updatedAt),
        ]
    }

    /// What was asked for beside what was granted; null where nobody signs in.
    private static func scopes(_ view: ConnectionView) -> JSON {
        guard view.provider?.oauth != nil else { return .null }
        let grant = view.record.grant
        return [
            "requested": .array(grant.requestedScopes.map(JSON.string)),
            "granted": grant.grantedScopes.map { .array($0.map(JSON.string)) } ?? .null,
            "missing": .array(view.missingScopes.map(JSON.string)),
        ]
    }
}

extension SetUp {
    /// What is there already.
    init(keeping view: ConnectionView) {
        var open: [String: String] = [:]
        for member in view.record.setup.members ?? [] { open[member.name] = member.value.text }
        self.init(open: open, secrets: view.secrets.values)
    }
}
