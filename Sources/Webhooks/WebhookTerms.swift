import ClientKit
import Domain
import HTTPKit
import JSONKit
import LogKit

/// What a webhook is to be, as far as somebody says so; nil leaves what is.
struct WebhookTerms {
    var url: ReceiverURL?
    /// The connection whose address ``url`` is; `.some(nil)` for an address of one's own.
    var connection: Identifier<Connection>??
    var events: [EventPattern]?
    var description: String?
    /// Header fields that go along; nil leaves them, none removes them.
    var headers: [(name: String, value: Secret<String>)]?
    var perSecond: Int??
    var ordering: WebhookRecord.Ordering?
    var isActive: Bool?
    /// What it signs with; one is made when none is given.
    var secret: SigningSecret?
    /// Whether the one that is made is an Ed25519 key, of which the receiver knows the public half alone.
    var isAsymmetric: Bool?
}

/// Reads what is asked of a webhook, from a form or from JSON alike.
struct WebhookTermsReader {
    let settings: Webhooks.Settings
    /// Answers why a host must not be called; nil when it may.
    let objection: (ReceiverURL) -> String?
    /// Finds a connection that takes events.
    let receiver: (Identifier<Connection>) throws -> Webhooks.Receiver?

    /// The most header fields, events, deliveries a second, and failures before the next of a key goes.
    static let mostHeaders = 16
    static let mostEvents = 100
    static let fastest: Int64 = 10_000
    static let mostSkips: Int64 = 30
    private static let usualSkips = 3

    /// Reads every field that is given, and notes what is refused.
    func read(_ input: inout Input, isNew: Bool) throws -> WebhookTerms {
        var terms = WebhookTerms()
        try readPlace(&input, isNew: isNew, into: &terms)
        terms.events = events(&input, isNew: isNew)
        terms.description = input.optionalText("description", 0...200) ?? (input.isGiven("description") ? "" : nil)
        terms.headers = headers(&input)
        if let number = input.number("per_second", 1...Self.fastest) {
            terms.perSecond = .some(Int(number))
        } else if input.isGiven("per_second") {
            terms.perSecond = .some(nil)
        }
        terms.ordering = ordering(&input)
        // In a patch null stands for what is usual (RFC 7396).
        terms.isActive = input.truth("active") ?? (!isNew && input.isNull("active") ? true : nil)
        (terms.secret, terms.isAsymmetric) = read(secretOf: &input)
        return terms
    }

    /// Where events go: an address, or a connection that has one.
    private func readPlace(_ input: inout Input, isNew: Bool, into terms: inout WebhookTerms) throws {
        let connection = input.parsed("connection_id", orSay: "This is no id.") { Identifier<Connection>($0) }
        let text = input.optionalText("url", 1...100_000)
        guard let connection else {
            let isMeant = isNew || input.isGiven("url") || input.isNull("connection_id")
            guard let text else {
                if isMeant { _ = input.required("url", String?.none) }
                return
            }
            terms.url = read(text, of: "url", &input)
            terms.connection = .some(nil)
            return
        }
        if text != nil {
            input.refuse("url", "contradiction", "Leave this out: the connection says where events go.")
        } else if let found = try receiver(connection) {
            guard let url = found.url else {
                return input.refuse(
                    "connection_id", "connection_unusable", "This connection is switched off, or holds no address.")
            }
            terms.url = url.reveal { read($0, of: "connection_id", &input) }
            terms.connection = .some(connection)
        } else {
            input.refuse("connection_id", "not_found", "There is no such connection that takes events.")
        }
    }

    private func read(_ text: String, of field: String, _ input: inout Input) -> ReceiverURL? {
        do throws(ReceiverURL.Refusal) {
            return try address(text)
        } catch {
            input.refuse(field, error.code, error.detail)
            return nil
        }
    }

    /// An address that the hub may call.
    func address(_ text: String) throws(ReceiverURL.Refusal) -> ReceiverURL {
        let url = try ReceiverURL(text, allowsHTTP: settings.allowsHTTP)
        if let objection = objection(url) {
            throw ReceiverURL.Refusal(code: "destination_not_allowed", detail: objection)
        }
        return url
    }

    private func events(_ input: inout Input, isNew: Bool) -> [EventPattern]? {
        guard let texts = input.texts("events", atMost: Self.mostEvents), !texts.isEmpty else {
            if isNew || input.isGiven("events") { return input.required("events", nil) }
            return nil
        }
        // A form has one field for all of them.
        let words = texts.flatMap { $0.split(whereSeparator: { $0 == " " || $0 == "," || $0.isNewline }) }
        guard words.count <= Self.mostEvents else {
            input.refuse("events", "too_many", "This takes at most \(Self.mostEvents) entries.")
            return nil
        }
        guard !words.isEmpty else { return input.required("events", nil) }
        var patterns: [EventPattern] = []
        for word in words {
            guard let pattern = EventPattern(String(word)) else {
                input.refuse(
                    "events", "invalid_event",
                    "“\(String(word.unicodeScalars.prefix(140)))” is no event; write a name such as user.created, custom.* or *."
                )
                continue
            }
            if !patterns.contains(pattern) { patterns.append(pattern) }
        }
        return patterns
    }

    private func ordering(_ input: inout Input) -> WebhookRecord.Ordering? {
        let after = input.number("skip_after", 1...Self.mostSkips).map { Int($0) }
        let word = input.optionalText("ordering", 1...10) ?? (input.isNull("ordering") ? "none" : nil)
        if after != nil, word != "skip" {
            input.refuse("skip_after", "not_used", "This goes with the ordering “skip”.")
        }
        switch word {
        case nil: return nil
        case "none": return WebhookRecord.Ordering.none
        case "block": return .block
        case "skip": return .skip(after: after ?? Self.usualSkips)
        default:
            input.refuse("ordering", "invalid", "This is none, block or skip.")
            return nil
        }
    }

    private func headers(_ input: inout Input) -> [(name: String, value: Secret<String>)]? {
        guard input.isGiven("headers") else { return nil }
        let pairs = (input.members("headers") ?? []).compactMap { member -> (String, String)? in
            guard let value = member.value.text else {
                input.refuse(
                    "headers." + String(member.name.unicodeScalars.prefix(100)), "wrong_type", "This must be a text.")
                return nil
            }
            return (member.name, value)
        }
        return headers(pairs, &input) { $0.isEmpty ? "headers" : "headers." + String($0.unicodeScalars.prefix(100)) }
    }

    /// Header fields, each looked at; `place` says which field of the input a refused one stands in.
    func headers(
        _ pairs: [(String, String)], _ input: inout Input, place: (String) -> String
    ) -> [(name: String, value: Secret<String>)]? {
        guard pairs.count <= Self.mostHeaders else {
            input.refuse(place(""), "too_many", "This takes at most \(Self.mostHeaders) fields.")
            return nil
        }
        var fields: [(name: String, value: Secret<String>)] = []
        for (name, value) in pairs {
            if let detail = Self.objection(name, value, beside: fields.map(\.name)) {
                input.refuse(place(name), "invalid_header", detail)
            } else {
                fields.append((name, Secret(value)))
            }
        }
        return fields
    }

    /// Why a header field cannot go along; nil when it may (requirement A3-19).
    static func objection(_ name: String, _ value: String, beside names: [String]) -> String? {
        let lower = name.lowercased()
        if ["content-type", "user-agent", "accept-encoding", "accept", "content-encoding"].contains(lower)
            || lower.hasPrefix("webhook-") || lower == "x-webhook-signature"
        {
            return "The hub sends this field itself."
        }
        if names.contains(where: { $0.lowercased() == lower }) { return "This was given twice." }
        guard name.utf8.count <= 100, value.utf8.count <= 1_024 else {
            return "A name has at most 100 characters, a value 1024."
        }
        return OutboundRequest.objection(toHeader: name, value)
    }
}
