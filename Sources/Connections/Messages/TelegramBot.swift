import ClientKit
import HTTPKit
import JSONKit
import TimeKit

/// Telegram: `sendMessage` of the Bot API, whose address holds the token.
///
/// The Bot API knows no key of repetition, so that a message without an answer may have been taken.
struct TelegramBot: MessageChannel {
    let values: [String: String]

    static let rules = MessageRules(
        MessageRules.Recipient(
            label: "Chat", isValid: { $0.wholeMatch(of: /-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64}/) != nil },
            refusal: "A chat is a number, or @ and the name of a public channel.", defaults: ["chat_id"]),
        text: .codeUnits(4_096))

    func request(_ message: Message, _ id: MessageID) -> OutboundRequest {
        .json(
            "https://api.telegram.org/bot\(Percent.encodeSegment(values["bot_token"] ?? ""))/sendMessage",
            ["chat_id": JSON(message.to), "text": .string(message.text)])
    }

    func receipt(_ answer: ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt {
        let wait = answer.body.at("parameters.retry_after")?.wholeNumber.map {
            Duration.seconds(min(max($0, 0), 86_400))
        }
        guard answer.isSuccess, answer.body["ok"] == .bool(true) else {
            // A token that BotFather has replaced is 401, one that never was is 404.
            guard answer.status != 404 else {
                throw DeliveryFailure(
                    kind: .unauthorized,
                    sentence: "\(answer.service) does not know this bot (404).\(answer.said(words(answer)))")
            }
            throw answer.failure(words(answer), retryAfter: wait)
        }
        return DeliveryReceipt(providerID: answer.body.at("result.message_id")?.words)
    }

    private func words(_ answer: ChannelAnswer) -> String? { answer.body["description"]?.text }
}
