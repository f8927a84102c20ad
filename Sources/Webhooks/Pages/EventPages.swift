import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

/// What was published, the newest first.
struct EventListPage: ShellPage {
    static let template = "events"
    static let sample = EventListPage(
        address: FilterAddress("/events"), canPublish: true, newHref: "/events/new", typesHref: "/event-types",
        names: ["user.created"], events: [(.sample, "/events/1")], firstHref: "/events", nextHref: "/events?cursor=x",
        now: Timestamp(seconds: 90))

    let address: FilterAddress
    let canPublish: Bool
    let newHref: String
    let typesHref: String
    /// The names of all kinds, to choose from.
    let names: [String]
    let events: [(event: EventRecord, href: String)]
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { address.value("type").isEmpty ? "Events" : "Events “\(address.value("type"))”" }
    var place: Place? { .events }

    private var isFiltered: Bool { ["type", "since", "until"].contains { !address.value($0).isEmpty } }

    var view: TemplateValue {
        [
            "can_publish": .bool(canPublish), "new_href": .text(newHref), "types_href": .text(typesHref),
            "has_events": .bool(!events.isEmpty || isFiltered || firstHref != nil), "is_filtered": .bool(isFiltered),
            "clear_href": .text(address.page),
            "filters": [
                "action": .text(address.page), "type": .text(address.value("type")),
                "since": .text(Self.day(address.value("since"))), "until": .text(Self.day(address.value("until"))),
                "names": .list(names.map { .text($0) }),
            ],
            "events": .list(events.map(view)), "pagination": pagination,
        ]
    }

    /// A moment as a date; nothing for what is none.
    private static func day(_ text: String) -> String {
        Timestamp(rfc3339: "\(text.prefix(10))T00:00:00Z") == nil ? "" : String(text.prefix(10))
    }

    private func view(_ row: (event: EventRecord, href: String)) -> TemplateValue {
        [
            "href": .text(row.href), "type": .text(row.event.type), "key": TemplateValue(row.event.key),
            "id": .text(row.event.id.text), "source": .text(row.event.source.words),
            "size": .text(bytesInWords(row.event.bodyBytes)),
            "deliveries": .text(
                row.event.deliveries == 0 ? "nobody" : row.event.deliveries.counted("webhook", "webhooks")),
            "at": row.event.createdAt.view(now: now),
        ]
    }

    private var pagination: TemplateValue {
        guard firstHref != nil || nextHref != nil else { return .null }
        return ["text": "Newest first", "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref)]
    }
}

/// One event: what is sent of it, and to whom.
struct EventPage: ShellPage {
    static let template = "event"
    static let sample = EventPage(
        event: .sample, payload: ["type": "user.created", "data": [:]], typeHref: "/event-types/user.created",
        listHref: "/events", webhooksHref: "/webhooks", deliveries: [(.sample, "ERP", "/deliveries/1")],
        now: Timestamp(seconds: 90))

    let event: EventRecord
    /// What is sent; nil when it cannot be opened.
    let payload: JSON?
    let typeHref: String?
    let listHref: String
    let webhooksHref: String?
    let deliveries: [(delivery: DeliveryRecord, webhook: String?, href: String)]
    let now: Timestamp

    var title: String { "\(event.type), \(event.id.text.suffix(6))" }
    var place: Place? { .events }

    var view: TemplateValue {
        [
            "list_href": .text(listHref), "type": .text(event.type), "type_href": TemplateValue(typeHref),
            "sentence": .text(
                event.deliveries == 0
                    ? "No webhook asked for it when it happened."
                    : "It went to \(event.deliveries.counted("webhook", "webhooks"))."),
            "payload": payload.map { ["id": "payload", "pieces": HighlightedJSON($0).view] } ?? .null,
            "size": .text(bytesInWords(event.bodyBytes)), "webhooks_href": TemplateValue(webhooksHref),
            "deliveries": .list(
                deliveries.map { row in
                    [
                        "href": .text(row.href), "webhook": .text(row.webhook ?? "a removed webhook"),
                        "state": row.delivery.stateView, "last": .text(row.delivery.lastAnswer),
                        "is_bad": .bool(row.delivery.lastError != nil),
                        "attempts": .text(row.delivery.attempts.counted("attempt", "attempts")),
                    ]
                }),
            "details": [
                "id": .text(event.id.text), "key": TemplateValue(event.key), "source": .text(event.source.words),
                "ordering_key": TemplateValue(event.orderingKey), "occurred": .text(event.occurredAt.exact),
                "created": event.createdAt.view(now: now),
            ],
        ]
    }
}

/// The form that publishes an event.
struct PublishPage: ShellPage {
    static let template = "event-new"
    static let sample = PublishPage(
        listHref: "/events", action: "/events/new", typesHref: "/event-types", name: "user.created",
        example: ["user_id": "u_1"], typed: nil, problem: .invalid("type", "required", "x"))

    let listHref: String
    let action: String
    let typesHref: String
    let name: String?
    let example: JSON?
    let typed: Form?
    let problem: Problem?

    var title: String { "Publish an event" }
    var place: Place? { .events }

    var view: TemplateValue {
        let form = FormView(
            [
                FormField(
                    "type", "Event", .code,
                    help: "A name from the catalogue, or one of your own that begins with custom.", maxLength: 128,
                    initial: [name ?? ""]),
                FormField(
                    "data", "Data", .lines(rows: 10), help: "What happened, as a JSON object of at most 256 kB.",
                    width: .wide, initial: [FormJSON.text(example ?? [:])]),
                FormField(
                    "id", "Your own id", .code, help: "An event with the same id is taken once.", isOptional: true,
                    maxLength: 256),
                FormField(
                    "ordering_key", "Ordering key", .code,
                    help: "Events with the same key reach webhooks that keep an order one after the other.",
                    isOptional: true, maxLength: 128),
            ], typed: typed, problem: problem)
        return .object(
            [
                "list_href": .text(listHref), "action": .text(action), "types_href": .text(typesHref),
            ].merging(form.members) { one, _ in one })
    }
}

extension EventRecord {
    /// An event for samples of pages.
    static let sample = EventRecord(
        id: Identifier(.real), key: "in_8841", type: "user.created", source: .api, orderingKey: "u_1", bodyBytes: 1_200,
        bodySealed: [], deliveries: 2, occurredAt: Timestamp(seconds: 0), createdAt: Timestamp(seconds: 0))
}
