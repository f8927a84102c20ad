import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// Which deliveries are to be sent again, and how many they are before anything is sent.
struct ReplayPage: ShellPage {
    /// What was asked for, counted.
    struct Counted: Sendable {
        let wanted: ReplayStore.Wanted
        let count: Int
    }

    static let template = "webhook-replay"
    static let sample = ReplayPage(
        webhook: .sample, links: WebhookLinks(sample: "/webhooks/1"), typed: nil, problem: nil,
        counted: Counted(
            wanted: .init(
                webhook: .sample, since: Timestamp(seconds: 0), until: Timestamp(seconds: 90), selection: .failed,
                pattern: EventPattern("user.*")), count: 128), recent: [(.sample, "/replays/1")],
        now: Timestamp(seconds: 90))

    let webhook: WebhookRecord
    let links: WebhookLinks
    let typed: Form?
    let problem: Problem?
    /// Nil as long as nothing was asked for.
    let counted: Counted?
    let recent: [(replay: ReplayRecord, href: String)]
    let now: Timestamp

    var title: String { "Replay deliveries of “\(webhook.name)”" }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        let form = FormView(fields, typed: typed, problem: problem)
        return [
            "list_href": .text(links.list), "name": .text(webhook.name), "state": webhook.stateView(now: now),
            "tabs": links.tabs(current: "Replay"), "action": .text(links.replay), "form_errors": form.summary,
            "range_fields": form.list(["range"]), "time_fields": form.list(["since", "until"]),
            "which_fields": form.list(["status", "event"]), "counted": confirmation,
            "is_disabled": .bool(webhook.state == .disabled), "show_href": .text(links.show),
            "has_recent": .bool(!recent.isEmpty),
            "recent": .list(recent.map { $0.replay.row(href: $0.href, now: now) }),
        ]
    }

    private var fields: [FormField] {
        [
            FormField(
                "range", "From when",
                .select(ReplayRange.allCases.map { .init($0.rawValue, $0.words) }), initial: [ReplayRange.day.rawValue]),
            FormField(
                "since", "From", Self.moment, help: "In UTC.", isOptional: true,
                optionalWords: "for “a time of your own”", width: .medium),
            FormField(
                "until", "Until", Self.moment, help: "In UTC; empty means now.", isOptional: true, width: .medium),
            FormField("status", "Which", .select(Self.selections), initial: ["failed"]),
            FormField(
                "event", "Event", .code, help: "A name such as user.created, or user.* for all that begin so.",
                isOptional: true, maxLength: 140),
        ]
    }

    private static let moment = FormField.Control.line(
        type: "datetime-local", autocomplete: "off", inputMode: nil, isPlain: true)

    private static let selections: [FormField.Option] = [
        .init("failed", "Failed deliveries"), .init("missing", "Events it was never sent"),
        .init("waiting", "Waiting deliveries, at once"), .init("delivered", "Delivered ones, once more"),
        .init("canceled", "Canceled deliveries"), .init("", "All deliveries"),
    ]

    private var confirmation: TemplateValue {
        guard let counted else { return .null }
        let wanted = counted.wanted
        return [
            "has_any": .bool(counted.count > 0),
            "count": .text(
                counted.count.counted(
                    wanted.selection == .missing ? "event" : "delivery",
                    wanted.selection == .missing ? "events" : "deliveries")),
            "from": .text(wanted.since.exact), "to": .text(wanted.until.exact),
            "which": .text(wanted.selection?.words ?? "all"),
            "pattern": TemplateValue(wanted.pattern?.description), "since": .text(wanted.since.rfc3339),
            "until": .text(wanted.until.rfc3339), "status": .text(wanted.selection?.rawValue ?? ""),
            "can_begin": .bool(counted.count > 0 && webhook.state != .disabled),
            "is_paused": .bool(webhook.state == .paused),
        ]
    }
}

/// How far back a replay goes.
enum ReplayRange: String, Sendable, CaseIterable {
    case hour = "1h"
    case day = "24h"
    case week = "7d"
    case month = "30d"
    case own

    var words: String {
        switch self {
        case .hour: "The last hour"
        case .day: "The last 24 hours"
        case .week: "The last 7 days"
        case .month: "The last 30 days"
        case .own: "A time of your own"
        }
    }

    var length: Duration? {
        switch self {
        case .hour: .hours(1)
        case .day: .hours(24)
        case .week: .days(7)
        case .month: .days(30)
        case .own: nil
        }
    }
}

extension ReplayRecord.Selection {
    /// Which deliveries are meant, in a word.
    var words: String { self == .missing ? "never sent" : rawValue }
}

/// How far sending again is.
struct ReplayStatusPage: ShellPage {
    static let template = "replay"
    static let sample = ReplayStatusPage(
        replay: .sample, webhook: .sample, links: WebhookLinks(sample: "/webhooks/1"), now: Timestamp(seconds: 90))

    let replay: ReplayRecord
    let webhook: WebhookRecord
    let links: WebhookLinks
    let now: Timestamp

    var title: String { isRunning ? "Replay: \(percent) % of “\(webhook.name)”" : "Replay of “\(webhook.name)”" }
    var place: Place? { .webhooks }

    private var isRunning: Bool { replay.state == "running" }
    private var percent: Int { replay.total == 0 ? 100 : min(100, replay.done * 100 / replay.total) }

    var view: TemplateValue {
        [
            "replay_href": .text(links.replay), "name": .text(webhook.name), "state": replay.stateView,
            "is_running": .bool(isRunning), "is_finished": .bool(replay.state == "finished"),
            "done": .text(replay.done.grouped), "total": .text(replay.total.grouped),
            "value": .number(Int64(min(replay.done, max(1, replay.total)))),
            "most": .number(Int64(max(1, replay.total))),
            "from": .text(replay.since.exact), "to": .text(replay.until.exact),
            "which": .text(replay.selection?.words ?? "all"), "pattern": TemplateValue(replay.pattern?.description),
            "asked_by": .text(replay.askedBy), "created": replay.createdAt.view(now: now),
            "finished": replay.finishedAt?.view(now: now) ?? .null, "id": .text(replay.id.text),
            "show_href": .text(links.show),
        ]
    }
}

extension ReplayRecord {
    /// The value of the partial `state`.
    var stateView: TemplateValue {
        switch state {
        case "running": ["tone": "warn", "word": "Running"]
        case "finished": ["tone": "good", "word": "Finished"]
        default: ["tone": "off", "word": "Canceled"]
        }
    }

    func row(href: String, now: Timestamp) -> TemplateValue {
        [
            "href": .text(href), "state": stateView, "at": createdAt.view(now: now), "asked_by": .text(askedBy),
            "which": .text((selection?.words ?? "all") + (pattern.map { " · \($0)" } ?? "")),
            "progress": .text("\(done.grouped) of \(total.grouped)"),
        ]
    }

    /// A replay for samples of pages.
    static let sample = ReplayRecord(
        id: Identifier(.real), organization: Identifier(.real), webhook: Identifier(.real),
        askedBy: "ana@acme.example", since: Timestamp(seconds: 0), until: Timestamp(seconds: 90), selection: .failed,
        pattern: EventPattern("user.*"), total: 1_280, done: 400, last: nil, state: "running",
        createdAt: Timestamp(seconds: 60), finishedAt: Timestamp(seconds: 80))
}
