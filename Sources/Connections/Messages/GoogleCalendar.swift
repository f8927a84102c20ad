import CipherKit
import ClientKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Google Calendar: `events.insert`, with an id of ours, so that a repetition is told apart: 409 means it is there already.
struct GoogleCalendar: Sendable {
    let values: [String: String]

    func request(_ event: CalendarEvent, _ id: MessageID) -> OutboundRequest {
        var body: [JSON.Member] = [
            .init("id", .string(Self.eventID(id))), .init("summary", .string(event.summary)),
        ]
        if let description = event.description { body.append(.init("description", .string(description))) }
        body.append(.init("start", Self.moment(event.start, event.timeZone)))
        body.append(.init("end", Self.moment(event.end, event.timeZone)))
        if !event.attendees.isEmpty {
            body.append(.init("attendees", .array(event.attendees.map { ["email": .string($0)] })))
        }
        let calendar = Percent.encode(event.calendar)
        let updates = event.attendees.isEmpty ? "none" : "all"
        return .json(
            "https://www.googleapis.com/calendar/v3/calendars/\(calendar)/events?sendUpdates=\(updates)",
            .object(body), bearer: values["access_token"])
    }

    func receipt(_ answer: ChannelAnswer, _ id: MessageID) throws(DeliveryFailure) -> DeliveryReceipt {
        if answer.isSuccess { return DeliveryReceipt(providerID: answer.body["id"]?.text ?? Self.eventID(id)) }
        // > The requested identifier already exists.     Calendar API, Handle API errors, 409
        if answer.status == 409 { return DeliveryReceipt(providerID: Self.eventID(id)) }
        let words = answer.body.at("error.message")?.words
        let reason = answer.body.at("error.errors.0.reason")?.words
        if answer.status == 403, ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"].contains(reason) {
            throw DeliveryFailure(
                kind: .later(after: nil),
                sentence: "\(answer.service) asks to be called less often (403).\(answer.said(words))")
        }
        throw answer.failure(words)
    }

    /// > base32hex encoding, i.e. lowercase letters a-v and digits 0-9 … between 5 and 1024     Events: insert, id
    static func eventID(_ id: MessageID) -> String { Hex.encode(id.bytes) }

    private static func moment(_ moment: CalendarEvent.Moment, _ zone: String?) -> JSON {
        switch moment {
        case .day(let day): return ["date": .string(day)]
        case .time(let time):
            guard let zone else { return ["dateTime": .string(time)] }
            return ["dateTime": .string(time), "timeZone": .string(zone)]
        }
    }
}
