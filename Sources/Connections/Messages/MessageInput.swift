import HTTPKit
import JSONKit
import TimeKit

extension Message {
    /// Reads a message by the rules of its service; refusals are noted in the input, each beside its field.
    ///
    /// - Parameter values: the set-up, which may say whom messages are for that name nobody.
    static func read(
        _ rules: MessageRules, _ service: String, _ values: [String: String], _ input: inout Input
    )
        -> Message?
    {
        let to = recipient(rules, service, values, &input)
        let text = input.required("text", bounded("text", rules.text, &input))
        let subject = optional("subject", rules.subject, service, &input)
        if let subject, subject.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            input.refuse("subject", "invalid", "A subject is one line without control characters.")
        }
        if rules.needsSubject { _ = input.required("subject", subject) }
        let html = optional("html", rules.html, service, &input)
        guard input.isComplete, let text else { return nil }
        return Message(to: to, text: text, subject: subject, html: html)
    }

    private static func recipient(
        _ rules: MessageRules, _ service: String, _ values: [String: String], _ input: inout Input
    ) -> String? {
        let given = input.textOrNumber("to", 1...254)
        guard let recipient = rules.recipient else {
            if given != nil {
                input.refuse("to", "not_taken", "This connection has one place where its messages go; leave this out.")
            }
            return nil
        }
        if let given {
            guard recipient.isValid(given) else {
                input.refuse("to", "invalid", recipient.refusal)
                return nil
            }
            return given
        }
        guard let standard = recipient.defaults.lazy.compactMap({ values[$0] }).first else {
            return input.required("to", String?.none)
        }
        if !recipient.isValid(standard) {
            input.refuse("to", "invalid", "The connection's own recipient is none that \(service) takes; name one.")
        }
        return standard
    }

    /// A text, or a refusal where the service has no such thing.
    private static func optional(
        _ name: String, _ limit: MessageRules.Limit?, _ service: String, _ input: inout Input
    ) -> String? {
        if let limit { return bounded(name, limit, &input) }
        if input.optionalText(name, 0...1_000_000) != nil {
            input.refuse(name, "not_taken", "Messages of \(service) have no \(name); leave this out.")
        }
        return nil
    }

    /// A text as long as the service takes it, with the line breaks that JSON and forms agree on.
    private static func bounded(_ name: String, _ limit: MessageRules.Limit, _ input: inout Input) -> String? {
        guard let text = input.optionalText(name, 1...1_000_000) else { return nil }
        let plain = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        if limit.measure(plain) > limit.count {
            input.refuse(name, "too_long", "This takes at most \(limit.words).")
        }
        let isForbidden: (Unicode.Scalar) -> Bool = {
            $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
        }
        if plain.unicodeScalars.contains(where: isForbidden) {
            input.refuse(name, "invalid", "This may hold no control characters but line breaks and tabs.")
        }
        return plain
    }
}

extension CalendarEvent {
    /// Reads an event; refusals are noted in the input, each beside its field.
    ///
    /// - Parameter values: the set-up, whose `calendar_id` says in which calendar it goes: `primary` unless told.
    static func read(_ values: [String: String], _ input: inout Input) -> CalendarEvent? {
        let summary = input.text("summary", 1...1_024)
        let description = input.optionalText("description", 1...8_192)
        let zone = input.parsed("time_zone", orSay: "Write a time zone as IANA names it, such as Europe/Ljubljana.") {
            $0.wholeMatch(of: /[A-Za-z]{1,20}([\/][A-Za-z0-9_+-]{1,32}){0,2}/) == nil ? nil : $0
        }
        let start = moment("start", zone, &input)
        let end = moment("end", zone, &input)
        if let start, let end, let objection = objection(to: start, end) {
            input.refuse("end", "invalid", objection)
        }
        let attendees = attendees(&input)
        guard input.isComplete, let summary, let start, let end else { return nil }
        return CalendarEvent(
            calendar: values["calendar_id"] ?? "primary", summary: summary, start: start, end: end, timeZone: zone,
            description: description, attendees: attendees)
    }

    /// People who are invited: a list for scripts, one address a line or between commas in a form.
    private static func attendees(_ input: inout Input) -> [String] {
        let given = input.texts("attendees", atMost: 200) ?? []
        let all = given.flatMap { $0.split { $0 == "," || $0 == ";" || $0.isWhitespace }.map(String.init) }
        if all.count > 200 { input.refuse("attendees", "too_many", "This takes at most 200 addresses.") }
        if !all.allSatisfy(MailAddress.isValid) {
            input.refuse("attendees", "invalid", "Each entry must be an e-mail address such as ana@example.org.")
        }
        return all
    }

    /// A day, a time with its offset, or a time in the time zone that is given beside it.
    private static func moment(_ name: String, _ zone: String?, _ input: inout Input) -> Moment? {
        let sentence =
            "Write a day such as 2026-11-21, or a time such as 2026-11-21T10:00:00+01:00; without an offset only beside time_zone."
        let read: Moment? = input.parsed(name, orSay: sentence, 1...40) { text in
            if text.utf8.count == 10 { return Timestamp(rfc3339: text + "T00:00:00Z") == nil ? nil : .day(text) }
            if Timestamp(rfc3339: text) != nil { return .time(text.replacing(" ", with: "T")) }
            // A browser's field for times leaves the seconds out.
            let whole = text.utf8.count == 16 ? text + ":00" : text
            return zone != nil && Timestamp(rfc3339: whole + "Z") != nil ? .time(whole) : nil
        }
        return input.required(name, read)
    }

    /// Why an end does not fit its start; nil when it does.
    private static func objection(to start: Moment, _ end: Moment) -> String? {
        switch (start, end) {
        case (.day(let first), .day(let last)):
            return last > first ? nil : "The end of whole days is the first day after the event."
        case (.time(let first), .time(let last)):
            switch (Timestamp(rfc3339: first), Timestamp(rfc3339: last)) {
            case (let first?, let last?): return last >= first ? nil : "The end lies before the start."
            case (nil, nil): return last >= first ? nil : "The end lies before the start."
            default: return "Write start and end alike: both with an offset, or both without."
            }
        default: return "Write start and end alike: both days, or both times."
        }
    }
}
