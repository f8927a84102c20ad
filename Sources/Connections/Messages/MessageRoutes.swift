import AdminShell
import Domain
import HTTPKit

/// The addresses of what is sent over connections.
public enum MessageRoute: Route {
    /// What was sent over a connection, and the form that sends more.
    case page(Identifier<Connection>)
    /// The form for an event of a calendar.
    case eventPage(Identifier<Connection>)
    case listJSON(ConnectionName)
    case eventsJSON(ConnectionName)
    case json(Identifier<OutgoingMessage>)

    /// The route at a path; nil when there is none of these there.
    public init?(_ path: Path) {
        switch path.pattern {
        case "connections/:id/messages": self = .page(path.id())
        case "connections/:id/calendar-events": self = .eventPage(path.id())
        case "api/v1/messages/:id": self = .json(path.id())
        default:
            guard path.segments.starts(with: ["api", "v1", "connections"]), path.segments.count == 5 else { return nil }
            switch path[4] {
            case "messages": self = .listJSON(ConnectionName(path[3]))
            case "calendar-events": self = .eventsJSON(ConnectionName(path[3]))
            default: return nil
            }
        }
    }

    /// The path below the mount.
    public var path: String {
        switch self {
        case .page(let id): "/connections/\(id)/messages"
        case .eventPage(let id): "/connections/\(id)/calendar-events"
        case .listJSON(let name): "/api/v1/connections/\(name)/messages"
        case .eventsJSON(let name): "/api/v1/connections/\(name)/calendar-events"
        case .json(let id): "/api/v1/messages/\(id)"
        }
    }

    /// Scripts may call connections by their names.
    public var parameter: PathParameter? {
        switch self {
        case .listJSON, .eventsJSON: PathParameter(3, "id")
        case .page, .eventPage, .json: nil
        }
    }

    /// Who may do what here.
    public var access: MethodAccess {
        let (read, write) = (Access.right(.read(.messages)), Access.right(.write(.messages)))
        return switch self {
        case .page, .eventPage, .listJSON: [.get: read, .post: write]
        case .eventsJSON: [.post: write]
        case .json: [.get: read]
        }
    }

    /// One route of each kind.
    public static var samples: [MessageRoute] {
        let id = Identifier<Connection>(.real)
        let name = ConnectionName(id.text)
        return [
            .page(id), .eventPage(id), .listJSON(name), .eventsJSON(name), .json(Identifier<OutgoingMessage>(.real)),
        ]
    }
}

extension Connections {
    /// The routes of messages and who performs them.
    public var messageRoutes: RoomRoutes {
        RoomRoutes(MessageRoute.self) { route, call in try respond(route, call) }
    }

    private func respond(_ route: MessageRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.page(let id), .post): try sendFromPage(.messages, id, call)
        case (.page(let id), _): try messagesPage(.messages, id, call)
        case (.eventPage(let id), .post): try sendFromPage(.calendar, id, call)
        case (.eventPage(let id), _): try messagesPage(.calendar, id, call)
        case (.listJSON(let name), .post): try postJSON(.messages, name, call)
        case (.listJSON(let name), _): try messagesJSON(name, call)
        case (.eventsJSON(let name), _): try postJSON(.calendar, name, call)
        case (.json(let id), _): try messageJSON(id, call)
        }
    }
}
