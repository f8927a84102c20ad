import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Keys as scripts see, make and change them.
extension APIKeys {
    func listJSON(_ call: Call) throws -> Response {
        let scope = try call.scope()
        var query = Input(try call.request.query())
        let filter = KeyFilter(&query, me: try store(scope).holder(in: database).user)
        let part = Listing<APIKey>(&query)
        guard query.isComplete else { throw query.refusal }
        let found = try store(scope).keys(filter, after: part.last, limit: part.limit + 1)
        return try call.list(found.prefix(part.limit).map(json), next: part.next(found, \.id), at: APIKeyRoute.listJSON)
    }

    func keyJSON(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        guard let key = try store(call.scope()).key(id) else { throw Problem.notFound }
        return answer(key)
    }

    /// The only answers to a script that hold a key itself are this and ``postRoll(_:_:)``.
    func postKey(_ call: Call) throws -> Response {
        var input = try call.json()
        let reader = termsReader
        let terms = reader.patched(reader.defaults, &input, isNew: true)
        guard input.isComplete else { throw input.refusal }
        let made = try create(terms, by: call.scope())
        return answer(made.record, secret: made.text.secret, status: 201)
            .with("location", call.link(APIKeyRoute.keyJSON(made.record.id)))
    }

    func patchKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        let input = try call.json()
        let key = try update(id, by: call.scope(), check: isMatched(call)) { old in
            var input = input
            let terms = termsReader.patched(old, &input)
            guard input.isComplete else { throw input.refusal }
            return terms
        }
        return answer(key)
    }

    func deleteKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try revoke(id, by: call.scope(), check: isMatched(call))
        return .noContent
    }

    func postRoll(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        var input = try call.json()
        let grace = input.number("grace_seconds", 0...Self.longestGrace).map { Duration.seconds($0) }
        guard input.isComplete else { throw input.refusal }
        let rolled = try roll(id, grace: grace ?? Self.usualGrace, by: call.scope(), check: isMatched(call))
        return answer(rolled.record, secret: rolled.text.secret)
    }

    func deletePrevious(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try endPrevious(id, by: call.scope(), check: isMatched(call))
        return .noContent
    }

    func postDisable(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.json().requireNothing()
        return answer(try disable(id, by: call.scope(), check: isMatched(call)))
    }

    func postEnable(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try call.json().requireNothing()
        return answer(try enable(id, by: call.scope(), check: isMatched(call)))
    }

    /// Ends all keys that nobody has used for 90 days, as many as the caller has seen.
    func postRevokeUnused(_ call: Call) throws -> Response {
        var input = try call.json()
        let count = input.required("count", input.number("count", 0...Int64(KeyStore.mostUnused)))
        guard let count, input.isComplete else { throw input.refusal }
        try revokeUnused(count: Int(count), by: call.scope())
        return .json(["revoked": JSON(count)])
    }

    /// How long the secret before a roll lives on at most: 30 days, in seconds.
    static let longestGrace: Int64 = 2_592_000
    /// How long it lives on when nothing is said.
    static let usualGrace = Duration.hours(24)

    private func isMatched(_ call: Call) -> (KeyRecord) throws -> Void {
        { key in try call.request.requireMatch(entityTag(version: key.version)) }
    }

    /// A key with its entity tag; with the key itself it is stored nowhere on its way.
    private func answer(_ key: KeyRecord, secret: Secret<String>? = nil, status: Status = 200) -> Response {
        guard let secret else {
            return Response.json(json(key), status: status).tagged(entityTag(version: key.version))
        }
        let member = secret.reveal { JSON.Member("key", .string($0)) }
        let members = json(key).members ?? []
        return Response.json(.object(members.prefix(1) + [member] + members.dropFirst()), status: status)
            .tagged(entityTag(version: key.version)).neverStored()
    }

    private func json(_ key: KeyRecord) -> JSON {
        let now = world.now()
        let identity: [JSON.Member] = [
            .init("id", .string(key.id.text)), .init("prefix", .string(key.prefix)),
            .init("last_four", .string(key.lastFour)), .init("state", .string(key.state(now: now).rawValue)),
            .init("user_id", JSON(key.user?.text)),
        ]
        let previous = key.livingPrevious(now: now).map { previous -> JSON in
            [
                "prefix": .string(previous.prefix), "last_four": .string(previous.lastFour),
                "ends_at": JSON(previous.endsAt),
            ]
        }
        let moments: [JSON.Member] = [
            .init("previous", previous ?? .null), .init("created_at", JSON(key.createdAt)),
            .init("disabled_at", JSON(key.disabledAt)), .init("revoked_at", JSON(key.revokedAt)),
            .init("last_used_at", JSON(key.lastUsedAt)), .init("last_used_address", JSON(key.lastUsedAddress)),
        ]
        return .object(identity + key.terms.members + moments)
    }
}
