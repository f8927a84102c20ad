import DatabaseKit
import Domain
import LogKit

/// What other rooms borrow from connections.
extension Connections {
    /// The live values of a connection, renewed if they end soon, and the key of its provider.
    ///
    /// Never called inside a transaction: it may call the service.
    ///
    /// - Throws: `Problem` 404 for a connection of somebody else; as ``live(_:by:forced:)``.
    public func lend(
        _ id: Identifier<Connection>, _ scope: OrganizationScope
    ) throws -> (provider: String, values: Secret<[String: String]>) {
        let view = try live(find(.id(id), scope), by: scope)
        return (view.record.provider, Secret(view.values))
    }

    /// The connections of a provider, as people choose among them.
    public func connections(
        of provider: String, _ scope: OrganizationScope
    ) throws -> [(id: Identifier<Connection>, name: String)] {
        try store(scope).list(ConnectionFilter(providers: [provider]), after: nil, limit: 200).map {
            ($0.id, "\(catalogue[provider]?.name ?? provider) (\($0.name))")
        }
    }

    /// How many connections a workspace has; asked before it is removed.
    public func count(
        in workspace: Identifier<Workspace>, _ scope: OrganizationScope, _ transaction: Transaction
    ) throws -> Int {
        try store(scope).count(in: workspace, transaction)
    }
}
