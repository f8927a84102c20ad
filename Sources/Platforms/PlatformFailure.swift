import ClientKit
import HTTPKit
import TimeKit

/// Why a platform did not do what was asked, or why it was not asked.
struct PlatformFailure: Error, Equatable {
    /// The decision that a failure asks for.
    enum Kind: Sendable, Equatable {
        /// Something is missing in the configuration. A person must add it.
        case notConfigured
        /// The platform refuses the credentials. A person must replace them.
        case unauthorized
        /// The platform refuses what was asked.
        case refused
        /// There is no such thing there.
        case missing
        /// It may be asked again, not before this time has passed.
        case later(Duration)
        /// It may have been done, or not.
        case ambiguous
        /// Nothing reached it.
        case unreachable
    }

    let kind: Kind
    /// What happened, in words for people; never a secret.
    let sentence: String

    init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        self.sentence = sentence
    }

    /// No answer came: whether the platform did it is known only when nothing reached it.
    init(_ error: ClientError, _ name: String) {
        let mayHaveArrived = error.mayHaveArrived && error.code != .badURL && error.code != .refusedAddress
        self.init(
            mayHaveArrived ? .ambiguous : .unreachable, "\(name) could not be reached. \(error.tenantSentence)")
    }

    /// The same as an answer.
    var problem: Problem {
        switch kind {
        case .notConfigured: Problem(409, "not_configured", sentence)
        case .unauthorized: Problem(502, "platform_unauthorized", sentence)
        case .refused, .missing: Problem(502, "platform_refused", sentence)
        case .later(let wait):
            Problem(
                503, "platform_busy", sentence,
                headers: ["retry-after": "\(max(1, (wait.milliseconds + 999) / 1_000))"])
        case .ambiguous: Problem(502, "platform_silent", sentence)
        case .unreachable: Problem(502, "platform_unreachable", sentence)
        }
    }
}
