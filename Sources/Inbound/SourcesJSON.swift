import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Sources as scripts see and make them.
extension Inbound {
    func listSources(_ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let provider = input.optionalText("provider", 1...64)
        let connection = input.parsed("connection_id", orSay: "This is no id.") { Identifier<Connection>($0) }
        let part = Listing<InboundSource>(&input)
        guard input.isComplete else { throw input.refusal }
        let found = try store(call.scope()).list(
            provider: provider, connection: connection, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map { json($0, call) }, next: part.next(found, \.id), at: InboundRoute.sources)
    }

    func sourceJSON(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        answer(Made(record: try find(id, call.scope()), secret: nil, challenge: nil), call)
    }

    /// The only answer that holds what the hub has made.
    func postSource(_ call: Call) throws -> Response {
        let scope = try call.scope()
        var input = try call.json()
        let new = try newTerms(&input, scope)
        guard let new, input.isComplete else { throw input.refusal }
        let made = try create(new, by: scope)
        return answer(made, call, status: 201)
            .with("location", call.link(InboundRoute.source(made.record.id)))
    }

    func patchSource(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        var input = try call.json()
        let terms = SourceTermsReader.read(&input, scheme: try find(id, scope).scheme)
        for field in ["secret", "address"] where input.isGiven(field) {
            input.refuse(field, "not_here", "Replace it by POST …/rotate-\(field).")
        }
        guard input.isComplete else { throw input.refusal }
        let record = try update(id, terms, by: scope) {
            try call.request.requireMatch(entityTag(version: $0.version))
        }
        return answer(Made(record: record, secret: nil, challenge: nil), call)
    }

    func deleteSource(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        try remove(id, by: call.scope()) { try call.request.requireMatch(entityTag(version: $0.version)) }
        return .noContent
    }

    func rotateSecretJSON(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let record = try find(id, scope)
        var input = try call.json()
        let grace = Self.grace(&input)
        let secret = SourceTermsReader.secret(&input, record.scheme, record.recipe)
        guard input.isComplete else { throw input.refusal }
        return answer(try rotateSecret(id, to: secret, grace: grace ?? Self.usualGrace, by: scope), call)
    }

    func rotateAddressJSON(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        var input = try call.json()
        let grace = Self.grace(&input)
        guard input.isComplete else { throw input.refusal }
        let record = try rotateAddress(id, grace: grace ?? Self.usualGrace, by: call.scope())
        return answer(Made(record: record, secret: nil, challenge: nil), call)
    }

    func tokenJSON(_ id: Identifier<InboundSource>, _ call: Call) throws -> Response {
        let input = try call.json()
        guard input.isComplete else { throw input.refusal }
        let token = try takeToken(id, by: call.scope())
        return Response.json(["verification_token": .string(token.reveal { $0 })]).neverStored()
    }

    static func grace(_ input: inout Input) -> Duration? {
        input.number("grace_seconds", 0...longestGrace.components.seconds).map { .seconds($0) }
    }

    // MARK: Reading

    /// Reads what a new source is to be; nil when something is refused.
    func newTerms(_ input: inout Input, _ scope: OrganizationScope) throws -> NewSourceTerms? {
        let connection = try connection(&input, scope)
        let named = input.parsed("provider", orSay: "This is the key of a service, such as slack.", 1...64) { text in
            text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f } ? text : nil
        }
        if let named, let connection, named != connection.provider {
            input.refuse("provider", "contradiction", "The connection is one to \(connection.provider).")
        }
        let provider = input.required("provider", named ?? connection?.provider)
        if let provider, connection == nil, !neighbours.providers.contains(where: { $0.key == provider }) {
            input.refuse("provider", "unknown_provider", "There is no service of this name.")
        }
        let choices = SchemeName.choices(for: provider ?? "")
        let words = choices.map(\.rawValue).joined(separator: ", ")
        let chosen = input.parsed("scheme", orSay: "For this service it is one of: \(words).", 1...32) { word in
            choices.first { $0.rawValue == word }
        }
        guard let scheme = chosen ?? choices.first else { return nil }
        let terms = SourceTermsReader.read(&input, scheme: scheme)
        let secret = SourceTermsReader.secret(&input, scheme, terms.recipe)
        guard let provider else { return nil }
        let title = neighbours.providers.first { $0.key == provider }?.name ?? provider
        return NewSourceTerms(
            provider: provider,
            name: terms.name ?? String((connection.map { "\(title) \($0.name)" } ?? title).prefix(100)),
            scheme: scheme,
            connection: connection, secret: secret, terms: terms)
    }

    private func connection(_ input: inout Input, _ scope: OrganizationScope) throws -> ConnectionChoice? {
        let id = input.parsed("connection_id", orSay: "This is the id of a connection.") { Identifier<Connection>($0) }
        guard let id else { return nil }
        let found = try neighbours.connection(id, scope)
        if found == nil { input.refuse("connection_id", "not_found", "There is no such connection.") }
        return found
    }

    // MARK: Writing

    private func answer(_ made: Made, _ call: Call, status: Status = 200) -> Response {
        guard case .object(var members) = json(made.record, call) else { return .noContent }
        if let challenge = made.challenge {
            members.insert(.init("verify_token", .string(challenge.reveal { $0 })), at: 1)
        }
        if let secret = made.secret { members.insert(.init("secret", .string(secret.reveal { $0 })), at: 1) }
        let response = Response.json(.object(members), status: status).tagged(
            entityTag(version: made.record.version))
        return made.secret == nil && made.challenge == nil ? response : response.neverStored()
    }

    /// The address that the service is given.
    func url(_ address: Identifier<InboundAddress>, _ call: Call) -> String {
        call.shell.site.url(InboundRoute.receive(address))
    }

    func json(_ record: SourceRecord, _ call: Call) -> JSON {
        // Whoever knows the address can fill the log with refused requests: it is for those who could change it.
        let maySee = call.organization?.allows(.write(.webhooks)) ?? false
        let previousEnds = record.previousAddressEndsAt.flatMap { $0 > world.now() ? $0 : nil }
        return [
            "id": .string(record.id.text), "name": .string(record.name), "provider": .string(record.provider),
            "scheme": .string(record.scheme.rawValue), "hmac": record.recipe?.json ?? .null,
            "url": maySee ? .string(url(record.address, call)) : .null,
            "previous_url_ends_at": JSON(previousEnds),
            "state": .string(record.isClosed(at: world.now()) ? "closed" : "open"),
            "has_secret": .bool(record.secretSealed != nil), "has_new_verification_token": .bool(record.hasNewToken),
            "previous_secret_ends_at": JSON(record.previousSecretEnds(after: world.now())),
            "connection_id": JSON(record.connection?.text),
            "workspace_id": JSON(record.workspace?.text), "body_limit": JSON(record.bodyLimit),
            "per_minute": JSON(record.perMinute), "created_at": JSON(record.createdAt),
        ]
    }
}
