import AdminShell
import Domain
import HTTPKit

/// The addresses of webhooks, events and deliveries.
public enum WebhookRoute: Route {
    /// All webhooks, for scripts.
    case listJSON
    /// One webhook.
    case json(Identifier<Webhook>)
    /// Sends an event of a test there, now.
    case testJSON(Identifier<Webhook>)
    /// Gives it another secret.
    case rollJSON(Identifier<Webhook>)
    /// What was sent there, and what is to be.
    case deliveriesJSON(Identifier<Webhook>)
    /// How it does, in figures.
    case statsJSON(Identifier<Webhook>)
    /// Sends again what matches.
    case replayJSON(Identifier<Webhook>)
    /// How far sending again is.
    case replayStatusJSON(Identifier<Replay>)
    /// One delivery with its attempts.
    case deliveryJSON(Identifier<Delivery>)
    /// Sends one again.
    case retryJSON(Identifier<Delivery>)
    /// Events: taking one, and those that were taken.
    case eventsJSON
    /// Takes many events.
    case batchJSON
    /// One event with its deliveries.
    case eventJSON(Identifier<Event>)
    /// The kinds of events there are.
    case typesJSON
    /// One kind of event.
    case typeJSON(String)

    /// Reads a path; nil when it is none of this room's.
    public init?(_ path: Path) {
        switch path.pattern {
        case "api/v1/webhooks": self = .listJSON
        case "api/v1/webhooks/:id": self = .json(path.id())
        case "api/v1/webhooks/:id/test": self = .testJSON(path.id())
        case "api/v1/webhooks/:id/roll-secret": self = .rollJSON(path.id())
        case "api/v1/webhooks/:id/deliveries": self = .deliveriesJSON(path.id())
        case "api/v1/webhooks/:id/stats": self = .statsJSON(path.id())
        case "api/v1/webhooks/:id/replay": self = .replayJSON(path.id())
        case "api/v1/replays/:id": self = .replayStatusJSON(path.id())
        case "api/v1/deliveries/:id": self = .deliveryJSON(path.id())
        case "api/v1/deliveries/:id/retry": self = .retryJSON(path.id())
        case "api/v1/events": self = .eventsJSON
        case "api/v1/events/batch": self = .batchJSON
        case "api/v1/events/:id": self = .eventJSON(path.id())
        case "api/v1/event-types": self = .typesJSON
        default:
            guard path.segments.count == 4, path.segments.starts(with: ["api", "v1", "event-types"]) else { return nil }
            self = .typeJSON(path[3])
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .listJSON: "/api/v1/webhooks"
        case .json(let id): "/api/v1/webhooks/\(id)"
        case .testJSON(let id): "/api/v1/webhooks/\(id)/test"
        case .rollJSON(let id): "/api/v1/webhooks/\(id)/roll-secret"
        case .deliveriesJSON(let id): "/api/v1/webhooks/\(id)/deliveries"
        case .statsJSON(let id): "/api/v1/webhooks/\(id)/stats"
        case .replayJSON(let id): "/api/v1/webhooks/\(id)/replay"
        case .replayStatusJSON(let id): "/api/v1/replays/\(id)"
        case .deliveryJSON(let id): "/api/v1/deliveries/\(id)"
        case .retryJSON(let id): "/api/v1/deliveries/\(id)/retry"
        case .eventsJSON: "/api/v1/events"
        case .batchJSON: "/api/v1/events/batch"
        case .eventJSON(let id): "/api/v1/events/\(id)"
        case .typesJSON: "/api/v1/event-types"
        case .typeJSON(let name): "/api/v1/event-types/\(Percent.encode(name))"
        }
    }

    /// Kinds of events go by their names.
    public var parameter: PathParameter? {
        if case .typeJSON = self { PathParameter(3, "name") } else { nil }
    }

    /// Who may use the route, by method.
    public var access: MethodAccess {
        let (read, write) = (Access.right(.read(.webhooks)), Access.right(.write(.webhooks)))
        let (readEvents, writeEvents) = (Access.right(.read(.events)), Access.right(.write(.events)))
        return switch self {
        case .listJSON: [.get: read, .post: write]
        case .json: [.get: read, .patch: write, .delete: write]
        case .testJSON, .rollJSON, .replayJSON, .retryJSON: [.post: write]
        case .statsJSON, .deliveriesJSON, .deliveryJSON, .replayStatusJSON: [.get: read]
        case .eventsJSON: [.get: readEvents, .post: writeEvents]
        case .batchJSON: [.post: writeEvents]
        case .eventJSON: [.get: readEvents]
        case .typesJSON: [.get: readEvents, .post: writeEvents]
        case .typeJSON: [.get: readEvents, .patch: writeEvents, .delete: writeEvents]
        }
    }

    /// One of each case.
    public static var samples: [WebhookRoute] {
        let webhook = Identifier<Webhook>(.real)
        let delivery = Identifier<Delivery>(.real)
        return [
            .listJSON, .json(webhook), .testJSON(webhook), .rollJSON(webhook), .deliveriesJSON(webhook),
            .statsJSON(webhook),
            .replayJSON(webhook), .replayStatusJSON(Identifier<Replay>(.real)), .deliveryJSON(delivery),
            .retryJSON(delivery), .eventsJSON, .batchJSON, .eventJSON(Identifier<Event>(.real)), .typesJSON,
            .typeJSON("user.created"),
        ]
    }
}

extension Webhooks {
    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(WebhookRoute.self) { route, call in try respond(route, call) }
    }

    private func respond(_ route: WebhookRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.listJSON, .post): try postWebhook(call)
        case (.listJSON, _): try listJSON(call)
        case (.json(let id), .patch): try patchWebhook(id, call)
        case (.json(let id), .delete): try deleteWebhook(id, call)
        case (.json(let id), _): try webhookJSON(id, call)
        case (.testJSON(let id), _): try testJSON(id, call)
        case (.rollJSON(let id), _): try rollJSON(id, call)
        case (.deliveriesJSON(let id), _): try deliveriesJSON(id, call)
        case (.statsJSON(let id), _): try statsJSON(id, call)
        case (.replayJSON(let id), _): try replayJSON(id, call)
        case (.replayStatusJSON(let id), _): try replayStatusJSON(id, call)
        case (.deliveryJSON(let id), _): try deliveryJSON(id, call)
        case (.retryJSON(let id), _): try retryJSON(id, call)
        case (.eventsJSON, .post): try postEvent(call)
        case (.eventsJSON, _): try eventsJSON(call)
        case (.batchJSON, _): try postEvents(call)
        case (.eventJSON(let id), _): try eventJSON(id, call)
        case (.typesJSON, .post): try postType(call)
        case (.typesJSON, _): try typesJSON(call)
        case (.typeJSON(let name), .patch): try patchType(name, call)
        case (.typeJSON(let name), .delete): try deleteType(name, call)
        case (.typeJSON(let name), _): try typeJSON(name, call)
        }
    }
}
