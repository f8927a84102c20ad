import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Inbound

@Suite("Pages of what comes in")
struct PageTests {
    private static let secret = "8f742231b10e8888abcd99baac2bcd1e"
    private let mail: Mailroom
    private let door: Door

    init() throws {
        mail = try Mailroom()
        door = try Door(mail.house, mail.room.pageRoutes, templates: Inbound.templates)
    }

    @Test("Every sample renders, strictly")
    func samples() throws { try door.check(Inbound.pages) }

    @Test("Every path is read as the route that wrote it")
    func paths() throws {
        for route in InboundPageRoute.samples { #expect(InboundPageRoute(try #require(Path(route.path))) == route) }
        for route in InboundRoute.samples { #expect(InboundRoute(try #require(Path(route.path))) == route) }
    }

    private func get(_ path: String, query: String = "") throws -> String {
        let answer = try door.send(.get, path, as: mail.admin, query: query)
        #expect(answer.status == 200, "\(path)")
        return try answer.text()
    }

    @Test("A source without a secret is shown in red, with what to do")
    func closed() throws {
        let source = try mail.source(["provider": "stripe"])
        for path in ["/inbound-sources", "/inbound-sources/\(source.id)"] {
            let page = try get(path)
            #expect(page.contains("attention-bad") && page.contains("state-bad") && page.contains("Closed"))
        }
    }

    @Test("A source is made by its form, its secret shown in the answer alone")
    func made() throws {
        #expect(try get("/inbound-sources").contains("No source yet"))
        #expect(try get("/inbound-sources/new").contains("provider=github"))
        #expect(try get("/inbound-sources/new", query: "provider=github").contains("GitHub"))
        let made = try door.send(
            .post, "/inbound-sources/new", as: mail.admin,
            form: [("provider", "github"), ("name", "Code"), ("secret", ""), ("csrf_token", "token")])
        let page = try made.text()
        #expect(made.status == 200 && made.headers["cache-control"] == "no-store" && page.contains("Store it now"))
        let row = try #require(try mail.house.database.row("SELECT id FROM inbound_sources"))
        let id: Identifier<InboundSource> = try row.get("id")
        let shown = try get("/inbound-sources/\(id)")
        #expect(shown.contains("/hub/inbound/") && !shown.contains("Store it now"))
        let refused = try door.send(
            .post, "/inbound-sources/new", as: mail.admin,
            form: [("provider", "discord"), ("secret", "abc"), ("csrf_token", "token")])
        #expect(refused.status == 422)
        #expect(try refused.text().contains("64 hexadecimal digits"))
    }

    @Test("A source is changed, renewed and removed by forms")
    func changed() throws {
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        let base = "/inbound-sources/\(source.id)"
        for path in ["edit", "secret", "address", "remove", "debug"] { _ = try get("\(base)/\(path)") }
        func post(_ path: String, _ form: [(String, String)]) throws -> Response {
            try door.send(.post, "\(base)/\(path)", as: mail.admin, form: form + [("csrf_token", "token")])
        }
        let edited = try post(
            "edit", [("name", "New"), ("body_limit", "2048"), ("per_minute", "5"), ("version", "1")])
        #expect(edited.status == 303)
        #expect(try post("edit", [("name", "Newer"), ("version", "1")]).status == 409)
        #expect(try post("secret", [("secret", "another-secret"), ("grace_seconds", "0")]).status == 303)
        let address = try post("address", [("grace_seconds", "0")])
        #expect(address.status == 200)
        #expect(try address.text().contains("has a new address"))
        #expect(try post("remove", [("confirm_name", "Wrong")]).status == 422)
        #expect(try post("remove", [("confirm_name", "New")]).status == 303)
        #expect(try mail.count("inbound_sources") == 0)
    }

    @Test("What came in is listed with its verdict, shown as it came, and published again by a button")
    func events() throws {
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        let body = #"{"type":"event_callback","event_id":"Ev<1>","event":{"type":"message"}}"#
        _ = try mail.post(source.path, body, mail.slack(body, secret: Self.secret))
        try mail.work()
        let list = try get("/inbound-events")
        #expect(list.contains("Verified") && list.contains("Published") && list.contains("Ev&lt;1&gt;"))
        #expect(try get("/inbound-events", query: "state=dead").contains("No event matches"))
        let row = try #require(try mail.house.database.row("SELECT id FROM inbound_events"))
        let id: Identifier<InboundEvent> = try row.get("id")
        let page = try get("/inbound-events/\(id)")
        #expect(page.contains("inbound.slack.message") && page.contains("Publish again"))
        let again = try door.send(
            .post, "/inbound-events/\(id)/replay", as: mail.admin, form: [("csrf_token", "token")])
        #expect(again.status == 303)
        try mail.work()
        #expect(try mail.published().count == 2)
        _ = try get("/inbound-events/replay")
        let many = try door.send(
            .post, "/inbound-events/replay", as: mail.admin,
            form: [("since", "2020-01-01T00:00:00Z"), ("csrf_token", "token")])
        #expect(many.status == 303)
    }

    @Test("Where there are more than are published again at once, the form asks for the next of them")
    func replayedInParts() throws {
        var settings = Inbound.Settings()
        settings.mostReplayed = 1
        let mail = try Mailroom(settings: settings)
        let door = try Door(mail.house, mail.room.pageRoutes, templates: Inbound.templates)
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        for id in ["a", "b"] {
            let body = #"{"type":"event_callback","event_id":"\#(id)","event":{"type":"message"}}"#
            _ = try mail.post(source.path, body, mail.slack(body, secret: Self.secret))
            mail.house.pass(.seconds(1))
        }
        try mail.work()
        func post(_ after: [(String, String)]) throws -> String {
            let answer = try door.send(
                .post, "/inbound-events/replay", as: mail.admin,
                form: [("since", "2020-01-01T00:00:00Z"), ("type", "message"), ("csrf_token", "token")] + after)
            #expect(answer.status == 303)
            return answer.headers["location"] ?? ""
        }
        let more = try post([])
        let query = try #require(Form(urlencoded: more.split(separator: "?").last ?? ""))
        let last = try #require(query["after_id"])
        #expect(more.hasPrefix("/hub/inbound-events/replay?") && query["type"] == "message")
        let page = try door.send(.get, "/inbound-events/replay", as: mail.admin, query: query.urlencoded).text()
        #expect(page.contains("There are more") && page.contains(last) && page.contains("2020-01-01T00:00:00Z"))
        #expect(try post([("after_id", last)]) == "/hub/inbound-events")
        #expect(try mail.count("inbound_events", "state = 'waiting' AND replays = 1") == 2)
    }

    @Test("An event's page names what was really published, and who brought it")
    func named() throws {
        let source = try mail.source(["provider": "hubspot", "secret": "client-secret"])
        let events: JSON = [
            ["eventId": 1, "subscriptionType": "deal.creation"], ["eventId": 2, "subscriptionType": "deal.deletion"],
        ]
        let body = String(decoding: events.bytes, as: UTF8.self)
        _ = try mail.post(source.path, body, mail.hubspot(source.path, body, secret: "client-secret"))
        try mail.work()
        let row = try #require(try mail.house.database.row("SELECT id FROM inbound_events"))
        let id: Identifier<InboundEvent> = try row.get("id")
        let page = try get("/inbound-events/\(id)")
        #expect(page.contains("inbound.hubspot.deal.creation, inbound.hubspot.deal.deletion"))
        #expect(!page.contains("inbound.hubspot.batch"))
        try mail.house.database.execute("DELETE FROM inbound_sources")
        #expect(try get("/inbound-events/\(id)").contains("a source that was removed"))
        try mail.house.database.execute("UPDATE inbound_events SET integration_id = id")
        #expect(try get("/inbound-events/\(id)").contains("an integration of"))
    }

    @Test("A refused request leads to the page that says why, and a pasted one is examined there")
    func debugging() throws {
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        var headers = mail.slack("{}", secret: Self.secret)
        headers["authorization"] = "Bearer of-no-use"
        _ = try mail.post(source.path, "{}\n", headers)
        let row = try #require(try mail.house.database.row("SELECT id FROM inbound_refusals"))
        let id: Identifier<InboundRefusal> = try row.get("id")
        #expect(try get("/inbound-sources/\(source.id)").contains("/inbound-refusals/\(id)"))
        let page = try get("/inbound-refusals/\(id)")
        #expect(page.contains("another line end") && page.contains("Failed") && page.contains("Not reached") == false)
        #expect(!page.contains("of-no-use") && !page.contains(Self.secret))
        let pasted = try door.send(
            .post, "/inbound-sources/\(source.id)/debug", as: mail.admin,
            form: [
                ("headers", "X-Slack-Signature: v0=00\r\nX-Slack-Request-Timestamp: 1"), ("body", "{}\r\n"),
                ("csrf_token", "token"),
            ])
        #expect(pasted.status == 200)
        #expect(try pasted.text().contains("x-slack-signature is not"))
        let support = try mail.house.person(.support, in: mail.organization)
        #expect(try door.send(.get, "/inbound-refusals/\(id)", as: support).status == 403)
    }
}
