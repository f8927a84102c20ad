import Domain
import TimeKit

/// Why tokens are renewed.
enum RefreshReason: Sendable {
    /// They end soon, and nobody waits for them.
    case due
    /// They end soon, or have ended, and somebody needs them now.
    case expiring
    /// The service refused them (401) before their time.
    case refused
    /// Somebody asked for it.
    case asked
}

/// What becomes of a connection whose tokens could not be renewed.
struct RefreshVerdict: Sendable, Equatable {
    /// After so many failures in a row people are told, whatever else works still.
    static let alarm = 3

    /// How it is now; nil when that is as before.
    let status: ConnectionStatus?
    /// What is said of it.
    let detail: String
    /// How many attempts have failed in a row.
    let failures: Int
    /// When the next attempt is made; nil when none is of use.
    let dueAt: Timestamp?

    /// Whether people are told now that it goes on failing: once in a row of failures.
    var isAlarm: Bool { failures == Self.alarm }

    /// Decides.
    ///
    /// As long as the token works and nobody asked, a service that has trouble changes nothing yet (A2-20).
    init(_ failure: TokenFailure, of grant: Grant, because reason: RefreshReason, at now: Timestamp) {
        failures = grant.refreshFailures + 1
        detail = Self.words(failure)
        let isValid = grant.expiresAt.map { $0 > now } ?? true
        switch failure.code {
        case .grantEnded:
            status = .needsReauth
            dueAt = nil
        case .clientRefused, .insufficientScope, .refused:
            status = .error
            dueAt = now + Self.wait(afterFailure: failures)
        case .later, .ambiguous:
            let isQuiet = isValid && failures < Self.alarm && (reason == .due || reason == .expiring)
            status = isQuiet ? nil : .error
            dueAt = now + max(Self.wait(afterFailure: failures), failure.retryAfter ?? .zero)
        }
    }

    /// One, two, four, eight minutes, and eight from then on.
    static func wait(afterFailure number: Int) -> Duration {
        .minutes(1 << min(max(number - 1, 0), 3))
    }

    /// How seed 3 tells of it.
    static let beginning = "Token refresh failed: "

    private static func words(_ failure: TokenFailure) -> String {
        String((beginning + failure.sentence).unicodeScalars.prefix(500))
    }
}
