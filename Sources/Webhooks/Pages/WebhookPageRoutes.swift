import AdminShell
import Domain
import HTTPKit

/// The pages of webhooks, deliveries and events; what scripts call is a ``WebhookRoute``.
public enum WebhookPageRoute: Route {
    /// All webhooks.
    case list
    /// The form that makes one.
    case create
    /// One webhook.
    case show(Identifier<Webhook>)
    /// The form that changes one.
    case edit(Identifier<Webhook>)
    /// The form that gives one another secret.
    case roll(Identifier<Webhook>)
    /// The form that removes one.
    case remove(Identifier<Webhook>)
    /// How its receiver checks what comes.
    case verify(Identifier<Webhook>)
    /// Sends an event of a test there.
    case test(Identifier<Webhook>)
    /// Keeps what would be sent.
    case pause(Identifier<Webhook>)
    /// Goes on sending.
    case resume(Identifier<Webhook>)
    /// Sends again what matches, counted beforehand.
    case replay(Identifier<Webhook>)
    /// How far sending again is.
    case replayStatus(Identifier<Replay>)
    /// One delivery with its attempts.
    case delivery(Identifier<Delivery>)
    /// Sends one again.
    case retry(Identifier<Delivery>)
    /// What was published.
    case events
    /// The form that publishes an event.
    case publish
    /// One event with its deliveries.
    case event(Identifier<Event>)
    /// The kinds of events there are.
    case types
    /// The form that describes another kind.
    case newType
    /// One kind of event.
    case type(String)
    /// The form that changes the description of a kind.
    case editType(String)
    /// The form that forgets it.
    case removeType(String)

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "webhooks": self = .list
        case "webhooks/new": self = .create
        case "webhooks/:id": self = .show(path.id())
        case "webhooks/:id/edit": self = .edit(path.id())
        case "webhooks/:id/roll": self = .roll(path.id())
        case "webhooks/:id/remove": self = .remove(path.id())
        case "webhooks/:id/verify": self = .verify(path.id())
        case "webhooks/:id/test": self = .test(path.id())
        case "webhooks/:id/pause": self = .pause(path.id())
        case "webhooks/:id/resume": self = .resume(path.id())
        case "webhooks/:id/replay": self = .replay(path.id())
        case "replays/:id": self = .replayStatus(path.id())
        case "deliveries/:id": self = .delivery(path.id())
        case "deliveries/:id/retry": self = .retry(path.id())
        case "events": self = .events
        case "events/new": self = .publish
        case "events/:id": self = .event(path.id())
        case "event-types": self = .types
        // No kind has a hyphen in its name.
        case "event-types/new-type": self = .newType
        default:
            guard (2...3).contains(path.segments.count), path[0] == "event-types" else { return nil }
            switch path.segments.count == 3 ? path[2] : "" {
            case "": self = .type(path[1])
            case "edit": self = .editType(path[1])
            case "remove": self = .removeType(path[1])
            default: return nil
            }
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .list: "/webhooks"
        case .create: "/webhooks/new"
        case .show(let id): "/webhooks/\(id)"
        case .edit(let id): "/webhooks/\(id)/edit"
        case .roll(let id): "/webhooks/\(id)/roll"
        case .remove(let id): "/webhooks/\(id)/remove"
        case .verify(let id): "/webhooks/\(id)/verify"
        case .test(let id): "/webhooks/\(id)/test"
        case .pause(let id): "/webhooks/\(id)/pause"
        case .resume(let id): "/webhooks/\(id)/resume"
        case .replay(let id): "/webhooks/\(id)/replay"
        case .replayStatus(let id): "/replays/\(id)"
        case .delivery(let id): "/deliveries/\(id)"
        case .retry(let id): "/deliveries/\(id)/retry"
        case .events: "/events"
        case .publish: "/events/new"
        case .event(let id): "/events/\(id)"
        case .types: "/event-types"
        case .newType: "/event-types/new-type"
        case .type(let name): "/event-types/\(Percent.encode(name))"
        case .editType(let name): "/event-types/\(Percent.encode(name))/edit"
        case .removeType(let name): "/event-types/\(Percent.encode(name))/remove"
        }
    }

    /// Who may use the route, by method.
    public var access: MethodAccess {
        let (read, write) = (Access.right(.read(.webhooks)), Access.right(.write(.webhooks)))
        let (readEvents, writeEvents) = (Access.right(.read(.events)), Access.right(.write(.events)))
        return switch self {
        case .list, .show, .verify, .replayStatus, .delivery: [.get: read]
        case .create, .edit, .roll, .remove, .replay: [.get: write, .post: write]
        case .test, .pause, .resume, .retry: [.post: write]
        case .events, .event, .types, .type: [.get: readEvents]
        case .publish, .newType, .editType, .removeType: [.get: writeEvents, .post: writeEvents]
        }
    }

    /// The name of a kind of event.
    public var parameter: PathParameter? {
        switch self {
        case .type, .editType, .removeType: PathParameter(1, "name")
        default: nil
        }
    }

    /// One of each case.
    public static var samples: [WebhookPageRoute] {
        let (id, delivery) = (Identifier<Webhook>(.real), Identifier<Delivery>(.real))
        return [
            .list, .create, .show(id), .edit(id), .roll(id), .remove(id), .verify(id), .test(id), .pause(id),
            .resume(id), .replay(id), .replayStatus(Identifier(.real)), .delivery(delivery), .retry(delivery), .events,
            .publish, .event(Identifier(.real)), .types, .newType, .type("custom.sample"), .editType("custom.sample"),
            .removeType("custom.sample"),
        ]
    }
}

extension Webhooks {
    /// The pages and who makes them.
    public var pageRoutes: RoomRoutes {
        RoomRoutes(WebhookPageRoute.self) { route, call in
            call.request.method == .post ? try perform(route, call) : try show(route, call)
        }
    }

    private func show(_ route: WebhookPageRoute, _ call: Call) throws -> Response {
        switch route {
        case .list: try listPage(call)
        case .create: try newPage(call)
        case .show(let id): try webhookPage(id, call)
        case .edit(let id): try editPage(id, call)
        case .roll(let id): try rollPage(id, call)
        case .remove(let id): try removePage(id, call)
        case .verify(let id): try verifyPage(id, call)
        case .replay(let id): try replayPage(id, call)
        case .replayStatus(let id): try replayStatusPage(id, call)
        case .delivery(let id): try deliveryPage(id, call)
        case .events: try eventsPage(call)
        case .publish: try publishPage(call)
        case .event(let id): try eventPage(id, call)
        case .types: try typesPage(call)
        case .newType: try newTypePage(call)
        case .type(let name): try typePage(name, call)
        case .editType(let name): try editTypePage(name, call)
        case .removeType(let name): try removeTypePage(name, call)
        case .test, .pause, .resume, .retry: throw Problem.notFound
        }
    }

    private func perform(_ route: WebhookPageRoute, _ call: Call) throws -> Response {
        switch route {
        case .create: try createWebhook(call)
        case .edit(let id): try editWebhook(id, call)
        case .roll(let id): try rollSecret(id, call)
        case .remove(let id): try removeWebhook(id, call)
        case .test(let id): try testWebhook(id, call)
        case .pause(let id): try change(id, isActive: false, call)
        case .resume(let id): try change(id, isActive: true, call)
        case .replay(let id): try beginReplay(id, call)
        case .retry(let id): try retryDelivery(id, call)
        case .publish: try publishEvent(call)
        case .newType: try createType(call)
        case .editType(let name): try editType(name, call)
        case .removeType(let name): try removeType(name, call)
        case .list, .show, .verify, .replayStatus, .delivery, .events, .event, .types, .type:
            throw Problem.notFound
        }
    }
}
