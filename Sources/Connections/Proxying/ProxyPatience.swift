import HTTPKit
import TimeKit

/// Decides what becomes of an answer: it is handed back, or the request is sent once more.
struct ProxyPatience: Sendable {
    /// What is to be done.
    enum Order: Equatable, Sendable {
        /// The caller gets this answer.
        case handBack
        /// The token is renewed and the request sent again.
        case renew
        /// The request is sent again after this long.
        case wait(Duration)
    }

    /// Whether the body is still there to be sent again.
    let isBodyKept: Bool
    /// Whether doing it twice is doing it once.
    let isIdempotent: Bool
    private var hasRenewed = false
    private var waits = 0

    init(isBodyKept: Bool, isIdempotent: Bool) {
        self.isBodyKept = isBodyKept
        self.isIdempotent = isIdempotent
    }

    /// - Parameters:
    ///   - retryAfter: how long the service asks to be left in peace; nil when it does not say.
    ///   - left: how long the caller will wait still.
    mutating func order(status: Int, retryAfter: Duration?, left: Duration) -> Order {
        guard isBodyKept else { return .handBack }
        switch status {
        case 401 where !hasRenewed:
            hasRenewed = true
            return .renew
        // A 429 says that nothing was done (RFC 6585 §4); behind a 503 something may have been.
        case 429, 503:
            guard status == 429 || isIdempotent, waits < 3, let retryAfter, retryAfter < left else { return .handBack }
            waits += 1
            return .wait(max(retryAfter, .milliseconds(50)))
        default: return .handBack
        }
    }
}
