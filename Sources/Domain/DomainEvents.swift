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
    ///   - type: such as `connection.needs_reauth`, at most 64 ASCII characters.
    ///   - object: the thing that it happened to.
    ///   - data: what there is to know; never a secret.
    public func publish<Kind>(
        _ type: String, about object: Identifier<Kind>?, _ data: JSON, for organization: Identifier<Organization>,
        in transaction: some Querying
    ) throws(DatabaseError) {
        try transaction.execute(
            """
            INSERT INTO domain_events (id, organization_id, type, object_id, data, occurred_at)
            VALUES (\(Identifier<DomainEvent>(world)), \(organization), \(type), \(object),
                    \(String(decoding: data.bytes, as: UTF8.self)), \(world.now()))
            """)
    }

    /// How long an event is kept.
    public static let lifetime = Duration.days(30)

    /// Forgets events of a month ago, a thousand at a time.
    public func purge(in querying: some Querying) throws(DatabaseError) {
        while true {
            let forgotten = try querying.execute(
                "DELETE FROM domain_events WHERE occurred_at < \(world.now() - Self.lifetime) LIMIT 1000")
            guard forgotten.affectedRows == 1_000 else { return }
        }
    }
}
