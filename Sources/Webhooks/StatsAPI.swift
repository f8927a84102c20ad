import AdminShell
import HTTPKit
import JSONKit

/// The figures of a webhook as the API's description has them.
extension WebhookRoute {
    static let statsAPI = APIPath(
        "/api/v1/webhooks/{id}/stats", tag,
        [
            .get: APIOperation(
                "getWebhookStats", "Shows what came of the attempts at a webhook's deliveries, and how long they took.",
                parameters: [
                    .query(
                        "range", .word(of: Webhooks.StatsRange.self), "Up to now; 24 hours unless something is said.")
                ], answers: .ok(stats))
        ])

    private static let stats = JSONSchema.object(
        .required("webhook_id", .id, "The webhook's id."),
        .required("range", .word(of: Webhooks.StatsRange.self), "The stretch of time."),
        .required("since", .time, "When the first span begins."), .required("until", .time, "Now."),
        .required("span_seconds", .integer(1...86_400, example: 3_600), "How long each span is."),
        .required("total", .object(figures), "Of the whole stretch."),
        .required(
            "series", .list(of: .object([.required("at", .time, "When the span begins.")] + figures), atMost: 32),
            "Each span, the earliest first."))

    private static let figures: [JSONSchema.Field] = [
        .required("attempts", .integer(0...Int64.max, example: 42), "How many."),
        .required("delivered", .integer(0...Int64.max, example: 40), "How many of them the receiver took."),
        .required("failed", .integer(0...Int64.max, example: 2), "How many it did not."),
        .required("median_ms", duration, "Half of them took at most so long; null of none."),
        .required("p95_ms", duration, "Of a hundred 95 took at most so long; null of none."),
    ]

    private static let duration = JSONSchema.number(atLeast: 0, example: 38.5).orNull
}
