import AdminShell
import Domain
import HTTPKit

/// The addresses of the protocol: where browsers are sent, where clients call, and what tells them so.
public enum OAuthEndpointRoute: Route {
    case authorize
    case continueAuthorization
    case token
    case revoke
    case introspect
    case push
    case deviceAuthorization
    case metadata
    case resourceMetadata

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "oauth/authorize": self = .authorize
        case "oauth/authorize/continue": self = .continueAuthorization
        case "oauth/token": self = .token
        case "oauth/revoke": self = .revoke
        case "oauth/introspect": self = .introspect
        case "oauth/par": self = .push
        case "oauth/device_authorization": self = .deviceAuthorization
        case ".well-known/oauth-authorization-server": self = .metadata
        case ".well-known/oauth-protected-resource": self = .resourceMetadata
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .authorize: "/oauth/authorize"
        case .continueAuthorization: "/oauth/authorize/continue"
        case .token: "/oauth/token"
        case .revoke: "/oauth/revoke"
        case .introspect: "/oauth/introspect"
        case .push: "/oauth/par"
        case .deviceAuthorization: "/oauth/device_authorization"
        case .metadata: "/.well-known/oauth-authorization-server"
        case .resourceMetadata: "/.well-known/oauth-protected-resource"
        }
    }

    /// Who may use the route, by method. Clients prove themselves inside.
    public var access: MethodAccess {
        switch self {
        case .authorize: [.get: .open]
        case .continueAuthorization: [.get: .person]
        case .token, .revoke, .push, .deviceAuthorization, .introspect: [.post: .open]
        case .metadata, .resourceMetadata: [.get: .open]
        }
    }

    /// One of each case.
    public static let samples: [OAuthEndpointRoute] = [
        .authorize, .continueAuthorization, .token, .revoke, .introspect, .push, .deviceAuthorization, .metadata,
        .resourceMetadata,
    ]

    /// Lets scripts of every site call what clients call, since no cookie counts there; never where browsers are sent.
    ///
    /// > CORS MUST NOT be supported at the authorization endpoint … the endpoint for which CORS is useful is the token
    /// > endpoint.     RFC 9700 §2.6
    public static func openToScripts(_ response: inout Response, _ request: Request) {
        guard request.path[0] == "oauth" || request.path[0] == ".well-known",
            let route = OAuthEndpointRoute(request.path), !isForBrowsers(request.path)
        else { return }
        response.headers["access-control-allow-origin"] = "*"
        guard request.method == .options else { return }
        response.headers["access-control-allow-methods"] = route.access[.get] == nil ? "POST" : "GET"
        response.headers["access-control-allow-headers"] = "Authorization, Content-Type"
        response.headers["access-control-max-age"] = "600"
    }

    /// Whether a path below `/oauth` is met by people in their browsers, so that its errors are pages.
    public static func isForBrowsers(_ path: Path) -> Bool {
        guard path[0] == "oauth" else { return false }
        let step = path[1]
        return step == "authorize" || step == "consent" || step == "device"
    }
}
