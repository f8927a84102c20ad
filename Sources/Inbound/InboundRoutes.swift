import AdminShell
import Domain
import HTTPKit

/// The addresses that other services and scripts call; pages are an ``InboundPageRoute``.
public enum InboundRoute: Route {
    /// Where a service sends its webhooks to.
    case receive(Identifier<InboundAddress>)
    /// All sources.
    case sources
    /// One source.
    case source(Identifier<InboundSource>)
    /// Gives it another secret.
    case rotateSecret(Identifier<InboundSource>)
    /// Gives it another address.
    case rotateAddress(Identifier<InboundSource>)
    /// The token that a service has sent by itself, once.
    case token(Identifier<InboundSource>)
    /// The latest requests that it refused.
    case refusals(Identifier<InboundSource>)
    /// One of them.
    case refusal(Identifier<InboundRefusal>)
    /// Says why a request is refused, and how close it was.
    case debug(Identifier<InboundSource>)
    /// What came in.
    case events
    /// One event that came in.
    case event(Identifier<InboundEvent>)
    /// Publishes one again.
    case replay(Identifier<InboundEvent>)
    /// Publishes again what matches.
    case replayAll

    /// Reads a path; nil when it is none of this room's.
    public init?(_ path: Path) {
        switch path.pattern {
        case "inbound/:id": self = .receive(path.id())
        case "api/v1/inbound-sources": self = .sources
        case "api/v1/inbound-sources/:id": self = .source(path.id())
        case "api/v1/inbound-sources/:id/rotate-secret": self = .rotateSecret(path.id())
        case "api/v1/inbound-sources/:id/rotate-address": self = .rotateAddress(path.id())
        case "api/v1/inbound-sources/:id/verification-token": self = .token(path.id())
        case "api/v1/inbound-sources/:id/refusals": self = .refusals(path.id())
        case "api/v1/inbound-sources/:id/debug": self = .debug(path.id())
        case "api/v1/inbound-refusals/:id": self = .refusal(path.id())
        case "api/v1/inbound-events": self = .events
        case "api/v1/inbound-events/replay": self = .replayAll
        case "api/v1/inbound-events/:id": self = .event(path.id())
        case "api/v1/inbound-events/:id/replay": self = .replay(path.id())
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .receive(let id): "/inbound/\(id)"
        case .sources: "/api/v1/inbound-sources"
        case .source(let id): "/api/v1/inbound-sources/\(id)"
        case .rotateSecret(let id): "/api/v1/inbound-sources/\(id)/rotate-secret"
        case .rotateAddress(let id): "/api/v1/inbound-sources/\(id)/rotate-address"
        case .token(let id): "/api/v1/inbound-sources/\(id)/verification-token"
        case .refusals(let id): "/api/v1/inbound-sources/\(id)/refusals"
        case .debug(let id): "/api/v1/inbound-sources/\(id)/debug"
        case .refusal(let id): "/api/v1/inbound-refusals/\(id)"
        case .events: "/api/v1/inbound-events"
        case .event(let id): "/api/v1/inbound-events/\(id)"
        case .replay(let id): "/api/v1/inbound-events/\(id)/replay"
        case .replayAll: "/api/v1/inbound-events/replay"
        }
    }

    /// Who may use the route, by method: whoever sends to an address proves who they are by what they send.
    public var access: MethodAccess {
        let (read, write) = (Access.right(.read(.webhooks)), Access.right(.write(.webhooks)))
        return switch self {
        case .receive: [.get: .open, .post: .open]
        case .sources: [.get: read, .post: write]
        case .source: [.get: read, .patch: write, .delete: write]
        case .rotateSecret, .rotateAddress, .token, .debug: [.post: write]
        case .refusals: [.get: read]
        case .refusal: [.get: write]
        case .events, .event: [.get: .right(.read(.events))]
        case .replay, .replayAll: [.post: .right(.write(.events))]
        }
    }

    /// One of each case.
    public static var samples: [InboundRoute] {
        let (source, event) = (Identifier<InboundSource>(.real), Identifier<InboundEvent>(.real))
        return [
            .receive(Identifier(.real)), .sources, .source(source), .rotateSecret(source), .rotateAddress(source),
            .token(source), .refusals(source), .refusal(Identifier(.real)), .debug(source), .events, .event(event),
            .replay(event), .replayAll,
        ]
    }
}

extension Inbound {
    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(InboundRoute.self) { route, call in try respond(route, call) }
    }

    private func respond(_ route: InboundRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.receive(let address), .post): try receive(address, call)
        case (.receive(let address), _): try challenge(address, call)
        case (.sources, .post): try postSource(call)
        case (.sources, _): try listSources(call)
        case (.source(let id), .patch): try patchSource(id, call)
        case (.source(let id), .delete): try deleteSource(id, call)
        case (.source(let id), _): try sourceJSON(id, call)
        case (.rotateSecret(let id), _): try rotateSecretJSON(id, call)
        case (.rotateAddress(let id), _): try rotateAddressJSON(id, call)
        case (.token(let id), _): try tokenJSON(id, call)
        case (.refusals(let id), _): try refusalsJSON(id, call)
        case (.refusal(let id), _): try refusalJSON(id, call)
        case (.debug(let id), _): try debugJSON(id, call)
        case (.events, _): try eventsJSON(call)
        case (.event(let id), _): try eventJSON(id, call)
        case (.replay(let id), _): try replayJSON(id, call)
        case (.replayAll, _): try replayAllJSON(call)
        }
    }
}
