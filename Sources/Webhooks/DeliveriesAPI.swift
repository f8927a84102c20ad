import AdminShell
import HTTPKit
import JSONKit

/// Deliveries and replays as the API's description has them.
extension WebhookRoute {
    static let deliveriesAPI = APIPath(
        "/api/v1/webhooks/{id}/deliveries", tag,
        [
            .get: APIOperation(
                "listDeliveries", "Lists what was sent to a webhook and what is to be, the newest first.",
                parameters: [
                    .query("status", .word(of: DeliveryRecord.State.self), "Deliveries in this state alone."),
                    .query("event", pattern, "Those of events of this kind, or of all that begin alike."),
                    .query("since", .anyTime, "From this time on."), .query("until", .anyTime, "Before this time."),
                ], answers: .list(of: delivery))
        ])

    static let deliveryAPI = APIPath(
        "/api/v1/deliveries/{id}", tag,
        [
            .get: APIOperation(
                "getDelivery", "Shows a delivery with what was said on both sides of each attempt, the latest first.",
                answers: .ok(
                    delivery.joined(
                        with: .required("attempts_log", .list(of: attempt, atMost: 200), "The latest 200 attempts."))))
        ])

    static let retryAPI = APIPath(
        "/api/v1/deliveries/{id}/retry", tag,
        [
            .post: APIOperation(
                "retryDelivery", "Sends a delivery again, however it ended.", body: .body(), isBodyOptional: true,
                answers: .status(202, delivery, "It is due now."), problems: [disabled, underWay])
        ])

    static let replayAPI = APIPath(
        "/api/v1/webhooks/{id}/replay", tag,
        [
            .post: APIOperation(
                "replayDeliveries", "Sends again all that match, a part at a time, or only counts them.",
                details:
                    "`missing` are events that the webhook would have got, had it not been disabled or not been there yet.",
                body: .body(
                    .required("since", .anyTime, "Deliveries made from this time on."),
                    .optional("until", JSONSchema.anyTime.orNull, "Before this time; until now when left out."),
                    .optional(
                        "status", JSONSchema.word(of: ReplayRecord.Selection.self).orNull, "Those in this state alone."),
                    .optional("event", pattern.orNull, "Those of events of this kind, or of all that begin alike."),
                    .optional("dry_run", JSONSchema.truth(example: false).orNull, "Only counts.")),
                answers: .accepted(replay, "It has begun."),
                .ok(
                    .object(.required("deliveries", .integer(example: 1_200), "How many it would be.")),
                    "With `dry_run`: how many it would be."),
                problems: [disabled, APIProblem(409, "replay_under_way", "One replay of a webhook at a time.")])
        ])

    static let replayStatusAPI = APIPath(
        "/api/v1/replays/{id}", tag,
        [.get: APIOperation("getReplay", "Shows how far a replay is.", answers: .ok(replay))])

    private static let disabled = APIProblem(409, "webhook_disabled", "The webhook takes nothing until it is enabled.")
    private static let underWay = APIProblem(409, "delivery_under_way", "It is being sent at this very moment.")

    // MARK: What things look like

    static let delivery = JSONSchema.object(
        .required("id", .id, "The delivery's id."), .required("webhook_id", .id, "Where it goes."),
        .required("event_id", .id, "What it tells of; the receiver sees this as `webhook-id`."),
        .required("type", .text(example: "user.created"), "What kind of event that is."),
        .required("status", .word(of: DeliveryRecord.State.self), "How far it is."),
        .required("attempts", .integer(example: 1), "How often it was sent."),
        .required(
            "next_attempt_at", JSONSchema.time.orNull, "When it is sent next; null while it is under way or over."),
        .required("under_way", .truth(example: false), "Whether it is being sent now."),
        .required("last_status", JSONSchema.integer(example: 204).orNull, "What the receiver answered last."),
        .required("error", failure.orNull, "Why it failed last."), .required("created_at", .time, "When it was made."),
        .required("finished_at", JSONSchema.time.orNull, "When it ended.")
    ).named("Delivery")

    private static let fields = JSONSchema.list(
        of: .object(
            .required("name", .text(example: "content-type"), "The field's name."),
            .required("value", .text(example: "application/json"), "Its value; hidden where it is the owner's own.")))
    private static let milliseconds = JSONSchema.number(atLeast: 0, example: 12.5)

    private static let attempt = JSONSchema.object(
        .required("number", .integer(example: 1), "Which one it was, from 1."),
        .required("cause", .word(of: Cause.self), "Why it was made."), .required("started_at", .time, "When."),
        .required(
            "status", JSONSchema.integer(example: 204).orNull, "What the receiver answered; null when it did not."),
        .required("error", failure.orNull, "Why it failed."),
        .required(
            "timing_ms",
            .object(
                .required("dns", milliseconds, "Looking up the name."),
                .required("connect", milliseconds, "Connecting."),
                .required("tls", milliseconds, "Securing the connection."),
                .required("first_byte", milliseconds, "Waiting for the answer to begin."),
                .required("total", milliseconds, "All of it.")), "How long it took."),
        .required("request_headers", fields.orNull, "The header fields that were sent."),
        .required("response_headers", fields.orNull, "The header fields that came back."),
        .required("response_body", JSONSchema.text(example: "ok").orNull, "The first 20 kB of what came back."))

    private static let replay = JSONSchema.object(
        .required("id", .id, "The replay's id."), .required("webhook_id", .id, "Where it goes."),
        .required("state", .word(of: ["running", "finished", "canceled"]), "Whether it is over."),
        .required("deliveries", .integer(example: 1_200), "How many there were when it began."),
        .required("done", .integer(example: 400), "How many of them are due again."),
        .required("since", .time, "Deliveries made from this time on."), .required("until", .time, "Before this time."),
        .required("status", JSONSchema.word(of: ReplayRecord.Selection.self).orNull, "Those in this state alone."),
        .required("event", JSONSchema.text(example: "payment.*").orNull, "Those of events of this kind."),
        .required("asked_by", .text(example: "Ana"), "Who asked for it."),
        .required("created_at", .time, "When it began."),
        .required("finished_at", JSONSchema.time.orNull, "When it was over.")
    ).named("Replay")
}
