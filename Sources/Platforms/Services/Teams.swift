import ClientKit
import Domain
import HTTPKit
import JSONKit
import LogKit

/// Microsoft Graph: teams and channels of whoever signed in.
struct Teams: ChannelService {
    let token: Secret<String>
    /// The team that the configuration names; nil for all that the person has joined.
    let team: String?
    /// The application that the configuration names.
    let application: String?

    static let base = "https://graph.microsoft.com/v1.0"

    var credential: Secret<String> { token.reveal { Secret("Bearer \($0)") } }

    func identity(_ calls: PlatformCalls) throws(PlatformFailure) -> OwnIdentity {
        let body = try call(.get("\(Self.base)/me", credential), calls)
        guard let id = body["id"]?.text else { throw calls.nonsense() }
        return OwnIdentity(user: id, bot: nil, application: application)
    }

    func channels(_ calls: PlatformCalls, known: [String]) throws(PlatformFailure) -> [FoundChannel] {
        let teams: [String]
        if let team {
            teams = [team]
        } else {
            teams = try pages("\(Self.base)/me/joinedTeams", calls).compactMap { $0["id"]?.text }
        }
        var found: [FoundChannel] = []
        for team in teams where found.count <= ChannelStore.most {
            let listed = try pages("\(Self.base)/teams/\(Percent.encodeSegment(team))/channels", calls)
            found += listed.compactMap { channel in Self.channel(channel, team: team) }
        }
        return try found.distinct(calls.name)
    }

    private static func channel(_ json: JSON, team: String) -> FoundChannel? {
        FoundChannel(
            id: json["id"]?.text, name: json["displayName"]?.text, kind: json["membershipType"]?.text ?? "standard",
            topic: json["description"]?.text, serverID: team)
    }

    func post(
        _ text: String, to channel: ChannelRecord, _ id: Identifier<ChannelMessage>, _ calls: PlatformCalls
    ) throws(PlatformFailure) -> String {
        guard let team = channel.serverID else {
            throw PlatformFailure(.notConfigured, "The team of this channel is not known. Sync the channels.")
        }
        let path =
            "teams/\(Percent.encodeSegment(team))/channels/\(Percent.encodeSegment(channel.platformID))/messages"
        let body: JSON = ["body": ["contentType": "text", "content": .string(text)]]
        guard let made = try call(.post("\(Self.base)/\(path)", body, credential), calls)["id"]?.text else {
            throw calls.nonsense()
        }
        return made
    }

    /// All pages of a list. The next one's address is taken only where it leads to the same place.
    private func pages(_ first: String, _ calls: PlatformCalls) throws(PlatformFailure) -> [JSON] {
        var (found, next, paging): ([JSON], String?, Paging) = ([], first, Paging())
        while let url = next {
            try paging.next(calls.name)
            guard url.hasPrefix("https://graph.microsoft.com/") else { throw calls.nonsense() }
            let body = try call(.get(url, credential), calls)
            guard let page = body["value"]?.elements else { throw calls.nonsense() }
            found += page
            next = found.count <= ChannelStore.most ? body["@odata.nextLink"]?.text : nil
        }
        return found
    }

    func call(_ request: OutboundRequest, _ calls: PlatformCalls) throws(PlatformFailure) -> JSON {
        let answer = try calls.send(request) { _ in nil }
        guard answer.isSuccess else { throw calls.failure(answer, answer.body["error"]?["message"]?.text) }
        return answer.body
    }
}
