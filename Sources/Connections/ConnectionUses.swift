import AdminShell
import Domain
import TemplateKit

extension Connections {
    /// Something in the hub that relies on a connection.
    public struct Use: Sendable {
        /// What it is, such as `Inbound source “Orders”`.
        let words: String
        /// Its page, below the mount.
        let path: String

        /// Something by its words and the path of its page below the mount.
        public init(_ words: String, at path: String) {
            self.words = words
            self.path = path
        }
    }

    /// Who tells what relies on a connection.
    public typealias Uses = @Sendable (Brief, OrganizationScope) throws -> [Use]

    /// What relies on a connection, as pages show it.
    func useLinks(of view: ConnectionView, _ call: Call) throws -> [TemplateValue] {
        try uses(Self.brief(view.record), call.scope()).map { use in
            ["href": .text(call.shell.site.mount + use.path), "words": .text(use.words)]
        }
    }
}
