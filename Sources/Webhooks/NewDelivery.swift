import DatabaseKit
import Domain
import TimeKit

/// A delivery that is due as soon as it is stored.
struct NewDelivery: Sendable {
    let organization: Identifier<Organization>
    let webhook: Identifier<Webhook>
    let event: Identifier<Event>
    /// The event's place among all events.
    let sequence: UInt64?
    let type: String
    /// Sixteen bytes that stand for the ordering key; nil where the webhook knows no order.
    let orderingHash: [UInt8]?
    /// Whether somebody wants it, rather than that the event has just happened.
    var isManual = false

    /// Stores deliveries, in the transaction of whoever calls.
    ///
    /// - Parameter skipsKnown: whether those are passed over that are there already.
    /// - Returns: how many were stored.
    @discardableResult
    static func insert(
        _ new: [NewDelivery], skipsKnown: Bool = false, _ world: World, in querying: some Querying
    ) throws -> Int {
        let now = world.now()
        let verb: SQL = skipsKnown ? "INSERT IGNORE" : "INSERT"
        return try Chunks.of(new).reduce(0) { count, part in
            let rows = part.map { one -> SQL in
                """
                (\(Identifier<Delivery>(world)), \(one.organization), \(one.webhook), \(one.event), \(one.sequence),
                 \(one.type), \(one.orderingHash), \(one.isManual), \(now), \(now))
                """
            }
            let outcome = try querying.execute(
                """
                \(verb) INTO deliveries
                       (id, organization_id, webhook_id, event_id, sequence, type, ordering_hash, is_manual, next_at,
                        created_at)
                VALUES \(SQL(joining: rows, by: ", "))
                """)
            return count + outcome.affectedRows
        }
    }

    /// Makes deliveries due now because somebody wants it, all their waits begun anew; those that are delivered too. What is
    /// being sent is passed over.
    ///
    /// - Parameter condition: on `d`.
    /// - Returns: how many there were.
    static func revive(
        _ ids: [Identifier<Delivery>], where condition: SQL = "TRUE", _ world: World, in querying: some Querying
    ) throws -> Int {
        let now = world.now()
        return try Chunks.of(ids).reduce(0) { count, part in
            let outcome = try querying.execute(
                """
                UPDATE deliveries d
                   SET d.state = 'waiting', d.tries = 0, d.is_manual = TRUE, d.next_at = \(now), d.lease_token = NULL,
                       d.finished_at = NULL
                 WHERE d.id IN (\(list: part)) AND \(condition) AND (d.lease_token IS NULL OR d.next_at <= \(now))
                """)
            return count + outcome.affectedRows
        }
    }
}
