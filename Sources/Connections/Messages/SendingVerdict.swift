import TimeKit

/// Whether a service can tell a repetition from another message.
enum RepetitionGuard: Sendable, Equatable {
    /// It cannot: an attempt without an answer is not repeated, since nobody would know that it was sent twice.
    case none
    /// It can, by an id of ours.
    case always
    /// It can, for so long; counted from when the message was made, before which no attempt can have been.
    case within(Duration)

    /// Whether an attempt that nobody knows the outcome of may be repeated when the message is so old.
    func allows(age: Duration) -> Bool {
        switch self {
        case .none: false
        case .always: true
        case .within(let window): age <= window
        }
    }
}

extension Provider {
    /// How repetitions of a message or an event are told apart.
    func repetitionGuard(_ kind: MessageContent.Kind, _ values: [String: String]) -> RepetitionGuard {
        switch kind {
        case .calendarEvent: .always
        // > it will be checked for uniqueness in the past few minutes     Discord, Create Message, enforce_nonce
        case .message: message?.kind == .discord && values["bot_token"] != nil ? .within(.minutes(3)) : .none
        }
    }
}

/// What becomes of a message after an attempt.
enum SendingVerdict: Sendable, Equatable {
    /// The service took it.
    case sent(DeliveryReceipt)
    /// It was not taken, and is not tried again.
    case failed(OutgoingMessage.Trouble)
    /// Nobody knows.
    case unknown(OutgoingMessage.Trouble)
    /// It is tried again after this time.
    case retry(after: Duration, OutgoingMessage.Trouble)

    /// For how long a message is tried.
    static let patience = Duration.hours(24)

    /// The wait after so many attempts: ten seconds, doubled each time up to an hour.
    static func wait(after attempts: Int) -> Duration {
        min(.hours(1), .seconds(10) * (1 << min(max(attempts - 1, 0), 9)))
    }

    /// Decides about an attempt that failed.
    ///
    /// - Parameters:
    ///   - age: how old the message is.
    ///   - isOnce: whether somebody waits for the outcome, and wants to be told rather than have it tried again.
    static func after(
        _ failure: DeliveryFailure, attempts: Int, age: Duration, guard repetition: RepetitionGuard, isOnce: Bool
    ) -> SendingVerdict {
        var wait = wait(after: attempts)
        let trouble = OutgoingMessage.Trouble(code: failure.code, sentence: failure.sentence)
        switch failure.kind {
        case .refused: return .failed(trouble)
        case .unauthorized, .later:
            if case .later(let asked?) = failure.kind { wait = max(wait, asked) }
            if isOnce { return .failed(trouble) }
            guard age + wait <= patience else { return .failed(.gaveUp(trouble)) }
            return .retry(after: wait, trouble)
        case .ambiguous:
            guard repetition.allows(age: age + wait), age + wait <= patience else {
                return .unknown(.unknown(because: failure.sentence))
            }
            return .retry(after: wait, trouble)
        }
    }
}

extension DeliveryFailure {
    /// The failure as scripts know it.
    var code: String {
        switch kind {
        case .refused: "refused"
        case .unauthorized: "credentials_refused"
        case .later: "unavailable"
        case .ambiguous: "outcome_unknown"
        }
    }
}

extension OutgoingMessage.Trouble {
    /// Nobody knows whether it was taken.
    static func unknown(because sentence: String) -> OutgoingMessage.Trouble {
        OutgoingMessage.Trouble(
            code: "outcome_unknown",
            sentence:
                "\(sentence) It may have been sent or not, and was not repeated, since it could arrive twice. Look there before you send it again."
        )
    }

    /// An attempt was cut off.
    static let cutOff = unknown(because: "The hub was stopped while it was sending this.")

    /// It was tried for as long as messages are.
    static func gaveUp(_ last: OutgoingMessage.Trouble) -> OutgoingMessage.Trouble {
        OutgoingMessage.Trouble(code: "gave_up", sentence: "It was tried for a day. \(last.sentence)")
    }
}
