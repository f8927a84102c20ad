import DatabaseKit
import Domain
import TimeKit

/// Attempts counted by webhook and hour.
struct FigureStore: Sendable {
    let database: Database

    /// Beyond so many bytes what was appended to a histogram is summed up; summed up it is far shorter.
    private static let longest = 2_048

    /// The beginning of the hour that a time lies in, in UTC.
    static func hour(of moment: Timestamp) -> Timestamp {
        Timestamp(seconds: moment.seconds - moment.seconds % 3_600)
    }

    private struct Cell: Hashable {
        let webhook: Identifier<Webhook>
        let at: Timestamp
    }

    /// An hour of a webhook.
    struct Hour: Sendable {
        let webhook: Identifier<Webhook>
        let at: Timestamp
        let tally: AttemptTally
    }

    /// Counts attempts in the transaction that notes them, by one statement for all of a batch.
    ///
    /// Rows are written in one order, so that two that write never wait for each other in a circle.
    static func add(_ attempted: [Attempted], in transaction: Transaction) throws {
        var cells: [Cell: AttemptTally] = [:]
        for one in attempted {
            let cell = Cell(
                webhook: one.parcel.destination.webhook, at: hour(of: one.startedAt))
            cells[cell, default: AttemptTally()].count(
                microseconds: one.duration.microseconds, isDelivered: one.judgement.verdict == .delivered)
        }
        let sorted = cells.sorted { one, other in
            one.key.webhook != other.key.webhook
                ? one.key.webhook.bytes.lexicographicallyPrecedes(other.key.webhook.bytes)
                : one.key.at < other.key.at
        }
        for part in Chunks.of(sorted) {
            for row in try transaction.rows(statement(part.map { ($0.key, $0.value) })) {
                guard let stored: [UInt8] = try row.get("grown") else { continue }
                try transaction.execute(
                    """
                    UPDATE webhook_hours
                       SET latency = \(LatencyHistogram(stored: stored).stored)
                     WHERE webhook_id = \(try row.get("webhook_id", as: Identifier<Webhook>.self))
                       AND at = \(try row.get("at", as: Timestamp.self))
                    """)
            }
        }
    }

    private static func statement(_ cells: [(Cell, AttemptTally)]) -> SQL {
        let rows = cells.map { cell, tally -> SQL in
            """
            (\(cell.webhook), \(cell.at), \(tally.attempts), \(tally.delivered), \(tally.microseconds),
             \(tally.latency.stored))
            """
        }
        return """
            INSERT INTO webhook_hours (webhook_id, at, attempts, delivered, microseconds, latency)
            VALUES \(SQL(joining: rows, by: ", "))
            ON DUPLICATE KEY UPDATE attempts = attempts + VALUES(attempts), delivered = delivered + VALUES(delivered),
                microseconds = microseconds + VALUES(microseconds), latency = CONCAT(latency, VALUES(latency))
            RETURNING webhook_id, at, IF(LENGTH(latency) > \(longest), latency, NULL) AS grown
            """
    }

    /// The hours of webhooks from one on, in any order.
    func hours(of webhooks: [Identifier<Webhook>], since: Timestamp) throws -> [Hour] {
        try Chunks.of(webhooks).flatMap { part in
            try database.rows(Self.hoursStatement(part, since)).map { row in
                Hour(
                    webhook: try row.get("webhook_id"), at: try row.get("at"),
                    tally: AttemptTally(
                        attempts: try row.get("attempts"), delivered: try row.get("delivered"),
                        microseconds: try row.get("microseconds"),
                        latency: LatencyHistogram(stored: try row.get("latency"))))
            }
        }
    }

    static func hoursStatement(_ webhooks: ArraySlice<Identifier<Webhook>>, _ since: Timestamp) -> SQL {
        """
        SELECT webhook_id, at, attempts, delivered, microseconds, latency
          FROM webhook_hours FORCE INDEX (PRIMARY)
         WHERE webhook_id IN (\(list: webhooks)) AND at >= \(since)
         LIMIT 200000
        """
    }
}
