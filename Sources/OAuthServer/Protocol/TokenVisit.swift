import AdminShell
import Domain
import HTTPKit
import LimitKit
import LogKit
import TimeKit

/// An app that has come in with an access token: as whom, and against whose limits its requests count.
public struct TokenVisit: Sendable {
    /// As whom.
    public let principal: Principal
    /// The limits of the app, those of the gate and of the interface being the same.
    public let quotas: [Quota]
    /// Whose they are.
    public let subject: LimitSubject
}

extension OAuthServer {
    /// Whether a credential has the shape of one of this room's tokens, which no key has.
    public static func isToken(_ credential: String) -> Bool { TokenText.kind(of: credential) != nil }

    /// Lets an app in by the access token it sent.
    ///
    /// - Parameter address: the whole address that is asked for, by which it is told whether the token is meant for it.
    /// - Throws: `Problem` 401 for a token that opens nothing here, whatever the reason; `DatabaseError` while it cannot be
    ///   told.
    public func visit(_ sent: Secret<String>, at path: String, from address: String) throws -> TokenVisit {
        let now = world.now()
        guard let token = try sent.reveal({ try memory.token($0) }),
            token.verdict(at: now) == .valid
        else {
            throw Problem.unauthorized("invalid_credential", "The access token is unknown, has ended, or was revoked.")
        }
        // > The resource server MUST … verify, for every request, whether the access token … was meant to be used for that
        // > particular action on the particular resource.     RFC 9700 §2.3
        guard ResourceIndicator.covers(token.resources, site.origin + site.mount + path) else {
            throw Problem.unauthorized("invalid_credential", "The access token is meant for another server.")
        }
        note(token, from: address, at: now)
        return TokenVisit(principal: token.principal, quotas: token.app.quotas, subject: token.app.limitSubject)
    }

    /// Notes that a token was let in.
    private func note(_ token: ResolvedToken, from address: String, at now: Timestamp) {
        if token.isToBeNoted(at: now) { uses.note(token, at: now, from: address) }
    }

    /// Something that apps and tokens are resolved with was changed and committed: a user, a membership, an organization.
    public func changed() { memory.changed() }

    /// Writes what was noted in memory; to be called each second, and before the process leaves.
    ///
    /// What cannot be written is kept for the next time.
    public func flush(isLast: Bool = false) {
        do {
            try uses.flush(to: database, at: world.now(), isLast: isLast)
        } catch {
            log.debug("what apps did waits to be written", ["error": .init(String(reflecting: error))])
        }
    }

    /// Looks up whether another host has changed anything; to be called each second by one process of a host.
    public func lookUp() {
        do {
            try memory.lookUp()
        } catch {
            log.debug("it cannot be told whether tokens were revoked", ["error": .init(String(reflecting: error))])
        }
    }

    // MARK: The gate of a site

    /// The most that one request may count as.
    private static let highestCost = 1_000_000

    /// Answers what nginx asks before it lets a request of a site through that came with an access token.
    ///
    /// - Parameter guessed: notes a credential that opens nothing; tells after how many seconds to come back when there
    ///   were too many.
    public func answer(
        _ question: GateQuestion, _ sent: Secret<String>, guessed: () -> Int?
    ) -> [UInt8] {
        do {
            return try judge(question, sent, guessed)
        } catch {
            log.with(["request_id": .init(question.requestID)]).error(
                "the gate could not tell whose token it was", ["error": .init(String(reflecting: error))])
            return GateAnswer.unavailable
        }
    }

    private func judge(_ question: GateQuestion, _ sent: Secret<String>, _ guessed: () -> Int?) throws -> [UInt8] {
        let now = world.now()
        guard let token = try sent.reveal({ try memory.token($0) }),
            question.organization.isEmpty || question.organization == token.organization.text,
            isMeant(token, for: question.uri)
        else { return Self.refused("not_found", by: "", guessed) }
        switch token.verdict(at: now) {
        case .valid: break
        case .expired: return Self.refused("expired", by: token.refusal, guessed)
        case .revoked: return Self.refused("revoked", by: token.refusal, guessed)
        case .disabled: return GateAnswer.refused("disabled", isUnknown: false, by: token.refusal)
        }
        guard let isHeld = token.holds(question.scope), let cost = question.cost.isEmpty ? 1 : Int(question.cost),
            (0...Self.highestCost).contains(cost)
        else {
            log.with(["request_id": .init(question.requestID)]).error(
                "a site asks the gate for what is no right; see $hub_scope and $hub_cost in its configuration",
                ["scope": .init(question.scope), "cost": .init(question.cost)])
            return GateAnswer.misconfigured
        }
        guard isHeld else { return GateAnswer.refused("insufficient_scope", isUnknown: false, by: token.refusal) }
        let (quotas, subject) = (token.app.quotas, token.app.limitSubject)
        let limits =
            cost == 0
            ? limiter.peek(0, from: quotas, of: subject, at: now)
            : limiter.take(cost, from: quotas, of: subject, at: now)
        note(token, from: question.remoteAddress, at: now)
        return limits.isAllowed
            ? GateAnswer.admitted(token.lines, token.tally, limits)
            : GateAnswer.limited(by: token.refusal, token.tally, limits)
    }

    /// Whether a token is meant for an address of the site, as the client wrote it: one with dots or doubled slashes, which
    /// nginx takes for another, is nobody's.
    private func isMeant(_ token: ResolvedToken, for uri: String) -> Bool {
        token.resources.isEmpty
            || Path(String(uri.prefix { $0 != "?" })) != nil
                && ResourceIndicator.covers(token.resources, site.origin + uri)
    }

    private static func refused(_ code: String, by bearer: String, _ guessed: () -> Int?) -> [UInt8] {
        guard let seconds = guessed() else { return GateAnswer.refused(code, isUnknown: true, by: bearer) }
        return GateAnswer.guessing(by: bearer, retryAfter: seconds)
    }
}
