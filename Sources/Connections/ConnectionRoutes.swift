import AdminShell
import Domain
import HTTPKit

/// The addresses of connections and of the services that can be connected.
public enum ConnectionRoute: Route {
    case list
    /// The address that seed 3 knows the list by.
    case alias
    case gallery
    case new(provider: String)
    /// What is known of a service, and how to set it up.
    case provider(String)
    /// Describing a service of one's own.
    case providerNew
    case providerEdit(String)
    case providerRemove(String)
    case show(Identifier<Connection>)
    case edit(Identifier<Connection>)
    case test(Identifier<Connection>)
    case refresh(Identifier<Connection>)
    case sync(Identifier<Connection>)
    case enable(Identifier<Connection>)
    case disable(Identifier<Connection>)
    /// Going to the service to sign in.
    case authorize(Identifier<Connection>)
    /// Where a service sends the browser back to: an address of its own for each, and for each connection whose set-up
    /// names the server.
    case callback(provider: String, Identifier<Connection>?)
    case callbackNotice
    case disconnect(Identifier<Connection>)
    case remove(Identifier<Connection>)
    case providersJSON
    case providerJSON(String)
    case listJSON
    case json(ConnectionName)
    case statusJSON(ConnectionName)
    case testJSON(ConnectionName)
    case authorizeJSON(ConnectionName)
    case exchangeJSON(ConnectionName)
    case callbackNoticeJSON
    case refreshJSON(ConnectionName)
    case checksJSON(ConnectionName)
    case syncJSON(ConnectionName)
    case disconnectJSON(ConnectionName)
    case credentialsJSON(ConnectionName)
    /// What follows it goes to the service.
    case proxy(ConnectionName)

    /// The route at a path; nil when this room has none there.
    public init?(_ path: Path) {
        switch path.pattern {
        case "connections": self = .list
        case "integrations": self = .alias
        case "connections/new": self = .gallery
        case "connections/new/\(path[2])": self = .new(provider: path[2])
        case "providers/new": self = .providerNew
        case "providers/\(path[1])": self = .provider(path[1])
        case "providers/\(path[1])/edit": self = .providerEdit(path[1])
        case "providers/\(path[1])/remove": self = .providerRemove(path[1])
        case "connections/:id": self = .show(path.id())
        case "connections/:id/edit": self = .edit(path.id())
        case "connections/:id/test": self = .test(path.id())
        case "connections/:id/refresh": self = .refresh(path.id())
        case "connections/:id/sync": self = .sync(path.id())
        case "connections/:id/enable": self = .enable(path.id())
        case "connections/:id/disable": self = .disable(path.id())
        case "connections/:id/authorize": self = .authorize(path.id())
        case "connections/callback": self = .callbackNotice
        case "connections/callback/\(path[2])": self = .callback(provider: path[2], nil)
        case "connections/callback/\(path[2])/:id": self = .callback(provider: path[2], path.id())
        case "connections/:id/disconnect": self = .disconnect(path.id())
        case "connections/:id/remove": self = .remove(path.id())
        case "api/v1/providers": self = .providersJSON
        case "api/v1/providers/\(path[3])": self = .providerJSON(path[3])
        case "api/v1/connections": self = .listJSON
        case "api/v1/connections/callback": self = .callbackNoticeJSON
        default: self.init(script: path)
        }
    }

    private init?(script path: Path) {
        guard path.segments.starts(with: ["api", "v1", "connections"]), (4...5).contains(path.segments.count) else {
            return nil
        }
        let name = ConnectionName(path[3])
        switch path[4] {
        case "": self = .json(name)
        case "status": self = .statusJSON(name)
        case "test": self = .testJSON(name)
        case "authorize": self = .authorizeJSON(name)
        case "exchange": self = .exchangeJSON(name)
        case "refresh": self = .refreshJSON(name)
        case "checks": self = .checksJSON(name)
        case "sync": self = .syncJSON(name)
        case "disconnect": self = .disconnectJSON(name)
        case "credentials": self = .credentialsJSON(name)
        case "proxy": self = .proxy(name)
        default: return nil
        }
    }

    /// The path below the mount.
    public var path: String {
        switch self {
        case .list: "/connections"
        case .alias: "/integrations"
        case .gallery: "/connections/new"
        case .new(let provider): "/connections/new/\(provider)"
        case .provider(let key): "/providers/\(key)"
        case .providerNew: "/providers/new"
        case .providerEdit(let key): "/providers/\(key)/edit"
        case .providerRemove(let key): "/providers/\(key)/remove"
        case .show(let id): "/connections/\(id)"
        case .edit(let id): "/connections/\(id)/edit"
        case .test(let id): "/connections/\(id)/test"
        case .refresh(let id): "/connections/\(id)/refresh"
        case .sync(let id): "/connections/\(id)/sync"
        case .enable(let id): "/connections/\(id)/enable"
        case .disable(let id): "/connections/\(id)/disable"
        case .authorize(let id): "/connections/\(id)/authorize"
        case .callback(let provider, nil): "/connections/callback/\(provider)"
        case .callback(let provider, let id?): "/connections/callback/\(provider)/\(id)"
        case .callbackNotice: "/connections/callback"
        case .disconnect(let id): "/connections/\(id)/disconnect"
        case .remove(let id): "/connections/\(id)/remove"
        case .providersJSON: "/api/v1/providers"
        case .providerJSON(let key): "/api/v1/providers/\(key)"
        case .listJSON: "/api/v1/connections"
        case .json(let name): "/api/v1/connections/\(name)"
        case .statusJSON(let name): "/api/v1/connections/\(name)/status"
        case .testJSON(let name): "/api/v1/connections/\(name)/test"
        case .authorizeJSON(let name): "/api/v1/connections/\(name)/authorize"
        case .exchangeJSON(let name): "/api/v1/connections/\(name)/exchange"
        case .callbackNoticeJSON: "/api/v1/connections/callback"
        case .refreshJSON(let name): "/api/v1/connections/\(name)/refresh"
        case .checksJSON(let name): "/api/v1/connections/\(name)/checks"
        case .syncJSON(let name): "/api/v1/connections/\(name)/sync"
        case .disconnectJSON(let name): "/api/v1/connections/\(name)/disconnect"
        case .credentialsJSON(let name): "/api/v1/connections/\(name)/credentials"
        case .proxy(let name): "/api/v1/connections/\(name)/proxy"
        }
    }

    /// Services have names, and scripts may call connections by theirs.
    public var parameter: PathParameter? {
        switch self {
        case .new: PathParameter(2, "provider")
        case .callback: PathParameter(2, "provider")
        case .provider, .providerEdit, .providerRemove: PathParameter(1, "key")
        case .providerJSON: PathParameter(3, "key")
        case .json, .statusJSON, .testJSON, .authorizeJSON, .exchangeJSON, .refreshJSON, .checksJSON, .syncJSON,
            .disconnectJSON, .credentialsJSON, .proxy:
            PathParameter(3, "id")
        default: nil
        }
    }

    /// Who may do what here.
    public var access: MethodAccess {
        let (read, write) = (Access.right(.read(.connections)), Access.right(.write(.connections)))
        let describe = Access.right(.write(.providers))
        return switch self {
        case .list, .alias, .show, .statusJSON: [.get: read]
        case .gallery: [.get: write]
        case .new, .edit, .disconnect, .remove: [.get: write, .post: write]
        case .test, .authorize, .refresh, .sync: [.get: read, .post: write]
        // Whose browser it is and what they may do is asked once the state says which sign-in it ends.
        case .callback, .callbackNotice, .callbackNoticeJSON: [.get: .open]
        case .enable, .disable: [.post: write]
        case .testJSON, .refreshJSON, .syncJSON, .disconnectJSON, .authorizeJSON, .exchangeJSON: [.post: write]
        case .checksJSON: [.get: read]
        case .provider: [.get: .right(.read(.providers))]
        case .providerNew, .providerEdit: [.get: describe, .post: describe]
        case .providerRemove: [.post: describe]
        case .providersJSON: [.get: .right(.read(.providers)), .post: describe]
        case .providerJSON: [.get: .right(.read(.providers)), .put: describe, .delete: describe]
        case .listJSON: [.get: read, .post: write]
        case .json: [.get: read, .patch: write, .delete: write]
        case .credentialsJSON: [.get: .right(.read(.credentials))]
        case .proxy: [.get: read, .options: read, .post: write, .put: write, .patch: write, .delete: write]
        }
    }

    /// One route of each kind.
    public static var samples: [ConnectionRoute] {
        let id = Identifier<Connection>(.real)
        let name = ConnectionName(id.text)
        return [
            .list, .alias, .gallery, .new(provider: "telegram"), .provider("telegram"), .providerNew,
            .providerEdit("pager"), .providerRemove("pager"), .show(id), .edit(id), .test(id), .refresh(id),
            .sync(id), .enable(id), .disable(id), .authorize(id), .callback(provider: "google", nil),
            .callback(provider: "custom_oauth2", id), .callbackNotice, .callbackNoticeJSON, .disconnect(id),
            .remove(id), .providersJSON, .providerJSON("telegram"), .listJSON, .json(name), .statusJSON(name),
            .testJSON(name),
            .authorizeJSON(name), .exchangeJSON(name), .refreshJSON(name), .checksJSON(name), .syncJSON(name),
            .disconnectJSON(name), .credentialsJSON(name), .proxy(name),
        ]
    }
}

/// What scripts may call a connection by: its id, `provider:name`, or `provider` alone for its `default` (seed 0).
public enum ConnectionName: Equatable, Sendable, CustomStringConvertible {
    /// Its id.
    case id(Identifier<Connection>)
    /// Its service and name.
    case named(provider: String, name: String)

    init(_ text: String) {
        if let id = Identifier<Connection>(text) {
            self = .id(id)
            return
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self = .named(provider: parts[0], name: parts.count == 2 ? parts[1] : Self.defaultName)
    }

    /// Whether a connection can have this name at all.
    var isWellFormed: Bool {
        switch self {
        case .id: true
        case .named(let provider, let name):
            Spelling.isKeyInPath(provider) && Spelling.isConnectionName(name)
        }
    }

    /// The name that a connection has when nobody gives it one.
    static let defaultName = "default"

    /// As it stands in a path.
    public var description: String {
        switch self {
        case .id(let id): id.text
        case .named(let provider, let name): "\(provider):\(name)"
        }
    }
}
