import AdminShell
import HTTPKit
import JSONKit

/// Events and their kinds as the API's description has them.
extension WebhookRoute {
    private static let eventsTag = APITag(
        "Events",
        "What happens on the site and in the hub. An event that was taken reaches every webhook that wants it.")

    private static let conflict = APIProblem(
        409, "event_id_conflict", "An event with this id was taken before, with other contents.")

    static let eventsAPI = APIPath(
        "/api/v1/events", eventsTag,
        [
            .get: APIOperation(
                "listEvents", "Lists the events, the newest first, without what they say.",
                parameters: [
                    .query("type", pattern, "Events of this kind alone, or of all that begin alike."),
                    .query("since", .anyTime, "Those that were taken at this time or later."),
                    .query("until", .anyTime, "Those that were taken before this time."),
                ],
                answers: .list(of: event)),
            .post: APIOperation(
                "publishEvent", "Takes an event: it and its deliveries are stored before this answers.",
                details:
                    "The same `id` twice is one event. What is sent of it, its envelope included, has at most 256 kB.",
                body: newEvent, answers: .accepted(taken, "It is on its way."), problems: [conflict]),
        ])

    static let batchAPI = APIPath(
        "/api/v1/events/batch", eventsTag,
        [
            .post: APIOperation(
                "publishEvents", "Takes up to a thousand events, all or none.",
                body: .body(
                    .required("events", .list(of: newEvent, atMost: Webhooks.mostEvents), "The events, at least one.")),
                answers: .status(
                    202,
                    .object(
                        .required(
                            "data", .list(of: taken, atMost: Webhooks.mostEvents), "The events, in the same order.")),
                    "They are on their way."), problems: [conflict])
        ])

    static let eventAPI = APIPath(
        "/api/v1/events/{id}", eventsTag,
        [
            .get: APIOperation(
                "getEvent", "Shows an event with what it says and to whom it goes.", answers: .ok(wholeEvent))
        ])

    static let typesAPI = APIPath(
        "/api/v1/event-types", eventsTag,
        [
            .get: APIOperation(
                "listEventTypes", "Lists every kind of event, in one part.",
                details: "Kinds that begin with `custom.` need no description.",
                answers: .ok(
                    .object(
                        .required("data", .list(of: type), "The kinds, by name."),
                        .required("next_cursor", .null, "There is one part only.")))),
            .post: APIOperation(
                "createEventType", "Describes a kind of event of the organization's own.",
                body: .body(
                    .required("name", eventName, "What it is called."),
                    .required(
                        "description", .words(1...500, example: "An order left the warehouse."), "What happened."),
                    .optional(
                        "schema", schema.orNull, "What its data must keep to: JSON Schema 2020-12, without `pattern`."),
                    .optional("example", example.orNull, "Data as it is sent."),
                    .optional(
                        "deprecated", JSONSchema.truth(example: false).orNull, "Whether nobody should start to use it.")
                ),
                answers: .created(type),
                problems: [
                    APIProblem(409, "event_type_exists", "There is a kind of this name already."),
                    APIProblem(409, "too_many_event_types", "There are as many as are allowed."),
                ]),
        ])

    static let typeAPI = APIPath(
        "/api/v1/event-types/{name}", eventsTag,
        parameters: [.path("name", eventName, "The name of the kind.")], isVersioned: true,
        [
            .get: APIOperation("getEventType", "Shows a kind of event.", answers: .ok(type)),
            .patch: APIOperation(
                "changeEventType", "Changes what is said of a kind of the organization's own.",
                body: .body(
                    .optional(
                        "description", .words(1...500, example: "An order left the warehouse."), "What happened."),
                    .optional("schema", schema.orNull, "What its data must keep to; null for nothing."),
                    .optional("example", example.orNull, "Data as it is sent; null for none."),
                    .optional(
                        "deprecated", JSONSchema.truth(example: true).orNull, "Whether nobody should start to use it.")),
                answers: .ok(type)),
            .delete: APIOperation(
                "deleteEventType", "Forgets what was said of a kind; events that were taken stay.",
                answers: .nothing("Such events are no longer taken.")),
        ])

    // MARK: What things look like

    private static let newEvent = JSONSchema.body(
        .required("type", eventName, "What kind of event it is."),
        .required("data", JSONSchema.map(to: .anything, example: ["user_id": "u_1"]), "What happened."),
        .optional(
            "id", JSONSchema.words(1...256, example: "order-4711-shipped").orNull,
            "The sender's own id, by which a repetition is known."),
        .optional(
            "ordering_key", JSONSchema.words(1...128, example: "order-4711").orNull,
            "What it is about, for webhooks that want such events one after the other."),
        .optional("timestamp", JSONSchema.anyTime.orNull, "When it happened; now when left out.")
    ).named("NewEvent")

    private static let taken = JSONSchema.object(
        .required("id", .id, "The event's id, which receivers see as `webhook-id`."),
        .required("type", .text(example: "user.created"), "What kind of event it is."),
        .required("event_id", JSONSchema.text(example: "order-4711-shipped").orNull, "The sender's own id."),
        .required("deliveries", .integer(example: 2), "To how many webhooks it goes."),
        .required("is_repetition", .truth(example: false), "Whether it had been taken before."),
        .required("created_at", .time, "When it was taken.")
    ).named("TakenEvent")

    private static let event = JSONSchema.object(eventFields).named("Event")
    private static let wholeEvent = JSONSchema.object(
        eventFields + [
            .required(
                "payload",
                .map(
                    to: .anything,
                    example: [
                        "id": "01981f0e-7a3c-7d10-9c4b-5e8f2a6b7c8d", "type": "user.created",
                        "timestamp": "2026-11-21T10:00:00.000Z", "data": ["user_id": "u_1"],
                    ]
                ).orNull, "What is sent; null when the key to it is missing."),
            .required("deliveries", .list(of: delivery, atMost: 200), "To whom it goes, the latest 200."),
        ])
    private static let eventFields: [JSONSchema.Field] = [
        .required("id", .id, "The event's id."), .required("type", .text(example: "user.created"), "What kind it is."),
        .required("event_id", JSONSchema.text(example: "order-4711-shipped").orNull, "The sender's own id."),
        .required("source", .word(of: NewEvent.Source.self), "Where it came from."),
        .required("ordering_key", JSONSchema.text(example: "order-4711").orNull, "What it is about."),
        .required("bytes", .integer(example: 143), "How much is sent."),
        .required("delivery_count", .integer(example: 2), "To how many webhooks it goes."),
        .required("timestamp", .time, "When it happened."), .required("created_at", .time, "When it was taken."),
    ]

    private static let schema = JSONSchema.map(
        to: .anything, example: ["type": "object", "required": ["order_id"]])
    private static let example = JSONSchema.map(to: .anything, example: ["order_id": "o_1"])

    private static let type = JSONSchema.object(
        .required("name", .text(example: "order.shipped"), "What it is called."),
        .required("description", .text(example: "An order left the warehouse."), "What happened."),
        .required("schema", schema.orNull, "What its data must keep to."),
        .required("example", example.orNull, "Data as it is sent."),
        .required("deprecated", .truth(example: false), "Whether nobody should start to use it."),
        .required("deprecated_at", JSONSchema.time.orNull, "Since when."),
        .required("built_in", .truth(example: false), "Whether the hub brings it along.")
    ).named("EventType")
}
