import DatabaseKit
import JSONKit
import TimeKit

/// Writes what happened for those who are to be told of it: an outbox.
///
/// An event stands there exactly when what it tells of was committed. Whoever hands events on takes those whose
/// `handed_on_at` is NULL and sets it.
public struct DomainEvents: Sendable {
    private let world: World

    /// Events on the world's clock.
    public init(world: World) { self.world = world }

    /// Notes an event, in the transaction in which it happens.
    ///
    /// - Parameters:
    ///   - type: what kind of event it is.
    ///   - object: the thing that it happened to.
    ///   - data: what there is to know; never a secret.
    public func publish<Kind>(
        _ type: DomainEventType, about object: Identifier<Kind>?, _ data: JSON,
        for organization: Identifier<Organization>,
        in transaction: some Querying
    ) throws(DatabaseError) {
        try transaction.execute(
            """
            INSERT INTO domain_events (id, organization_id, type, object_id, data, occurred_at)
            VALUES (\(Identifier<DomainEvent>(world)), \(organization), \(type.rawValue), \(object),
                    \(String(decoding: data.bytes, as: UTF8.self)), \(world.now()))
            """)
    }

    /// Notes what a service has told, in the transaction that takes it off the queue.
    ///
    /// - Parameter told: the events of one request, each with its name, which begins with `inbound.`.
    public func publish(
        _ told: [(name: EventName, data: JSON)], of event: InboundEvent, in transaction: some Querying
    ) throws(DatabaseError) {
        let now = world.now()
        for part in Chunks.of(told) {
            let rows = part.map { one -> SQL in
                """
                (\(Identifier<DomainEvent>(world)), \(event.origin.organization), \(one.name.description), \(event.id),
                 \(String(decoding: one.data.bytes, as: UTF8.self)), \(now))
                """
            }
            try transaction.execute(
                """
                INSERT INTO domain_events (id, organization_id, type, object_id, data, occurred_at)
                VALUES \(SQL(joining: rows, by: ", "))
                """)
        }
    }

    /// Forgets events that were handed on and are this old, a thousand at a time; those that nobody has taken stay.
    public func purge(after age: Duration, in querying: some Querying) throws(DatabaseError) {
        while true {
            let forgotten = try querying.execute(
                """
                DELETE FROM domain_events
                 WHERE occurred_at < \(world.now() - age) AND handed_on_at IS NOT NULL
                 LIMIT 1000
                """)
            guard forgotten.affectedRows == 1_000 else { return }
        }
    }
}
