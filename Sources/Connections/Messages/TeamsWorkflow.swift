import ClientKit
import JSONKit

/// Microsoft Teams: the address of a workflow that posts an Adaptive Card.
///
/// Its connectors were retired; a workflow's address is signed, and whoever knows it may post. It answers 202 before it
/// posts, and knows no key of repetition.
struct TeamsWorkflow: MessageChannel {
    private let url: String

    init(_ provider: Provider, _ values: [String: String]) throws(DeliveryFailure) {
        url = values["webhook_url"] ?? ""
        _ = try provider.ownAddress(url)
    }

    /// Teams takes 28 kB with everything around the text; as JSON a character may be longer than it was typed.
    static let rules = MessageRules(
        nil, text: MessageRules.Limit(count: 26_000, unit: "bytes") { JSON.string($0).bytes.count },
        subject: .characters(250))

    func request(_ message: Message, _ id: MessageID) -> OutboundRequest {
        var lines: [JSON] = []
        if let subject = message.subject {
            lines.append([
                "type": "TextBlock", "text": .string(subject), "weight": "Bolder", "size": "Medium", "wrap": true,
            ])
        }
        lines.append(["type": "TextBlock", "text": .string(message.text), "wrap": true])
        let card: JSON = [
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
            "body": .array(lines),
        ]
        return .json(
            url,
            [
                "type": "message",
                "attachments": [
                    [
                        "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card,
                    ]
                ],
            ])
    }

    func receipt(_ answer: ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt {
        guard answer.isSuccess else { throw answer.failure(answer.body.at("error.message")?.words) }
        return DeliveryReceipt(providerID: answer.headers["x-ms-workflow-run-id"])
    }
}
