import Domain

extension Inbound {
    /// The sources of a connection, as others name them: words, and the path of a page below the mount.
    public func uses(
        of connection: Identifier<Connection>, _ scope: OrganizationScope
    ) throws -> [(words: String, path: String)] {
        try store(scope).list(connection: connection, after: nil, limit: 50).map { source in
            ("Inbound source “\(source.name)”", InboundPageRoute.source(source.id).path)
        }
    }
}
