import Domain

extension Platforms {
    /// The integrations that borrow the credentials of a connection, as others name them: words, and the path of a page
    /// below the mount. One whose configuration cannot be opened tells nothing.
    ///
    /// - Parameter provider: the service of the connection; an integration borrows of its own platform alone.
    public func uses(
        of connection: Identifier<Connection>, provider: String, _ scope: OrganizationScope
    ) throws -> [(words: String, path: String)] {
        let integrations = try store(scope).list().filter { $0.platform == provider }
        guard !integrations.isEmpty else { return [] }
        let workspaces = try neighbours.workspaces(scope)
        return try integrations.filter { try borrows($0, connection) }.map { integration in
            let name = registry[integration.platform]?.name ?? integration.platform
            let place = workspaces.first { $0.id == integration.workspace }.map { " of “\($0.name)”" } ?? ""
            return ("Platform integration \(name)\(place)", PlatformPageRoute.show(integration.id).path)
        }
    }

    private func borrows(_ integration: IntegrationRecord, _ connection: Identifier<Connection>) throws -> Bool {
        do {
            return try config(of: integration, in: database)?.connection == connection
        } catch is VaultError {
            return false
        }
    }
}
