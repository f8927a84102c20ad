import AdminShell
import Domain
import HTTPKit

/// The addresses of platform integrations, as seed 4 has them, and of what it leaves open.
public enum PlatformRoute: Route {
    /// All integrations, across the workspaces of the caller's organizations.
    case list
    /// One integration.
    case one(Identifier<PlatformIntegration>)
    /// Tries the configuration out.
    case test(Identifier<PlatformIntegration>)
    /// Fetches the channels.
    case sync(Identifier<PlatformIntegration>)
    /// The channels that were fetched; a chat is added here by its id.
    case channels(Identifier<PlatformIntegration>)
    /// The settings of a channel.
    case channel(Identifier<PlatformChannel>)
    /// Posts to a channel.
    case messages(Identifier<PlatformIntegration>, Identifier<PlatformChannel>)
    /// The key of an integration.
    case key(Identifier<PlatformIntegration>)
    /// Where its platform sends events to.
    case inbound(Identifier<PlatformIntegration>)
    /// Gives it another address, or other secrets for what comes in.
    case rotate(Identifier<PlatformIntegration>)

    private static let base = "/api/v2/platform-integrations"

    /// Reads a path; nil when it is none of these.
    public init?(_ path: Path) {
        switch path.pattern {
        case "api/v2/platform-integrations": self = .list
        case "api/v2/platform-integrations/:id": self = .one(path.id())
        case "api/v2/platform-integrations/:id/test": self = .test(path.id())
        case "api/v2/platform-integrations/:id/sync-channels": self = .sync(path.id())
        case "api/v2/platform-integrations/:id/channels": self = .channels(path.id())
        case "api/v2/platform-integrations/channels/:id": self = .channel(path.id())
        case "api/v2/platform-integrations/:id/channels/:id/messages": self = .messages(path.id(), path.id(1))
        case "api/v2/platform-integrations/:id/api-key": self = .key(path.id())
        case "api/v2/platform-integrations/:id/inbound": self = .inbound(path.id())
        case "api/v2/platform-integrations/:id/rotate": self = .rotate(path.id())
        default: return nil
        }
    }

    /// The path below the mount prefix.
    public var path: String {
        switch self {
        case .list: Self.base
        case .one(let id): "\(Self.base)/\(id)"
        case .test(let id): "\(Self.base)/\(id)/test"
        case .sync(let id): "\(Self.base)/\(id)/sync-channels"
        case .channels(let id): "\(Self.base)/\(id)/channels"
        case .channel(let id): "\(Self.base)/channels/\(id)"
        case .messages(let id, let channel): "\(Self.base)/\(id)/channels/\(channel)/messages"
        case .key(let id): "\(Self.base)/\(id)/api-key"
        case .inbound(let id): "\(Self.base)/\(id)/inbound"
        case .rotate(let id): "\(Self.base)/\(id)/rotate"
        }
    }

    /// Who may use the route, by method. The list tells whoever has come in of each organization where they may read.
    public var access: MethodAccess {
        let (read, write) = (Access.right(.read(.connections)), Access.right(.write(.connections)))
        let (readChannels, writeChannels) = (Access.right(.read(.channels)), Access.right(.write(.channels)))
        return switch self {
        case .list: [.get: .known, .post: write]
        case .one: [.get: read, .patch: write, .delete: write]
        case .test: [.post: write]
        case .sync: [.post: writeChannels]
        case .channels: [.get: readChannels, .post: writeChannels]
        case .channel: [.patch: writeChannels]
        case .messages: [.post: .right(.write(.messages))]
        case .key: [.post: write, .delete: write]
        case .inbound: [.get: read]
        case .rotate: [.post: write]
        }
    }

    /// Platform keys open their own integration here, and nothing elsewhere.
    public static var takesPlatformKeys: Bool { true }

    /// One of each case.
    public static var samples: [PlatformRoute] {
        let (id, channel) = (Identifier<PlatformIntegration>(.real), Identifier<PlatformChannel>(.real))
        return [
            .list, .one(id), .test(id), .sync(id), .channels(id), .channel(channel), .messages(id, channel), .key(id),
            .inbound(id), .rotate(id),
        ]
    }
}

extension Platforms {
    /// The routes and who performs them.
    public var routes: RoomRoutes {
        RoomRoutes(PlatformRoute.self) { route, call in try respond(route, call) }
    }

    private func respond(_ route: PlatformRoute, _ call: Call) throws -> Response {
        switch (route, call.request.method) {
        case (.list, .post): try postIntegration(call)
        case (.list, _): try listJSON(call)
        case (.one(let id), .patch): try patchIntegration(id, call)
        case (.one(let id), .delete): try deleteIntegration(id, call)
        case (.one(let id), _): try integrationJSON(id, call)
        case (.test(let id), _): try testJSON(id, call)
        case (.sync(let id), _): try syncJSON(id, call)
        case (.channels(let id), .post): try postChannel(id, call)
        case (.channels(let id), _): try channelsJSON(id, call)
        case (.channel(let id), _): try patchChannel(id, call)
        case (.messages(let id, let channel), _): try postMessage(to: channel, of: id, call)
        case (.key(let id), .delete): try deleteKey(id, call)
        case (.key(let id), _): try postKey(id, call)
        case (.inbound(let id), _): try inboundJSON(id, call)
        case (.rotate(let id), _): try postRotation(id, call)
        }
    }
}
