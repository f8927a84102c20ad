import AdminShell
import Domain
import HTTPKit

/// The pages of what comes in; what services and scripts call is an ``InboundRoute``.
public enum InboundPageRoute: Route {
    /// All sources.
    case sources
    /// The service of a new source, then its form.
    case newSource
    /// One source with what it brought and what it refused.
    case source(Identifier<InboundSource>)
    /// The form that changes one.
    case edit(Identifier<InboundSource>)
    /// The form that gives one another secret.
    case rotateSecret(Identifier<InboundSource>)
    /// The form that gives one another address.
    case rotateAddress(Identifier<InboundSource>)
    /// Shows the token that a service has sent.
    case token(Identifier<InboundSource>)
    /// The form that removes one.
    case remove(Identifier<InboundSource>)
    /// Says why a request that is pasted is refused.
    case debug(Identifier<InboundSource>)
    /// Says why a request that is kept was refused.
    case refusal(Identifier<InboundRefusal>)
    /// What came in.
    case events
    /// One event that came in.
    case event(Identifier<InboundEvent>)
    /// Publishes one again.
    case replay(Identifier<InboundEvent>)
    /// The form that publishes many again.
    case replayAll

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "inbound-sources": self = .sources
        case "inbound-sources/new": self = .newSource
        case "inbound-sources/:id": self = .source(path.id())
        case "inbound-sources/:id/edit": self = .edit(path.id())
        case "inbound-sources/:id/secret": self = .rotateSecret(path.id())
        case "inbound-sources/:id/address": self = .rotateAddress(path.id())
        case "inbound-sources/:id/token": self = .token(path.id())
        case "inbound-sources/:id/remove": self = .remove(path.id())
        case "inbound-sources/:id/debug": self = .debug(path.id())
        case "inbound-refusals/:id": self = .refusal(path.id())
        case "inbound-events": self = .events
        case "inbound-events/replay": self = .replayAll
        case "inbound-events/:id": self = .event(path.id())
        case "inbound-events/:id/replay": self = .replay(path.id())
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .sources: "/inbound-sources"
        case .newSource: "/inbound-sources/new"
        case .source(let id): "/inbound-sources/\(id)"
        case .edit(let id): "/inbound-sources/\(id)/edit"
        case .rotateSecret(let id): "/inbound-sources/\(id)/secret"
        case .rotateAddress(let id): "/inbound-sources/\(id)/address"
        case .token(let id): "/inbound-sources/\(id)/token"
        case .remove(let id): "/inbound-sources/\(id)/remove"
        case .debug(let id): "/inbound-sources/\(id)/debug"
        case .refusal(let id): "/inbound-refusals/\(id)"
        case .events: "/inbound-events"
        case .event(let id): "/inbound-events/\(id)"
        case .replay(let id): "/inbound-events/\(id)/replay"
        case .replayAll: "/inbound-events/replay"
        }
    }

    /// Who may use the route, by method.
    public var access: MethodAccess {
        let (read, write) = (Access.right(.read(.webhooks)), Access.right(.write(.webhooks)))
        let (readEvents, writeEvents) = (Access.right(.read(.events)), Access.right(.write(.events)))
        return switch self {
        case .sources, .source: [.get: read]
        case .newSource, .edit, .rotateSecret, .rotateAddress, .remove, .debug: [.get: write, .post: write]
        case .token: [.post: write]
        case .refusal: [.get: write]
        case .events, .event: [.get: readEvents]
        case .replay: [.post: writeEvents]
        case .replayAll: [.get: writeEvents, .post: writeEvents]
        }
    }

    /// One of each case.
    public static var samples: [InboundPageRoute] {
        let (id, event) = (Identifier<InboundSource>(.real), Identifier<InboundEvent>(.real))
        return [
            .sources, .newSource, .source(id), .edit(id), .rotateSecret(id), .rotateAddress(id), .token(id),
            .remove(id), .debug(id), .refusal(Identifier(.real)), .events, .event(event), .replay(event), .replayAll,
        ]
    }
}

extension Inbound {
    /// The pages and who makes them.
    public var pageRoutes: RoomRoutes {
        RoomRoutes(InboundPageRoute.self) { route, call in
            call.request.method == .post ? try perform(route, call) : try show(route, call)
        }
    }

    private func show(_ route: InboundPageRoute, _ call: Call) throws -> Response {
        switch route {
        case .sources: try sourcesPage(call)
        case .newSource: try newSourcePage(call)
        case .source(let id): try sourcePage(id, call)
        case .edit(let id): try editPage(id, call)
        case .rotateSecret(let id): try rotatePage(id, .secret, call)
        case .rotateAddress(let id): try rotatePage(id, .address, call)
        case .remove(let id): try removePage(id, call)
        case .debug(let id): try debugPage(id, call)
        case .refusal(let id): try refusalPage(id, call)
        case .events: try eventsPage(call)
        case .event(let id): try eventPage(id, call)
        case .replayAll: try replayPage(call)
        case .token, .replay: throw Problem.notFound
        }
    }

    private func perform(_ route: InboundPageRoute, _ call: Call) throws -> Response {
        switch route {
        case .newSource: try createSource(call)
        case .edit(let id): try editSource(id, call)
        case .rotateSecret(let id): try rotate(secretOf: id, call)
        case .rotateAddress(let id): try rotate(addressOf: id, call)
        case .token(let id): try showToken(id, call)
        case .remove(let id): try removeSource(id, call)
        case .debug(let id): try debugPasted(id, call)
        case .replay(let id): try replayEvent(id, call)
        case .replayAll: try replayEvents(call)
        case .sources, .source, .refusal, .events, .event: throw Problem.notFound
        }
    }
}
