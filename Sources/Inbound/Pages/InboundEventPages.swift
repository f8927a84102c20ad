import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

/// What came in, the newest first.
struct InboundEventListPage: ShellPage {
    /// What the list was asked for.
    struct Chosen: Sendable {
        var provider = ""
        var type = ""
        var state = ""
        var source = ""
    }

    static let template = "inbound-events"
    static let sample = InboundEventListPage(
        tabs: [["href": "/inbound-events", "label": "Events", "is_current": true]], action: "/inbound-events",
        chosen: Chosen(provider: "slack"), providers: [("slack", "Slack")],
        events: [(.sample, "Slack", ["letters": "Sl", "color": "plum"], "/inbound-events/1")],
        replayHref: "/inbound-events/replay", sourcesHref: "/inbound-sources", firstHref: "/inbound-events",
        nextHref: "/inbound-events?cursor=x", now: Timestamp(seconds: 7_200))

    let tabs: TemplateValue
    let action: String
    let chosen: Chosen
    let providers: [(key: String, name: String)]
    let events: [(event: InboundEventRecord, provider: String, tile: TemplateValue, href: String)]
    /// Where many are published again; nil for those who may not.
    let replayHref: String?
    let sourcesHref: String?
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { chosen.type.isEmpty ? "Inbound events" : "Inbound events “\(chosen.type)”" }
    var place: Place? { .inbound }

    private var isFiltered: Bool {
        [chosen.provider, chosen.type, chosen.state, chosen.source].contains { !$0.isEmpty }
    }

    var view: TemplateValue {
        let states = [("", "Any state"), ("waiting", "Waiting"), ("published", "Published"), ("dead", "Put aside")]
        return [
            "tabs": tabs, "replay_href": TemplateValue(replayHref), "sources_href": TemplateValue(sourcesHref),
            "has_events": .bool(!events.isEmpty || isFiltered || firstHref != nil), "is_filtered": .bool(isFiltered),
            "clear_href": .text(action),
            "filters": [
                "action": .text(action), "type": .text(chosen.type),
                "source": chosen.source.isEmpty ? .null : .text(chosen.source),
                "providers": .list(
                    ([("", "Any service")] + providers.map { ($0.key, $0.name) }).map { key, name in
                        Self.option(key, name, chosen.provider)
                    }),
                "states": .list(states.map { Self.option($0.0, $0.1, chosen.state) }),
            ],
            "events": .list(
                events.map { row in
                    [
                        "href": .text(row.href), "type": .text(row.event.type), "key": .text(row.event.key),
                        "tile": row.tile, "source": .text(row.event.sourceName ?? row.provider),
                        "verdict": .text(row.event.verdict), "state": row.event.stateView,
                        "times": row.event.times > 1 ? .text("came \(row.event.times.grouped) times") : .null,
                        "at": row.event.received.view(now: now),
                    ]
                }),
            "pagination": firstHref == nil && nextHref == nil
                ? .null
                : [
                    "text": .text(events.count.counted("event", "events") + " on this page."),
                    "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref),
                ],
        ]
    }

    private static func option(_ value: String, _ label: String, _ chosen: String) -> TemplateValue {
        ["value": .text(value), "label": .text(label), "selected": .bool(value == chosen)]
    }
}

/// One event that came in, byte for byte.
struct InboundEventPage: ShellPage {
    static let template = "inbound-event"
    static let sample = InboundEventPage(
        event: .sample, provider: "Slack",
        envelope: Envelope(Arrival(url: "/", headers: ["a": "b"], body: [0x7b, 0x7d]), isProved: true),
        names: ["inbound.slack.message"],
        listHref: "/inbound-events", sourceHref: "/inbound-sources/1", replayAction: "/inbound-events/1/replay",
        now: Timestamp(seconds: 7_200))

    let event: InboundEventRecord
    let provider: String
    /// The request; nil when it cannot be opened.
    let envelope: Envelope?
    /// What it is published as; none when it cannot be.
    let names: [String]
    let listHref: String
    let sourceHref: String?
    let replayAction: String?
    let now: Timestamp

    var title: String { "\(provider): \(event.type)" }
    var place: Place? { .inbound }

    /// The most bytes of a body that stand on a page.
    private static let mostShown = 65_536

    private var source: String {
        event.sourceName
            ?? (event.origin.integration == nil ? "a source that was removed" : "an integration of \(provider)")
    }

    var view: TemplateValue {
        let body = envelope?.body ?? []
        let text = String(validating: body.prefix(Self.mostShown), as: UTF8.self)
        return [
            "list_href": .text(listHref), "title_text": .text(title), "type": .text(event.type),
            "state": event.stateView, "sentence": .text(event.verdict + "."),
            "error": TemplateValue(event.lastError), "replay_action": TemplateValue(replayAction),
            "is_sealed": .bool(envelope == nil),
            "headers": .list(
                (envelope?.shown ?? []).map { ["name": .text($0.name), "value": .text($0.value)] }),
            "body": body.isEmpty
                ? .null
                : .text(text ?? "These \(bytesInWords(body.count)) are no text; the JSON interface gives them."),
            "is_cut": .bool(body.count > Self.mostShown), "size": .text(bytesInWords(event.bodyBytes)),
            "details": [
                "provider": .text(provider), "source": .text(source),
                "source_href": TemplateValue(sourceHref), "key": .text(event.key),
                "times": .text(event.times == 1 ? "once" : "\(event.times.grouped) times"),
                "name": names.isEmpty ? .null : .text(names.joined(separator: ", ")),
                "attempts": .text(event.attempts.grouped), "replays": .text(event.replays.grouped),
                "received": event.received.view(now: now), "published": event.publishedAt?.view(now: now) ?? .null,
                "next": event.state == .waiting ? event.nextAt?.view(now: now) ?? .null : .null,
                "id": .text(event.id.text),
            ],
        ]
    }
}

/// The form that publishes many events again.
struct InboundReplayPage: ShellPage {
    static let template = "inbound-source-form"
    static let sample = InboundReplayPage(
        listHref: "/inbound-events", action: "/inbound-events/replay", providers: [("slack", "Slack")], most: 10_000,
        after: Identifier(.real), typed: nil, problem: .invalid("since", "required", "x"))

    let listHref: String
    let action: String
    let providers: [(key: String, name: String)]
    /// How many are published at once.
    let most: Int
    /// The last of those that were published just now, when more match; nil at the beginning.
    let after: Identifier<InboundEvent>?
    let typed: Form?
    let problem: Problem?

    var title: String { "Publish events again" }
    var place: Place? { .inbound }

    private var hidden: TemplateValue {
        guard let after else { return [] }
        return [["name": "after_id", "value": .text(after.text)]]
    }

    private var lead: String {
        after == nil
            ? "Whoever listens is told once more, up to \(most.grouped) events at a time, the oldest first."
            : "There are more of these. The next ones, up to \(most.grouped), are those that came after the last."
    }

    var view: TemplateValue {
        let form = FormView(
            [
                FormField(
                    "since", "From", .code, help: "A time such as 2027-01-31T00:00:00Z: what came then or later.",
                    maxLength: 40),
                FormField("until", "Until", .code, help: "What came before.", isOptional: true, maxLength: 40),
                FormField(
                    "provider", "Service",
                    .select([.init("", "Any service")] + providers.map { .init($0.key, $0.name) }), isOptional: true),
                FormField("type", "Kind of event", .code, isOptional: true, maxLength: 64),
                FormField(
                    "state", "State",
                    .select([
                        .init("", "Published or put aside"), .init("dead", "Put aside"),
                        .init("published", "Published"),
                    ]), isOptional: true),
            ], typed: typed, problem: problem)
        return .object(
            [
                "back_href": .text(listHref), "back_label": "Inbound events", "action": .text(action),
                "heading": "Publish events again", "lead": .text(lead),
                "hidden": hidden,
                "submit": after == nil ? "Publish again" : "Publish the next", "cancel_href": .text(listHref),
            ].merging(form.members) { one, _ in one })
    }
}
