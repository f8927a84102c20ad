import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// How a webhook does, for scripts.
extension Webhooks {
    /// A stretch of time that ends now, as `range` says it.
    enum StatsRange: String, CaseIterable, Sendable {
        case day = "24h"
        case week = "7d"
        case month = "30d"

        var length: Duration {
            switch self {
            case .day: .hours(24)
            case .week: .days(7)
            case .month: .days(30)
            }
        }
    }

    func statsJSON(_ id: Identifier<Webhook>, _ call: Call) throws -> Response {
        var input = Input(try call.request.query())
        let range = input.parsed("range", orSay: "Write 24h, 7d or 30d.") { StatsRange(rawValue: $0) } ?? .day
        guard input.isComplete else { throw input.refusal }
        let webhook = try find(id, call.scope())
        let figures = try figures(of: webhook.id, since: world.now() - range.length)
        return .json([
            "webhook_id": .string(id.text), "range": .string(range.rawValue),
            "since": JSON(figures.times.start), "until": JSON(world.now()),
            "span_seconds": .integer(figures.times.span.components.seconds), "total": Self.json(figures.total),
            "series": .array(
                figures.spans.enumerated().map { index, span in
                    .object(
                        [JSON.Member("at", JSON(figures.times.moment(index)))] + (Self.json(span).members ?? []))
                }),
        ])
    }

    private static func json(_ span: WebhookFigures.Span) -> JSON {
        [
            "attempts": JSON(span.delivered + span.failed), "delivered": JSON(span.delivered),
            "failed": JSON(span.failed), "median_ms": span.median.map(milliseconds) ?? .null,
            "p95_ms": span.p95.map(milliseconds) ?? .null,
        ]
    }
}
