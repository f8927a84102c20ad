import DatabaseKit
import Domain
import HTTPKit
import LogKit

/// Webhooks that send to a connection, such as one to Zapier, Make or n8n: the connection says where to.
extension Webhooks {
    /// A connection whose service takes events.
    public struct Receiver: Sendable {
        /// Its id.
        public let id: Identifier<Connection>
        /// What people call it.
        public let name: String
        /// Where its service takes events; nil while it must not be used.
        public let url: Secret<String>?

        /// A connection that takes events.
        public init(id: Identifier<Connection>, name: String, url: Secret<String>?) {
            self.id = id
            self.name = name
            self.url = url
        }
    }

    /// What the room is told of others.
    public struct Neighbours: Sendable {
        /// The connections that the one who asks may send events to.
        public var receivers: @Sendable (OrganizationScope) throws -> [Receiver] = { _ in [] }
        /// One of them; nil when it is not there or takes no events.
        public var receiver: @Sendable (Identifier<Connection>, OrganizationScope, any Querying) throws -> Receiver? = {
            _, _, _ in nil
        }
        /// The path of a connection's page.
        public var connectionPath: @Sendable (Identifier<Connection>) -> String = { _ in "" }

        /// A room without neighbours.
        public init() {}
    }

    /// A webhook that goes through a connection, in a few words.
    public struct Use: Sendable {
        /// What it is called.
        public let name: String
        /// The path of its page.
        public let path: String
    }

    /// The webhooks that send to a connection, at most 20 of those that the one who asks may see.
    public func uses(of connection: Identifier<Connection>, _ scope: OrganizationScope) throws -> [Use] {
        try store(scope).sending(to: connection).map {
            Use(name: "Webhook “\($0.name)”, \($0.state.rawValue)", path: WebhookPageRoute.show($0.id).path)
        }
    }

    /// Whether a webhook may go on: one of a connection only while that can be used.
    ///
    /// - Throws: `Problem` 409 `connection_unusable`.
    func requireReceiver(of record: WebhookRecord, _ scope: OrganizationScope, in transaction: Transaction) throws {
        guard let connection = record.connection else { return }
        guard try neighbours.receiver(connection, scope, transaction)?.url == nil else { return }
        throw Problem(
            409, "connection_unusable",
            "The connection that this webhook sends to is switched off, has no address, or was removed.")
    }

    /// What a connection's change means for the webhooks that send to it: another address is taken over; one that may not
    /// be used pauses them, and they go on with it; one that was removed disables them.
    ///
    /// Called in the transaction that hands the change on, so that it is done once and before any later change.
    func follow(
        _ connection: Identifier<Connection>, of organization: Identifier<Organization>, in transaction: Transaction
    ) throws {
        let scope = OrganizationScope(
            trusted: organization, name: "", actor: Actor(kind: .hub, name: "Hub"), requestID: "-")
        let store = store(scope)
        let records = try store.lockSending(to: connection, in: transaction)
        guard !records.isEmpty else { return }
        let receiver = try neighbours.receiver(connection, scope, transaction)
        for record in records { try follow(receiver, record, store, scope, in: transaction) }
        try noteChange(in: transaction)
    }

    private func follow(
        _ receiver: Receiver?, _ record: WebhookRecord, _ store: WebhookStore, _ scope: OrganizationScope,
        in transaction: Transaction
    ) throws {
        guard let receiver else {
            guard record.state != .disabled else { return }
            try store.setState(.disabled, because: .connectionRemoved, of: record.id, in: transaction)
            return try noteAgain(.webhookDisabled, record, by: scope, in: transaction)
        }
        guard let url = receiver.url, let address = try? url.reveal({ try reader(scope).address($0) }) else {
            guard record.state == .active else { return }
            try store.setState(.paused, because: .connection, of: record.id, in: transaction)
            return try noteAgain(.webhookPaused, record, by: scope, in: transaction)
        }
        if try self.url(of: record, in: transaction) != address.text.reveal({ $0 }) {
            let writing = try writing(WebhookTerms(url: address), record.id, scope, in: transaction)
            try store.update(record.id, writing, in: transaction)
            try noteAgain(.webhookUpdated, record, by: scope, in: transaction)
        }
        if record.state == .paused, record.disabledReason == .connection {
            try store.setState(.active, because: nil, of: record.id, in: transaction)
            try noteAgain(.webhookEnabled, record, by: scope, in: transaction)
        }
    }

    /// Writes down what became of a webhook, as it now is.
    private func noteAgain(
        _ deed: DomainEventType, _ record: WebhookRecord, by scope: OrganizationScope, in transaction: Transaction
    ) throws {
        guard let changed = try store(scope).lock(record.id, in: transaction) else { return }
        try note(deed, changed, by: scope, in: transaction)
    }
}

extension DomainEventType {
    /// Whether it tells of something that changes where or whether a connection takes events.
    static func mayChangeReceiver(_ name: EventName) -> Bool {
        switch DomainEventType(rawValue: name.description) {
        case .connectionUpdated, .connectionDisconnected, .connectionRemoved, .connectionDisabled, .connectionEnabled:
            true
        default: false
        }
    }
}
