import DatabaseKit
import JSONKit
import TimeKit

/// Writes the audit log. Reading it is the Audit room's duty.
public struct AuditTrail: Sendable {
    /// A thing that something was done to.
    public struct Object: Sendable {
        let kind: String
        let id: [UInt8]?
        let name: String

        /// A thing by its kind, id and the name it has now.
        public init<Kind>(_ kind: String, _ id: Identifier<Kind>?, name: String) {
            self.kind = kind
            self.id = id?.bytes
            self.name = String(name.unicodeScalars.prefix(254))
        }
    }

    private let world: World

    /// An audit log on the world's clock.
    public init(world: World) { self.world = world }

    /// Notes that something was done, in the transaction that does it.
    ///
    /// - Parameters:
    ///   - action: what was done, such as `connection.created`.
    ///   - details: what changed; never a secret.
    public func record(
        _ action: String, _ object: Object, details: JSON = [:], by scope: OrganizationScope,
        in transaction: some Querying
    ) throws(DatabaseError) {
        let id = Identifier<AuditEvent>(world)
        try transaction.execute(
            """
            INSERT INTO audit_events
                   (id, organization_id, occurred_at, actor_kind, actor_id, actor_name, action,
                    object_kind, object_id, object_name, details, remote_address, request_id)
            VALUES (\(id), \(scope.organization), \(world.now()), \(scope.actor.kind.rawValue), \(scope.actor.id),
                    \(scope.actor.name), \(action), \(object.kind), \(object.id), \(object.name),
                    \(String(decoding: details.bytes, as: UTF8.self)), \(scope.remoteAddress), \(scope.requestID))
            """)
    }
}
