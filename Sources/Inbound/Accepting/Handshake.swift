import CipherKit
import HTTPKit
import JSONKit

/// What a service asks before it sends anything, or wants to hear besides that its event was taken.
enum Handshake {
    /// The answer to a request that proves to be the service's own and is no event; nil when it is one.
    static func answer(_ scheme: SchemeName, _ payload: Payload) -> Response? {
        guard let json = payload.json else { return nil }
        switch scheme {
        case .slack where json["type"]?.text == "url_verification":
            guard let challenge = json["challenge"]?.text, challenge.utf8.count <= 1_000 else { return nil }
            return .json(["challenge": .string(challenge)])
        // An interaction has a token; a webhook event has none, and its own ping is 0.
        case .discord where json["type"]?.wholeNumber == 1 && json["event"] == nil: return .json(["type": 1])
        case .discord where json["type"]?.wholeNumber == 0: return noContent
        default: return nil
        }
    }

    /// What the service hears once its event is stored.
    static func taken(_ scheme: SchemeName, _ payload: Payload) -> Response {
        switch scheme {
        case .discord: interaction(payload.json) ?? noContent
        // No message goes back.
        case .twilio:
            Response(
                headers: ["content-type": "text/xml; charset=utf-8"],
                body: .bytes(Array(#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#.utf8)))
        default: Response(status: 200)
        }
    }

    /// Discord shows its user a failure unless an interaction is answered within three seconds: these say “later”.
    ///
    /// > DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE 5, DEFERRED_UPDATE_MESSAGE 6, AUTOCOMPLETE_RESULT 8     Discord, Interactions
    private static func interaction(_ json: JSON?) -> Response? {
        guard let json, json["event"] == nil else { return nil }
        return switch json["type"]?.wholeNumber {
        case 2, 5: .json(["type": 5])
        case 3: .json(["type": 6])
        case 4: .json(["type": 8, "data": ["choices": []]])
        default: nil
        }
    }

    /// > respond with a 204 status code and a valid Content-Type header     Discord, Webhook Events
    private static let noContent = Response(status: 204, headers: ["content-type": "application/json"])

    /// Meta's question, by GET: the token must be the one that is kept, and its challenge goes back as text.
    ///
    /// - Returns: nil when it is none, or says another token.
    static func challenge(_ query: Form, token: String) -> Response? {
        guard query["hub.mode"] == "subscribe", query.all("hub.verify_token").count == 1,
            let said = query["hub.verify_token"], let challenge = query["hub.challenge"],
            (1...200).contains(challenge.utf8.count),
            challenge.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x3c }),
            equalInConstantTime(Array(said.utf8), Array(token.utf8))
        else { return nil }
        return .text(challenge)
    }

    /// The token that Notion sends once, unsigned, to an address that it does not know yet; nil when this is none.
    static func verificationToken(_ arrival: Arrival) -> String? {
        guard arrival.headers["x-notion-signature"] == nil, arrival.body.count <= 4_096,
            let json = try? JSON(parsing: arrival.body), json.members?.count == 1,
            let token = json["verification_token"]?.text, (8...512).contains(token.utf8.count),
            token.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        return token
    }
}
