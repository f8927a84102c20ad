import ClientKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Discord's API v10, as a bot or as an application that somebody added to a server.
struct Discord: ChannelService {
    /// `Bot …` or `Bearer …`.
    let credential: Secret<String>
    /// The server that the configuration names; nil for all that the bot is in.
    let server: String?
    /// The application that the configuration names.
    let application: String?

    private static let base = "https://discord.com/api/v10"

    func identity(_ calls: PlatformCalls) throws(PlatformFailure) -> OwnIdentity {
        let body = try call(.get("\(Self.base)/users/@me", credential), calls)
        guard let id = body["id"]?.text else { throw calls.nonsense() }
        return OwnIdentity(user: id, bot: nil, application: application)
    }

    func channels(_ calls: PlatformCalls, known: [String]) throws(PlatformFailure) -> [FoundChannel] {
        var found: [FoundChannel] = []
        for server in try servers(calls) {
            let path = "guilds/\(Percent.encodeSegment(server))/channels"
            guard let listed = try call(.get("\(Self.base)/\(path)", credential), calls).elements else {
                throw calls.nonsense()
            }
            found += listed.compactMap { Self.channel($0, server: server) }
            guard found.count <= ChannelStore.most else { break }
        }
        return try found.distinct(calls.name)
    }

    /// The servers that the bot is in, 200 at a time.
    private func servers(_ calls: PlatformCalls) throws(PlatformFailure) -> [String] {
        if let server { return [server] }
        var (found, last, paging): ([String], String?, Paging) = ([], nil, Paging())
        while true {
            try paging.next(calls.name)
            let query = Form([("limit", "200")] + (last.map { [("after", $0)] } ?? [])).urlencoded
            let body = try call(.get("\(Self.base)/users/@me/guilds?\(query)", credential), calls)
            guard let page = body.elements?.compactMap({ $0["id"]?.text }) else { throw calls.nonsense() }
            found += page
            guard page.count >= 200, let end = page.last, end != last else { return found }
            last = end
        }
    }

    /// A category holds channels and is none.
    private static func channel(_ json: JSON, server: String) -> FoundChannel? {
        let kinds: [Int64: String] = [
            0: "text", 2: "voice", 5: "announcement", 13: "stage", 15: "forum", 16: "media",
        ]
        guard let number = json["type"]?.wholeNumber, number != 4 else { return nil }
        return FoundChannel(
            id: json["id"]?.text, name: json["name"]?.text, kind: kinds[number] ?? "other",
            topic: json["topic"]?.text, serverID: json["guild_id"]?.text ?? server)
    }

    /// Nobody is called by what a text happens to hold, and a repetition within minutes is the same message.
    func post(
        _ text: String, to channel: ChannelRecord, _ id: Identifier<ChannelMessage>, _ calls: PlatformCalls
    ) throws(PlatformFailure) -> String {
        let body: JSON = [
            "content": .string(text), "allowed_mentions": ["parse": []],
            // A nonce takes 25 characters.
            "nonce": .string(String(id.text.replacing("-", with: "").suffix(25))), "enforce_nonce": true,
        ]
        let path = "channels/\(Percent.encodeSegment(channel.platformID))/messages"
        guard let made = try call(.post("\(Self.base)/\(path)", body, credential), calls)["id"]?.text else {
            throw calls.nonsense()
        }
        return made
    }

    private func call(_ request: OutboundRequest, _ calls: PlatformCalls) throws(PlatformFailure) -> JSON {
        let answer = try calls.send(request) { answer in
            guard answer.status == 429 else { return nil }
            // The body knows it to the millisecond.
            switch answer.body["retry_after"] {
            case .number(let seconds)?: return .milliseconds(Int64(min(max(seconds, 0), 86_400) * 1_000))
            case .integer(let seconds)?: return .seconds(min(max(seconds, 0), 86_400))
            default: return nil
            }
        }
        guard answer.isSuccess else { throw calls.failure(answer, answer.body["message"]?.text) }
        spare(answer, calls)
        return answer.body
    }

    /// Waits for the next bucket when this one is used up, rather than being refused.
    private func spare(_ answer: PlatformCalls.Answer, _ calls: PlatformCalls) {
        guard answer.headers["x-ratelimit-remaining"] == "0",
            let pause = answer.headers["x-ratelimit-reset-after"].flatMap({ RetryAfter.wait($0, now: calls.now()) }),
            pause <= .seconds(5), ContinuousClock.now + pause < calls.deadline, answer.body.elements != nil
        else { return }
        calls.rest(pause)
    }
}
