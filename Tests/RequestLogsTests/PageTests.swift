import AdminShell
import Domain
import HTTPKit
import RoomFixture
import TemplateKit
import Testing
import TimeKit

@testable import RequestLogs

@Suite struct PageTests {
    let archive: Archive

    init() throws { archive = try Archive() }

    private func page(_ path: String, _ query: String = "", as principal: Principal? = nil) throws -> String {
        let answer = try archive.door.send(.get, path, as: principal ?? archive.ana, query: query)
        let text = try answer.text()
        try #require(answer.status == 200, "\(text)")
        return text
    }

    /// The ids of requests in the order in which a page lists them.
    private func listed(_ page: String) -> [String] {
        page.split(separator: "/hub/request-logs/").dropFirst().map { String($0.prefix(36)) }
    }

    private func link(_ label: String, on page: String) throws -> String {
        let before = try #require(page.components(splitBy: ">\(label)<").first { $0 != page })
        let href = try #require(before.components(splitBy: "href=\"").last)
        return String(href.prefix { $0 != "\"" }).replacing("&amp;", with: "&")
    }

    /// What stands behind the question mark of a link.
    private func query(_ link: String) -> String { String(link.drop { $0 != "?" }.dropFirst()) }

    @Test("Every sample fills its template")
    func samples() throws { try archive.door.check(RequestLogs.pages) }

    @Test("Before the first request both pages say how to make one")
    func nothing() throws {
        let log = try page("/request-logs")
        #expect(log.contains("No request yet") && log.contains("https://site.example/hub/api/v1/connections"))
        #expect(!log.contains("Download CSV") && !log.contains("<table"))
        let usage = try page("/usage")
        #expect(usage.contains("No request") && !usage.contains("<svg"))
    }

    @Test("The log lists the newest first, and goes older and newer without repeating or skipping any")
    func paging() throws {
        try archive.log((0..<7).map { archive.request(Int64($0), id: "r\($0)") })
        let first = try page("/request-logs", "limit=3")
        #expect(listed(first).count == 3 && !first.contains(">Newer<"))
        let second = try page("/request-logs", query(link("Older", on: first)))
        let third = try page("/request-logs", query(link("Older", on: second)))
        #expect(listed(third).count == 1 && !third.contains(">Older<"))
        #expect(Set(listed(first) + listed(second) + listed(third)).count == 7)
        #expect(listed(first) + listed(second) + listed(third) == listed(try page("/request-logs")))
        #expect(try listed(page("/request-logs", query(link("Newer", on: third)))) == listed(second))
        let back = try page("/request-logs", query(link("Newer", on: second)))
        #expect(listed(back) == listed(first) && !back.contains(">Newer<"))
    }

    @Test("Filters stand in the address, and each link keeps those that it does not change")
    func filters() throws {
        let key = try archive.key("billing <b>")
        try archive.log([
            archive.request(0, key: key, status: 422, id: "refused"),
            archive.request(60, key: key, method: "POST", route: "/orders/{id}", path: "/orders/7", status: 201),
        ])
        let failed = try page("/request-logs", "status=failed&api_key_id=\(key)")
        #expect(listed(failed).count == 1 && failed.contains("validation_failed"))
        #expect(failed.contains("<option value=\"\(key)\" selected>billing &lt;b&gt;</option>"))
        #expect(failed.contains("<title>Failed requests"))
        #expect(try link("Last 24 hours", on: failed) == "/hub/request-logs?status=failed&api_key_id=\(key)&range=24h")
        #expect(try link("All", on: failed) == "/hub/request-logs?api_key_id=\(key)")
        #expect(try link("Download CSV", on: failed) == "/hub/request-logs?status=failed&api_key_id=\(key)&format=csv")
        let byRoute = try page("/request-logs", "route=/orders/%7Bid%7D")
        #expect(listed(byRoute).count == 1 && byRoute.contains("Route /orders/{id}"))
        #expect(listed(try page("/request-logs", "request_id=refused")).count == 1)
        let none = try page("/request-logs", "status=500")
        #expect(none.contains("No request matches these filters.") && none.contains("Clear filters"))
    }

    @Test("A range ends now; days that are named count for more than it")
    func ranges() throws {
        try archive.log([archive.request(0), archive.request(-7_200)])
        #expect(listed(try page("/request-logs", "range=24h")).count == 2)
        archive.house.pass(.hours(1))
        #expect(listed(try page("/request-logs", "range=1h")).isEmpty)
        #expect(listed(try page("/request-logs", "range=1h&start_date=2027-01-15&end_date=2027-01-15")).count == 2)
        #expect(listed(try page("/request-logs", "range=1h&start_date=&end_date=")).isEmpty)
    }

    @Test(
        "What cannot be meant is refused",
        arguments: [
            "range=2h", "status=700", "newer=x", "path=no-slash", "route=x", "start_date=yesterday", "format=pdf",
            "unknown=1", "limit=0",
        ])
    func refused(query: String) throws {
        #expect(try archive.door.send(.get, "/request-logs", as: archive.ana, query: query).status == 422)
    }

    @Test("The table holds what the page was narrowed to")
    func table() throws {
        try archive.log([archive.request(0, id: "old"), archive.request(1, status: 500, id: "bad")])
        let text = try page("/request-logs", "range=24h&status=failed&format=csv")
        #expect(text.split(separator: "\r\n").count == 2 && text.contains(",bad,"))
    }

    @Test("A request in full names what it was, what it means and where to look next")
    func entry() throws {
        let key = try archive.key("billing")
        let connection = Identifier<Connection>(archive.house.world)
        try archive.log([
            archive.request(
                0, key: key, method: "POST", route: "/api/v1/connections/{id}/test", path: "/api/v1/connections/7/test",
                status: 422, milliseconds: 12, bytes: 1_234, id: "req-1", connection: connection)
        ])
        let id = try #require(listed(page("/request-logs")).first)
        let text = try page("/request-logs/\(id)")
        for words in [
            "422 Unprocessable Content", "It was refused for what was sent.", "/api/v1/connections/7/test", "12 ms",
            "1.2 kB",
            "validation_failed", "203.0.113.9", "curl/8.5.0", "req-1", "billing", connection.text,
            "15 January 2027, 07:00:00 UTC",
        ] { #expect(text.contains(words), "\(words)") }
        for label in ["Same route", "Same status", "Same key", "Failed with this key", "Same connection"] {
            let like = try link(label, on: text)
            #expect(listed(try page("/request-logs", query(like))) == [id], "\(like)")
        }
        #expect(try archive.door.send(.get, "/request-logs/\(connection)", as: archive.ana).status == 404)
    }

    @Test("Usage draws what was logged, and tells it beside the time before")
    func usage() throws {
        let key = try archive.key("billing")
        try archive.log((0..<30).map { archive.request(Int64($0 * 60), key: key, status: $0 < 3 ? 500 : 200) })
        try archive.log((0..<20).map { archive.request(Int64($0 * 60) - 86_400, key: key) })
        let text = try page("/usage", "range=24h")
        #expect(text.contains("50 % more than before") && text.contains("10 points worse than before"))
        #expect(text.contains("30 requests, 3 failed. The most in one hour: 30, 15 Jan, 07:00."))
        #expect(text.contains("<title>15 Jan, 07:00: 30 requests, 3 failed</title>"))
        #expect(text.contains("GET /api/v1/connections") && text.contains("billing"))
        #expect(text.contains("Requests by hour") && text.contains("5xx"))
        #expect(!text.contains("style=") && !text.contains("NaN"))
        #expect(try page("/usage", "range=7d").contains("Requests every 6 hours"))
        #expect(try page("/usage").contains("Requests by day"))
        #expect(try page("/usage", "start_date=2027-01-10&end_date=2027-01-12").contains("No request in this time"))
        #expect(try page("/usage", "range=24h&format=csv").hasPrefix("at,requests,"))
    }

    @Test("A member sees their own requests alone, and is told so")
    func member() throws {
        let ben = try archive.house.person(.member, in: archive.organization, email: "ben@acme.example")
        try archive.log([archive.request(0), archive.request(1, key: archive.key("ana's"))])
        let log = try page("/request-logs", as: ben)
        #expect(log.contains("Every request you made") && listed(log).isEmpty)
        #expect(try page("/usage", as: ben).contains("Your requests"))
    }

    @Test("A key's page can show its thirty days; the overview its last day")
    func blocks() throws {
        let key = try archive.key("billing")
        try archive.log((0..<4).map { archive.request(Int64($0), key: key, status: $0 == 0 ? 404 : 200) })
        let scope = try archive.house.scope(of: archive.ana)
        let view = try #require(try archive.room.keyUsage(key, by: scope, mount: "/hub"))
        let library = try TemplateLibrary(ShellTemplates.sources)
        let block = String(decoding: try library.render("key-usage", view), as: UTF8.self)
        #expect(block.contains("<dd>4</dd>") && block.contains("<dd>75 %</dd>") && block.contains("polyline"))
        #expect(block.contains("/hub/usage?range=30d&amp;api_key_id=\(key)"))
        let other = try #require(try archive.room.keyUsage(archive.key("new"), by: scope, mount: "/hub"))
        #expect(
            String(decoding: try library.render("key-usage", other), as: UTF8.self).contains("Not used in this time."))
        let day = try #require(try archive.room.lastDay(scope))
        #expect(day.requests == 4 && day.failed == 1 && day.p95 != nil)
    }
}

extension String {
    /// The parts between a separator; the whole, when it is not there.
    fileprivate func components(splitBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
