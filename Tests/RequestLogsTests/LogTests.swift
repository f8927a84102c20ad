import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import RequestLogs

@Suite struct LogTests {
    let archive: Archive

    init() throws { archive = try Archive() }

    @Test("A request is told in full")
    func entry() throws {
        let key = try archive.key("billing")
        let connection = Identifier<Connection>(archive.house.world)
        try archive.log([
            archive.request(
                1, key: key, method: "POST", route: "/api/v1/connections/{id}/test",
                path: "/api/v1/connections/\(connection)/test", status: 422, milliseconds: 12, bytes: 321, id: "abc",
                connection: connection)
        ])
        let line = try #require(try archive.json("/api/v1/request-logs")["data"]?[0])
        #expect(line["at"] == JSON(archive.start + .seconds(1)))
        #expect(line["actor"]?["kind"] == "api_key" && line["actor"]?["id"]?.text == key.text)
        #expect(line["actor"]?["name"] == "billing" && line["surface"] == "api")
        #expect(line["method"] == "POST" && line["route"] == "/api/v1/connections/{id}/test")
        #expect(line["path"]?.text == "/api/v1/connections/\(connection)/test")
        #expect(line["connection_id"]?.text == connection.text)
        #expect(line["status"] == 422 && line["code"] == "validation_failed" && line["bytes"] == 321)
        #expect(line["duration_ms"] == .number(12) && line["address"] == "203.0.113.9")
        #expect(line["user_agent"] == "curl/8.5.0" && line["request_id"] == "abc")
        let id = try #require(line["id"]?.text)
        #expect(try archive.json("/api/v1/request-logs/\(id)") == line)
        let other = Identifier<LoggedRequest>(archive.house.world)
        #expect(try archive.door.send(.get, "/api/v1/request-logs/\(other)", as: archive.ana).status == 404)
    }

    @Test("Filters narrow the log, alone and together")
    func filters() throws {
        let (one, two) = (try archive.key("one"), try archive.key("two"))
        let connection = Identifier<Connection>(archive.house.world)
        try archive.log([
            archive.request(0, key: one, id: "a"),
            archive.request(60, key: two, method: "POST", status: 201, id: "b", connection: connection),
            archive.request(120, key: one, path: "/api/v1/100%_x", status: 404, id: "c"),
            archive.request(180, status: 500, id: "d"),
            archive.request(240, key: two, status: 302, id: "e"),
        ])
        #expect(try archive.ids("") == ["e", "d", "c", "b", "a"])
        #expect(try archive.ids("api_key_id=\(one)") == ["c", "a"])
        #expect(try archive.ids("oauth_app_id=\(two)") == ["e", "b"])
        #expect(try archive.ids("connection_id=\(connection)") == ["b"])
        #expect(try archive.ids("status=failed") == ["d", "c"])
        #expect(try archive.ids("status=succeeded") == ["e", "b", "a"])
        #expect(try archive.ids("status=4xx") == ["c"])
        #expect(try archive.ids("status=3xx") == ["e"])
        #expect(try archive.ids("status=500") == ["d"])
        #expect(try archive.ids("method=post") == ["b"])
        #expect(try archive.ids("path=/api/v1/100%25_") == ["c"])
        #expect(try archive.ids("path=/api/v1/100x").isEmpty)
        #expect(try archive.ids("request_id=c") == ["c"])
        #expect(try archive.ids("q=d&status=failed") == ["d"])
        #expect(try archive.ids("start_date=\((archive.start + .seconds(180)).rfc3339)") == ["e", "d"])
        #expect(try archive.ids("end_date=\((archive.start + .seconds(60)).milliseconds)") == ["a"])
        #expect(try archive.ids("start_date=2027-01-15&end_date=2027-01-15").count == 5)
        #expect(try archive.ids("start_date=2027-01-16").isEmpty)
    }

    @Test(
        "What cannot be meant is refused by name",
        arguments: [
            ("status=many", "status"), ("status=999", "status"), ("api_key_id=x", "api_key_id"),
            ("start_date=yesterday", "start_date"), ("path=connections", "path"), ("method=G%20T", "method"),
            ("start_date=2027-01-15&end_date=2027-01-14", "end_date"), ("limit=0", "limit"), ("limit=201", "limit"),
            ("cursor=nothing", "cursor"), ("colour=red", "colour"), ("request_id=%C3%BC", "request_id"),
            ("start_date=99999999999999999999", "start_date"),
        ])
    func refusals(_ query: String, _ field: String) throws {
        let answer = try archive.door.send(.get, "/api/v1/request-logs", as: archive.ana, query: query)
        #expect(answer.status == 422)
        let body = try JSON(parsing: Array(answer.text().utf8))
        #expect(body["errors"]?[0]?["pointer"]?.text == "/\(field)")
    }

    @Test("The list goes on from a cursor, even among requests of the same microsecond")
    func paging() throws {
        try archive.log((0..<25).map { archive.request(id: "r\($0)") })
        var seen: [String] = []
        var query = "limit=10"
        while true {
            let body = try archive.json("/api/v1/request-logs", query)
            seen += body["data"]?.elements?.compactMap { $0["request_id"]?.text } ?? []
            guard let next = body["next_cursor"]?.text else { break }
            query = "limit=10&cursor=\(next)"
        }
        #expect(seen.count == 25 && Set(seen).count == 25)
    }

    @Test("Another organization's requests are not there, and a member sees what is their own")
    func whose() throws {
        let ben = try archive.house.person(.member, in: archive.organization)
        let bens = try archive.key("ben's", of: ben.browser?.user)
        let elsewhere = try archive.house.organization("Other")
        let eve = try archive.house.person(.owner, in: elsewhere)
        try archive.log([
            archive.request(0, id: "ana"), archive.request(1, key: bens, id: "ben"),
            archive.request(2, id: "eve", organization: elsewhere),
        ])
        #expect(try archive.ids("") == ["ben", "ana"])
        #expect(try archive.ids("", as: ben) == ["ben"])
        #expect(try archive.ids("", as: eve) == ["eve"])
        let anas = try #require(try archive.json("/api/v1/request-logs", "request_id=ana")["data"]?[0]?["id"]?.text)
        for other in [ben, eve] {
            #expect(try archive.door.send(.get, "/api/v1/request-logs/\(anas)", as: other).status == 404)
        }
        #expect(try archive.json("/api/v1/usage", "", as: ben)["total_requests"] == 1)
        #expect(try archive.json("/api/v1/usage", "", as: ben)["top_keys"]?.elements?.count == 1)
        #expect(try archive.json("/api/v1/usage", "", as: eve)["total_requests"] == 1)
        #expect(try archive.json("/api/v1/usage")["total_requests"] == 2)
    }

    @Test("The whole log can be had as a table")
    func table() throws {
        try archive.log((0..<600).map { archive.request(Int64($0), path: "=1+1", id: "r\($0)") })
        let answer = try archive.door.send(
            .get, "/api/v1/request-logs", as: archive.ana, query: "limit=10", headers: ["accept": "text/csv"])
        #expect(answer.headers["content-type"] == "text/csv; charset=utf-8")
        let lines = try answer.text().split(separator: "\r\n")
        #expect(lines.count == 601 && lines[0].hasPrefix("at,request_id,"))
        #expect(lines[1].contains(",'=1+1,"))
    }
}
