import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Audit

@Suite struct AuditLogTests {
    let house: House
    let room: Audit
    let door: Door
    let ana: Principal

    init() throws {
        house = try House(connections: 2)
        room = Audit(database: house.database, world: house.world) { kind, id in
            kind == "connection" ? Identifier<Connection>(bytes: id).map { "/connections/\($0)" } : nil
        }
        door = try Door(house, room.routes, templates: Audit.templates)
        ana = try house.person(.owner, in: house.organization(), email: "ana@acme.example")
    }

    /// Notes that something was done, a millisecond after what came before.
    private func note(
        _ action: String, _ kind: String, _ name: String, details: JSON = [:], by principal: Principal? = nil
    ) throws {
        house.pass(.milliseconds(1))
        let scope = try house.scope(of: principal ?? ana)
        try AuditTrail(world: house.world).record(
            action, .init(kind, Identifier<Connection>(house.world), name: name), details: details, by: scope,
            in: house.database)
    }

    private func data(_ query: String, as principal: Principal? = nil) throws -> [JSON] {
        let response = try door.send(.get, "/api/v1/audit-log", as: principal ?? ana, query: query)
        try #require(response.status == 200)
        return try JSON(parsing: Array(response.text().utf8))["data"]?.elements ?? []
    }

    private func names(_ query: String) throws -> [String] {
        try data(query).compactMap { $0["object"]?["name"]?.text }
    }

    @Test("An entry tells who did what to which thing, when and from where")
    func entry() throws {
        try note("connection.renamed", "connection", "Telegram “alerts”", details: ["from": "default", "to": "alerts"])
        let entry = try #require(try data("").first)
        #expect(entry["action"] == "connection.renamed")
        #expect(entry["actor"]?["kind"] == "user")
        #expect(entry["actor"]?["name"] == "ana@acme.example")
        #expect(entry["actor"]?["id"]?.text == ana.browser?.user.text)
        #expect(entry["object"]?["kind"] == "connection")
        #expect(entry["object"]?["name"] == "Telegram “alerts”")
        #expect(entry["details"] == ["from": "default", "to": "alerts"])
        #expect(entry["occurred_at"] == JSON(house.world.now()))
        #expect(entry["remote_address"] == "203.0.113.9")
        #expect(entry["request_id"] == "test")
    }

    @Test("Filters narrow the log, alone and together")
    func filters() throws {
        let ben = try house.person(
            .admin, in: try #require(ana.memberships.first?.organization), email: "ben@acme.example")
        try note("connection.created", "connection", "Telegram “alerts”")
        house.pass(.days(2))
        let noon = house.world.now()
        try note("api_key.created", "api_key", "100% _ci\\_", by: ben)
        try note("connection.removed", "connection", "SMTP “news”", by: ben)
        #expect(try names("") == ["SMTP “news”", "100% _ci\\_", "Telegram “alerts”"])
        #expect(try names("actor=ben%40acme.example") == ["SMTP “news”", "100% _ci\\_"])
        #expect(try names("actor=\(try #require(ana.browser).user)") == ["Telegram “alerts”"])
        #expect(try names("action=connection.removed") == ["SMTP “news”"])
        #expect(try names("request_id=test&action=connection.removed") == ["SMTP “news”"])
        #expect(try names("request_id=another").isEmpty)
        #expect(try names("object_kind=api_key") == ["100% _ci\\_"])
        #expect(try names("since=\(noon.rfc3339)") == ["SMTP “news”", "100% _ci\\_"])
        #expect(try names("until=\(noon.rfc3339)") == ["Telegram “alerts”"])
        let day = String(noon.rfc3339.prefix(10))
        #expect(try names("since=\(day)&until=\(day)") == ["SMTP “news”", "100% _ci\\_"])
        #expect(try names("search=alerts") == ["Telegram “alerts”"])
        #expect(try names("search=%25%20_ci%5C") == ["100% _ci\\_"])
        #expect(try names("search=%25%25") == [])
        #expect(try names("actor=ben%40acme.example&object_kind=connection&search=&since=") == ["SMTP “news”"])
    }

    @Test(
        "What is no filter is refused by name",
        arguments: [
            ("since=yesterday", "since"), ("until=2027-02-30", "until"), ("action=Ä", "action"),
            ("colour=red", "colour"),
            ("actor=a&actor=b", "actor"), ("limit=0", "limit"), ("cursor=x", "cursor"), ("format=pdf", "format"),
        ])
    func refused(query: String, field: String) throws {
        let response = try door.send(.get, "/api/v1/audit-log", as: ana, query: query)
        #expect(response.status.code == (query.contains("&") ? 400 : 422))
        #expect(try response.text().contains("\"pointer\":\"/\(field)\""))
    }

    @Test("Days at the ends of time are taken")
    func endsOfTime() throws {
        try note("connection.created", "connection", "ours")
        #expect(try names("since=0000-01-01&until=9999-12-31") == ["ours"])
        #expect(try names("since=0000-01-01T00:00:00%2B10:00&until=9999-12-31T23:59:59-10:00") == ["ours"])
        #expect(try names("until=0001-01-01") == [])
        #expect(try names("since=9999-12-31") == [])
    }

    @Test("A walk over the parts meets each entry once while others are written")
    func walk() throws {
        for number in 0..<23 { try note("connection.created", "connection", "c\(number)") }
        var seen: [String] = []
        var query = "limit=5"
        while true {
            let body = try JSON(parsing: Array(door.send(.get, "/api/v1/audit-log", as: ana, query: query).text().utf8))
            seen += body["data"]?.elements?.compactMap { $0["object"]?["name"]?.text } ?? []
            for _ in 0..<3 { try note("connection.created", "connection", "later") }
            guard let cursor = body["next_cursor"]?.text else { break }
            query = "limit=5&cursor=\(cursor)"
        }
        #expect(seen == (0..<23).reversed().map { "c\($0)" })
    }

    @Test("Another organization's log is another log")
    func foreign() throws {
        try note("connection.created", "connection", "ours")
        let stranger = try house.person(.owner, in: house.organization("Other"))
        #expect(try data("", as: stranger).isEmpty)
        #expect(try !door.send(.get, "/audit-log", as: stranger, query: "search=ours").text().contains("connections/"))
        #expect(try room.latest(house.scope(of: stranger), limit: 5).isEmpty)
        #expect(try room.count(house.scope(of: stranger), since: Timestamp(seconds: 0)) == 0)
    }

    @Test("The table is whole however long, and no cell is a formula", arguments: ["/audit-log", "/api/v1/audit-log"])
    func table(path: String) throws {
        try note("connection.created", "connection", "=HYPERLINK(\"https://evil.example\",\"x\")")
        try note("connection.created", "connection", "@SUM(1)")
        try house.database.transaction { transaction in
            let scope = try house.scope(of: ana)
            for number in 0..<(Audit.batch * 2) {
                house.pass(.milliseconds(1))
                try AuditTrail(world: house.world).record(
                    "connection.tested", .init("connection", Identifier<Connection>?.none, name: "t\(number)"),
                    by: scope,
                    in: transaction)
            }
        }
        let response = try door.send(
            .get, path, as: ana, query: path.hasPrefix("/api") ? "" : "format=csv", headers: ["accept": "text/csv"])
        #expect(response.headers["content-type"] == "text/csv; charset=utf-8")
        #expect(response.headers["content-disposition"] == "attachment; filename=\"audit-log.csv\"")
        let lines = try response.text().split(separator: "\r\n")
        #expect(lines.count == 1 + Audit.batch * 2 + 2)
        #expect(lines[0].hasPrefix("occurred_at,actor_kind,actor,action,"))
        #expect(Set(lines).count == lines.count)
        #expect(lines.contains { $0.contains(#","'=HYPERLINK(""https://evil.example"",""x"")","#) })
        #expect(lines.contains { $0.contains(",'@SUM(1),") })
        let narrowed = try door.send(.get, path, as: ana, query: "format=csv&search=SUM").text()
        #expect(narrowed.split(separator: "\r\n").count == 2)
    }

    // MARK: For people

    @Test("The page's sample fills its template")
    func sample() throws { try door.check(Audit.pages) }

    @Test("The page tells deeds in sentences, links what has a page, and keeps its filters from part to part")
    func page() throws {
        #expect(try door.send(.get, "/audit-log", as: ana).text().contains("Nothing has happened yet"))
        for _ in 0..<3 { try note("connection.created", "connection", "Telegram “alerts”") }
        try note("webhook.key_rolled", "webhook", "<b>", details: ["secret": ["from": nil, "to": "set"]])
        let page = try door.send(.get, "/audit-log", as: ana).text()
        #expect(page.contains("Connected <a href=\"/hub/connections/"))
        #expect(page.contains("Key rolled the webhook <strong>&lt;b&gt;</strong>"))
        #expect(page.contains("<option value=\"connection.created\">Connection created</option>"))
        #expect(page.contains("<option value=\"ana@acme.example\">ana@acme.example</option>"))
        let query = "limit=2&action=connection.created&search=&since=2020-01-01"
        let narrowed = try door.send(.get, "/audit-log", as: ana, query: query).text()
        #expect(narrowed.contains("<option value=\"connection.created\" selected>"))
        #expect(narrowed.contains("limit=2&amp;action=connection.created&amp;since=2020-01-01&amp;cursor="))
        #expect(narrowed.contains("/hub/audit-log?action=connection.created&amp;since=2020-01-01&amp;format=csv"))
        #expect(narrowed.contains("value=\"2020-01-01\""))
        let nothing = try door.send(.get, "/audit-log", as: ana, query: "search=nothing-of-this-name").text()
        #expect(nothing.contains("Nothing in the log matches these filters."))
    }

    @Test("The latest changes read as sentences")
    func latest() throws {
        try note("organization.created", "organization", "Acme Shop")
        try note("connection.created", "connection", "Telegram “alerts”")
        try note("api_key.created", "api_key", "ci")
        try note("invoice.paid", "invoice", "7")
        let entries = try room.latest(house.scope(of: ana), limit: 10)
        #expect(
            entries.map { "\($0.actor) \($0.sentence)" } == [
                "ana@acme.example paid the invoice “7”", "ana@acme.example created the API key “ci”",
                "ana@acme.example connected Telegram “alerts”", "ana@acme.example set up the organization Acme Shop",
            ])
        #expect(entries.map(\.tone) == [.none, .none, .good, .good])
        #expect(try room.latest(house.scope(of: ana), limit: 2).count == 2)
        #expect(try room.count(house.scope(of: ana), since: house.world.now() - .days(7)) == 4)
    }

    @Test("Changes are told field by field")
    func changes() {
        #expect(Change.list(["from": "a", "to": "b"]) == [Change(field: "Name", before: "a", after: "b")])
        #expect(
            Change.list([
                "bot_token": ["from": "•••• 1", "to": "•••• 2"], "scopes": ["a:read", "b:read"], "ends": nil,
            ]) == [
                Change(field: "Bot token", before: "•••• 1", after: "•••• 2"),
                Change(field: "Scopes", before: nil, after: "a:read, b:read"),
                Change(field: "Ends", before: nil, after: nil),
            ])
        #expect(Change.list(.null).isEmpty)
    }
}
