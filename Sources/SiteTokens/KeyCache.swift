import CipherKit
import HTTPKit
import TimeKit

/// What is known of keys at an address, and when to ask again: decides, and calls nobody.
struct KeyCache: Sendable {
    /// What is to be done for a token.
    enum Order: Equatable {
        /// What is known decides.
        case use
        /// Ask the issuer.
        case fetch
        /// There are no keys, and the issuer was asked a moment ago.
        case giveUp
    }

    /// How a call to the issuer ended.
    enum Outcome: Sendable {
        case keys(JSONWebKeySet, etag: String?, for: Duration)
        case unchanged(for: Duration)
        case failed
    }

    /// No issuer is asked more often than this on behalf of keys that are not known.
    static let unknownInterval = Duration.minutes(1)
    /// How long after a failure the next call is made.
    static let retryInterval = Duration.seconds(15)
    /// How long keys are used after their issuer was last heard of.
    static let longestAbsence = Duration.hours(24)
    /// How long keys are fresh when the issuer says nothing.
    static let usualFreshness = Duration.minutes(10)
    /// The bounds of what the issuer says: a key that was withdrawn is to be noticed within the hour.
    static let freshnessBounds = Duration.minutes(1)...Duration.hours(1)

    /// By what the issuer knows whether anything has changed.
    private(set) var etag: String?
    private var known: JSONWebKeySet?
    private var heard: Timestamp?
    private var freshUntil: Timestamp?
    private var asked: Timestamp?
    private var hasFailed = false

    /// The keys, unless their issuer was away for too long.
    func keys(at now: Timestamp) -> JSONWebKeySet? {
        guard let heard, now - heard <= Self.longestAbsence else { return nil }
        return known
    }

    /// What is to be done for a token whose key is among those known, or not.
    func order(knowing isKnown: Bool, at now: Timestamp) -> Order {
        // A clock that was set back leaves moments of the future behind: they count as long past.
        let sinceAsked = asked.map { now < $0 ? .hours(24) : now - $0 } ?? .hours(24)
        let mayRetry = !hasFailed || sinceAsked >= Self.retryInterval
        guard keys(at: now) != nil else { return mayRetry ? .fetch : .giveUp }
        let isFresh = freshUntil.map { now < $0 && $0 - now <= Self.freshnessBounds.upperBound } ?? false
        if !isFresh, mayRetry { return .fetch }
        return !isKnown && sinceAsked >= Self.unknownInterval ? .fetch : .use
    }

    /// Notes how a call ended.
    mutating func take(_ outcome: Outcome, at now: Timestamp) {
        asked = now
        switch outcome {
        case .keys(let keys, let etag, let freshness):
            known = keys
            self.etag = etag
            heard = now
            freshUntil = now + freshness
            hasFailed = false
        case .unchanged(let freshness):
            heard = now
            freshUntil = now + freshness
            hasFailed = false
        case .failed:
            hasFailed = true
        }
    }

    /// How long an answer is fresh by its `Cache-Control` (RFC 9111 §5.2.2), within our bounds.
    static func freshness(_ fields: [String]) -> Duration {
        let directives = fields.flatMap { $0.lowercased().split(separator: ",").map(\.trimmed) }
        if directives.contains(where: { $0 == "no-store" || $0 == "no-cache" || $0.hasPrefix("no-cache=") }) {
            return freshnessBounds.lowerBound
        }
        guard let age = directives.first(where: { $0.hasPrefix("max-age=") }),
            let seconds = Int(age.dropFirst("max-age=".count).filter { $0 != "\"" })
        else { return usualFreshness }
        return min(max(.seconds(min(seconds, 86_400)), freshnessBounds.lowerBound), freshnessBounds.upperBound)
    }
}
