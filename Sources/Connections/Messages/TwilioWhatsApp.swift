import CipherKit
import ClientKit
import HTTPKit
import JSONKit
import LogKit

/// WhatsApp over Twilio: `POST /2010-04-01/Accounts/{sid}/Messages.json`.
///
/// Twilio knows no key of repetition, so that a message without an answer may have been taken.
struct TwilioWhatsApp: MessageChannel {
    let values: [String: String]

    static let rules = MessageRules(
        MessageRules.Recipient(
            label: "Number", isValid: { $0.wholeMatch(of: /(whatsapp:)?\+[1-9][0-9]{6,14}/) != nil },
            refusal: "Write the number with + and the country, such as +14155238886.", defaults: ["to_whatsapp"]),
        text: .characters(1_600))

    func request(_ message: Message, _ id: MessageID) -> OutboundRequest {
        let account = values["account_sid"] ?? ""
        let form = Form(pairs: [
            ("From", Self.address(values["from_whatsapp"] ?? "")), ("To", Self.address(message.to ?? "")),
            ("Body", message.text),
        ])
        var request = OutboundRequest(
            method: .post,
            url: "https://api.twilio.com/2010-04-01/Accounts/\(Percent.encodeSegment(account))/Messages.json",
            headers: [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")],
            body: Array(form.urlencoded.utf8))
        let pair = account + ":" + (values["auth_token"] ?? "")
        request.addHeader("Authorization", Secret("Basic " + Base64.encode(pair.utf8)))
        return request
    }

    func receipt(_ answer: ChannelAnswer) throws(DeliveryFailure) -> DeliveryReceipt {
        guard answer.isSuccess else { throw answer.failure(answer.body["message"]?.text) }
        return DeliveryReceipt(providerID: answer.body["sid"]?.text)
    }

    private static func address(_ number: String) -> String {
        number.hasPrefix("whatsapp:") ? number : "whatsapp:" + number
    }
}
