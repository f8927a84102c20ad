import AdminShell
import Domain
import HTTPKit
import LimitKit
import LogKit
import TimeKit

/// A script that has come in with a key: who it is, and how much it may still do.
public struct KeyVisit: Sendable {
    /// Who it is, in the one organization of its key.
    public let principal: Principal
    private let key: ResolvedKey
    private let gatekeeper: Gatekeeper
    private let moment: Timestamp

    fileprivate init(_ key: ResolvedKey, _ gatekeeper: Gatekeeper, at moment: Timestamp) {
        principal = key.principal
        self.key = key
        self.gatekeeper = gatekeeper
        self.moment = moment
    }

    /// Counts the request against the key's limits, those of the gate and of the interface being the same.
    public func take() -> LimitVerdict { gatekeeper.take(1, of: key, at: moment) }

    /// How the limits stand, nothing counted.
    public func look() -> LimitVerdict { gatekeeper.take(0, of: key, at: moment) }

    /// Sets the fields by which every answer to a key tells of its limits.
    public func describe(_ verdict: LimitVerdict, in headers: inout Headers) {
        headers["ratelimit-policy"] = key.policy
        headers["ratelimit"] = LimitFields.limit(verdict)
    }
}

extension Gatekeeper {
    /// Lets a script in by the key it sent.
    ///
    /// - Throws: `Problem` 401 for a key that opens nothing, whatever the reason; 429 when its address has sent too many
    ///   of those; 403 `disabled` and `ip_not_allowed`; `DatabaseError` while it cannot be told.
    public func visit(_ sent: Secret<String>, from address: String, requestID: String) throws -> KeyVisit {
        let now = world.now()
        let found: ResolvedKey?
        do {
            found = try find(sent, from: address, at: now)
        } catch let spent as Guesses.Exhausted {
            _ = guessed(from: address, requestID: requestID, at: now)
            throw Self.tooManyGuesses(retryAfter: spent.retryAfter)
        }
        guard let key = found else { throw invalid(from: address, requestID, at: now) }
        switch key.verdict(at: now, from: address) {
        case .valid: break
        case .disabled: throw Problem(403, KeyVerdict.disabled.rawValue, "This key is disabled for the time being.")
        case .ipNotAllowed:
            throw Problem(403, KeyVerdict.ipNotAllowed.rawValue, "This key may not be used from this address.")
        case .notFound, .revoked, .expired, .insufficientScope, .rateLimited:
            throw invalid(from: address, requestID, at: now)
        }
        note(key, from: address, at: now)
        return KeyVisit(key, self, at: now)
    }

    /// What a script is told whose credential opens nothing.
    public func invalid(from address: String, requestID: String) -> Problem {
        invalid(from: address, requestID, at: world.now())
    }

    private func invalid(from address: String, _ requestID: String, at now: Timestamp) -> Problem {
        guard let seconds = guessed(from: address, requestID: requestID, at: now) else {
            return .unauthorized("invalid_credential", "The credential is unknown, has ended, or was revoked.")
        }
        return Self.tooManyGuesses(retryAfter: seconds)
    }

    private static func tooManyGuesses(retryAfter seconds: Int) -> Problem {
        Problem(
            429, KeyVerdict.rateLimited.rawValue,
            "Too many credentials from this address were not valid. Try again in a while.",
            headers: ["retry-after": "\(seconds)"])
    }
}
