import Domain
import LogKit

/// A platform's interface, with the credentials of one integration.
protocol ChannelService: Sendable {
    /// As whom the platform knows the hub: its cheapest read.
    func identity(_ calls: PlatformCalls) throws(PlatformFailure) -> OwnIdentity
    /// Every channel that the hub can see there; `known` are the ids of those that stand here already.
    func channels(_ calls: PlatformCalls, known: [String]) throws(PlatformFailure) -> [FoundChannel]
    /// Posts a text and gives the platform's id of the message.
    func post(
        _ text: String, to channel: ChannelRecord, _ id: Identifier<ChannelMessage>, _ calls: PlatformCalls
    ) throws(PlatformFailure) -> String
}

/// The interface of a platform that has no list of channels.
protocol ChatService: ChannelService {
    /// One channel by its id; nil for one that does not exist.
    func channel(_ id: String, _ calls: PlatformCalls) throws(PlatformFailure) -> FoundChannel?
}

extension ChannelPlatform.Kind {
    /// Whether channels are added by their ids, since the platform has no list of them.
    var hasNoList: Bool { self == .telegram }

    /// How many code points a message may have.
    var longestText: Int {
        switch self {
        case .discord: 2_000
        case .slack: 12_000
        case .microsoftTeams: 20_000
        case .telegram: 4_096
        }
    }
}

/// Collects pages until there are no more, or more than anybody reads.
struct Paging {
    /// How many pages are asked for at most.
    static let mostPages = 200
    private var pages = 0

    /// Notes that another page is asked for.
    mutating func next(_ name: String) throws(PlatformFailure) {
        pages += 1
        guard pages <= Self.mostPages else {
            throw PlatformFailure(.refused, "\(name) goes on giving pages after \(Self.mostPages) of them.")
        }
    }
}

extension Array<FoundChannel> {
    /// The channels once each, refused when there are more than are kept.
    func distinct(_ name: String) throws(PlatformFailure) -> [FoundChannel] {
        var seen: Set<String> = []
        let once = filter { seen.insert($0.id).inserted }
        guard once.count <= ChannelStore.most else {
            throw PlatformFailure(.refused, "\(name) has more than \(ChannelStore.most) channels.")
        }
        return once
    }
}
