import ClientKit
import TimeKit

/// Why an attempt failed, as it is stored and shown.
enum FailureReason: String, Sendable, CaseIterable {
    case badURL = "bad_url"
    case refusedAddress = "refused_address"
    case unresolvable
    case unreachable
    case timedOut = "timed_out"
    case tls
    case tooLarge = "too_large"
    case badResponse = "bad_response"
    case redirect
    case status
    case gone
    /// Not tried at all: a key is missing.
    case unsealable
    case other

    init(_ error: ClientError) {
        self =
            switch error.tenantCode {
            case .badURL, .badHeader: .badURL
            case .refusedAddress: .refusedAddress
            case .unresolvable: .unresolvable
            case .unreachable: .unreachable
            case .timedOut: .timedOut
            case .tls: .tls
            case .tooLarge: .tooLarge
            case .badResponse: .badResponse
            case .abandoned, .credentialsRefused, .credentialsNotTaken, .other: .other
            }
    }

    /// What happened, for whoever owns the webhook.
    func sentence(status: Int?) -> String {
        switch self {
        case .badURL: "The URL or a header cannot be sent."
        case .refusedAddress:
            "Destination not allowed: this hub may not call that address, or nothing usable answers there."
        case .unresolvable: "The host name was not found."
        case .unreachable: "The receiver did not accept the connection."
        case .timedOut: "The receiver did not answer in time."
        case .tls: "No secure connection: the receiver's certificate or its encryption is not acceptable."
        case .tooLarge: "The receiver's header was larger than allowed."
        case .badResponse: "The receiver's answer was not understandable, or it broke off."
        case .redirect: "The receiver answered with a redirect (\(status ?? 0)), which is not followed."
        case .status: "The receiver answered with status \(status ?? 0)."
        case .gone: "The receiver answered 410: it wants no more of these."
        case .unsealable: "It cannot be opened: an encryption key is missing."
        case .other: "The attempt failed."
        }
    }
}

/// What is to be done after an attempt.
enum Verdict: Equatable {
    case delivered
    /// To be tried again after this long.
    case retry(after: Duration)
    /// Nothing left to try; it may be replayed.
    case exhausted
    /// Given up before its time, so that those behind it can go on; it may be replayed.
    case skipped
    /// The receiver wants no more of anything: the webhook is disabled.
    case gone
}

/// What came of an attempt, and what follows from it: a pure value, so that every case can be tested without a network.
struct Judgement: Equatable {
    /// The longest that a receiver's own word is heeded.
    static let longestWait = Duration.hours(24)
    /// The wait after a receiver, or what stands before it, has too much to do and does not say for how long.
    static let slowWait = Duration.minutes(1)

    let verdict: Verdict
    let status: Int?
    let reason: FailureReason?
    /// For how long nothing at all should be sent there.
    let slowsFor: Duration?
    /// Whether a slot was taken and nothing answered, whatever may be said of it: at an address that is not public each
    /// failure is told as the same refusal.
    let isSilent: Bool
    /// Whether what answered has too much to do or is broken: 429 or 5xx.
    let isStrained: Bool

    /// Judges an attempt.
    ///
    /// - Parameters:
    ///   - attempts: how many there have been in this round, this one counted.
    ///   - givesUpAfter: how many others wait for; nil when nothing waits.
    ///   - chance: 0 to 1, for the jitter.
    init(
        _ result: Result<OutboundResponse, ClientError>, attempts: Int, givesUpAfter: Int? = nil, profile: RetryProfile,
        chance: Double, now: Timestamp
    ) {
        if case .failure(let error) = result {
            isSilent = [.timedOut, .unreachable, .unresolvable].contains(error.code)
        } else {
            isSilent = false
        }
        isStrained = (try? result.get()).map { $0.status == 429 || (500...599).contains($0.status) } ?? false
        let next = { (asked: Duration?) -> Verdict in
            guard let wait = profile.wait(after: attempts, chance: chance) else { return .exhausted }
            guard attempts < givesUpAfter ?? .max else { return .skipped }
            return .retry(after: max(wait, asked ?? .zero))
        }
        switch result {
        case .success(let response) where response.isSuccess:
            (verdict, status, reason, slowsFor) = (.delivered, response.status, nil, nil)
        case .success(let response) where response.status == 410:
            (verdict, status, reason, slowsFor) = (.gone, 410, .gone, nil)
        case .success(let response):
            status = response.status
            reason = (300...399).contains(response.status) ? .redirect : .status
            let asked = response.headers["retry-after"].flatMap { RetryAfter.wait($0, now: now) }
                .map { min($0, Self.longestWait) }
            // 503 is said of many troubles, so it slows only where it says for how long.
            slowsFor =
                switch response.status {
                case 429, 502, 504: asked ?? Self.slowWait
                case 503: asked
                default: nil
                }
            verdict = next(asked ?? slowsFor)
        case .failure(let error):
            status = nil
            reason = FailureReason(error)
            slowsFor = nil
            verdict = next(nil)
        }
    }
}
