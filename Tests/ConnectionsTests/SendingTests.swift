import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// The way of a message: into the queue, out of it, and what becomes of it when something goes wrong.
@Suite("Sending", .timeLimit(.minutes(15))) struct SendingTests {
    static let taken = StandIn.json(200, #"{"ok":true,"result":{"message_id":42}}"#)
    static let busy = "HTTP/1.1 429 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    static let setup = #"{"bot_token":"\#(Office.token)","chat_id":"4711471147"}"#
    static let hello = #"{"text":"Hello there"}"#

    private func content(_ post: PostRoom, _ id: String) throws -> [UInt8]? {
        let id = try #require(MessageID(id))
        return try post.house.database.row("SELECT content_sealed FROM outgoing_messages WHERE id = \(id)")?
            .get("content_sealed")
    }

    @Test("A message is queued with 202, sent by the queue, and then its content is forgotten")
    func queued() throws {
        let post = try PostRoom(Self.taken)
        let id = try post.connect("telegram", Self.setup)
        let (response, body) = try post.json(.post, "connections/\(id)/messages", Self.hello)
        let message = try #require(body["id"]?.text)
        #expect(response.status == 202 && body["status"] == "queued" && post.service.requests.isEmpty)
        #expect(response.headers["location"] == "/hub/api/v1/messages/\(message)" && body["to"] == "471•••47")
        let sealed = try #require(try content(post, message))
        #expect(!String(decoding: sealed, as: UTF8.self).contains("Hello"))

        #expect(try post.work() && !post.work())
        let (after, sent) = try post.json(.get, "messages/\(message)")
        #expect(after.headers["etag"] != nil && sent["status"] == "sent" && sent["provider_id"] == "42")
        #expect(sent["sent_at"] != .null && sent["error"] == .null && sent["requested_by"] == "ana@acme.example")
        #expect(try content(post, message) == nil)
        #expect(try post.house.auditedActions() == ["connection.created", "message.sent"])
        let audited = try post.house.database.rows(
            "SELECT actor_name, details FROM audit_events ORDER BY id DESC LIMIT 1")
        #expect(try audited[0].get("actor_name") == "ana@acme.example")
        #expect(try !audited[0].get("details", as: String.self).contains("Hello"))
        let events = try post.house.database.rows("SELECT type, data FROM domain_events ORDER BY id")
        let event = try JSON(parsing: Array(events[0].get("data", as: String.self).utf8))
        #expect(try events.count == 1 && events[0].get("type") == "message.sent")
        #expect(
            event["message_id"]?.text == message && event["provider_id"] == "42" && event["connection_id"]?.text == id)
    }

    @Test("A service that asks to wait is left in peace for as long, and a message is tried until it is taken")
    func retried() throws {
        let post = try PostRoom(Self.busy, Self.busy, Self.taken)
        let id = try post.connect("telegram", Self.setup)
        let message = try #require(try post.json(.post, "connections/\(id)/messages", Self.hello).body["id"]?.text)
        #expect(try post.work())
        var body = try post.json(.get, "messages/\(message)").body
        #expect(body["status"] == "queued" && body["attempts"] == 1 && body["error"]?["code"] == "unavailable")
        #expect(body["next_attempt_at"] != .null)
        #expect(try !post.work())
        post.house.pass(.seconds(9))
        #expect(try !post.work(), "ten seconds are the shortest wait")
        post.house.pass(.seconds(1))
        #expect(try post.work() && !post.work())
        post.house.pass(.seconds(20))
        #expect(try post.work())
        body = try post.json(.get, "messages/\(message)").body
        #expect(body["status"] == "sent" && body["attempts"] == 3 && body["error"] == .null)
        #expect(post.service.requests.count == 3)
    }

    @Test("A longer wait that the service asks for is kept, whichever way it says so")
    func retryAfter() throws {
        let post = try PostRoom(
            StandIn.json(429, #"{"ok":false,"error_code":429,"parameters":{"retry_after":300}}"#), Self.taken)
        let id = try post.connect("telegram", Self.setup)
        try post.json(.post, "connections/\(id)/messages", Self.hello)
        #expect(try post.work())
        post.house.pass(.seconds(299))
        #expect(try !post.work())
        post.house.pass(.seconds(2))
        #expect(try post.work() && post.service.requests.count == 2)
    }

    @Test("A refusal ends a queued message at once, and its content is forgotten")
    func refused() throws {
        let post = try PostRoom(StandIn.json(400, #"{"ok":false,"error_code":400,"description":"chat not found"}"#))
        let id = try post.connect("telegram", Self.setup)
        let message = try #require(try post.json(.post, "connections/\(id)/messages", Self.hello).body["id"]?.text)
        #expect(try post.work() && !post.work())
        let body = try post.json(.get, "messages/\(message)").body
        #expect(body["status"] == "failed" && body["error"]?["code"] == "refused" && body["attempts"] == 1)
        #expect(try content(post, message) == nil)
        #expect(try post.house.auditedActions().last == "message.failed")
    }

    @Test("Credentials that are refused let a message wait for a person, and after a day it is given up")
    func unauthorized() throws {
        let post = try PostRoom(StandIn.json(401, #"{"ok":false,"error_code":401,"description":"Unauthorized"}"#))
        let id = try post.connect("telegram", Self.setup)
        let message = try #require(try post.json(.post, "connections/\(id)/messages", Self.hello).body["id"]?.text)
        var attempts = 0
        while attempts < 60, try post.json(.get, "messages/\(message)").body["status"] == "queued" {
            if try post.work() { attempts += 1 }
            post.house.pass(.minutes(61))
        }
        let body = try post.json(.get, "messages/\(message)").body
        #expect(body["status"] == "failed" && body["error"]?["code"] == "gave_up" && (20...35).contains(attempts))
    }

    @Test("An answer that never came ends as unknown where the service cannot tell a repetition, and is not repeated")
    func ambiguous() throws {
        let post = try PostRoom(nil, Self.taken)
        let id = try post.connect("telegram", Self.setup)
        let message = try #require(try post.json(.post, "connections/\(id)/messages", Self.hello).body["id"]?.text)
        #expect(try post.work())
        post.house.pass(.hours(2))
        #expect(try !post.work())
        let body = try post.json(.get, "messages/\(message)").body
        #expect(body["status"] == "unknown" && body["error"]?["code"] == "outcome_unknown", "\(body)")
        #expect(post.service.requests.count == 1)
    }

    @Test("A service that nothing reached is tried again: nothing can have been sent")
    func unreachable() throws {
        let post = try PostRoom(Self.taken)
        let id = try post.connect(
            "smtp", #"{"host":"127.0.0.1","port":"1","from_email":"a@acme.example","to_email":"b@acme.example"}"#)
        let message = try #require(
            try post.json(.post, "connections/\(id)/messages", #"{"text":"x","subject":"y"}"#).body["id"]?.text)
        #expect(try post.work())
        #expect(try post.json(.get, "messages/\(message)").body["status"] == "failed", "a closed network is refused")
    }

    @Test("An event without an answer is repeated with the same id, since Google tells it apart")
    func eventRepeated() throws {
        let post = try PostRoom(nil, StandIn.json(409, "{}"))
        let id = try post.connect("google_calendar", PostRoom.calendar)
        let body = try post.json(
            .post, "connections/\(id)/calendar-events", #"{"summary":"A","start":"2026-11-21","end":"2026-11-22"}"#
        ).body
        let message = try #require(body["id"]?.text)
        #expect(try post.work())
        post.house.pass(.seconds(10))
        #expect(try post.work())
        #expect(try post.json(.get, "messages/\(message)").body["status"] == "sent")
        let ids = post.service.requests.map { $0.contains(message.replacing("-", with: "")) }
        #expect(ids == [true, true])
    }

    @Test("Who waits is told of trouble at once, and nothing is sent later behind their back")
    func waited() throws {
        let post = try PostRoom(Self.busy)
        let id = try post.connect("telegram", Self.setup)
        let (response, body) = try post.send(id, Self.hello)
        #expect(response.status == 502 && body["code"] == "unavailable")
        let location = try #require(response.headers["location"]).replacing("/hub/api/v1/", with: "")
        #expect(try post.json(.get, location).body["status"] == "failed")
        post.house.pass(.hours(1))
        #expect(try !post.work())
        post.answer(nil)
        let unknown = try post.send(id, Self.hello)
        #expect(unknown.response.status == 502 && unknown.body["code"] == "outcome_unknown")
    }

    // MARK: Tokens

    private static let event = #"{"summary":"A","start":"2026-11-21","end":"2026-11-22"}"#

    @Test("A token that the service refuses is renewed once, and the event sent again with the new one")
    func renewed() throws {
        let post = try PostRoom(
            StandIn.json(401, #"{"error":{"code":401}}"#),
            StandIn.json(200, #"{"access_token":"ya29.new","expires_in":3599,"token_type":"Bearer"}"#),
            StandIn.json(200, #"{"id":"e1"}"#))
        let id = try post.signIn()
        let (response, body) = try post.send(id, Self.event, event: true)
        #expect(response.status == 201 && body["attempts"] == 1, "\(body)")
        let requests = post.service.requests
        #expect(
            requests.count == 3 && requests[0].contains("Bearer ya29.old") && requests[2].contains("Bearer ya29.new"))
    }

    @Test("When the sign-in has ended, whoever waits is told so, and what is queued waits for a person")
    func ended() throws {
        let post = try PostRoom(
            StandIn.json(401, #"{"error":{"code":401}}"#), StandIn.json(400, #"{"error":"invalid_grant"}"#))
        let id = try post.signIn()
        let queued = try #require(
            try post.json(.post, "connections/\(id)/calendar-events", Self.event).body["id"]?.text)
        let (response, body) = try post.send(id, Self.event, event: true)
        #expect(response.status == 502 && body["code"] == "credentials_refused", "\(body)")
        #expect(try post.work())
        let waiting = try post.json(.get, "messages/\(queued)").body
        #expect(waiting["status"] == "queued" && waiting["error"]?["code"] == "credentials_refused")
        #expect(post.service.requests.count == 2, "a sign-in that has ended is not tried again")
    }

    // MARK: Once only

    @Test(
        "A repeated Idempotency-Key sends nothing more: not while it waits, not after it was sent, not when nobody knows"
    )
    func idempotent() throws {
        let post = try PostRoom(Self.taken)
        let id = try post.connect("telegram", Self.setup)
        let path = "connections/\(id)/messages"
        let first = try post.json(.post, path, Self.hello, key: "k").body["id"]
        #expect(try post.json(.post, path, Self.hello, key: "k").body["id"] == first)
        #expect(try post.json(.post, path, #"{"text":"Other"}"#, key: "k").response.status == 422)
        #expect(try post.work() && !post.work())
        let again = try post.json(.post, path, Self.hello, query: "wait=true", key: "k")
        #expect(again.response.status == 201 && again.body["id"] == first && post.service.requests.count == 1)

        post.answer(nil)
        #expect(try post.json(.post, path, Self.hello, query: "wait=true", key: "u").response.status == 502)
        post.answer(Self.taken)
        let known = try post.json(.post, path, Self.hello, query: "wait=true", key: "u")
        #expect(known.response.status == 502 && known.body["code"] == "outcome_unknown")
        #expect(post.service.requests.count == 2)
        post.house.pass(.hours(25))
        #expect(try post.json(.post, path, Self.hello, query: "wait=true", key: "u").response.status == 201)
    }

    @Test("A message that was not taken gives its key free")
    func keyFreed() throws {
        let post = try PostRoom(Self.busy, Self.taken)
        let id = try post.connect("telegram", Self.setup)
        let path = "connections/\(id)/messages"
        #expect(try post.json(.post, path, Self.hello, query: "wait=true", key: "k").response.status == 502)
        #expect(try post.json(.post, path, Self.hello, query: "wait=true", key: "k").response.status == 201)
    }

    @Test(
        "An attempt cut off by a crash ends as unknown, or goes on where the service tells repetitions apart",
        arguments: [("telegram", false), ("google_calendar", true)])
    func crash(provider: String, goesOn: Bool) throws {
        let post = try PostRoom(goesOn ? StandIn.json(409, "{}") : Self.taken)
        let isEvent = provider == "google_calendar"
        let id = try post.connect(provider, isEvent ? PostRoom.calendar : Self.setup)
        let body = try post.json(
            .post, "connections/\(id)/\(isEvent ? "calendar-events" : "messages")",
            isEvent ? #"{"summary":"A","start":"2026-11-21","end":"2026-11-22"}"# : Self.hello
        ).body
        let message = try #require(body["id"]?.text.flatMap { MessageID($0) })
        // As a process leaves it that dies between the service's answer and the note of it.
        let now = post.house.world.now()
        try post.house.database.execute(
            """
            UPDATE outgoing_messages
               SET status = 'sending', attempts = 1, lease_token = \([UInt8](repeating: 7, count: 16)),
                   lease_until = \(now + .seconds(90)), attempted_at = \(now)
             WHERE id = \(message)
            """)
        #expect(try post.work())
        #expect(post.service.requests.isEmpty, "the attempt may still be under way")
        post.house.pass(.seconds(92))
        if goesOn { #expect(try post.work()) } else { try post.room.takeUpCutOff() }
        let after = try post.json(.get, "messages/\(message)").body
        #expect(after["status"]?.text == (goesOn ? "sent" : "unknown"), "\(after)")
        #expect(post.service.requests.count == (goesOn ? 1 : 0))
        #expect(try post.house.auditedActions().last == (goesOn ? "message.sent" : "message.failed"))
        // What comes later finds nothing to do.
        post.house.pass(.hours(1))
        _ = try post.work()
        try post.room.takeUpCutOff()
        #expect(post.service.requests.count == (goesOn ? 1 : 0))
    }

    @Test("What was cut off while somebody waited for it is taken up again where that is safe")
    func crashWhileWaiting() throws {
        let post = try PostRoom(StandIn.json(200, #"{"id":"x"}"#))
        let id = try post.connect("google_calendar", PostRoom.calendar)
        let view = try post.room.find(
            .named(provider: "google_calendar", name: "default"), post.house.scope(of: post.admin))
        let event = CalendarEvent(
            calendar: "primary", summary: "A", start: .day("2026-11-21"), end: .day("2026-11-22"), timeZone: nil,
            description: nil, attendees: [])
        let scope = try post.house.scope(of: post.admin)
        let message = try post.room.send(.event(event), over: view, key: nil, isOnce: false, by: scope)
        try post.house.database.execute("DELETE FROM jobs WHERE kind = 'connections.message'")
        try post.house.database.execute(
            "UPDATE outgoing_messages SET status = 'sending', lease_token = \([UInt8](repeating: 7, count: 16)), lease_until = \(post.house.world.now())"
        )
        try post.room.takeUpCutOff()
        #expect(try post.work())
        #expect(try post.json(.get, "messages/\(message.id)").body["status"] == "sent")
        #expect(try post.json(.get, "connections/\(id)/messages").body["data"]?.elements?.count == 1)
    }

    @Test("What ended three months ago is forgotten, what waits is not")
    func forgotten() throws {
        let post = try PostRoom(Self.taken)
        let id = try post.connect("telegram", Self.setup)
        _ = try post.send(id, Self.hello)
        _ = try post.json(.post, "connections/\(id)/messages", Self.hello)
        post.house.pass(.hours(24 * 90 + 1))
        try post.room.forgetOld()
        #expect(
            try post.json(.get, "connections/\(id)/messages").body["data"]?.elements?.map { $0["status"] } == ["queued"]
        )
    }
}
