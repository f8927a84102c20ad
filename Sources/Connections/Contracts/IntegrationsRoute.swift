import AdminShell
import Domain
import HTTPKit

/// The addresses of the contract “Integrations API (MVP)”; a slash at the end may be there or not.
public enum IntegrationsRoute: Route {
    /// What the organization has connected.
    case list
    /// Stores a token for a service.
    case connect(provider: String)
    /// One service.
    case integration(provider: String)

    /// The route at a path; nil when this contract has none there.
    public init?(_ path: Path) {
        let steps = path.segments
        guard steps.starts(with: ["api", "integrations"]) else { return nil }
        switch steps.count {
        case 2: self = .list
        case 3: self = .integration(provider: steps[2])
        case 4 where steps[3] == "connect": self = .connect(provider: steps[2])
        default: return nil
        }
    }

    /// The path below the mount.
    public var path: String {
        switch self {
        case .list: "/api/integrations/"
        case .connect(let provider): "/api/integrations/\(Percent.encode(provider))/connect/"
        case .integration(let provider): "/api/integrations/\(Percent.encode(provider))/"
        }
    }

    /// Services have names.
    public var parameter: PathParameter? { self == .list ? nil : PathParameter(2, "provider") }

    /// Who may do what here: everybody may look, an administrator may change.
    public var access: MethodAccess {
        switch self {
        case .list: [.get: .right(.read(.connections))]
        case .connect: [.post: .right(.write(.connections))]
        case .integration: [.delete: .right(.write(.connections))]
        }
    }

    /// One route of each kind.
    public static var samples: [IntegrationsRoute] {
        [.list, .connect(provider: "telegram"), .integration(provider: "telegram")]
    }
}
