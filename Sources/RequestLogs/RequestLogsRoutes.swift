import AdminShell
import Domain
import HTTPKit

/// The addresses of the request log and its figures.
public enum RequestLogsRoute: Route {
    /// The log as a page, and with `format=csv` the table.
    case log
    /// One request in full.
    case entry(Identifier<LoggedRequest>)
    /// The figures as a page, and with `format=csv` the table.
    case usage
    /// The log for scripts.
    case logJSON
    /// One request, for scripts.
    case entryJSON(Identifier<LoggedRequest>)
    /// The figures for scripts.
    case usageJSON

    /// Reads a path; nil when it is none of this room's.
    public init?(_ path: Path) {
        switch path.pattern {
        case "request-logs": self = .log
        case "request-logs/:id": self = .entry(path.id())
        case "usage": self = .usage
        case "api/v1/request-logs": self = .logJSON
        case "api/v1/request-logs/:id": self = .entryJSON(path.id())
        case "api/v1/usage": self = .usageJSON
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .log: "/request-logs"
        case .entry(let id): "/request-logs/\(id)"
        case .usage: "/usage"
        case .logJSON: "/api/v1/request-logs"
        case .entryJSON(let id): "/api/v1/request-logs/\(id)"
        case .usageJSON: "/api/v1/usage"
        }
    }

    /// Reading only: nobody writes here by request.
    public var access: MethodAccess {
        switch self {
        case .log, .entry, .logJSON, .entryJSON: [.get: .right(.read(.requestLogs))]
        case .usage, .usageJSON: [.get: .right(.read(.usage))]
        }
    }

    /// One of each case.
    public static var samples: [RequestLogsRoute] {
        let id = Identifier<LoggedRequest>(.real)
        return [.log, .entry(id), .usage, .logJSON, .entryJSON(id), .usageJSON]
    }
}
