import APIKeys
import Domain
import HTTPKit
import LimitKit
import LogKit
import TimeKit

/// Against whose limits a script's requests count, and how its answers tell of them.
enum Meter: Sendable {
    /// A key's, those of the gate and of the interface being the same.
    case key(KeyVisit)
    /// Those of somebody who came with a token of the existing site or a platform key, as high as a key's when nothing is
    /// said.
    case bearer(Bearer)

    /// Somebody who came with a token of the existing site.
    struct Bearer: Sendable {
        let subject: LimitSubject
        let quotas: [Quota]
        let limiter: Limiter
        let moment: Timestamp
    }

    /// Counts a request.
    func take() -> LimitVerdict {
        switch self {
        case .key(let visit): visit.take()
        case .bearer(let one): one.limiter.take(1, from: one.quotas, of: one.subject, at: one.moment)
        }
    }

    /// How the limits stand, nothing counted.
    private func look() -> LimitVerdict {
        switch self {
        case .key(let visit): visit.look()
        case .bearer(let one): one.limiter.peek(0, from: one.quotas, of: one.subject, at: one.moment)
        }
    }

    /// Sets the fields by which every answer tells of the limits.
    func describe(_ verdict: LimitVerdict?, in headers: inout Headers) {
        let verdict = verdict ?? look()
        switch self {
        case .key(let visit): visit.describe(verdict, in: &headers)
        case .bearer(let one):
            headers["ratelimit-policy"] = LimitFields.policy(one.quotas)
            headers["ratelimit"] = LimitFields.limit(verdict)
        }
    }
}

/// Who comes with tokens of the existing site, or with platform keys, and how much of the interface is theirs.
struct SiteDoor: Sendable {
    /// What kind of subject is counted.
    var subject: StaticString = "site-token"
    /// Whose token it is; a `Problem` when it opens nothing.
    let principal: @Sendable (Secret<String>) throws -> Principal
    let quotas: [Quota]
    let limiter: Limiter
    let now: @Sendable () -> Timestamp

    /// The meter of a principal.
    func meter(_ principal: Principal) -> Meter {
        .bearer(
            .init(
                subject: LimitSubject(subject, principal.actor.id ?? []), quotas: quotas, limiter: limiter,
                moment: now()))
    }
}
