import AdminShell
import Domain
import HTTPKit

/// The addresses of apps, for those who make them.
public enum OAuthAppRoute: Route {
    /// All apps.
    case list
    /// The form that makes one.
    case create
    /// One app.
    case show(Identifier<OAuthApp>)
    /// The form that changes one.
    case edit(Identifier<OAuthApp>)
    /// The form that gives one another secret.
    case roll(Identifier<OAuthApp>)
    /// Ends the secret before the last roll.
    case endPrevious(Identifier<OAuthApp>)
    /// Puts one aside.
    case disable(Identifier<OAuthApp>)
    /// Takes one back into use.
    case enable(Identifier<OAuthApp>)
    /// The form that removes one.
    case delete(Identifier<OAuthApp>)
    /// What one holds.
    case tokens(Identifier<OAuthApp>)
    /// The form that ends all that one holds.
    case revokeTokens(Identifier<OAuthApp>)
    /// Ends one thing that one holds.
    case revokeToken(Identifier<OAuthApp>, Identifier<OAuthToken>)
    /// All apps, for scripts.
    case listJSON
    /// One app, for scripts.
    case appJSON(Identifier<OAuthApp>)
    /// Gives one another secret, for scripts.
    case rollJSON(Identifier<OAuthApp>)
    /// The secret before the last roll, for scripts.
    case previousJSON(Identifier<OAuthApp>)
    /// Puts one aside, for scripts.
    case disableJSON(Identifier<OAuthApp>)
    /// Takes one back into use, for scripts.
    case enableJSON(Identifier<OAuthApp>)
    /// What one holds, for scripts.
    case tokensJSON(Identifier<OAuthApp>)
    /// One thing that one holds, for scripts.
    case tokenJSON(Identifier<OAuthToken>)

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "oauth-apps": self = .list
        case "oauth-apps/new": self = .create
        case "oauth-apps/:id": self = .show(path.id())
        case "oauth-apps/:id/edit": self = .edit(path.id())
        case "oauth-apps/:id/roll-secret": self = .roll(path.id())
        case "oauth-apps/:id/end-previous": self = .endPrevious(path.id())
        case "oauth-apps/:id/disable": self = .disable(path.id())
        case "oauth-apps/:id/enable": self = .enable(path.id())
        case "oauth-apps/:id/delete": self = .delete(path.id())
        case "oauth-apps/:id/tokens": self = .tokens(path.id())
        case "oauth-apps/:id/tokens/revoke-all": self = .revokeTokens(path.id())
        case "oauth-apps/:id/tokens/:id/revoke": self = .revokeToken(path.id(), path.id(1))
        case "api/v1/oauth-apps": self = .listJSON
        case "api/v1/oauth-apps/:id": self = .appJSON(path.id())
        case "api/v1/oauth-apps/:id/roll-secret": self = .rollJSON(path.id())
        case "api/v1/oauth-apps/:id/previous-secret": self = .previousJSON(path.id())
        case "api/v1/oauth-apps/:id/disable": self = .disableJSON(path.id())
        case "api/v1/oauth-apps/:id/enable": self = .enableJSON(path.id())
        case "api/v1/oauth-apps/:id/tokens": self = .tokensJSON(path.id())
        case "api/v1/oauth-tokens/:id": self = .tokenJSON(path.id())
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .list: "/oauth-apps"
        case .create: "/oauth-apps/new"
        case .show(let id): "/oauth-apps/\(id)"
        case .edit(let id): "/oauth-apps/\(id)/edit"
        case .roll(let id): "/oauth-apps/\(id)/roll-secret"
        case .endPrevious(let id): "/oauth-apps/\(id)/end-previous"
        case .disable(let id): "/oauth-apps/\(id)/disable"
        case .enable(let id): "/oauth-apps/\(id)/enable"
        case .delete(let id): "/oauth-apps/\(id)/delete"
        case .tokens(let id): "/oauth-apps/\(id)/tokens"
        case .revokeTokens(let id): "/oauth-apps/\(id)/tokens/revoke-all"
        case .revokeToken(let id, let token): "/oauth-apps/\(id)/tokens/\(token)/revoke"
        case .listJSON: "/api/v1/oauth-apps"
        case .appJSON(let id): "/api/v1/oauth-apps/\(id)"
        case .rollJSON(let id): "/api/v1/oauth-apps/\(id)/roll-secret"
        case .previousJSON(let id): "/api/v1/oauth-apps/\(id)/previous-secret"
        case .disableJSON(let id): "/api/v1/oauth-apps/\(id)/disable"
        case .enableJSON(let id): "/api/v1/oauth-apps/\(id)/enable"
        case .tokensJSON(let id): "/api/v1/oauth-apps/\(id)/tokens"
        case .tokenJSON(let id): "/api/v1/oauth-tokens/\(id)"
        }
    }

    /// Who may use the route, by method.
    public var access: MethodAccess {
        let read = Access.right(.read(.oauthApps))
        let write = Access.right(.write(.oauthApps))
        return switch self {
        case .list, .show, .tokens: [.get: read]
        case .create, .edit, .roll, .delete, .revokeTokens: [.get: write, .post: write]
        case .endPrevious, .disable, .enable, .revokeToken: [.post: write]
        case .listJSON: [.get: read, .post: write]
        case .appJSON: [.get: read, .patch: write, .delete: write]
        case .tokensJSON: [.get: read, .delete: write]
        case .previousJSON, .tokenJSON: [.delete: write]
        case .rollJSON, .disableJSON, .enableJSON: [.post: write]
        }
    }

    /// One of each case.
    public static var samples: [OAuthAppRoute] {
        let app = Identifier<OAuthApp>(.real)
        let token = Identifier<OAuthToken>(.real)
        return [
            .list, .create, .show(app), .edit(app), .roll(app), .endPrevious(app), .disable(app), .enable(app),
            .delete(app), .tokens(app), .revokeTokens(app), .revokeToken(app, token), .listJSON, .appJSON(app),
            .rollJSON(app), .previousJSON(app), .disableJSON(app), .enableJSON(app), .tokensJSON(app),
            .tokenJSON(token),
        ]
    }
}
