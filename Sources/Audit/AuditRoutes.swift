import AdminShell
import Domain
import HTTPKit

/// The addresses of the audit log.
public enum AuditRoute: Route {
    /// The page, and with `format=csv` the table.
    case log
    /// The same for scripts.
    case logJSON

    /// Reads a path; nil when it is none of this room's.
    public init?(_ path: Path) {
        switch path.pattern {
        case "audit-log": self = .log
        case "api/v1/audit-log": self = .logJSON
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .log: "/audit-log"
        case .logJSON: "/api/v1/audit-log"
        }
    }

    /// Reading only: nobody writes here by request.
    public var access: MethodAccess { [.get: .right(.read(.audit))] }

    /// One of each case.
    public static let samples: [AuditRoute] = [.log, .logJSON]
}
