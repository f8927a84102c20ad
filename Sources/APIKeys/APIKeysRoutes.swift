import AdminShell
import Domain
import HTTPKit

/// The addresses of API keys.
public enum APIKeyRoute: Route {
    /// All keys.
    case list
    /// The form that makes one.
    case create
    /// The form that ends one.
    case revoke(Identifier<APIKey>)
    /// All keys, for scripts.
    case listJSON
    /// One key, for scripts.
    case keyJSON(Identifier<APIKey>)
    /// What becomes of a key, for the back end of a site.
    case verify

    /// Reads a path; nil when it is none of this room's.
    public init?(_ path: Path) {
        switch path.pattern {
        case "api-keys": self = .list
        case "api-keys/new": self = .create
        case "api-keys/:id/revoke": self = .revoke(path.id())
        case "api/v1/api-keys": self = .listJSON
        case "api/v1/api-keys/:id": self = .keyJSON(path.id())
        case "api/v1/api-keys/verify": self = .verify
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .list: "/api-keys"
        case .create: "/api-keys/new"
        case .revoke(let id): "/api-keys/\(id)/revoke"
        case .listJSON: "/api/v1/api-keys"
        case .keyJSON(let id): "/api/v1/api-keys/\(id)"
        case .verify: "/api/v1/api-keys/verify"
        }
    }

    /// Who may use the route, by method.
    public var access: [Method: Access] {
        let read = Access.right(.read(.apiKeys))
        let write = Access.right(.write(.apiKeys))
        return switch self {
        case .list: [.get: read]
        case .create, .revoke: [.get: write, .post: write]
        case .listJSON: [.get: read, .post: write]
        case .keyJSON: [.get: read, .patch: write, .delete: write]
        case .verify: [.post: read]
        }
    }

    /// One of each case.
    public static var samples: [APIKeyRoute] {
        let key = Identifier<APIKey>(.real)
        return [.list, .create, .revoke(key), .listJSON, .keyJSON(key), .verify]
    }
}
