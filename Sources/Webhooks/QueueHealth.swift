import DatabaseKit
import Domain
import TimeKit

/// How deliveries get on, over all organizations: what an operator watches (requirement A3-46).
public struct QueueHealth: Sendable {
    /// How many wait, be it for their first attempt or for another one; no more than ``most`` are counted.
    public let waiting: Int
    /// How many of these are due now and in nobody's hands.
    public let due: Int
    /// How many are being sent.
    public let inFlight: Int
    /// Since when the longest-waiting one has been due.
    public let oldestDue: Timestamp?
    /// How many of those that wait have failed, by how they did so last, the most frequent first.
    public let failures: [(error: String, count: Int)]

    /// So many are looked at, whatever waits: an operator need not know how many more than that there are.
    public static let most = 100_000
}

extension Webhooks {
    /// How deliveries get on now. What waits for a paused webhook is not due.
    public func queueHealth() throws -> QueueHealth {
        let now = world.now()
        // Of each webhook the first one in the order of times stands first in the index.
        let oldest = try database.row(
            """
            SELECT MIN(first) AS oldest
              FROM (SELECT (SELECT MIN(d.next_at) FROM deliveries d
                             WHERE d.state = 'waiting' AND d.webhook_id = w.id) AS first
                      FROM webhooks w
                     WHERE w.state = 'active') AS heads
             WHERE first <= \(now)
            """)
        let rows = try database.rows(
            """
            SELECT error, COUNT(*) AS waiting, SUM(is_due) AS due, SUM(is_held) AS held
              FROM (SELECT d.last_error AS error, d.lease_token IS NOT NULL AND d.next_at > \(now) AS is_held,
                           d.next_at <= \(now) AND w.state = 'active' AS is_due
                      FROM deliveries d
                      JOIN webhooks w ON w.id = d.webhook_id
                     WHERE d.state = 'waiting'
                     LIMIT \(QueueHealth.most)) AS queue
             GROUP BY error
             ORDER BY waiting DESC
             LIMIT 50
            """)
        var (waiting, due, held) = (0, 0, 0)
        var failures: [(error: String, count: Int)] = []
        for row in rows {
            let count: Int = try row.get("waiting")
            waiting += count
            due += try row.get("due")
            held += try row.get("held")
            if let error: String = try row.get("error") { failures.append((error, count)) }
        }
        return QueueHealth(
            waiting: waiting, due: due, inFlight: held, oldestDue: try oldest?.get("oldest"), failures: failures)
    }
}
