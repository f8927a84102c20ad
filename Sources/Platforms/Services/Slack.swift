import ClientKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Slack's Web API: errors come with status 200 and `ok: false`.
struct Slack: ChannelService {
    let token: Secret<String>
    /// The team that the configuration names.
    let team: String?

    private static let base = "https://slack.com/api"

    private var credential: Secret<String> { token.reveal { Secret("Bearer \($0)") } }

    func identity(_ calls: PlatformCalls) throws(PlatformFailure) -> OwnIdentity {
        let body = try call(.post("\(Self.base)/auth.test", [:], credential), calls)
        return OwnIdentity(user: body["user_id"]?.text, bot: body["bot_id"]?.text, application: body["app_id"]?.text)
    }

    /// https://docs.slack.dev/reference/methods/conversations.list
    func channels(_ calls: PlatformCalls, known: [String]) throws(PlatformFailure) -> [FoundChannel] {
        var (found, cursor, paging): ([FoundChannel], String, Paging) = ([], "", Paging())
        repeat {
            try paging.next(calls.name)
            var query = [
                ("types", "public_channel,private_channel"), ("exclude_archived", "true"), ("limit", "200"),
            ]
            if !cursor.isEmpty { query.append(("cursor", cursor)) }
            let body = try call(.get("\(Self.base)/conversations.list?\(Form(query).urlencoded)", credential), calls)
            guard let listed = body["channels"]?.elements else { throw calls.nonsense() }
            found += listed.compactMap(channel)
            cursor = body["response_metadata"]?["next_cursor"]?.text ?? ""
        } while !cursor.isEmpty && found.count <= ChannelStore.most
        return try found.distinct(calls.name)
    }

    private func channel(_ json: JSON) -> FoundChannel? {
        FoundChannel(
            id: json["id"]?.text, name: json["name"]?.text,
            kind: json["is_private"]?.truth == true ? "private" : "public", topic: json["topic"]?["value"]?.text,
            serverID: json["context_team_id"]?.text ?? team)
    }

    func post(
        _ text: String, to channel: ChannelRecord, _ id: Identifier<ChannelMessage>, _ calls: PlatformCalls
    ) throws(PlatformFailure) -> String {
        let body = try call(
            .post(
                "\(Self.base)/chat.postMessage",
                ["channel": .string(channel.platformID), "text": .string(Self.escaped(text))], credential), calls)
        guard let stamp = body["ts"]?.text else { throw calls.nonsense() }
        return stamp
    }

    /// Text is text: `<!channel>` in it calls nobody.
    ///
    /// > Slack uses three characters as control characters: &, <, and >.     docs.slack.dev, Formatting message text
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private func call(_ request: OutboundRequest, _ calls: PlatformCalls) throws(PlatformFailure) -> JSON {
        let answer = try calls.send(request) { answer in
            guard answer.body["error"]?.text == "ratelimited" else { return nil }
            return answer.headers["retry-after"].flatMap { RetryAfter.wait($0, now: calls.now()) } ?? .seconds(1)
        }
        guard answer.isSuccess else { throw calls.failure(answer, answer.body["error"]?.text) }
        guard answer.body["ok"]?.truth == true else {
            let code = answer.body["error"]?.text ?? "no reason"
            let kind: PlatformFailure.Kind =
                Self.refusals.contains(code) ? .unauthorized : code == "channel_not_found" ? .missing : .refused
            throw PlatformFailure(
                kind,
                kind == .unauthorized
                    ? "Slack refused these credentials.\(calls.said(code))" : "Slack refused this.\(calls.said(code))")
        }
        return answer.body
    }

    private static let refusals: Set<String> = [
        "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "missing_scope",
    ]
}
