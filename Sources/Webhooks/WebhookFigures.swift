import AdminShell
import DatabaseKit
import Domain
import TimeKit

/// What came of the attempts at a webhook's deliveries within a stretch of time, and how long they took.
struct WebhookFigures: Sendable {
    /// One span of the stretch.
    struct Span: Sendable {
        var delivered = 0
        var failed = 0
        /// How long half of the attempts took at most, and 95 % of them; nil without any.
        var median: Duration?
        var p95: Duration?
    }

    /// The spans' axis.
    let times: TimeAxis
    let spans: [Span]
    /// Of the whole stretch.
    let total: Span
}

/// How a webhook does, at a glance.
struct WebhookHealth: Sendable {
    /// What came of the latest attempt.
    struct Outcome: Sendable {
        let at: Timestamp
        let status: Int?
        let reason: FailureReason?
    }

    var last: Outcome?
    var delivered = 0
    var failed = 0
    /// Deliveries that wait, counted up to ``mostWaiting``.
    var waiting = 0

    static let mostWaiting = 1_000
}

extension WebhookFigures.Span {
    init(_ tally: AttemptTally) {
        self.init(
            delivered: tally.delivered, failed: tally.failed, median: tally.duration(at: 0.5),
            p95: tally.duration(at: 0.95))
    }
}

extension Webhooks {
    /// The figures of a webhook from a moment until now: by the hour, or every six hours for more than two days, or by the
    /// day for more than eight.
    ///
    /// Read from hours that were counted when the attempts were noted, so how many there were does not matter.
    func figures(of webhook: Identifier<Webhook>, since: Timestamp) throws -> WebhookFigures {
        let now = world.now()
        let length: Int64 = now - since > .days(8) ? 86_400 : now - since > .days(2) ? 21_600 : 3_600
        let start = Timestamp(seconds: since.seconds - since.seconds % length)
        let count = max(1, Int((now.seconds - start.seconds) / length) + 1)
        var tallies = [AttemptTally](repeating: AttemptTally(), count: count)
        var total = AttemptTally()
        for hour in try FigureStore(database: database).hours(of: [webhook], since: start) {
            tallies[min(count - 1, Int((hour.at.seconds - start.seconds) / length))].add(hour.tally)
            total.add(hour.tally)
        }
        return WebhookFigures(
            times: TimeAxis(start: start, span: .seconds(length)), spans: tallies.map { .init($0) },
            total: .init(total))
    }

    /// The attempts at several webhooks since the hour of a moment, each counted together; those without any are missing.
    func totals(of webhooks: [Identifier<Webhook>], since: Timestamp) throws -> [Identifier<Webhook>: AttemptTally] {
        let hours = try FigureStore(database: database).hours(of: webhooks, since: FigureStore.hour(of: since))
        return hours.reduce(into: [:]) { $0[$1.webhook, default: AttemptTally()].add($1.tally) }
    }

    /// How several webhooks do: the last outcome of each, what came of attempts since a moment, and what waits.
    func health(
        of webhooks: [Identifier<Webhook>], since: Timestamp
    ) throws -> [Identifier<Webhook>: WebhookHealth] {
        var found: [Identifier<Webhook>: WebhookHealth] = [:]
        for row in try rows(of: webhooks, Self.lastStatement) {
            found[try row.get("webhook_id"), default: .init()].last = .init(
                at: try row.get("started_at"), status: try row.get("status"),
                reason: try row.get("error", as: String?.self).flatMap(FailureReason.init))
        }
        for (id, total) in try totals(of: webhooks, since: since) {
            found[id, default: .init()].delivered = total.delivered
            found[id, default: .init()].failed = total.failed
        }
        for row in try rows(of: webhooks, Self.waitingStatement) {
            found[try row.get("webhook_id"), default: .init()].waiting = try row.get("count")
        }
        return found
    }

    /// The rows of a statement for each of several webhooks, many in one.
    private func rows(of webhooks: [Identifier<Webhook>], _ statement: (Identifier<Webhook>) -> SQL) throws -> [Row] {
        try Chunks.of(webhooks).flatMap { part in
            try database.rows("(\(SQL(joining: part.map(statement), by: ") UNION ALL (")))")
        }
    }

    private static func lastStatement(_ webhook: Identifier<Webhook>) -> SQL {
        """
        SELECT webhook_id, started_at, status, error
          FROM delivery_attempts
         WHERE webhook_id = \(webhook)
         ORDER BY started_at DESC
         LIMIT 1
        """
    }

    private static func waitingStatement(_ webhook: Identifier<Webhook>) -> SQL {
        """
        SELECT \(webhook) AS webhook_id, COUNT(*) AS count
          FROM (SELECT 1
                  FROM deliveries FORCE INDEX (due)
                 WHERE state = 'waiting' AND webhook_id = \(webhook)
                 LIMIT \(WebhookHealth.mostWaiting)) held
        """
    }
}
