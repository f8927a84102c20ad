import CipherKit
import Domain
import HTTPKit
import JSONKit

/// What a service calls an event: its own id, by which a repetition is known, and its kind.
struct Naming: Sendable, Equatable {
    /// At most 200 bytes.
    let key: String
    /// Words as ``EventName`` takes them, without `inbound.` and the service.
    let type: String

    init(key: String, type: String) {
        self.key = key.utf8.count <= Self.longestKey && !key.isEmpty ? key : Self.digest(Array(key.utf8))
        self.type = Self.words(type)
    }

    private static let longestKey = 200
    private static let longestType = 60

    /// What stands for a request that has no id of its own.
    static func digest(_ bytes: [UInt8]) -> String { "sha256-" + Hex.encode(SHA256.digest(bytes)) }

    /// A name as an event's: `orders/create` becomes `orders.create`, and what is no letter or digit `_`.
    static func words(_ text: String) -> String {
        let plain = text.utf8.prefix(longestType).map { byte -> UInt8 in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2e: byte
            case 0x2f: 0x2e
            default: 0x5f
            }
        }
        let name = String(decoding: plain, as: UTF8.self).split(separator: ".").joined(separator: ".")
        return name.isEmpty ? "event" : name
    }
}

/// What a body turned out to be.
enum Payload: Sendable {
    case json(JSON)
    case form(Form)
    /// Nothing, or what neither calls itself JSON nor a form.
    case other

    init(_ arrival: Arrival) throws(JSONError) {
        let type = arrival.mediaType
        if arrival.body.isEmpty {
            self = .other
        } else if type == "application/x-www-form-urlencoded" {
            guard let form = arrival.form else { throw .malformed }
            self = .form(form)
        } else if type == "application/json" || type.hasSuffix("+json") {
            self = .json(try JSON(parsing: arrival.body))
        } else if Self.looksLikeJSON(arrival.body), let json = try? JSON(parsing: arrival.body) {
            self = .json(json)
        } else {
            // What does not call itself JSON cannot be wrong JSON either.
            self = .other
        }
    }

    /// Some senders do not say what they send, or call it text.
    private static func looksLikeJSON(_ body: [UInt8]) -> Bool {
        let first = body.first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    var json: JSON? { if case .json(let json) = self { json } else { nil } }
    var form: Form? { if case .form(let form) = self { form } else { nil } }
}

extension SchemeName {
    /// Reads what the service calls the event of a request that was proved its own.
    func naming(_ arrival: Arrival, _ payload: Payload, _ recipe: Recipe?) -> Naming {
        let json = payload.json ?? .null
        // Most services have an id of their own, and a body may have 25 MB.
        func digest() -> String { Naming.digest(arrival.body) }
        switch self {
        case .slack: return Self.slack(json, payload.form, digest())
        case .discord:
            if let event = json["event"] {
                return Naming(key: digest(), type: event["type"]?.text?.lowercased() ?? "event")
            }
            return Naming(key: json["id"]?.text ?? digest(), type: "interaction")
        case .stripe: return Naming(key: json["id"]?.text ?? digest(), type: json["type"]?.text ?? "event")
        case .shopify:
            let id = arrival.headers["x-shopify-webhook-id"] ?? arrival.headers["x-shopify-event-id"]
            return Naming(key: id ?? digest(), type: arrival.headers["x-shopify-topic"] ?? "event")
        case .github:
            return Naming(
                key: arrival.headers["x-github-delivery"] ?? digest(),
                type: arrival.headers["x-github-event"] ?? "event")
        case .telegram:
            let update = json["update_id"]?.wholeNumber.map { "\($0)" }
            return Naming(
                key: update ?? digest(), type: json.members?.first { $0.name != "update_id" }?.name ?? "update")
        case .twilio: return Self.twilio(arrival, payload.form ?? .empty, json)
        case .sendgrid, .hubspot: return batch(json, digest())
        case .notion: return Naming(key: json["id"]?.text ?? digest(), type: json["type"]?.text ?? "event")
        case .meta: return Self.meta(json, digest())
        case .google:
            let (channel, number) = (arrival.headers["x-goog-channel-id"], arrival.headers["x-goog-message-number"])
            return Naming(
                key: "\(channel ?? ""):\(number ?? digest())",
                type: arrival.headers["x-goog-resource-state"] ?? "change")
        case .graph: return Graph.naming(json)
        case .standardWebhooks:
            let id = arrival.headers["\(Scheme.standardFamily(of: arrival))-id"]
            return Naming(key: id ?? digest(), type: json["type"]?.text ?? "event")
        case .hmac: return Self.own(arrival, json, recipe ?? .usual)
        case .bearer:
            // A token proves who sends and not what: only the sender knows what it sends twice.
            let id = arrival.headers["idempotency-key"] ?? arrival.headers["webhook-id"]
            // What a relay passes on of Discord's gateway has its kind in t.
            let type = json["type"]?.text ?? json["t"]?.text?.lowercased()
            return Naming(key: id ?? Hex.encode(Random.bytes(16)), type: type ?? "event")
        }
    }

    private static func slack(_ json: JSON, _ form: Form?, _ digest: @autoclosure () -> String) -> Naming {
        if let form {
            if let text = form["payload"], let payload = try? JSON(parsing: Array(text.utf8)) {
                return Naming(
                    key: payload["trigger_id"]?.text ?? digest(), type: payload["type"]?.text ?? "interaction")
            }
            return Naming(key: form["trigger_id"] ?? digest(), type: "command")
        }
        let type = json["type"]?.text == "event_callback" ? json["event"]?["type"]?.text : json["type"]?.text
        return Naming(key: json["event_id"]?.text ?? digest(), type: type ?? "event")
    }

    /// What Twilio has signed is the same event, however it is cut into fields: where one ends and the next begins is
    /// not signed, nor is how they are written, so no field can stand for it.
    private static func twilio(_ arrival: Arrival, _ fields: Form, _ json: JSON) -> Naming {
        // Conversations tells what happened by these two, to a message as to anything else.
        let told = fields["EventType"].map { event in fields["Status"].map { "\(event).\($0)" } ?? event }
        let type =
            if fields["MessageSid"] != nil || fields["SmsSid"] != nil {
                "message." + (fields["MessageStatus"] ?? fields["SmsStatus"] ?? told ?? "received")
            } else if fields["CallSid"] != nil {
                "call." + (fields["CallStatus"] ?? "event")
            } else {
                told ?? json["type"]?.text ?? "event"
            }
        return Naming(key: Naming.digest(Array(Scheme.twilioContent(of: arrival).utf8)), type: type)
    }

    /// A list of events: known again by the ids of all of them, whatever else is counted up at a repetition.
    private func batch(_ json: JSON, _ digest: @autoclosure () -> String) -> Naming {
        let all = json.elements ?? [json]
        let ids = all.compactMap { id(of: $0) }
        let types = Set(all.compactMap { $0[kindMember]?.text })
        let key = ids.count == all.count && !ids.isEmpty ? ids.sorted().joined(separator: ",") : digest()
        return Naming(key: key, type: types.count == 1 ? types.first ?? "event" : types.isEmpty ? "event" : "batch")
    }

    /// Where an event of a list says what kind it is; empty for services that send one event at a time.
    private var kindMember: String {
        switch self {
        case .sendgrid: "event"
        case .hubspot: "subscriptionType"
        default: ""
        }
    }

    /// The service's own id of an event of a list; nil where it has none.
    ///
    /// > eventId: The ID of the event that triggered this notification. This value is not guaranteed to be unique.
    /// HubSpot, Webhooks API
    private func id(of event: JSON) -> String? {
        func text(_ name: String) -> String? { event[name]?.text ?? event[name]?.wholeNumber.map { "\($0)" } }
        switch self {
        case .sendgrid: return text("sg_event_id")
        case .hubspot:
            // Not attemptNumber, which is all that a repetition differs in.
            guard let id = text("eventId") else { return nil }
            let rest = ["portalId", "subscriptionId", "objectId", "fromObjectId", "toObjectId", "occurredAt"]
            return ([id] + rest.map { text($0) ?? "" }).joined(separator: ":")
        default: return nil
        }
    }

    private static func meta(_ json: JSON, _ digest: @autoclosure () -> String) -> Naming {
        let entry = json["entry"]?.elements ?? []
        let changes = entry.flatMap { $0["changes"]?.elements ?? [] }
        let talks = entry.flatMap { $0["messaging"]?.elements ?? [] }
        let values = changes.map { $0["value"] ?? .null }
        let type = changes.first?["field"]?.text ?? (talks.isEmpty ? "event" : "messages")
        let id = entry.count != 1 ? nil : changes.isEmpty ? said(talks) : talks.isEmpty ? written(values) : nil
        return Naming(key: id ?? digest(), type: type)
    }

    /// The id of the one message that somebody wrote in Messenger or on Instagram.
    ///
    /// What else comes under the same id has a mark that begins with `is_`, as when it was taken back: `is_deleted`.
    private static func said(_ talks: [JSON]) -> String? {
        guard talks.count == 1, let message = talks[0]["message"],
            message.members?.contains(where: { $0.name.hasPrefix("is_") }) == false
        else { return nil }
        return message["mid"]?.text
    }

    /// The id of the one message that somebody wrote in WhatsApp.
    private static func written(_ values: [JSON]) -> String? {
        guard values.count == 1, let messages = values[0]["messages"]?.elements, messages.count == 1,
            values[0]["statuses"] == nil, messages[0]["errors"] == nil
        else { return nil }
        return messages[0]["id"]?.text
    }

    /// Where the sender names no id, the bytes that it signed stand for one: what is sent once more word for word, its
    /// timestamp included, is the same event, whoever sends it.
    private static func own(_ arrival: Arrival, _ json: JSON, _ recipe: Recipe) -> Naming {
        let named = recipe.idHeader.flatMap { arrival.headers[$0] }
        let time = recipe.time.flatMap { arrival.headers[$0.header] } ?? ""
        let type = recipe.typeHeader.flatMap { arrival.headers[$0] } ?? json["type"]?.text ?? json["event"]?.text
        return Naming(key: named ?? Naming.digest(Array("\(time).".utf8) + arrival.body), type: type ?? "event")
    }

    /// An event of a request.
    struct Part: Sendable {
        let type: String
        let payload: JSON?
        /// The service's own id of it, where there may be many in a request and they have ids.
        var id: String?
    }

    /// The events of a payload, one by one: some services send many in one request.
    func parts(_ payload: Payload, type whole: String) -> [Part] {
        guard !kindMember.isEmpty, let elements = payload.json?.elements, !elements.isEmpty else {
            return [Part(type: whole, payload: payload.value)]
        }
        return elements.map {
            Part(type: Naming.words($0[kindMember]?.text ?? "event"), payload: $0, id: id(of: $0))
        }
    }
}

extension Payload {
    /// As events carry it: JSON as it came, and a form as an object.
    var value: JSON? {
        switch self {
        case .json(let json): json
        case .form(let form):
            .object(
                form.names.map { name in
                    let values = form.all(name).map { JSON.string($0) }
                    return .init(name, values.count == 1 ? values[0] : .array(values))
                })
        case .other: nil
        }
    }
}
