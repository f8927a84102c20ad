import DatabaseKit
import Domain
import LogKit

/// Connections whose service takes events at an address of its own, as Zapier, Make and n8n do.
extension Connections {
    /// A connection that events may be sent to.
    public struct EventReceiver: Sendable {
        /// Its id.
        public let id: Identifier<Connection>
        /// What people call it, such as `Zapier (default)`.
        public let name: String
        /// Where its service takes events, which is a credential in itself; nil while the connection is switched off, or
        /// holds no such address, or one that cannot be opened.
        public let url: Secret<String>?
    }

    /// The field of a provider's set-up that holds the address.
    private static let field = "webhook_url"

    /// The connections that the one who asks may see and send events to, at most 200.
    public func eventReceivers(_ scope: OrganizationScope) throws -> [EventReceiver] {
        let providers = try catalogue(for: scope).providers.filter(Self.takesEvents).map(\.key)
        guard !providers.isEmpty else { return [] }
        return try store(scope).list(ConnectionFilter(providers: providers), after: nil, limit: 200).map {
            receiver(try view($0, scope, in: database))
        }
    }

    /// One of them; nil for a connection that is not there, or that takes no events.
    public func eventReceiver(
        _ id: Identifier<Connection>, _ scope: OrganizationScope, in querying: some Querying
    ) throws -> EventReceiver? {
        guard let record = try store(scope).find(id, in: querying) else { return nil }
        let view = try view(record, scope, in: querying)
        guard view.provider.map(Self.takesEvents) == true else { return nil }
        return receiver(view)
    }

    private static func takesEvents(_ provider: Provider) -> Bool {
        provider.kind == .webhook && provider.fields.contains { $0.name == field }
    }

    private func receiver(_ view: ConnectionView) -> EventReceiver {
        let url = view.record.isEnabled && view.isReadable ? view.values[Self.field] : nil
        return EventReceiver(
            id: view.record.id, name: "\(view.serviceName) (\(view.record.name))",
            url: url.flatMap { $0.isEmpty ? nil : Secret($0) })
    }
}
