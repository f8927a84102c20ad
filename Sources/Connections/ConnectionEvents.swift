import DatabaseKit
import Domain
import JSONKit

/// Telling others of the hub what happened to a connection.
extension Connections {
    /// Publishes that a connection is now so, in the transaction that stores it.
    func publish(
        _ status: ConnectionStatus, _ detail: String?, _ view: ConnectionView, _ scope: OrganizationScope,
        in transaction: Transaction
    ) throws {
        guard let type = status.event else { return }
        try publish(
            type, view, scope,
            more: ["status": ["from": .string(view.record.storedStatus.rawValue), "to": .string(status.rawValue)]],
            detail: detail, in: transaction)
    }

    /// Publishes an event about a connection: which one it is, and what is said of it; never a secret.
    func publish(
        _ type: DomainEventType, _ view: ConnectionView, _ scope: OrganizationScope, more: JSON = [:],
        detail: String? = nil,
        in transaction: Transaction
    ) throws {
        let record = view.record
        let which: [JSON.Member] = [
            .init("connection_id", .string(record.id.text)), .init("provider", .string(record.provider)),
            .init("name", .string(record.name)), .init("workspace_id", JSON(record.workspace?.text)),
            .init("detail", JSON(detail)),
        ]
        try events.publish(
            type, about: record.id, .object(which + (more.members ?? [])), for: scope.organization, in: transaction)
    }
}

extension ConnectionStatus {
    /// The event that tells of it; nil for what is told of otherwise.
    fileprivate var event: DomainEventType? {
        switch self {
        case .connected: .connectionConnected
        case .expiring: .connectionExpiring
        case .error: .connectionError
        case .needsReauth: .connectionNeedsReauth
        case .disconnected: .connectionDisconnected
        case .disabled, .undecryptable: nil
        }
    }
}
