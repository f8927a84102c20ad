import AdminShell
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

/// What is refused before anything is sent, with the field named, and who may send and see.
@Suite("What is sent", .timeLimit(.minutes(15))) struct MessageInputTests {
    private static let telegram = #"{"bot_token":"\#(Office.token)"}"#
    private static let mail =
        #"{"host":"mail.example","port":"587","from_email":"shop@acme.example","to_email":"bo@acme.example"}"#

    @Test(
        "A field that the service would refuse, or cut, is refused with its name",
        arguments: [
            ("telegram", telegram, #"{"text":"x"}"#, "/to required"),
            ("telegram", telegram, #"{"to":"nobody","text":"x"}"#, "/to invalid"),
            ("telegram", telegram, #"{"to":42}"#, "/text required"),
            ("telegram", telegram, #"{"to":42,"text":"\#(String(repeating: "😀", count: 2_049))"}"#, "/text too_long"),
            ("telegram", telegram, #"{"to":42,"text":"x","subject":"y"}"#, "/subject not_taken"),
            ("telegram", telegram, #"{"to":42,"text":"x","html":"y"}"#, "/html not_taken"),
            ("telegram", telegram, #"{"to":42,"text":"x","cc":"y"}"#, "/cc unknown_field"),
            ("telegram", telegram, #"{"to":42,"text":"a\u0000b"}"#, "/text invalid"),
            ("smtp", mail, #"{"text":"x"}"#, "/subject required"),
            ("smtp", mail, #"{"text":"x","subject":"a\r\nBcc: eve@evil.example"}"#, "/subject invalid"),
            ("smtp", mail, #"{"to":"a@x.org\r\nBcc: eve@evil.example","text":"x","subject":"y"}"#, "/to invalid"),
            ("smtp", mail, #"{"to":"a@x.org, b@x.org","text":"x","subject":"y"}"#, "/to invalid"),
            ("smtp", mail, #"{"text":"x","subject":"\#(String(repeating: "y", count: 251))"}"#, "/subject too_long"),
            (
                "discord", PostRoom.discordHook, #"{"to":"1","text":"x"}"#,
                "/to not_taken"
            ),
            ("discord", PostRoom.discordBot, #"{"to":"general","text":"x"}"#, "/to invalid"),
            (
                "discord", PostRoom.discordBot,
                #"{"text":"\#(String(repeating: "x", count: 2_001))"}"#, "/text too_long"
            ),
            (
                "instagram", #"{"token":"IGQVJ0123456789abcdef","instagram_scoped_id":"178414"}"#,
                #"{"text":"\#(String(repeating: "ü", count: 501))"}"#, "/text too_long"
            ),
            ("slack", #"{"bot_token":"xoxb-1234567890"}"#, #"{"text":"x"}"#, "/to required"),
            (
                "slack", PostRoom.slack, #"{"text":"\#(String(repeating: "&", count: 8_001))"}"#,
                "/text too_long"
            ),
            (
                "microsoft_teams", #"{"webhook_url":"https://a.logic.azure.com/x"}"#,
                #"{"text":"\#(String(repeating: "x", count: 26_000))"}"#, "/text too_long"
            ),
        ])
    func refused(provider: String, setup: String, sent: String, refusal: String) throws {
        let post = try PostRoom(StandIn.json(200, "{}"))
        let id = try post.connect(provider, setup)
        let (response, body) = try post.json(.post, "connections/\(id)/messages", sent)
        #expect(response.status == 422 && refusals(body) == [refusal], "\(body)")
        #expect(post.service.requests.isEmpty)
        #expect(try post.json(.get, "connections/\(id)/messages").body["data"]?.elements?.isEmpty == true)
    }

    @Test(
        "A time that is none, or an end before its start, is refused",
        arguments: [
            (#""start":"tomorrow","end":"2026-11-22""#, ["/start invalid"]),
            (#""start":"2026-11-21T10:00:00","end":"2026-11-21T11:00:00""#, ["/start invalid", "/end invalid"]),
            (#""start":"2026-02-30","end":"2026-03-01""#, ["/start invalid"]),
            (#""start":"2026-11-21","end":"2026-11-21""#, ["/end invalid"]),
            (#""start":"2026-11-21","end":"2026-11-21T11:00:00Z""#, ["/end invalid"]),
            (#""start":"2026-11-21T10:00:00+01:00","end":"2026-11-21T08:59:59Z""#, ["/end invalid"]),
            (
                #""start":"2026-11-21T10:00:00Z","end":"2026-11-21T11:00:00","time_zone":"Europe/Ljubljana""#,
                ["/end invalid"]
            ),
            (#""start":"2026-11-21","end":"2026-11-22","time_zone":"../../etc/passwd""#, ["/time_zone invalid"]),
            (#""start":"2026-11-21","end":"2026-11-22","attendees":["ana"]"#, ["/attendees invalid"]),
            (#""start":"2026-11-21","end":"2026-11-22","calendar":"x""#, ["/calendar unknown_field"]),
        ])
    func events(members: String, expected: [String]) throws {
        let post = try PostRoom(StandIn.json(200, "{}"))
        let id = try post.connect("google_calendar", PostRoom.calendar)
        let (response, body) = try post.json(
            .post, "connections/\(id)/calendar-events", #"{"summary":"A",\#(members)}"#)
        #expect(response.status == 422 && refusals(body) == expected, "\(body)")
    }

    @Test("What a service does not take is 422, what a connection cannot do now 409, and a foreign one 404")
    func notNow() throws {
        let post = try PostRoom(StandIn.json(200, "{}"))
        let id = try post.connect("telegram", Self.telegram)
        let event = #"{"summary":"A","start":"2026-11-21","end":"2026-11-22"}"#
        let wrong = try post.json(.post, "connections/\(id)/calendar-events", event)
        #expect(wrong.response.status == 422 && wrong.body["code"] == "not_supported")
        try post.room.setEnabled(false, #require(Identifier<Connection>(id)), by: post.house.scope(of: post.admin))
        let disabled = try post.json(.post, "connections/telegram/messages", #"{"to":42,"text":"x"}"#)
        #expect(disabled.response.status == 409 && disabled.body["code"] == "connection_disabled")
        try post.room.disconnect(#require(Identifier<Connection>(id)), by: post.house.scope(of: post.admin))
        try post.room.setEnabled(true, #require(Identifier<Connection>(id)), by: post.house.scope(of: post.admin))
        #expect(
            try post.json(.post, "connections/\(id)/messages", #"{"to":42,"text":"x"}"#).body["code"] == "not_connected"
        )
        let other = try post.house.person(.owner, in: post.house.organization("Evil Corp"))
        #expect(
            try post.json(.post, "connections/\(id)/messages", #"{"to":42,"text":"x"}"#, as: other).response.status
                == 404)
        #expect(try post.json(.get, "connections/\(id)/messages", as: other).response.status == 404)
    }

    @Test("Sending needs messages:write, seeing messages:read, and another organization's message is 404")
    func rights() throws {
        let post = try PostRoom(StandIn.json(200, #"{"ok":true,"result":{"message_id":42}}"#))
        let id = try post.connect("telegram", #"{"bot_token":"\#(Office.token)","chat_id":"42"}"#)
        let message = try #require(try post.send(id, #"{"text":"x"}"#).body["id"]?.text)
        let member = try post.house.person(.member, in: post.organization)
        #expect(try post.json(.post, "connections/\(id)/messages", #"{"text":"x"}"#, as: member).response.status == 403)
        #expect(try post.json(.get, "messages/\(message)", as: member).response.status == 200)
        let other = try post.house.person(.owner, in: post.house.organization("Evil Corp"))
        #expect(try post.json(.get, "messages/\(message)", as: other).response.status == 404)
        let page = try post.page(.get, "/connections/\(id)/messages", as: member).text()
        #expect(page.contains("Sent") && !page.contains("<textarea"))
    }

    @Test("The list begins with the newest, a part at a time, and filters by state")
    func list() throws {
        let post = try PostRoom(StandIn.json(200, #"{"ok":true,"result":{"message_id":42}}"#))
        let id = try post.connect("telegram", #"{"bot_token":"\#(Office.token)","chat_id":"42"}"#)
        var ids: [String] = []
        for number in 0..<5 {
            let query = number < 3 ? "wait=true" : ""
            let body = try post.json(.post, "connections/\(id)/messages", #"{"text":"x"}"#, query: query).body
            ids.insert(try #require(body["id"]?.text), at: 0)
        }
        let first = try post.json(.get, "connections/\(id)/messages", query: "limit=2").body
        let cursor = try #require(first["next_cursor"]?.text)
        let second = try post.json(.get, "connections/\(id)/messages", query: "limit=3&cursor=\(cursor)").body
        let shown = [first, second].flatMap { $0["data"]?.elements ?? [] }
        #expect(shown.compactMap { $0["id"]?.text } == ids && second["next_cursor"] == .null)
        let waiting = try post.json(.get, "connections/\(id)/messages", query: "status=queued").body
        #expect(waiting["data"]?.elements?.count == 2)
        #expect(try post.json(.get, "connections/\(id)/messages", query: "status=odd").response.status == 422)
        #expect(
            try post.json(.post, "connections/\(id)/messages", #"{"text":"x"}"#, query: "wait=maybe").response.status
                == 422)
    }

    @Test("A person sends from the page, is told what came of it, and keeps what they typed when it fails")
    func page() throws {
        let post = try PostRoom(StandIn.json(200, #"{"ok":true,"result":{"message_id":42}}"#))
        let id = try post.connect("telegram", #"{"bot_token":"\#(Office.token)","chat_id":"4711471147"}"#)
        let path = "/connections/\(id)/messages"
        let empty = try post.page(.get, path).text()
        #expect(empty.contains("Nothing was sent yet") && empty.contains("Empty means 4711471147"))
        let sent = try post.page(.post, path, form: [("to", ""), ("text", "Hello\r\nthere")])
        #expect(sent.status == 303 && sent.headers["location"] == "/hub\(path)")
        #expect(try post.lastRequest().contains(#""text":"Hello\nthere""#))
        let after = try post.page(.get, path).text()
        #expect(after.contains("471•••47") && after.contains("state-good") && !after.contains("Hello"))

        let faulty = try post.page(.post, path, form: [("to", "nobody"), ("text", "Kept words")])
        #expect(faulty.status == 422)
        #expect(try faulty.text().contains("Kept words") && faulty.text().contains("A chat is a number"))
        post.answer(StandIn.json(400, #"{"ok":false,"description":"chat not found"}"#))
        let refused = try post.page(.post, path, form: [("text", "Kept words")])
        #expect(refused.status == 422)
        #expect(try refused.text().contains("chat not found") && refused.text().contains("Kept words"))
        #expect(try post.page(.get, "/connections/\(id)/calendar-events").status == 404)
    }

    @Test("A person adds an event from the page, its guests one a line")
    func eventPage() throws {
        let post = try PostRoom(StandIn.json(200, #"{"id":"e1"}"#))
        let id = try post.connect("google_calendar", PostRoom.calendar)
        let path = "/connections/\(id)/calendar-events"
        #expect(try post.page(.get, path).text().contains("Add an event"))
        let sent = try post.page(
            .post, path,
            form: [
                ("summary", "Plan"), ("start", "2026-11-21T10:00"), ("end", "2026-11-21T11:00"),
                ("time_zone", "Europe/Ljubljana"), ("description", ""),
                ("attendees", "ana@example.org\r\nbo@example.org"),
            ])
        #expect(sent.status == 303)
        let request = try post.lastRequest()
        #expect(request.contains(#""dateTime":"2026-11-21T10:00:00","timeZone":"Europe/Ljubljana""#))
        #expect(request.contains(#""attendees":[{"email":"ana@example.org"},{"email":"bo@example.org"}]"#))
    }

    @Test("The catalogue tells what each service takes")
    func capabilities() throws {
        let office = try Office()
        func capabilities(_ key: String) throws -> JSON? {
            try office.json(.get, "providers/\(key)").body["capabilities"]
        }
        for key in ["whatsapp", "sendgrid", "smtp"] { #expect(try capabilities(key) == ["messages"]) }
        #expect(try capabilities("telegram") == ["messages", "channels"])
        #expect(try capabilities("aws") == [])
    }

    @Test(
        "A provider file that says what the service takes must have what that needs",
        arguments: [
            (#""message":{"kind":"pigeon"}"#, "kind is one of"),
            (#""message":{"kind":"slack"}"#, "this kind needs a field access_token or bot_token"),
            (#""calendar":{"kind":"google"}"#, "this kind needs a field access_token"),
            (#""message":{}"#, "kind is missing"),
            (#""message":{"kind":"telegram","version":"9"}"#, "this kind needs a field bot_token"),
        ])
    func providerFile(member: String, sentence: String) throws {
        let text = """
            {"key":"x","name":"X","kind":"credentials","category":"T","tile":{"letters":"T","color":"sky"},"summary":"S.",
             "guide":[],"fields":[],"test":{"kind":"http","method":"GET","url":"https://a.example/","success":{"status":[200]},
             "access":"A","metadata":[]},\(member),"verified":true}
            """
        do throws(ProviderFileError) {
            _ = try ProviderFile.read("x.json", Array(text.utf8))
            Issue.record("read")
        } catch {
            #expect(error.sentence.contains(sentence))
        }
    }
}
