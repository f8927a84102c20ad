import AdminShell
import Domain
import HTTPKit

/// The addresses of API keys.
public enum APIKeyRoute: Route {
    /// All keys.
    case list
    /// The form that makes one.
    case create
    /// One key.
    case show(Identifier<APIKey>)
    /// The form that changes one.
    case edit(Identifier<APIKey>)
    /// The form that gives one another secret.
    case roll(Identifier<APIKey>)
    /// Ends the secret before the last roll.
    case endPrevious(Identifier<APIKey>)
    /// Puts one aside.
    case disable(Identifier<APIKey>)
    /// Takes one back into use.
    case enable(Identifier<APIKey>)
    /// The form that ends one.
    case revoke(Identifier<APIKey>)
    /// The form that ends those that nobody uses.
    case revokeUnused
    /// All keys, for scripts.
    case listJSON
    /// One key, for scripts.
    case keyJSON(Identifier<APIKey>)
    /// What becomes of a key, for the back end of a site.
    case verify
    /// Gives one another secret, for scripts.
    case rollJSON(Identifier<APIKey>)
    /// The secret before the last roll, for scripts.
    case previousJSON(Identifier<APIKey>)
    /// Puts one aside, for scripts.
    case disableJSON(Identifier<APIKey>)
    /// Takes one back into use, for scripts.
    case enableJSON(Identifier<APIKey>)
    /// Ends those that nobody uses, for scripts.
    case revokeUnusedJSON

    /// Reads a path; nil when it is none of this room's.
    public init?(_ path: Path) {
        switch path.pattern {
        case "api-keys": self = .list
        case "api-keys/new": self = .create
        case "api-keys/revoke-unused": self = .revokeUnused
        case "api-keys/:id": self = .show(path.id())
        case "api-keys/:id/edit": self = .edit(path.id())
        case "api-keys/:id/roll": self = .roll(path.id())
        case "api-keys/:id/end-previous": self = .endPrevious(path.id())
        case "api-keys/:id/disable": self = .disable(path.id())
        case "api-keys/:id/enable": self = .enable(path.id())
        case "api-keys/:id/revoke": self = .revoke(path.id())
        case "api/v1/api-keys": self = .listJSON
        case "api/v1/api-keys/revoke-unused": self = .revokeUnusedJSON
        case "api/v1/api-keys/:id": self = .keyJSON(path.id())
        case "api/v1/api-keys/verify": self = .verify
        case "api/v1/api-keys/:id/roll": self = .rollJSON(path.id())
        case "api/v1/api-keys/:id/previous": self = .previousJSON(path.id())
        case "api/v1/api-keys/:id/disable": self = .disableJSON(path.id())
        case "api/v1/api-keys/:id/enable": self = .enableJSON(path.id())
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .list: "/api-keys"
        case .create: "/api-keys/new"
        case .show(let id): "/api-keys/\(id)"
        case .edit(let id): "/api-keys/\(id)/edit"
        case .roll(let id): "/api-keys/\(id)/roll"
        case .endPrevious(let id): "/api-keys/\(id)/end-previous"
        case .disable(let id): "/api-keys/\(id)/disable"
        case .enable(let id): "/api-keys/\(id)/enable"
        case .revoke(let id): "/api-keys/\(id)/revoke"
        case .revokeUnused: "/api-keys/revoke-unused"
        case .listJSON: "/api/v1/api-keys"
        case .keyJSON(let id): "/api/v1/api-keys/\(id)"
        case .verify: "/api/v1/api-keys/verify"
        case .rollJSON(let id): "/api/v1/api-keys/\(id)/roll"
        case .previousJSON(let id): "/api/v1/api-keys/\(id)/previous"
        case .disableJSON(let id): "/api/v1/api-keys/\(id)/disable"
        case .enableJSON(let id): "/api/v1/api-keys/\(id)/enable"
        case .revokeUnusedJSON: "/api/v1/api-keys/revoke-unused"
        }
    }

    /// Who may use the route, by method.
    public var access: MethodAccess {
        let read = Access.right(.read(.apiKeys))
        let write = Access.right(.write(.apiKeys))
        return switch self {
        case .list, .show: [.get: read]
        case .create, .edit, .roll, .revoke, .revokeUnused: [.get: write, .post: write]
        case .endPrevious, .disable, .enable: [.post: write]
        case .listJSON: [.get: read, .post: write]
        case .keyJSON: [.get: read, .patch: write, .delete: write]
        case .verify: [.post: read]
        case .previousJSON: [.delete: write]
        case .rollJSON, .disableJSON, .enableJSON, .revokeUnusedJSON: [.post: write]
        }
    }

    /// One of each case.
    public static var samples: [APIKeyRoute] {
        let key = Identifier<APIKey>(.real)
        return [
            .list, .create, .show(key), .edit(key), .roll(key), .endPrevious(key), .disable(key), .enable(key),
            .revoke(key), .revokeUnused, .listJSON, .keyJSON(key), .rollJSON(key), .previousJSON(key),
            .disableJSON(key), .enableJSON(key), .revokeUnusedJSON, .verify,
        ]
    }
}
