import Domain

extension Connections {
    func revokeUnwanted(_ tokens: Tokens, of view: ConnectionView, by scope: OrganizationScope) throws {}
}
