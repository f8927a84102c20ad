import AdminShell
import Domain
import HTTPKit

/// The addresses of the contract “Integrations Hub”.
public enum IntegrationsHubRoute: Route {
    /// Begins a sign-in.
    case connect
    /// Where a service sends the browser back to.
    case callback(provider: String)

    /// The route at a path; nil when this contract has none there.
    public init?(_ path: Path) {
        switch path.pattern {
        case "functions/v1/integrations-connect": self = .connect
        case "functions/v1/integrations-callback/\(path[3])" where path.segments.count == 4:
            self = .callback(provider: path[3])
        default: return nil
        }
    }

    /// The path below the mount.
    public var path: String {
        switch self {
        case .connect: "/functions/v1/integrations-connect"
        case .callback(let provider): "/functions/v1/integrations-callback/\(Percent.encode(provider))"
        }
    }

    /// Services have names.
    public var parameter: PathParameter? { self == .connect ? nil : PathParameter(3, "provider") }

    /// Who may do what here. Whose browser comes back, and what they may do, is asked once the state says which sign-in
    /// it ends.
    public var access: MethodAccess {
        switch self {
        case .connect: [.post: .right(.write(.connections))]
        case .callback: [.get: .open]
        }
    }

    /// One route of each kind.
    public static var samples: [IntegrationsHubRoute] { [.connect, .callback(provider: "shopify")] }

    /// Whether a path belongs to people's browsers, although its first step is one that scripts call.
    public static func isForBrowsers(_ path: Path) -> Bool {
        path[0] == "functions" && path[2] == "integrations-callback"
    }
}
