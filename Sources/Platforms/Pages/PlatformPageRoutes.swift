import AdminShell
import Domain
import HTTPKit

/// The pages of platform integrations; what scripts call is a ``PlatformRoute``.
public enum PlatformPageRoute: Route {
    /// All integrations, by workspace.
    case list
    /// The platforms to choose from.
    case choose
    /// The form that makes an integration.
    case create(String)
    /// One integration with its channels.
    case show(Identifier<PlatformIntegration>)
    /// The form that changes one.
    case edit(Identifier<PlatformIntegration>)
    /// The form that removes one.
    case remove(Identifier<PlatformIntegration>)
    /// Tries the configuration out.
    case test(Identifier<PlatformIntegration>)
    /// Fetches the channels.
    case sync(Identifier<PlatformIntegration>)
    /// Takes it into use.
    case enable(Identifier<PlatformIntegration>)
    /// Puts it aside.
    case disable(Identifier<PlatformIntegration>)
    /// Makes a key.
    case makeKey(Identifier<PlatformIntegration>)
    /// The form that gives it another address, or other secrets for what comes in.
    case rotate(Identifier<PlatformIntegration>)
    /// Ends the key.
    case revokeKey(Identifier<PlatformIntegration>)
    /// Adds a chat by its id.
    case addChannel(Identifier<PlatformIntegration>)
    /// Saves the settings of a channel.
    case settings(Identifier<PlatformChannel>)
    /// The form that posts to a channel.
    case post(Identifier<PlatformChannel>)

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "platforms": self = .list
        case "platforms/new": self = .choose
        case "platforms/:id": self = .show(path.id())
        case "platforms/:id/edit": self = .edit(path.id())
        case "platforms/:id/remove": self = .remove(path.id())
        case "platforms/:id/test": self = .test(path.id())
        case "platforms/:id/sync": self = .sync(path.id())
        case "platforms/:id/enable": self = .enable(path.id())
        case "platforms/:id/disable": self = .disable(path.id())
        case "platforms/:id/key": self = .makeKey(path.id())
        case "platforms/:id/key/revoke": self = .revokeKey(path.id())
        case "platforms/:id/rotate": self = .rotate(path.id())
        case "platforms/:id/channels": self = .addChannel(path.id())
        case "platforms/channels/:id": self = .settings(path.id())
        case "platforms/channels/:id/post": self = .post(path.id())
        default:
            guard path.segments.count == 3, path[0] == "platforms", path[1] == "new" else { return nil }
            self = .create(path[2])
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .list: "/platforms"
        case .choose: "/platforms/new"
        case .create(let key): "/platforms/new/\(Percent.encode(key))"
        case .show(let id): "/platforms/\(id)"
        case .edit(let id): "/platforms/\(id)/edit"
        case .remove(let id): "/platforms/\(id)/remove"
        case .test(let id): "/platforms/\(id)/test"
        case .sync(let id): "/platforms/\(id)/sync"
        case .enable(let id): "/platforms/\(id)/enable"
        case .disable(let id): "/platforms/\(id)/disable"
        case .makeKey(let id): "/platforms/\(id)/key"
        case .revokeKey(let id): "/platforms/\(id)/key/revoke"
        case .rotate(let id): "/platforms/\(id)/rotate"
        case .addChannel(let id): "/platforms/\(id)/channels"
        case .settings(let id): "/platforms/channels/\(id)"
        case .post(let id): "/platforms/channels/\(id)/post"
        }
    }

    /// Who may use the route, by method.
    public var access: MethodAccess {
        let (read, write) = (Access.right(.read(.connections)), Access.right(.write(.connections)))
        return switch self {
        case .list, .show: [.get: read]
        case .choose: [.get: write]
        case .create, .edit, .remove, .rotate: [.get: write, .post: write]
        case .test, .enable, .disable, .makeKey, .revokeKey: [.post: write]
        case .sync, .addChannel, .settings: [.post: .right(.write(.channels))]
        case .post: [.get: .right(.write(.messages)), .post: .right(.write(.messages))]
        }
    }

    /// Platforms go by the keys of their providers.
    public var parameter: PathParameter? {
        if case .create = self { PathParameter(2, "platform") } else { nil }
    }

    /// One of each case.
    public static var samples: [PlatformPageRoute] {
        let (id, channel) = (Identifier<PlatformIntegration>(.real), Identifier<PlatformChannel>(.real))
        return [
            .list, .choose, .create("slack"), .show(id), .edit(id), .remove(id), .test(id), .sync(id), .enable(id),
            .disable(id), .makeKey(id), .revokeKey(id), .rotate(id), .addChannel(id), .settings(channel),
            .post(channel),
        ]
    }
}

extension Platforms {
    /// The pages and who makes them.
    public var pageRoutes: RoomRoutes {
        RoomRoutes(PlatformPageRoute.self) { route, call in
            call.request.method == .post ? try perform(route, call) : try show(route, call)
        }
    }

    private func show(_ route: PlatformPageRoute, _ call: Call) throws -> Response {
        switch route {
        case .list: try listPage(call)
        case .choose: try choosePage(call)
        case .create(let key): try newPage(key, call)
        case .show(let id): try integrationPage(id, call)
        case .edit(let id): try editPage(id, call)
        case .remove(let id): try removePage(id, call)
        case .rotate(let id): try rotatePage(id, call)
        case .post(let id): try postPage(id, call)
        case .test, .sync, .enable, .disable, .makeKey, .revokeKey, .addChannel, .settings: throw Problem.notFound
        }
    }

    private func perform(_ route: PlatformPageRoute, _ call: Call) throws -> Response {
        switch route {
        case .create(let key): try createIntegration(key, call)
        case .edit(let id): try editIntegration(id, call)
        case .remove(let id): try removeIntegration(id, call)
        case .test(let id): try testIntegration(id, call)
        case .sync(let id): try syncIntegration(id, call)
        case .enable(let id): try setEnabled(true, id, call)
        case .disable(let id): try setEnabled(false, id, call)
        case .makeKey(let id): try makeKey(id, call)
        case .revokeKey(let id): try revokeKey(id, call)
        case .rotate(let id): try rotateIntegration(id, call)
        case .addChannel(let id): try addChannel(to: id, call)
        case .settings(let id): try saveSettings(id, call)
        case .post(let id): try postToChannel(id, call)
        case .list, .choose, .show: throw Problem.notFound
        }
    }
}
