import ClientKit
import JSONKit
import LogKit

/// Mail over SendGrid: `POST /v3/mail/send`, which answers 202 with the id in `X-Message-Id`.
///
/// SendGrid knows no key of repetition, so that a mail without an answer may have been taken.
struct SendGridMail: MessageChannel {
    let values: [String: String]

    static let rules = MessageRules(
        .mailbox, text: .characters(100_000), subject: .characters(250), needsSubject: true, html: .bytes(500_000))

    func request(_ message: Message, _ id: MessageID) -> OutboundRequest {
        var content: [JSON] = [["type": "text/plain", "value": .string(message.text)]]
        if let html = message.html { content.append(["type": "text/html", "value": .string(html)]) }
        let body: JSON = [
            "personalizations": [["to": [["email": JSON(message.to)]]]],
            "from": ["email": JSON(values["from_email"])], "subject": JSON(message.subject),
            "content": .array(content),
        ]
        return .json("https://api.sendgrid.com/v3/mail/send", body, bearer: values["api_key"])
    }

    func receipt(_ answer: ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt {
        guard answer.isSuccess else { throw answer.failure(answer.body.at("errors.0.message")?.words) }
        return DeliveryReceipt(providerID: answer.headers["X-Message-Id"])
    }
}

extension OutboundRequest {
    /// A call that posts JSON.
    static func json(_ url: String, _ body: JSON, bearer: String? = nil) -> OutboundRequest {
        var request = OutboundRequest(
            method: .post, url: url,
            headers: [("Content-Type", "application/json; charset=utf-8"), ("Accept", "application/json")],
            body: body.bytes)
        if let bearer { request.addHeader("Authorization", Secret("Bearer " + bearer)) }
        return request
    }
}
