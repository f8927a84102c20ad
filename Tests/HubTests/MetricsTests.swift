import DatabaseKit
import HTTPKit
import Testing
import TimeKit

@testable import Hub

/// What a machine that watches over the hub is told.
@Suite(.timeLimit(.minutes(15))) struct MetricsForPrometheus {
    @Test("Deliveries that wait, are due, in flight and failing are told by number, and each line is one of the format")
    func deliveries() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let key = try door.key()
        func send(_ method: HTTPKit.Method, _ path: String, _ json: String? = nil) throws -> Response {
            try Visitor(door).send(method, path, json: json, headers: ["x-api-key": key])
        }
        let hook = #"{"url":"https://erp.example.com/hook","events":["custom.*"]}"#
        #expect(try send(.post, "/api/v1/webhooks", hook).status == 201)
        for _ in 0..<4 {
            #expect(try send(.post, "/api/v1/events", #"{"type":"custom.order","data":{}}"#).status == 202)
        }
        let ids: [[UInt8]] = try door.database.rows("SELECT id FROM deliveries ORDER BY id LIMIT 4").map {
            try $0.get("id")
        }
        let now = door.clock.now
        try door.database.execute(
            "UPDATE deliveries SET next_at = \(now - .seconds(90)) WHERE id = \(ids[0])")
        try door.database.execute(
            "UPDATE deliveries SET next_at = \(now + .seconds(60)), lease_token = \(ids[1]) WHERE id = \(ids[1])")
        try door.database.execute(
            "UPDATE deliveries SET next_at = \(now + .hours(2)), last_error = 'timed_out' WHERE id = \(ids[2])")
        let text = try send(.get, "/metrics").text
        let lines = text.split(separator: "\n")
        for line in [
            "hub_deliveries_waiting 4", "hub_deliveries_due 2", "hub_deliveries_in_flight 1",
            "hub_delivery_oldest_due_seconds 90", #"hub_deliveries_failing{error="timed_out"} 1"#,
            "# TYPE hub_deliveries_waiting gauge", "hub_migrations_pending 0", "hub_encryption_keys_missing 0",
        ] { #expect(lines.contains(Substring(line)), "\(line) in \(text)") }
        for line in lines {
            #expect(line.contains(/^(# (HELP|TYPE) hub_\w+ .+|hub_\w+(\{(\w+="[^"]*",?)+\})? -?\d+)$/), "\(line)")
        }
        let page = try door.signedIn("ana@acme.example").get("/system").text
        #expect(page.contains("Due since") && page.contains("timed_out"))
    }

    @Test("Figures over all organizations are for those alone who may do everything")
    func rights() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let answer = try Visitor(door).send(.get, "/metrics", headers: ["x-api-key": door.key()])
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        let less = try Visitor(door).send(
            .get, "/metrics", headers: ["x-api-key": door.key(["webhooks:*", "usage:read"])])
        #expect(less.status == 403)
        #expect(try Visitor(door).send(.get, "/metrics").status == 401)
    }
}
