import Accounts
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import Testing
import ThreadKit
import TimeKit
import Webhooks

@testable import Hub

@Suite("Notices by e-mail")
struct NoticeTests {
    private static func connect(_ door: FrontDoor) throws -> String {
        let id = Identifier<Connection>(.real)
        let now = door.clock.now
        try door.database.execute(
            """
            INSERT INTO connections
                   (id, organization_id, provider, name, status, status_changed_at, setup, metadata, created_by, created_at,
                    updated_at)
            VALUES (\(id), \(try door.organization()), 'smtp', 'default', 'connected', \(now), '{}', '{}', 'ana', \(now),
                    \(now))
            """)
        return id.text
    }

    @Test("An organization says over which connection and to whom, as page and as JSON; anything else is refused")
    func terms() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let key = try door.key()
        let script = Visitor(door)
        func ask(_ method: HTTPKit.Method, _ json: String? = nil, _ more: Headers = [:]) throws -> Response {
            var headers: Headers = ["authorization": "Bearer \(key)"]
            if let match = more["if-match"] { headers["if-match"] = match }
            return try script.send(method, "/api/v1/notices", json: json, headers: headers)
        }
        let id = try Self.connect(door)
        let terms = #"{"connection_id":"\#(id)","addresses":["ana@acme.example","bo@acme.example"]}"#
        #expect(try JSON(parsing: Array(ask(.get).text.utf8))["connection_id"] == .null)
        #expect(try ask(.put, terms, ["if-match": "\"7\""]).status == 412)
        let set = try ask(.put, terms, ["if-match": "\"0\""])
        #expect(set.status == 200 && set.headers["etag"] == "\"1\"")
        #expect(try JSON(parsing: Array(set.text.utf8))["addresses"]?.elements?.count == 2)
        for bad in [
            #"{"connection_id":"\#(Identifier<Connection>(.real))","addresses":["ana@acme.example"]}"#,
            #"{"connection_id":"\#(id)","addresses":["ana@acme.example\r\nBcc: x@y.example"]}"#,
            #"{"connection_id":"\#(id)","addresses":[]}"#, #"{"connection_id":"\#(id)","addresses":"x","more":1}"#,
            #"{"connection_id":"\#(id)","addresses":["\#((0..<11).map { "a\($0)@b.example" }.joined(separator: ","))"]}"#,
        ] { #expect(try ask(.put, bad).status == 422, "\(bad)") }

        let ana = try door.signedIn("ana@acme.example")
        let page = try ana.send(.get, "/organization").text
        #expect(page.contains("bo@acme.example") && page.contains(id))
        let refused = try ana.submit(
            "/organization", [("notice_connection", id), ("notice_addresses", "nobody")], to: "/organization/notices")
        #expect(refused.status == 422 && refused.text.contains("Each must be an e-mail address"))
        let off = try ana.submit(
            "/organization", [("notice_connection", ""), ("notice_addresses", "")], to: "/organization/notices")
        #expect(off.status == 303)
        #expect(try JSON(parsing: Array(ask(.get).text.utf8))["connection_id"] == .null)
        let actions = "SELECT COUNT(*) AS n FROM audit_events WHERE action = 'organization.notices_changed'"
        #expect(try door.count("\(unescaped: actions)") == 2)
    }

    @Test("What needs somebody becomes one message to each address, and nothing else does")
    func told() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let organization = try door.organization()
        let id = try Self.connect(door)
        let terms = #"{"connection_id":"\#(id)","addresses":["ana@acme.example","bo@acme.example"]}"#
        let answer = try Visitor(door).send(
            .put, "/api/v1/notices", json: terms, headers: ["authorization": "Bearer \(try door.key())"])
        try #require(answer.status == 200, "\(answer.text)")
        let outbox = DomainEvents(world: .real)
        let webhook = Identifier<Webhook>(.real)
        let happened: [(DomainEventType, String)] = [
            (.webhookDisabled, "gone"), (.webhookDisabled, "by_hand"), (.webhookUpdated, "gone"), (.webhookFailing, ""),
            (.connectionNeedsReauth, ""), (.keyExpiring, ""),
        ]
        for (type, reason) in happened {
            try outbox.publish(
                type, about: webhook, ["webhook_id": .string(webhook.text), "disabled_reason": .string(reason)],
                for: organization, in: door.database)
        }
        let dispatcher = Dispatcher(door.built.rooms.webhooks, rest: { WorkerThread.rest(for: $0) }, ring: {})
        try dispatcher.start()
        defer {
            dispatcher.stop()
            dispatcher.wait()
        }
        let end = ContinuousClock.now + .seconds(60)
        while try door.count("SELECT COUNT(*) AS n FROM domain_events WHERE handed_on_at IS NULL") > 0, .now < end {
            WorkerThread.rest(for: .milliseconds(20))
        }
        #expect(try door.count("SELECT COUNT(*) AS n FROM outgoing_messages WHERE status = 'queued'") == 8)
        #expect(try door.count("SELECT COUNT(*) AS n FROM jobs WHERE kind = 'connections.message'") == 8)
    }

    @Test("The words of a notice name what it is about, on one line, and what to do")
    func words() throws {
        let data: JSON = [
            "webhook_id": "1", "url": "https://a.example/hook", "description": "Orders\r\nBcc: x",
            "disabled_reason": "gone",
        ]
        let notice = try #require(Notice("webhook.disabled", data))
        #expect(notice.subject == "A webhook was disabled: Orders  Bcc: x" && notice.text.contains("410"))
        #expect(notice.about == ("webhook", "1") && Notice("message.sent", data) == nil)
        #expect(Notice.types.allSatisfy { Notice($0, data) != nil })
    }
}
