import AdminShell
import Domain
import HTTPKit
import JSONKit

/// Services as scripts see them, and those that an organization describes for itself.
extension Connections {
    func providersJSON(_ call: Call) throws -> Response {
        let base = call.shell.site.base
        let providers = try catalogue(for: call.scope()).providers
        return .json(["data": .array(providers.map { Self.json($0, at: base) }), "next_cursor": nil])
    }

    func providerJSON(_ key: String, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let provider = try requireProvider(key, scope)
        let body = Self.json(provider, at: call.shell.site.base)
        guard provider.isOwn, let own = try ownProviders(scope).find(key, in: database) else { return .json(body) }
        let source = (try? JSON(parsing: Array(own.source.utf8))) ?? .null
        return Response.json(.object((body.members ?? []) + [.init("source", source)]))
            .tagged(entityTag(version: own.stamp.version))
    }

    /// Stores a provider file, or with `?dry_run=true` says what it will look like.
    func postProvider(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let source = try providerSource(call)
        let base = call.shell.site.base
        if try isDryRun(call) {
            return .json(Self.json(try reading(of: source, replacing: nil, scope).requireProvider(), at: base))
        }
        let provider = try describe(source, by: scope)
        return .json(Self.json(provider, at: base), status: 201).tagged(entityTag(version: 1))
            .with("location", call.link(ConnectionRoute.providerJSON(provider.key)))
    }

    func putProvider(_ key: String, _ call: Call) throws -> Response {
        let scope = try call.scope()
        _ = try ownProvider(key, scope)
        let source = try providerSource(call)
        if try isDryRun(call) {
            let provider = try reading(of: source, replacing: key, scope).requireProvider()
            return .json(Self.json(provider, at: call.shell.site.base))
        }
        _ = try describe(key, source, by: scope) {
            try call.request.requireMatch(entityTag(version: $0.stamp.version))
        }
        return try providerJSON(key, call)
    }

    func deleteProvider(_ key: String, _ call: Call) throws -> Response {
        let scope = try call.scope()
        _ = try ownProvider(key, scope)
        try removeProvider(key, by: scope) {
            try call.request.requireMatch(entityTag(version: $0.stamp.version))
        }
        return .noContent
    }

    /// The body as it was sent: mistakes are told by its lines and columns.
    private func providerSource(_ call: Call) throws -> String {
        guard call.request.mediaType == "application/json" else {
            throw Problem(415, "unsupported_media_type", "Send the provider file as application/json in UTF-8.")
        }
        guard let text = String(validating: call.request.body, as: UTF8.self) else {
            throw Problem(400, "malformed_json", "The body is not UTF-8.")
        }
        return text
    }

    private func isDryRun(_ call: Call) throws -> Bool {
        var input = Input(try call.request.query())
        let isDryRun = input.truth("dry_run") ?? false
        guard input.isComplete else { throw input.refusal }
        return isDryRun
    }

    /// A service as scripts see it.
    private static func json(_ provider: Provider, at base: String) -> JSON {
        let guide = ProviderGuide(provider, for: nil, at: base)
        let signIn = provider.oauth.map { oauth -> JSON in
            [
                "authorize": .string(oauth.authorizeURL), "token": .string(oauth.tokenURL),
                "scopes": .array(oauth.scopes.map(JSON.string)), "scope_separator": .string(oauth.scopeSeparator),
                "pkce": .bool(oauth.usesPKCE), "redirect_uri": JSON(guide.redirectURI),
                "redirect_uri_per_connection": .bool(guide.redirectURI == nil),
            ]
        }
        let sunsets = provider.sunsets.map { sunset -> JSON in
            [
                "date": .string(sunset.date.day), "sentence": .string(sunset.sentence),
                "href": .string(sunset.href),
            ]
        }
        return [
            "key": .string(provider.key), "name": .string(provider.name), "kind": .string(provider.kind.rawValue),
            "category": .string(provider.category), "summary": .string(provider.summary),
            "own": .bool(provider.isOwn), "fields": .array(provider.fields.filter(\.isPermitted).map(json)),
            "guide": .array(guide.steps.map(JSON.string)), "docs": JSON(provider.documentation?.href),
            "hosts": .array(provider.hosts.map(JSON.string)), "oauth": signIn ?? .null,
            "capabilities": .array(provider.capabilities.map { .string($0.rawValue) }), "sunset": .array(sunsets),
            "verified": .bool(provider.isVerified), "note": JSON(provider.note),
        ]
    }

    private static func json(_ field: ProviderField) -> JSON {
        [
            "name": .string(field.name), "label": .string(field.label), "kind": .string(field.kind.rawValue),
            "secret": .bool(field.kind == .secret), "required": .bool(field.isRequired),
            "unless": .array(field.alternatives.map(JSON.string)), "pattern": JSON(field.pattern?.text),
            "help": JSON(field.help),
            "hosts": .array(field.hosts.map { .string($0.description) }),
            "default": field.standard.map(field.json) ?? .null,
            "options": .array(field.options.map { ["value": .string($0.value), "label": .string($0.label)] }),
        ]
    }
}
