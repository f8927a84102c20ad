import AdminShell
import Domain
import TemplateKit
import TimeKit

/// How webhooks and deliveries are called and told of on pages.
extension WebhookRecord {
    /// What it is called: its description, or the host it leads to.
    var name: String {
        if !description.isEmpty { return description }
        let rest = urlShown.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
        return rest.count > 1 ? String(rest[1]) : urlShown
    }

    /// For so long attempts must have failed before a person is asked to look.
    static let patience = Duration.minutes(15)

    /// Whether it needs a person: it was disabled, or fails for a while.
    func needsSomebody(now: Timestamp) -> Bool {
        switch state {
        case .active: failingSince.map { now - $0 >= Self.patience } ?? false
        case .disabled: true
        case .paused: false
        }
    }

    /// For how long it has failed: `5 h`, `a day`.
    func failingTime(now: Timestamp) -> String {
        guard let words = failingSince?.relative(to: now) else { return "a while" }
        return words == "yesterday" ? "a day" : words == "just now" ? "a moment" : words.replacing(" ago", with: "")
    }

    /// The value of the partial `state`.
    func stateView(now: Timestamp) -> TemplateValue {
        switch state {
        case .paused: ["tone": "off", "word": "Paused"]
        case .disabled: ["tone": "bad", "word": "Disabled"]
        case .active where failingSince != nil: ["tone": "bad", "word": "Failing"]
        case .active where slowUntil.map({ $0 > now }) == true: ["tone": "warn", "word": "Slowed"]
        case .active: ["tone": "good", "word": "Active"]
        }
    }

    /// What its state means.
    func sentence(now: Timestamp) -> String {
        switch state {
        case .paused where disabledReason == .connection:
            "Its connection cannot be used just now. What happens is kept, and sent once it can be."
        case .paused: "What happens is kept, and sent once you resume it."
        case .disabled:
            switch disabledReason {
            case .gone: "Its receiver answered 410, that it wants no more. Nothing is sent or kept for it."
            case .failing: "Every attempt failed for five days. Nothing is sent or kept for it."
            case .connection, .connectionRemoved:
                "The connection that it sent to was removed. Give it a URL or another connection, then resume it."
            case nil: "Nothing is sent or kept for it."
            }
        case .active:
            if let failingSince {
                "Attempts fail since \(failingSince.exact); each delivery is tried again."
            } else if let slowUntil, slowUntil > now {
                "Its receiver asked for time; sending goes on \(slowUntil.relative(to: now))."
            } else {
                "It is told of \(eventsInWords) as they happen."
            }
        }
    }

    /// When what is due is sent: `now`, or once it may be.
    func nextSending(now: Timestamp) -> String {
        switch state {
        case .paused: return "once the webhook is resumed"
        case .active, .disabled:
            guard let slowUntil, slowUntil > now else { return "now" }
            return "\(slowUntil.relative(to: now)): its receiver asked for time until then"
        }
    }

    /// `every event`, `2 kinds of events`.
    var eventsInWords: String {
        if events.contains(where: { $0.description == "*" }) { return "every event" }
        let texts = events.map(\.description)
        return texts.count == 1 ? "events “\(texts[0])”" : "events of \(texts.count) names"
    }

    /// The order of deliveries in a sentence.
    var orderInWords: String {
        switch ordering {
        case .none: "as they come"
        case .block: "one at a time per ordering key; a failing one holds up those behind it"
        case .skip(let after): "one at a time per ordering key; skipped after \(after.counted("failure", "failures"))"
        }
    }
}

extension DeliveryRecord {
    /// The value of the partial `state`.
    var stateView: TemplateValue {
        switch state {
        case .delivered: ["tone": "good", "word": "Delivered"]
        case .waiting:
            attempts == 0 ? ["tone": "off", "word": "Waiting"] : ["tone": "warn", "word": "Will be retried"]
        case .failed: ["tone": "bad", "word": "Failed"]
        case .canceled: ["tone": "off", "word": "Canceled"]
        }
    }

    /// What the last attempt brought, in two or three words.
    var lastAnswer: String {
        if let lastStatus { return "\(lastStatus)" }
        return lastError.map { FailureReason(rawValue: $0)?.shortWords ?? Self.ends[$0] ?? "failed" } ?? "—"
    }

    private static let ends = ["disabled": "webhook disabled", "skipped": "skipped"]
}

extension FailureReason {
    /// What happened, in two or three words.
    var shortWords: String {
        switch self {
        case .badURL: "URL not usable"
        case .refusedAddress: "not allowed"
        case .unresolvable: "host not found"
        case .unreachable: "no connection"
        case .timedOut: "timed out"
        case .tls: "TLS failed"
        case .tooLarge: "header too large"
        case .badResponse: "bad answer"
        case .redirect: "redirect"
        case .status: "refused"
        case .gone: "410 Gone"
        case .unsealable: "key missing"
        case .other: "failed"
        }
    }
}

extension Cause {
    /// Why an attempt was made.
    var words: String {
        switch self {
        case .schedule: "by schedule"
        case .manual: "by hand"
        case .test: "as a test"
        }
    }
}

extension NewEvent.Source {
    /// Where an event came from.
    var words: String {
        switch self {
        case .api: "Published"
        case .hub: "The hub itself"
        case .inbound: "Received from outside"
        case .test: "Test"
        }
    }
}

extension Timestamp {
    /// `11:24:05`, in UTC.
    var clock: String { String(rfc3339.dropFirst(11).prefix(8)) }
}

/// `321 B`, `1.2 kB`, `20 kB`.
func bytesInWords(_ count: Int) -> String {
    guard count >= 1_000 else { return "\(count) B" }
    let tenths = (count + 50) / 100
    return tenths >= 100 || tenths % 10 == 0 ? "\((count + 500) / 1_000) kB" : "\(tenths / 10).\(tenths % 10) kB"
}

extension WebhookRecord {
    /// A webhook for samples of pages.
    static let sample = WebhookRecord(
        id: Identifier(.real), organization: Identifier(.real), user: nil, owner: "Ana Kovač", connection: nil,
        description: "ERP", urlShown: "https://erp.acme.example/hooks/billing", urlSealed: [],
        receiver: "https://erp.acme.example:443", events: ["invoice.paid", "user.*"].compactMap { EventPattern($0) },
        headersSealed: [], secretSealed: [], previousSealed: [], previousEndsAt: Timestamp(seconds: 3_600),
        perSecond: 10, ordering: .skip(after: 3), state: .active, disabledReason: nil,
        disabledAt: nil, failingSince: Timestamp(seconds: 0), slowUntil: nil, version: 1,
        createdAt: Timestamp(seconds: 0))
}

extension DeliveryRecord {
    /// A delivery for samples of pages.
    static let sample = DeliveryRecord(
        id: Identifier(.real), webhook: Identifier(.real), event: Identifier(.real), type: "invoice.paid",
        state: .waiting, attempts: 2, nextAt: Timestamp(seconds: 7_200), isHeld: false, lastStatus: 503,
        lastError: "status", createdAt: Timestamp(seconds: 0), finishedAt: nil)
}
