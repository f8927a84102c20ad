import CipherKit
import ClientKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Discord: a bot's message in a channel, or an incoming webhook.
///
/// A bot's message carries a nonce that Discord enforces for some minutes; webhooks know no key of repetition.
struct DiscordChat: MessageChannel {
    private enum Way: Sendable {
        case bot(token: String)
        case webhook(OutboundURL)
    }

    private let way: Way

    /// A bot where there is one, else the webhook.
    init(_ provider: Provider, _ values: [String: String]) throws(DeliveryFailure) {
        if let token = values["bot_token"] {
            way = .bot(token: token)
        } else {
            way = .webhook(try provider.ownAddress(values["webhook_url"] ?? ""))
        }
    }

    static func rules(_ values: [String: String]) -> MessageRules {
        let channel = MessageRules.Recipient(
            label: "Channel", isValid: { $0.wholeMatch(of: /[0-9]{15,21}/) != nil },
            refusal: "A channel is its id, 17 to 20 digits: right-click it in Discord, then “Copy channel ID”.",
            defaults: ["channel_id"])
        return MessageRules(values["bot_token"] == nil ? nil : channel, text: .characters(2_000))
    }

    func request(_ message: Message, _ id: MessageID) -> OutboundRequest {
        // Text is text: @everyone in it calls nobody.
        var body: [JSON.Member] = [.init("content", .string(message.text)), .init("allowed_mentions", ["parse": []])]
        switch way {
        case .bot(let token):
            body += [.init("nonce", .string(Self.nonce(id))), .init("enforce_nonce", true)]
            let channel = Percent.encodeSegment(message.to ?? "")
            var request = OutboundRequest.json(
                "https://discord.com/api/v10/channels/\(channel)/messages", .object(body))
            request.addHeader("Authorization", Secret("Bot " + token))
            // > Clients using the HTTP API must provide a valid User Agent     Discord, API reference
            request.headers.append(("User-Agent", "DiscordBot (hub, 1)"))
            return request
        case .webhook(let url):
            // Without `wait` Discord answers before it has looked at the message.
            return .json(url.text + (url.text.contains("?") ? "&" : "?") + "wait=true", .object(body))
        }
    }

    /// 22 characters of at most 25.
    static func nonce(_ id: MessageID) -> String { Base64URL.encode(id.bytes) }

    func receipt(_ answer: ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt {
        guard answer.isSuccess else {
            let seconds: Double? =
                switch answer.body["retry_after"] {
                case .number(let number): number
                case .integer(let number): Double(number)
                default: nil
                }
            let wait = seconds.map { Duration.milliseconds(Int64(min(max($0, 0), 86_400) * 1_000)) }
            throw answer.failure(answer.body["message"]?.text, retryAfter: wait)
        }
        return DeliveryReceipt(providerID: answer.body["id"]?.text)
    }
}

extension Provider {
    /// The address that is itself the credential, judged again by its field: files change.
    func ownAddress(_ text: String) throws(DeliveryFailure) -> OutboundURL {
        guard let hosts = field("webhook_url")?.hosts, !hosts.isEmpty, HostPattern.objection(to: text, hosts) == nil,
            let url = try? OutboundURL(text)
        else {
            throw DeliveryFailure(
                kind: .refused,
                sentence: "The address of this connection is none of \(name). Enter the one that it gave you.")
        }
        return url
    }
}
