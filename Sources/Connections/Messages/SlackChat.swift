import ClientKit
import JSONKit

/// Slack: `chat.postMessage`, which says `ok: false` with status 200 when it refuses.
///
/// Slack knows no key of repetition that it documents, so that a message without an answer may have been taken.
struct SlackChat: MessageChannel {
    let values: [String: String]

    /// Slack cuts a text at 40 000 characters; escaped it may be longer than it was typed.
    static let rules = MessageRules(
        MessageRules.Recipient(
            label: "Channel", isValid: { $0.wholeMatch(of: /[A-Z][A-Z0-9]{1,30}|#?[\p{L}\p{N}_-]{1,80}/) != nil },
            refusal: "A channel is an id such as C0123456789, or a name such as #alerts.",
            defaults: ["channel", "channel_id", "default_channel"]),
        text: MessageRules.Limit(count: 40_000, unit: "characters") { escaped($0).unicodeScalars.count })

    func request(_ message: Message, _ id: MessageID) -> OutboundRequest {
        .json(
            "https://slack.com/api/chat.postMessage",
            ["channel": JSON(message.to), "text": .string(Self.escaped(message.text))],
            bearer: values["access_token"] ?? values["bot_token"])
    }

    /// Text is text: `<!channel>` in it calls nobody.
    ///
    /// > & … < … > … must be replaced with their HTML entities     Slack, Formatting message text
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    func receipt(_ answer: ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt {
        let error = answer.body["error"]?.text
        guard answer.isSuccess else { throw answer.failure(error) }
        if answer.body["ok"] == .bool(true) { return DeliveryReceipt(providerID: answer.body["ts"]?.text) }
        switch error {
        case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired":
            throw DeliveryFailure(
                kind: .unauthorized, sentence: "\(answer.service) refused the token.\(answer.said(error))")
        case "ratelimited", "rate_limited", "service_unavailable", "team_added_to_org":
            throw DeliveryFailure(
                kind: .later(after: nil), sentence: "\(answer.service) cannot take it now.\(answer.said(error))")
        // > It's possible some aspect of the operation succeeded before the error was raised.     chat.postMessage
        case "fatal_error", "internal_error", "request_timeout", nil:
            throw DeliveryFailure(
                kind: .ambiguous, sentence: "\(answer.service) has trouble of its own.\(answer.said(error))")
        default: throw answer.refusal(error)
        }
    }
}
