import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Webhooks as scripts see and make them.
extension Webhooks {
    /// For how long an old secret signs beside a new one, unless somebody says otherwise, and at most.
    static let usualGrace = Duration.hours(24)
    static let longestGrace = Duration.days(30)

    func listJSON(_ call: Call) throws -> Response {
        let part = try Listing<Webhook>(of: call.request)
        let found = try store(call.scope()).list(after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map { Self.json($0, url: $0.urlShown) }, next: part.next(found, \.id),
            at: WebhookRoute.listJSON)
    }

    func webhookJSON(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        return try answer(find(id, scope), scope)
    }

    /// The only answer to a script that holds the secret.
    func postWebhook(_ call: Call) throws -> Response {
        var input = try call.json()
        let scope = try call.scope()
        let terms = try reader(scope).read(&input, isNew: true)
        guard input.isComplete else { throw input.refusal }
        let made = try create(terms, by: scope)
        return try answer(made.record, scope, secret: made.secret, status: 201)
            .with("location", call.link(WebhookRoute.json(made.record.id)))
    }

    func patchWebhook(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        var input = try call.json()
        let scope = try call.scope()
        let terms = try reader(scope).read(&input, isNew: false)
        for field in ["secret", "signature_scheme"] where input.isGiven(field) {
            input.refuse(field, "not_here", "Replace it by POST …/roll-secret.")
        }
        guard input.isComplete else { throw input.refusal }
        let record = try update(id, terms, by: scope) {
            try call.request.requireMatch(entityTag(version: $0.version))
        }
        return try answer(record, scope)
    }

    func deleteWebhook(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        try remove(id, by: call.scope()) { try call.request.requireMatch(entityTag(version: $0.version)) }
        return .noContent
    }

    func rollJSON(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        var input = try call.json()
        let seconds = input.number("grace_seconds", 0...Self.longestGrace.components.seconds)
        let scope = try call.scope()
        let (given, isAsymmetric) = reader(scope).read(secretOf: &input)
        guard input.isComplete else { throw input.refusal }
        let rolled = try roll(
            id, to: given, isAsymmetric: isAsymmetric, grace: seconds.map { .seconds($0) } ?? Self.usualGrace, by: scope
        )
        return try answer(rolled.record, scope, secret: rolled.secret)
    }

    private func answer(
        _ record: WebhookRecord, _ scope: OrganizationScope, secret: SigningSecret? = nil, status: Status = 200
    ) throws -> Response {
        // The URL may be a credential in itself: it is for those who could change it. That of a connection is nobody's.
        let isShown = scope.allows(.write(.webhooks)) && record.connection == nil
        let url = isShown ? try url(of: record, in: database) : record.urlShown
        guard case .object(var members) = Self.json(record, url: url) else { throw Problem.notFound }
        if let secret {
            members.insert(JSON.Member("secret", .string(secret.given.reveal { $0 })), at: 1)
            members.insert(JSON.Member("signature_scheme", .string(secret.scheme)), at: 2)
        }
        let response = Response.json(.object(members), status: status).tagged(entityTag(version: record.version))
        return secret == nil ? response : response.neverStored()
    }

    /// The whole URL, opened.
    func url(of record: WebhookRecord, in querying: some Querying) throws -> String {
        do {
            let bytes = try vault.open(
                record.urlSealed, at: Self.place(record.id, "url_sealed"), for: record.organization, in: querying)
            return String(decoding: bytes, as: UTF8.self)
        } catch is VaultError {
            return record.urlShown
        }
    }

    static func json(_ record: WebhookRecord, url: String) -> JSON {
        [
            "id": .string(record.id.text), "url": .string(url), "description": .string(record.description),
            "events": .array(record.events.map { .string($0.description) }), "active": .bool(record.state == .active),
            "state": .string(record.state.rawValue), "disabled_reason": JSON(record.disabledReason?.rawValue),
            "disabled_at": JSON(record.disabledAt), "failing_since": JSON(record.failingSince),
            "slow_until": JSON(record.slowUntil), "per_second": JSON(record.perSecond),
            "ordering": .string(record.ordering.word), "skip_after": JSON(record.ordering.skipAfter),
            "previous_secret_ends_at": JSON(record.previousEndsAt), "has_headers": .bool(record.headersSealed != nil),
            "connection_id": JSON(record.connection?.text), "user_id": JSON(record.user?.text),
            "created_at": JSON(record.createdAt),
        ]
    }
}

extension WebhookTermsReader {
    /// The secret alone, where one may be given, or whether the one that is made is an Ed25519 key.
    func read(secretOf input: inout Input) -> (secret: SigningSecret?, isAsymmetric: Bool?) {
        let isAsymmetric: Bool? = input.parsed("signature_scheme", orSay: "This is v1 or v1a.", 1...10) { word in
            ["v1": false, "v1a": true][word]
        }
        guard let text = input.secret("secret") else { return (nil, isAsymmetric) }
        let secret = text.reveal { SigningSecret($0) }
        if secret == nil {
            input.refuse(
                "secret", "invalid_secret",
                "Write whsec_ and the base64 of 24 to 64 bytes, whsk_ and that of 32, or 8 to 256 characters.")
        } else if let isAsymmetric, isAsymmetric != (secret?.scheme == "v1a") {
            input.refuse("signature_scheme", "contradiction", "The secret that is given is of another scheme.")
        }
        return (secret, nil)
    }
}
