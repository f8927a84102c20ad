import AdminShell
import Domain
import HTTPKit

/// The addresses of the overview, of the system page and of health.
public enum OperationsRoute: Route {
    /// The first page after signing in.
    case overview
    /// How the hub itself is doing.
    case system
    /// The figures of the system page, for a machine that watches.
    case metrics
    /// Whether this process answers.
    case live
    /// Whether the hub can do its work.
    case ready
    /// The same, and how many migrations are still to be applied.
    case health

    /// Reads a path; nil when it is none of this room's.
    public init?(_ path: Path) {
        switch path.pattern {
        case "": self = .overview
        case "system": self = .system
        case "metrics": self = .metrics
        case "health/live": self = .live
        case "health/ready": self = .ready
        case "health": self = .health
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .overview: "/"
        case .system: "/system"
        case .metrics: "/metrics"
        case .live: "/health/live"
        case .ready: "/health/ready"
        case .health: "/health/"
        }
    }

    /// Who may use the route, by method.
    public var access: MethodAccess {
        switch self {
        case .overview: [.get: .right(.read(.organization))]
        case .system, .metrics: [.get: .right(.everything)]
        case .live, .ready, .health: Self.forAnybody
        }
    }

    /// Made once, since what watches over the hub asks for its health all the time.
    private static let forAnybody: MethodAccess = [.get: .open]

    /// One of each case.
    public static let samples: [OperationsRoute] = [.overview, .system, .metrics, .live, .ready, .health]
}
