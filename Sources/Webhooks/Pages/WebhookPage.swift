import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// The paths of what can be done with a webhook.
struct WebhookLinks: Sendable {
    let list: String
    let show: String
    let edit: String
    let roll: String
    let remove: String
    let verify: String
    let test: String
    let pause: String
    let resume: String
    let replay: String
    let activity: String

    init(_ id: Identifier<Webhook>, _ call: Call) {
        list = call.link(WebhookPageRoute.list)
        show = call.link(WebhookPageRoute.show(id))
        edit = call.link(WebhookPageRoute.edit(id))
        roll = call.link(WebhookPageRoute.roll(id))
        remove = call.link(WebhookPageRoute.remove(id))
        verify = call.link(WebhookPageRoute.verify(id))
        test = call.link(WebhookPageRoute.test(id))
        pause = call.link(WebhookPageRoute.pause(id))
        resume = call.link(WebhookPageRoute.resume(id))
        replay = call.link(WebhookPageRoute.replay(id))
        activity = call.shell.site.mount + "/audit-log?object_kind=webhook"
    }

    init(sample: String) {
        (list, show, edit, roll, remove, verify) = (sample, sample, sample, sample, sample, sample)
        (test, pause, resume, replay, activity) = (sample, sample, sample, sample, sample)
    }

    /// The tabs of a webhook's pages.
    func tabs(current: String) -> TemplateValue {
        .list(
            [("Overview", show), ("Verify", verify), ("Replay", replay)].map { label, href in
                ["label": .text(label), "href": .text(href), "is_current": .bool(label == current)]
            })
    }
}

/// How a webhook signs, as far as everybody may know.
struct WebhookSigning: Sendable {
    let scheme: String
    /// The key that checks; nil where it is the secret itself.
    let publicKey: String?

    init(_ secret: SigningSecret) {
        scheme = secret.scheme
        publicKey = secret.scheme == "v1a" ? secret.given.reveal { $0 } : nil
    }

    /// The kind in words.
    var words: String {
        switch scheme {
        case "v1": "HMAC-SHA256 (v1)"
        case "v1a": "Ed25519 (v1a)"
        default: "X-Webhook-Signature"
        }
    }
}

/// One webhook: how it does, what was sent, and what can be done.
struct WebhookPage: ShellPage {
    static let template = "webhook"
    static let sample = WebhookPage(
        webhook: .sample, signing: WebhookSigning(.random(isAsymmetric: true)), headers: ["X-Api-Key"],
        connection: ("Zapier (default)", "/connections/1"), canWrite: true,
        links: WebhookLinks(sample: "/webhooks/1"), address: FilterAddress("/webhooks/1"), range: .day,
        figures: .sample, waiting: 3, filter: .init(), deliveries: [(.sample, "/deliveries/1")],
        testable: EventType.builtIn, firstHref: "/webhooks/1", nextHref: "/webhooks/1?cursor=x",
        now: Timestamp(seconds: 1_000))

    let webhook: WebhookRecord
    let signing: WebhookSigning?
    /// The names of the header fields that its owner adds.
    let headers: [String]
    /// The connection that it sends to, and its page.
    let connection: (name: String, href: String)?
    let canWrite: Bool
    let links: WebhookLinks
    let address: FilterAddress
    let range: FigureRange
    let figures: WebhookFigures
    let waiting: Int
    let filter: LogStore.Filter
    let deliveries: [(delivery: DeliveryRecord, href: String)]
    /// The kinds of events that it is told of, to try it with.
    let testable: [EventType]
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String {
        let name = "webhook “\(webhook.name)”"
        let part = filter.state.map { "\($0.rawValue.capitalizedFirst) deliveries of \(name)" } ?? name.capitalizedFirst
        return range == .day ? part : "\(part), last \(range.words)"
    }
    var place: Place? { .webhooks }

    var view: TemplateValue {
        [
            "list_href": .text(links.list), "name": .text(webhook.name), "url": .text(webhook.urlShown),
            "state": webhook.stateView(now: now), "sentence": .text(webhook.sentence(now: now)),
            "attention": .list(attention), "can_write": .bool(canWrite), "edit_href": .text(links.edit),
            "test_action": .text(links.test), "tabs": links.tabs(current: "Overview"), "ranges": ranges,
            "figures": .list(headline), "span": .text(range.words), "pace": .text(figures.times.pace),
            "has_attempts": .bool(figures.total.delivered + figures.total.failed > 0),
            "outcomes": outcomes.view(id: "outcomes"), "latency": latency.view(id: "latency"), "filters": filters,
            "has_deliveries": .bool(!deliveries.isEmpty || isFiltered || firstHref != nil),
            "is_filtered": .bool(isFiltered), "clear_href": .text(clearHref),
            "deliveries": .list(deliveries.map { $0.delivery.row(href: $0.href, now: now) }),
            "pagination": pagination, "details": details, "events": .list(webhook.events.map { .text($0.description) }),
            "test_types": .list(testTypes), "roll_href": .text(links.roll), "replay_href": .text(links.replay),
            "remove_href": .text(links.remove), "activity_href": .text(links.activity),
            "pause_action": webhook.state == .active ? .text(links.pause) : .null,
            "resume_action": webhook.state == .active ? .null : .text(links.resume),
            "resume_words": webhook.state == .paused
                ? "What was kept meanwhile is sent at once."
                : "What happened meanwhile was not kept; a replay of what is missing makes up for it.",
        ]
    }

    private var attention: [TemplateValue] {
        guard webhook.needsSomebody(now: now) else { return [] }
        if webhook.state == .disabled {
            return [
                [
                    "tone": "bad", "title": "Nothing is sent here any more.",
                    "text": "Mend the receiver, resume the webhook, then replay what is missing.",
                    "href": canWrite ? .text(links.replay) : .null, "label": "Replay",
                ]
            ]
        }
        let failed = deliveries.first { $0.delivery.lastError != nil }
        return [
            [
                "tone": "bad", "title": "It fails for \(webhook.failingTime(now: now)).",
                "text": .text(
                    "\(failed?.delivery.trouble ?? "No attempt succeeds.") After five days of this it is disabled."),
                "href": failed.map { .text($0.href) } ?? .null, "label": "See the last failure",
            ]
        ]
    }

    private var ranges: TemplateValue {
        .list(
            FigureRange.allCases.map { one in
                [
                    "label": .text("Last \(one.words)"), "current": .bool(one == range),
                    "href": .text(address.setting([("range", one == .day ? nil : one.rawValue)])),
                ]
            })
    }

    private var headline: [TemplateValue] {
        let total = figures.total
        let all = total.delivered + total.failed
        let held = waiting == WebhookHealth.mostWaiting ? "\(waiting.grouped)+" : waiting.grouped
        return [
            ("Attempts", all.grouped, "in \(range.words)"),
            (
                "Delivered", Share(total.delivered, of: all).words,
                total.failed == 0 ? "none failed" : "\(total.failed.grouped) failed"
            ),
            ("95 % within", total.p95?.latency ?? "—", "half within \(total.median?.latency ?? "—")"),
            ("Waiting", held, "to be sent or sent again"),
        ].map { ["label": .text($0.0), "value": .text($0.1), "note": .text($0.2)] }
    }

    private var outcomes: BarChart {
        BarChart(
            figures.times, figures.spans.map { .init(succeeded: $0.delivered, failed: $0.failed) }, one: "attempt",
            many: "attempts")
    }

    private var latency: LineChart {
        LineChart(
            figures.times,
            [
                .init("Half within", .plain, figures.spans.map(\.median)),
                .init("95 % within", .strong, figures.spans.map(\.p95)),
            ])
    }

    // MARK: Deliveries

    private var isFiltered: Bool {
        filter.state != nil || filter.pattern != nil || filter.since != nil || filter.until != nil
    }
    private var clearHref: String {
        address.setting([("status", nil), ("event", nil), ("since", nil), ("until", nil)])
    }

    private var filters: TemplateValue {
        let states: [(String, String)] =
            [("", "Any state")] + DeliveryRecord.State.allCases.map { ($0.rawValue, $0.rawValue.capitalizedFirst) }
        return [
            "action": .text(address.page), "range": range == .day ? .null : .text(range.rawValue),
            "event": .text(filter.pattern?.description ?? ""),
            "states": .list(
                states.map { value, label in
                    [
                        "value": .text(value), "label": .text(label),
                        "selected": .bool(value == filter.state?.rawValue ?? ""),
                    ]
                }),
        ]
    }

    private var pagination: TemplateValue {
        guard firstHref != nil || nextHref != nil else { return .null }
        return [
            "text": "Newest first", "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref),
        ]
    }

    // MARK: Details

    private var testTypes: [TemplateValue] {
        let names = ["webhook.test"] + testable.map(\.name.description).filter { $0 != "webhook.test" }
        return names.map { .text($0) }
    }

    private var details: TemplateValue {
        [
            "signature": TemplateValue(signing?.words), "public_key": TemplateValue(signing?.publicKey),
            "previous_ends": webhook.previousEndsAt.flatMap { $0 > now ? $0.view(now: now) : nil } ?? .null,
            "pace": TemplateValue(webhook.perSecond.map { "at most \($0.grouped) a second, of each host of the hub" }),
            "order": .text(webhook.orderInWords), "headers": .list(headers.map { .text($0) }),
            "connection": connection.map { ["name": .text($0.name), "href": .text($0.href)] } ?? .null,
            "owner": TemplateValue(webhook.owner), "created": webhook.createdAt.view(now: now),
            "id": .text(webhook.id.text),
        ]
    }
}

extension DeliveryRecord {
    /// The values of a row in a list of deliveries.
    func row(href: String, now: Timestamp) -> TemplateValue {
        [
            "href": .text(href), "type": .text(type), "state": stateView,
            "attempts": .text(attempts.counted("attempt", "attempts")), "last": .text(lastAnswer),
            "is_bad": .bool(lastError != nil), "at": createdAt.view(now: now),
            "next": state == .waiting && !isHeld && nextAt > now ? nextAt.view(now: now) : .null,
        ]
    }
}

extension String {
    /// The same words at the beginning of a line.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

extension WebhookFigures {
    /// Figures for samples of pages.
    static let sample = WebhookFigures(
        times: TimeAxis(start: Timestamp(seconds: 0), span: .hours(1)),
        spans: [
            Span(delivered: 4, failed: 1, median: .milliseconds(40), p95: .milliseconds(214)), Span(),
            Span(delivered: 9, failed: 0, median: .milliseconds(38), p95: .milliseconds(120)),
        ], total: Span(delivered: 13, failed: 1, median: .milliseconds(39), p95: .milliseconds(214)))
}
