import HTTPKit
import JSONKit
import LimitKit

extension Problem {
    /// A limit was reached: 429 as draft-ietf-httpapi-ratelimit-headers-10 §6.1 words it, with the limits' headers.
    ///
    /// > "type": "https://iana.org/assignments/http-problem-types#quota-exceeded", "violated-policies": ["daily"]
    public static func quotaExceeded(_ verdict: LimitVerdict) -> Problem {
        let names = verdict.violated.map(\.name)
        let seconds = LimitFields.retryAfter(verdict) ?? 1
        var problem = Problem(
            429, "rate_limited",
            "The limit per \(names.joined(separator: " and per ")) is reached. Try again in \(seconds) s.")
        problem.headers.describe(verdict)
        problem.kind = .init(
            type: LimitFields.problemType, title: "Request cannot be satisfied as assigned quota has been exceeded",
            members: ["violated-policies": .array(names.map { .string($0) })])
        return problem
    }
}

extension Headers {
    /// Sets `RateLimit-Policy`, `RateLimit` and, where something was refused, `Retry-After`.
    public mutating func describe(_ verdict: LimitVerdict) {
        self["ratelimit-policy"] = LimitFields.policy(verdict.standings.map(\.quota))
        self["ratelimit"] = LimitFields.limit(verdict)
        if let seconds = LimitFields.retryAfter(verdict) { self["retry-after"] = "\(seconds)" }
    }
}
