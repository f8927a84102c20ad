import ClientKit
import JSONKit
import TimeKit

/// Instagram: `POST /{version}/me/messages` of the API with Instagram login, within 24 hours of the person's last message.
///
/// The API knows no key of repetition, so that a message without an answer may have been taken.
struct InstagramDirect: MessageChannel {
    /// The version where the provider file names none.
    static let standardVersion = "v23.0"

    let values: [String: String]
    let version: String?

    /// > Message text must be UTF-8 and be a 1000 bytes or less.     Instagram Platform, Send messages
    static let rules = MessageRules(
        MessageRules.Recipient(
            label: "Instagram-scoped id", isValid: { $0.wholeMatch(of: /[0-9]{1,32}/) != nil },
            refusal: "An Instagram-scoped id is a number; it comes with each message that the person sends you.",
            defaults: ["instagram_scoped_id"]),
        text: .bytes(1_000))

    func request(_ message: Message, _ id: MessageID) -> OutboundRequest {
        .json(
            "https://graph.instagram.com/\(version ?? Self.standardVersion)/me/messages",
            ["recipient": ["id": JSON(message.to)], "message": ["text": .string(message.text)]],
            bearer: values["access_token"])
    }

    func receipt(_ answer: ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt {
        let words = answer.body.at("error.message")?.words
        guard answer.isSuccess else {
            switch answer.body.at("error.code")?.wholeNumber {
            case 190:
                throw DeliveryFailure(
                    kind: .unauthorized, sentence: "\(answer.service) refused the access token.\(answer.said(words))")
            // Calls of the app, of the person, of the account, and messages are each counted.
            case 4, 17, 32, 613:
                throw DeliveryFailure(
                    kind: .later(after: .minutes(5)),
                    sentence: "\(answer.service) asks to be called less often.\(answer.said(words))")
            default: throw answer.failure(words)
            }
        }
        return DeliveryReceipt(providerID: answer.body["message_id"]?.text)
    }
}
