import AdminShell
import CipherKit
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

/// One event on its way to one webhook: each attempt, what was said on both sides, and where the time went.
struct DeliveryPage: ShellPage {
    /// Which side of the delivery is looked at.
    enum Side: String, Sendable { case attempts, payload }

    /// The paths of what belongs to it.
    struct Links: Sendable {
        let webhook: String
        let event: String?
        let retry: String?
    }

    static let template = "delivery"
    static let sample = DeliveryPage(
        delivery: .sample, webhook: .sample,
        links: Links(webhook: "/webhooks/1", event: "/events/1", retry: "/deliveries/1/retry"),
        address: FilterAddress("/deliveries/1"), side: .attempts, attempts: [.sample], shown: .sample, talk: .sample,
        payload: ["type": "invoice.paid", "data": ["amount": 12_900, "paid": true]], url: "https://erp.acme.example/x",
        mostAttempts: 10, now: Timestamp(seconds: 90))

    let delivery: DeliveryRecord
    let webhook: WebhookRecord
    let links: Links
    let address: FilterAddress
    let side: Side
    /// The latest first.
    let attempts: [AttemptRecord]
    /// The attempt that is shown in full; nil before the first.
    let shown: AttemptRecord?
    /// What was said in it; nil when it cannot be opened.
    let talk: Talk?
    /// What is sent; nil when it cannot be opened.
    let payload: JSON?
    /// Where it is sent, as far as the one who looks may know.
    let url: String
    /// How often it is tried by itself.
    let mostAttempts: Int
    let now: Timestamp

    var title: String {
        let part =
            side == .payload
            ? "Payload of " : shown?.number == attempts.first?.number ? "" : "Attempt \(shown?.number ?? 0) at "
        return "\(part)\(delivery.type) → \(webhook.name), \(delivery.id.text.suffix(6))"
    }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        [
            "webhook_href": .text(links.webhook), "webhook": .text(webhook.name), "type": .text(delivery.type),
            "state": delivery.stateView, "id": .text(delivery.id.text), "message_id": .text(delivery.event.text),
            "retry_action": TemplateValue(links.retry), "tabs": tabs, "is_payload": .bool(side == .payload),
            "attempt": side == .attempts ? attempt : .null, "is_untried": .bool(shown == nil && side == .attempts),
            "payload": payloadView, "curl": side == .payload || shown == nil ? .null : curl,
            "timeline": .list(timeline), "timing": .list(timing), "has_timing": .bool(shown != nil),
            "verdict": .text(verdict),
        ]
    }

    private var tabs: TemplateValue {
        var tabs: [(String, String, Bool)] = [
            ("Attempts", address.setting([("show", nil), ("attempt", nil)]), side == .attempts),
            ("Payload", address.setting([("show", "payload"), ("attempt", nil)]), side == .payload),
        ]
        if let event = links.event { tabs.append(("Event", event, false)) }
        return .list(tabs.map { ["label": .text($0.0), "href": .text($0.1), "is_current": .bool($0.2)] })
    }

    /// What became of it and what comes next.
    private var verdict: String {
        switch delivery.state {
        case .delivered: return "The receiver took it at the \(Self.ordinal(delivery.attempts)) attempt."
        case .failed:
            return
                "\(delivery.trouble ?? "It failed.") Nothing more is tried by itself; send it again once the receiver is well."
        case .canceled: return "Its webhook is gone."
        case .waiting:
            if webhook.state == .paused { return "The webhook is paused; it goes once somebody resumes it." }
            if delivery.isHeld, delivery.nextAt > now { return "It is being sent at this moment." }
            if delivery.attempts == 0 { return "It goes as soon as there is room." }
            return
                "\(delivery.trouble ?? "The last attempt failed.") It is tried again \(delivery.nextAt > now ? delivery.nextAt.relative(to: now) : "now")."
        }
    }

    private static func ordinal(_ number: Int) -> String {
        let words = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
        return (1...words.count).contains(number) ? words[number - 1] : "\(number)th"
    }

    // MARK: The attempt

    private var attempt: TemplateValue {
        guard let shown else { return .null }
        return [
            "number": .number(Int64(shown.number)), "state": shown.stateView, "cause": .text(shown.cause.words),
            "at": .text(shown.startedAt.exact),
            "error": TemplateValue(shown.reason?.sentence(status: shown.status)), "is_sealed": .bool(talk == nil),
            "target": .text(url),
            "sent": .list((talk?.sent ?? []).map { ["name": .text($0.name), "value": .text($0.value)] }),
            "body": payload.map { ["id": "sent-body", "pieces": HighlightedJSON($0).view] } ?? .null,
            "is_short": .bool((payload?.bytes.count ?? 0) < 2_000), "answer": answer,
        ]
    }

    private var answer: TemplateValue {
        guard let talk, let status = talk.status else { return .null }
        return [
            "status": .text(
                Status(status).phrase == "Status \(status)" ? "\(status)" : "\(status) \(Status(status).phrase)"),
            "size": .text(bytesInWords(talk.body.count)),
            "is_cut": .bool(talk.body.count >= Parcel.answerBytes),
            "fields": .list(talk.returned.map { ["name": .text($0.name), "value": .text($0.value)] }),
            "body": talk.body.isEmpty ? .null : .text(Self.readable(talk.body)),
        ]
    }

    /// The text of a body; what is no text as its bytes.
    private static func readable(_ body: [UInt8]) -> String {
        if let text = String(validating: body, as: UTF8.self) { return text }
        let text = String(decoding: body, as: UTF8.self)
        let broken = text.unicodeScalars.count { $0 == "\u{fffd}" }
        return broken * 10 > body.count ? "Not a text: \(Hex.encode(Array(body.prefix(256))))…" : text
    }

    private var payloadView: TemplateValue {
        guard side == .payload else { return .null }
        guard let payload else { return ["json": .null, "size": ""] }
        return [
            "json": ["id": "payload", "pieces": HighlightedJSON(payload).view],
            "size": .text(bytesInWords(payload.bytes.count)),
        ]
    }

    /// The attempt as a command; its signature is good for five minutes.
    private var curl: TemplateValue {
        guard let talk, let payload else { return .null }
        let fields = talk.sent.map { "  -H \(Self.shellQuoted("\($0.name): \($0.value)")) \\\n" }.joined()
        let body = Self.shellQuoted(String(decoding: payload.bytes, as: UTF8.self))
        return .text("curl -X POST \(Self.shellQuoted(url)) \\\n\(fields)  -d \(body)")
    }

    private static func shellQuoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }

    // MARK: Beside it

    private var timeline: [TemplateValue] {
        var items: [TemplateValue] = []
        if delivery.state == .waiting {
            items.append([
                "tone": "next", "href": .null, "is_current": false,
                "text": .text(
                    delivery.nextAt > now && !delivery.isHeld
                        ? "Next try \(delivery.nextAt.relative(to: now))" : "Next try"),
                "note": .text(nextNumber),
            ])
        }
        items += attempts.map { attempt in
            [
                "tone": attempt.reason == nil ? "good" : "bad",
                "href": .text(address.setting([("attempt", "\(attempt.number)"), ("show", nil)])),
                "is_current": .bool(attempt.number == shown?.number && side == .attempts),
                "text": .text(
                    "\(attempt.status.map { "\($0)" } ?? attempt.reason?.shortWords.capitalizedFirst ?? "Failed") \(attempt.reason == .timedOut ? "after" : "in") \(attempt.timing.total.latency)"
                ),
                "note": .text("\(attempt.startedAt.clock) · attempt \(attempt.number), \(attempt.cause.words)"),
            ]
        }
        items.append([
            "tone": "none", "href": .null, "is_current": false, "text": "Made",
            "note": .text(delivery.createdAt.exact),
        ])
        return items
    }

    /// Whoever sends a delivery again begins the count anew, and then the most is no longer told.
    private var nextNumber: String {
        let next = delivery.attempts + 1
        return next <= mostAttempts ? "attempt \(next) of \(mostAttempts)" : "attempt \(next)"
    }

    /// Each part of the time alone.
    private var timing: [TemplateValue] {
        guard let timing = shown?.timing else { return [] }
        let told = timing.dns + timing.connect + timing.tls + timing.firstByte
        var parts: [(String, Duration)] = [
            ("DNS", timing.dns), ("Connect", timing.connect), ("TLS", timing.tls), ("First byte", timing.firstByte),
        ]
        if shown?.status != nil { parts.append(("Rest", max(.zero, timing.total - told))) }
        return (parts + [("Total", timing.total)]).map { label, part in
            ["label": .text(label), "value": .text(part.latency), "is_total": .bool(label == "Total")]
        }
    }
}

extension AttemptRecord {
    /// The value of the partial `state`.
    var stateView: TemplateValue {
        let phrase = status.map { code in
            let phrase = Status(code).phrase
            return phrase == "Status \(code)" ? "\(code)" : "\(code) \(phrase)"
        }
        return [
            "tone": reason == nil ? "good" : "bad",
            "word": .text(phrase ?? reason?.shortWords.capitalizedFirst ?? "Failed"),
        ]
    }

    /// An attempt for samples of pages.
    static let sample = AttemptRecord(
        number: 2, cause: .schedule, startedAt: Timestamp(seconds: 60), status: 503, reason: .status,
        timing: (.milliseconds(3), .milliseconds(14), .milliseconds(38), .milliseconds(214), .milliseconds(215)),
        talkSealed: [])
}

extension Talk {
    /// What was said, for samples of pages.
    static let sample = Talk(json: [
        "sent": [["webhook-id", "0198"]], "status": 503, "returned": [["retry-after", "120"]],
        "body": "PGgxPk1haW50ZW5hbmNlPC9oMT4=",
    ])
}
