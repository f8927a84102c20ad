import JSONKit

/// What is to be sent: kept sealed until it was sent, then forgotten.
enum MessageContent: Sendable, Equatable {
    case message(Message)
    case event(CalendarEvent)

    /// What kind of thing it is, as it is stored.
    enum Kind: String, Sendable {
        case message
        case calendarEvent = "calendar_event"
    }

    var kind: Kind {
        switch self {
        case .message: .message
        case .event: .calendarEvent
        }
    }

    /// Whom it is for, so far that whoever sent it recognises them: this is kept when the rest is forgotten.
    var recipientHint: String? {
        switch self {
        case .message(let message): message.to.map(Masked.text)
        case .event(let event): Masked.text(event.calendar)
        }
    }

    /// What is sealed.
    var bytes: [UInt8] {
        switch self {
        case .message(let message): (["message": message.json] as JSON).bytes
        case .event(let event): (["event": event.json] as JSON).bytes
        }
    }

    /// Reads sealed content back; nil when it is none.
    init?(bytes: [UInt8]) {
        guard let json = try? JSON(parsing: bytes) else { return nil }
        if let message = json["message"].flatMap(Message.init) {
            self = .message(message)
        } else if let event = json["event"].flatMap(CalendarEvent.init) {
            self = .event(event)
        } else {
            return nil
        }
    }
}

/// A message, checked against the rules of the service that takes it.
struct Message: Sendable, Equatable {
    /// Whom it is for; nil where the connection itself says it, as an incoming webhook does.
    let to: String?
    let text: String
    let subject: String?
    let html: String?

    init(to: String?, text: String, subject: String? = nil, html: String? = nil) {
        self.to = to
        self.text = text
        self.subject = subject
        self.html = html
    }

    fileprivate init?(_ json: JSON) {
        guard let text = json["text"]?.text else { return nil }
        self.init(to: json["to"]?.text, text: text, subject: json["subject"]?.text, html: json["html"]?.text)
    }

    fileprivate var json: JSON {
        ["to": JSON(to), "text": .string(text), "subject": JSON(subject), "html": JSON(html)]
    }
}

/// An event of a calendar, checked.
struct CalendarEvent: Sendable, Equatable {
    /// When an event begins or ends, written as it came once it was found to be a time.
    enum Moment: Sendable, Equatable {
        /// A whole day: `2026-11-21`.
        case day(String)
        /// A time of a day, with its offset or in the event's time zone: `2026-11-21T10:00:00+01:00`.
        case time(String)

        /// As it came.
        var text: String {
            switch self {
            case .day(let text), .time(let text): text
            }
        }

        init(_ text: String) { self = text.utf8.count == 10 ? .day(text) : .time(text) }
    }

    let calendar: String
    let summary: String
    let start: Moment
    /// For whole days the first one after the event.
    let end: Moment
    let timeZone: String?
    let description: String?
    let attendees: [String]

    fileprivate init?(_ json: JSON) {
        guard let calendar = json["calendar"]?.text, let summary = json["summary"]?.text,
            let start = json["start"]?.text, let end = json["end"]?.text
        else { return nil }
        self.init(
            calendar: calendar, summary: summary, start: Moment(start), end: Moment(end),
            timeZone: json["time_zone"]?.text, description: json["description"]?.text,
            attendees: (json["attendees"]?.elements ?? []).compactMap(\.text))
    }

    init(
        calendar: String, summary: String, start: Moment, end: Moment, timeZone: String?, description: String?,
        attendees: [String]
    ) {
        self.calendar = calendar
        self.summary = summary
        self.start = start
        self.end = end
        self.timeZone = timeZone
        self.description = description
        self.attendees = attendees
    }

    fileprivate var json: JSON {
        [
            "calendar": .string(calendar), "summary": .string(summary), "start": .string(start.text),
            "end": .string(end.text), "time_zone": JSON(timeZone), "description": JSON(description),
            "attendees": .array(attendees.map(JSON.string)),
        ]
    }
}

/// Addresses shown in part.
enum Masked {
    /// `+14•••••••86`, `an•••@acme.example`, `4•`: enough for whoever typed it, too little for everybody else.
    static func text(_ address: String) -> String {
        let parts = address.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !parts[0].isEmpty { return "\(parts[0].prefix(2))•••@\(parts[1].prefix(80))" }
        let count = address.count
        guard count > 5 else { return "\(address.prefix(1))•••" }
        return "\(address.prefix(3))•••\(address.suffix(2))"
    }
}
