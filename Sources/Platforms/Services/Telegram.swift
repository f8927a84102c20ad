import ClientKit
import Domain
import HTTPKit
import JSONKit
import LogKit

/// Telegram's Bot API, whose token stands in the address and which has no list of chats.
struct Telegram: ChatService {
    let token: Secret<String>

    /// A token of the Bot API; nil for a text that could lead elsewhere.
    init?(_ token: String) {
        guard token.wholeMatch(of: /[0-9]{1,20}:[A-Za-z0-9_-]{1,200}/) != nil else { return nil }
        self.token = Secret(token)
    }

    private func url(_ method: String) -> String { token.reveal { "https://api.telegram.org/bot\($0)/\(method)" } }

    func identity(_ calls: PlatformCalls) throws(PlatformFailure) -> OwnIdentity {
        let me = try call(.get(url("getMe"), nil), calls)
        guard let id = me["id"]?.wholeNumber else { throw calls.nonsense() }
        return OwnIdentity(user: String(id), bot: nil, application: nil)
    }

    /// Looks up each chat that was added before; one that is gone is left out.
    func channels(_ calls: PlatformCalls, known: [String]) throws(PlatformFailure) -> [FoundChannel] {
        var found: [FoundChannel] = []
        for id in known {
            if let channel = try channel(id, calls) { found.append(channel) }
        }
        return found
    }

    func channel(_ id: String, _ calls: PlatformCalls) throws(PlatformFailure) -> FoundChannel? {
        let chat: JSON
        do throws(PlatformFailure) {
            chat = try call(.get("\(url("getChat"))?\(Form([("chat_id", id)]).urlencoded)", nil), calls)
        } catch  where error.kind == .missing {
            return nil
        }
        let person = [chat["first_name"]?.text, chat["last_name"]?.text].compactMap(\.self).joined(separator: " ")
        return FoundChannel(
            id: chat["id"]?.wholeNumber.map { String($0) },
            name: chat["title"]?.text ?? chat["username"]?.text ?? (person.isEmpty ? nil : person),
            kind: chat["type"]?.text ?? "chat", topic: chat["description"]?.text ?? chat["bio"]?.text, serverID: nil)
    }

    func post(
        _ text: String, to channel: ChannelRecord, _ id: Identifier<ChannelMessage>, _ calls: PlatformCalls
    ) throws(PlatformFailure) -> String {
        let chat: JSON = Int64(channel.platformID).map { .integer($0) } ?? .string(channel.platformID)
        let made = try call(.post(url("sendMessage"), ["chat_id": chat, "text": .string(text)], nil), calls)
        guard let number = made["message_id"]?.wholeNumber else { throw calls.nonsense() }
        return String(number)
    }

    private func call(_ request: OutboundRequest, _ calls: PlatformCalls) throws(PlatformFailure) -> JSON {
        let answer = try calls.send(request) { answer in
            answer.body["parameters"]?["retry_after"]?.wholeNumber.map { .seconds(min(max($0, 0), 86_400)) }
        }
        let words = answer.body["description"]?.text
        guard answer.isSuccess, answer.body["ok"]?.truth == true, let result = answer.body["result"] else {
            // A token that is not known is 404 of the method, or 401; a chat that is not there is 400.
            if answer.status == 404 || answer.status == 401 {
                throw PlatformFailure(
                    .unauthorized, "Telegram refused these credentials (\(answer.status)).\(calls.said(words))")
            }
            if answer.status == 400, words?.contains("chat not found") == true {
                throw PlatformFailure(.missing, "Telegram has no such chat, or the bot is not in it.")
            }
            throw calls.failure(answer, words)
        }
        return result
    }
}
