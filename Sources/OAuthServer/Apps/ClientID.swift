import CipherKit
import Domain

/// The id of an app as it is sent by the app: `app_` and 22 characters.
///
/// It is made of the app's own id, so what is no client id is known without a look at the database, and none is ever the
/// text of a user's id, with which `sub` could be confused.
///
/// > Authorization servers SHOULD NOT allow clients to influence their client_id … in a way that might cause confusion with
/// > a genuine resource owner.     RFC 9700 §4.15.1
struct ClientID: Hashable, Sendable, CustomStringConvertible {
    private static let prefix = "app_"

    /// The app's own id.
    let id: Identifier<OAuthApp>

    /// The client id of an app.
    init(_ id: Identifier<OAuthApp>) { self.id = id }

    /// Reads what a client sent; nil when it is no client id of ours.
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix),
            let bytes = Base62.decode(text.utf8.dropFirst(Self.prefix.utf8.count), count: 16),
            let id = Identifier<OAuthApp>(bytes: bytes)
        else { return nil }
        self.id = id
    }

    /// As it is sent.
    var text: String { Self.prefix + Base62.encode(id.bytes) }
    /// The same as ``text``.
    var description: String { text }
}
