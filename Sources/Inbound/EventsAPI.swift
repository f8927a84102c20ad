import AdminShell
import Domain
import HTTPKit
import JSONKit

/// What came in, as the API's description has it.
extension InboundRoute {
    static let eventsAPI = APIPath(
        "/api/v1/inbound-events", tag,
        [
            .get: APIOperation(
                "listInboundEvents", "Lists what came in, the newest first, without what it says.",
                parameters: [
                    .query("source_id", .id, "From this source alone."),
                    .query("provider", .text(1...64, example: "stripe"), "From this service alone."),
                    .query("type", .text(1...64, example: "payment_intent.succeeded"), "Of this kind alone."),
                    .query("state", .word(of: InboundEventRecord.State.self), "In this state alone."),
                    .query("since", .anyTime, "Those that came at this time or later."),
                    .query("until", .anyTime, "Those that came before this time."),
                ],
                answers: .list(of: event))
        ])

    static let eventAPI = APIPath(
        "/api/v1/inbound-events/{id}", tag,
        [
            .get: APIOperation(
                "getInboundEvent", "Shows what came in, byte for byte.", answers: .ok(wholeEvent))
        ])

    static let replayAPI = APIPath(
        "/api/v1/inbound-events/{id}/replay", tag,
        [
            .post: APIOperation(
                "replayInboundEvent", "Has one event published again, whatever became of it before.",
                answers: .accepted(event, "It will be."),
                problems: [APIProblem(409, "event_waits", "It waits to be published anyway.")])
        ])

    static let replayAllAPI = APIPath(
        "/api/v1/inbound-events/replay", tag,
        [
            .post: APIOperation(
                "replayInboundEvents", "Has all events that match published again, the oldest first.",
                details:
                    "At most \(InboundEventStore.mostReplayed) at once; once more with `after_id` does the next.",
                body: .body(
                    .required("since", .anyTime, "Those that came at this time or later."),
                    .optional("until", JSONSchema.anyTime.orNull, "Those that came before this time."),
                    .optional("source_id", JSONSchema.id.orNull, "From this source alone."),
                    .optional(
                        "provider", JSONSchema.text(1...64, example: "stripe").orNull, "From this service alone."),
                    .optional("type", JSONSchema.text(1...64, example: "charge.failed").orNull, "Of this kind alone."),
                    .optional(
                        "state", JSONSchema.word(of: InboundEventRecord.State.self).orNull, "In this state alone."),
                    .optional(
                        "after_id", JSONSchema.id.orNull,
                        "Those behind this event alone: `next_after_id` of the answer before.")
                ),
                answers: .status(
                    202,
                    .object(
                        .required("replayed", .integer(example: 12), "How many will be."),
                        .required("may_have_more", .truth(example: false), "Whether there are more of them."),
                        .required(
                            "next_after_id", JSONSchema.id.orNull,
                            "Behind which event the next of them stand; null when there are no more.")),
                    "They will be."))
        ])

    private static let event = JSONSchema.object(eventFields).named("InboundEvent")
    private static let wholeEvent = JSONSchema.object(
        eventFields + [
            .required(
                "headers",
                JSONSchema.list(
                    of: .object(
                        .required("name", .text(example: "content-type"), "In lower case."),
                        .required("value", .text(example: "application/json"), "As it came."))
                ).orNull, "Its header fields, but for secrets; null when the key to them is missing."),
            .required("body", JSONSchema.text(example: "{\"id\":\"evt_1\"}").orNull, "Its body, where that is text."),
            .required("body_base64", JSONSchema.text(example: "AAEC").orNull, "Its body, where that is none."),
        ])

    private static let eventFields: [JSONSchema.Field] = [
        .required("id", .id, "Its id here."), .required("source_id", .id, "Where it came in."),
        .required("source_name", JSONSchema.text(example: "Stripe").orNull, "What that is called."),
        .required("provider", .text(example: "stripe"), "The service."),
        .required("type", .text(example: "payment_intent.succeeded"), "What the service calls it."),
        .required(
            "event_id", .text(example: "evt_1"),
            "The service’s own id, or a digest of what it signed: by this a repetition is known."),
        .required("state", .word(of: InboundEventRecord.State.self), "What has become of it."),
        .required(
            "verdict",
            .object(
                .required("verified", .truth(), "Always true: nothing else is kept as an event."),
                .required("scheme", JSONSchema.word(of: SchemeName.self).orNull, "How the sender was known."),
                .required("key", .word(of: Scheme.Proof.Key.self), "By which secret.")), "How it was proved."),
        .required("connection_id", JSONSchema.id.orNull, "The connection of its source."),
        .required("integration_id", JSONSchema.id.orNull, "The integration of its source."),
        .required("workspace_id", JSONSchema.id.orNull, "The workspace of either."),
        .required("bytes", .integer(example: 143), "How long its body is."),
        .required("times", .integer(example: 1), "How many times the service has sent it."),
        .required("attempts", .integer(example: 1), "How many times it was tried to publish it."),
        .required("replays", .integer(example: 0), "How many times somebody had it published again."),
        .required("error", JSONSchema.text(example: "The body is not JSON.").orNull, "Why it could not be published."),
        .required("received_at", .time, "When it came first."),
        .required("published_at", JSONSchema.time.orNull, "When it was published."),
        .required("next_attempt_at", JSONSchema.time.orNull, "When that is tried next."),
    ]
}
