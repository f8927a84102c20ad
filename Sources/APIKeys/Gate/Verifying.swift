import AddressKit
import AdminShell
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import TimeKit

/// Judging a key for the back end of a site: `POST /api/v1/api-keys/verify`.
///
/// Who asks needs the right to read keys, and learns of the keys of their own organization only: any other is not found.
/// A key that may be used from some addresses only is refused unless its address is told.
extension APIKeys {
    /// What a back end asks.
    private struct Question {
        let key: Secret<String>
        let right: String?
        let address: String
        let cost: Int
    }

    func verify(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let question = try question(call)
        let now = world.now()
        guard let key = try gatekeeper.find(question.key), key.organization == scope.organization else {
            return Self.answer(.notFound).neverStored()
        }
        var verdict =
            gatekeeper.judge(key, from: question.address, right: question.right, at: now) ?? .insufficientScope
        guard question.cost <= key.quotas.map(\.limit).min() ?? 0 else {
            throw Problem.invalid(
                "cost", "out_of_range", "This exceeds a limit of the key, so it could never be taken.")
        }
        let limits = gatekeeper.take(verdict == .valid ? question.cost : 0, of: key, at: now)
        if verdict == .valid {
            gatekeeper.note(key, from: question.address, at: now)
            if !limits.isAllowed { verdict = .rateLimited }
        }
        return Self.answer(verdict, key, limits).neverStored()
    }

    private func question(_ call: Call) throws -> Question {
        var input = try call.json()
        let key = input.required("key", input.secret("key"))
        if key?.reveal({ $0.isEmpty }) == true { input.refuse("key", "required", "This is needed.") }
        let right = input.parsed("scope", orSay: "Write a right as resource:action, such as items:read.") {
            Scope($0)?.description
        }
        let address = input.parsed("ip", orSay: "Write one IPv4 or IPv6 address.") { IPAddress($0)?.description }
        let cost = input.number("cost", 0...1_000_000)
        guard let key, input.isComplete else { throw input.refusal }
        return Question(key: key, right: right, address: address ?? "", cost: Int(cost ?? 1))
    }

    private static func answer(
        _ verdict: KeyVerdict, _ key: ResolvedKey? = nil, _ limits: LimitVerdict? = nil
    ) -> Response {
        .json([
            "valid": .bool(verdict == .valid), "code": .string(verdict.rawValue), "key_id": JSON(key?.id.text),
            "name": JSON(key?.name), "scopes": .array(key.map { $0.scopeNames.map { .string($0) } } ?? []),
            "rate_limit": .array(limits.map { $0.standings.map(standing) } ?? []),
        ])
    }

    /// How a limit stands; `reset` is in seconds from now.
    private static func standing(_ standing: LimitVerdict.Standing) -> JSON {
        [
            "name": .string(standing.quota.name), "limit": .integer(Int64(standing.quota.limit)),
            "remaining": .integer(Int64(standing.remaining)),
            "reset": .integer((standing.resetsIn.microseconds + 999_999) / 1_000_000),
        ]
    }
}
