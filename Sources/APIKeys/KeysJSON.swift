import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Keys as scripts see and make them.
extension APIKeys {
    func listJSON(_ call: Call) throws -> Response {
        let part = try Listing<APIKey>(of: call.request)
        let found = try store(call.scope()).keys(after: part.last, limit: part.limit + 1)
        return try call.list(found.prefix(part.limit).map(json), next: part.next(found, \.id), at: APIKeyRoute.listJSON)
    }

    func keyJSON(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        guard let key = try store(call.scope()).key(id) else { throw Problem.notFound }
        return .json(json(key)).tagged(entityTag(version: key.version))
    }

    /// The only answer to a script that holds the key itself.
    func postKey(_ call: Call) throws -> Response {
        var input = try call.json()
        let scope = try call.scope()
        let expiresAt = expiresAt(&input)
        let made = try create(wanted(&input, expiresAt: expiresAt, by: scope), by: scope)
        guard case .object(let members) = json(made.record) else { throw Problem.notFound }
        let secret = made.text.secret.reveal { JSON.Member("key", .string($0)) }
        return Response.json(.object([members[0], secret] + members.dropFirst()), status: 201)
            .with("location", call.link(APIKeyRoute.keyJSON(made.record.id)))
            .tagged(entityTag(version: made.record.version)).neverStored()
    }

    func patchKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        var input = try call.json()
        guard let name = input.text("name", 1...100), input.isComplete else { throw input.refusal }
        let key = try rename(id, to: name, by: call.scope()) {
            try call.request.requireMatch(entityTag(version: $0.version))
        }
        return .json(json(key)).tagged(entityTag(version: key.version))
    }

    func deleteKey(_ id: Identifier<APIKey>, _ call: Call) throws -> Response {
        try revoke(id, by: call.scope()) { try call.request.requireMatch(entityTag(version: $0.version)) }
        return .noContent
    }

    /// When the key ends: as said, never for `null`, by the setting when nothing is said.
    private func expiresAt(_ input: inout Input) -> Timestamp? {
        let isGiven = input.isGiven("expires_at")
        let said = input.parsed("expires_at", orSay: "Write a time as 2027-01-31T00:00:00Z.") { Timestamp(rfc3339: $0) }
        return isGiven ? said : defaultExpiry
    }

    private func json(_ key: KeyRecord) -> JSON {
        [
            "id": .string(key.id.text), "name": .string(key.name), "prefix": .string(key.prefix),
            "last_four": .string(key.lastFour), "scopes": .array(key.scopes.map { .string($0.description) }),
            "state": .string(key.state(now: world.now()).rawValue), "user_id": JSON(key.user?.text),
            "created_at": JSON(key.createdAt), "expires_at": JSON(key.expiresAt), "revoked_at": JSON(key.revokedAt),
            "last_used_at": JSON(key.lastUsedAt), "last_used_address": JSON(key.lastUsedAddress),
        ]
    }
}
