import AdminShell
import Domain
import TemplateKit

/// The steps by which people set a service up, with this hub's redirect address in its place.
struct ProviderGuide: Sendable {
    /// The address that the service sends people back to; nil where each connection has one of its own, before there is
    /// one, and where nobody signs in.
    let redirectURI: String?
    /// The steps, the redirect address filled in.
    let steps: [String]
    private let documentation: Provider.Documentation?

    /// - Parameters:
    ///   - connection: the connection that is set up; nil before there is one.
    ///   - base: origin and mount of this hub.
    init(_ provider: Provider, for connection: Identifier<Connection>?, at base: String) {
        let redirectURI = provider.redirectPath(for: connection).map { base + $0 }
        // Where each connection has an address of its own, people see before how it will look.
        let shown = redirectURI ?? "\(base)/connections/callback/\(provider.key)/…"
        self.redirectURI = redirectURI
        steps = provider.guide.map { Holes.fill($0) { $0 == "redirect_uri" ? shown : nil } }
        documentation = provider.documentation
    }

    /// The value of the partial `connection-guide`; null when there is nothing to say.
    var view: TemplateValue {
        guard !steps.isEmpty || redirectURI != nil else { return .null }
        return [
            "steps": .list(steps.map { ["text": .text($0)] }), "redirect": TemplateValue(redirectURI),
            "docs": documentation.map { ["href": .text($0.href), "label": .text($0.label)] } ?? .null,
        ]
    }
}

extension Site {
    /// Origin and mount, which every full address begins with.
    var base: String { origin + mount }
}
