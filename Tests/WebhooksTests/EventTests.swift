import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Webhooks

@Suite("Events by their door for scripts")
struct EventTests {
    private func count(_ counter: Counter, _ table: StaticString) throws -> Int {
        try #require(try counter.post.house.database.row("SELECT COUNT(*) AS n FROM \(unescaped: "\(table)")")).get("n")
    }

    @Test("An event is answered with 202 and its address once it and its deliveries are stored")
    func taken() throws {
        let counter = try Counter()
        try counter.make()
        let taken = try counter.send(
            .post, "events",
            [
                "type": "user.created", "data": ["name": "Ana"], "id": "order-1", "ordering_key": "o1",
                "timestamp": "2026-11-20T10:00:00+01:00",
            ])
        let id = try counter.id(taken)
        #expect(taken.status == 202 && taken.headers["location"] == "/hub/api/v1/events/\(id)")
        #expect(
            taken.json["deliveries"] == 1 && taken.json["event_id"] == "order-1" && taken.json["is_repetition"] == false
        )
        let shown = try counter.send(.get, "events/\(id)")
        #expect(shown.json["timestamp"] == "2026-11-20T09:00:00.000Z" && shown.json["source"] == "api")
        #expect(shown.json["payload"]?["data"] == ["name": "Ana"] && shown.json["payload"]?["id"]?.text == id)
        #expect(shown.json["deliveries"]?.elements?.count == 1 && shown.json["ordering_key"] == "o1")
        let listed = try counter.send(.get, "events", query: "type=user.*")
        #expect(listed.json["data"]?[0]?["id"]?.text == id && listed.json["data"]?[0]?["payload"] == nil)
        #expect(try counter.send(.get, "events", query: "type=payment.*").json["data"] == [])
        #expect(try counter.send(.get, "events", query: "type=use*").status == 422)
    }

    @Test("The same id twice is one event, also at the same moment; with other contents it is refused with 409")
    func repeated() throws {
        let counter = try Counter()
        try counter.make()
        let body: JSON = ["type": "user.created", "data": ["n": 1], "id": "a"]
        let answers = try inThreads(8) { _ in try counter.send(.post, "events", body) }
        #expect(answers.allSatisfy { $0.status == 202 } && Set(answers.compactMap { $0.json["id"]?.text }).count == 1)
        #expect(answers.filter { $0.json["is_repetition"] == false }.count == 1)
        #expect(try count(counter, "events WHERE source = 'api'") == 1 && count(counter, "deliveries") == 1)
        for other in [
            ["type": "user.created", "data": ["n": 2], "id": "a"],
            ["type": "user.deleted", "data": ["n": 1], "id": "a"],
            ["type": "user.created", "data": ["n": 1], "id": "a", "ordering_key": "x"],
        ] as [JSON] {
            let answer = try counter.send(.post, "events", other)
            #expect(answer.status == 409 && answer.code == "event_id_conflict")
        }
        let stranger = try counter.stranger()
        try counter.post.prepare(stranger)
        let theirs = try counter.send(.post, "events", body, as: stranger)
        #expect(theirs.status == 202 && theirs.json["is_repetition"] == false, "ids are each organization's own")
    }

    @Test("A batch is taken whole, in order, or not at all, and its faults are named by their place")
    func batch() throws {
        let counter = try Counter()
        try counter.make()
        let good: [JSON] = (0..<1_000).map {
            ["type": "custom.tick", "data": ["n": .integer($0)], "id": .string("e\($0)")]
        }
        let taken = try counter.send(.post, "events/batch", ["events": .array(good)])
        #expect(taken.status == 202 && taken.json["data"]?.elements?.count == 1_000)
        #expect(taken.json["data"]?.elements?.map { $0["event_id"]?.text } == (0..<1_000).map { "e\($0)" })
        #expect(try count(counter, "events WHERE source = 'api'") == 1_000 && count(counter, "deliveries") == 1_000)
        let mixed: JSON = [
            "events": [
                ["type": "custom.tick", "data": [:], "id": "new"], ["type": "no_such.kind", "data": [:]],
                ["type": "custom.tick", "data": 3], ["type": "custom.tick", "data": [:], "extra": 1], 7,
            ]
        ]
        let refused = try counter.send(.post, "events/batch", mixed)
        #expect(refused.status == 422)
        #expect(
            refused.refusals == [
                "events/1/type unknown_event_type", "events/2/data wrong_type", "events/3/extra unknown_field",
                "events/4 malformed_json",
            ])
        let conflicting: JSON = [
            "events": [
                ["type": "custom.tick", "data": ["n": 0], "id": "e0"],
                ["type": "custom.tick", "data": [:], "id": "fresh"],
                ["type": "custom.tick", "data": ["n": 99], "id": "e1"],
            ]
        ]
        #expect(try counter.send(.post, "events/batch", conflicting).code == "event_id_conflict")
        #expect(try count(counter, "events WHERE source = 'api'") == 1_000, "none of either")
        let twins: JSON = [
            "events": [
                ["type": "custom.tick", "data": ["n": 1], "id": "twin"],
                ["type": "custom.tick", "data": ["n": 1], "id": "twin"],
            ]
        ]
        let twice = try counter.send(.post, "events/batch", twins).json["data"]
        #expect(twice?[0]?["id"] == twice?[1]?["id"] && twice?[1]?["is_repetition"] == true)
        #expect(try count(counter, "events WHERE source = 'api'") == 1_001)
    }

    @Test("A batch of none, of too many, or that is none is refused; its answer stays small")
    func batchBounds() throws {
        let counter = try Counter()
        let event: JSON = ["type": "custom.a", "data": [:]]
        for body in [
            ["events": []], ["events": .array(Array(repeating: event, count: 1_001))], [:],
            ["events": [event], "x": 1],
            ["events": ["a": 1]], ["events": .null],
        ] as [JSON] {
            #expect(try counter.send(.post, "events/batch", body).refusals == ["events invalid"])
        }
        let bad = try counter.send(.post, "events/batch", ["events": .array(Array(repeating: ["x": 1], count: 1_000))])
        #expect(bad.status == 422 && bad.json.bytes.count < 10_000)
    }

    @Test("256 kB of payload are taken and a byte more is refused with its size")
    func large() throws {
        let counter = try Counter()
        try counter.make()
        func send(_ count: Int) throws -> Counter.Answer {
            try counter.send(
                .post, "events", ["type": "custom.big", "data": ["x": .string(String(repeating: "x", count: count))]])
        }
        let envelope = try #require(
            try counter.send(.get, "events/\(try counter.id(send(0)))").json["bytes"]?.wholeNumber)
        let most = NewEvent.mostBytes - Int(envelope)
        #expect(try send(most).status == 202)
        let refused = try send(most + 1)
        #expect(refused.status == 422 && refused.refusals == ["data too_large"])
        try counter.post.dispatchAll()
        #expect(counter.post.receiver.requests.map { Post.body(of: $0).count }.max() == NewEvent.mostBytes)
    }

    @Test("What is no event is refused with the field and the reason")
    func refused() throws {
        let counter = try Counter()
        for (body, refusals) in [
            ([:], ["type required", "data required"]), (["type": "user.created"], ["data required"]),
            (["type": "user.created", "data": []], ["data wrong_type"]),
            (["type": "user.created", "data": "x"], ["data wrong_type"]),
            (["type": 7, "data": [:]], ["type wrong_type"]),
            (["type": "user created", "data": [:]], ["type invalid"]),
            (["type": "user.*", "data": [:]], ["type invalid"]),
            (["type": "no.such", "data": [:]], ["type unknown_event_type"]),
            (["type": "webhook.disabled", "data": [:]], ["type reserved_event_type"]),
            (["type": "inbound.stripe.charge", "data": [:]], ["type reserved_event_type"]),
            (["type": "webhook.test", "data": [:]], ["type reserved_event_type"]),
            (["type": "custom.a", "data": [:], "id": ""], ["id too_short"]),
            (["type": "custom.a", "data": [:], "id": .string(String(repeating: "x", count: 257))], ["id too_long"]),
            (
                ["type": "custom.a", "data": [:], "ordering_key": .string(String(repeating: "x", count: 129))],
                ["ordering_key too_long"]
            ),
            (["type": "custom.a", "data": [:], "timestamp": "yesterday"], ["timestamp invalid"]),
            (["type": "custom.a", "data": [:], "timestamp": "0000-01-01T00:00:00+23:59"], ["timestamp invalid"]),
            (["type": "custom.a", "data": [:], "timestamp": "9999-12-31T23:59:59-23:59"], ["timestamp invalid"]),
            (["type": "custom.a", "data": [:], "source": "hub"], ["source unknown_field"]),
        ] as [(JSON, [String])] {
            let answer = try counter.send(.post, "events", body)
            #expect(answer.status == 422 && answer.refusals == refusals, "\(body): \(answer.refusals)")
        }
        for timestamp in ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] as [JSON] {
            #expect(
                try counter.send(.post, "events", ["type": "custom.a", "data": [:], "timestamp": timestamp]).status
                    == 202)
        }
        let deepest = (0..<30).reduce(JSON.integer(1)) { inner, _ in ["d": inner] }
        let deep = try counter.send(.post, "events", ["type": "custom.a", "data": deepest])
        #expect(deep.status == 202)
        #expect(try counter.send(.get, "events/\(try counter.id(deep))").json["payload"]?["data"] == deepest)
    }

    @Test("Texts of every kind go through unharmed: ids and keys that differ are different")
    func texts() throws {
        let counter = try Counter()
        try counter.make()
        let ids = [
            "a", "A", "á", "a\u{301}", "a ", " a", "ß", "ss", "🎉", "'; DROP TABLE events; --", "\u{0}", "a\r\nb", "%",
            "_",
        ]
        for (number, id) in ids.enumerated() {
            let answer = try counter.send(
                .post, "events",
                ["type": "custom.t", "data": ["n": .integer(Int64(number)), "id": .string(id)], "id": .string(id)])
            #expect(answer.status == 202 && answer.json["is_repetition"] == false, "\(id.debugDescription)")
            #expect(
                try counter.send(.get, "events/\(try counter.id(answer))").json["payload"]?["data"]?["id"]?.text == id)
        }
    }

    @Test("What a receiver gets is in the log: both sides, the time it took, and its own words unharmed")
    func logged() throws {
        let body = "<script>alert(1)</script>\u{e9}" + String(repeating: "y", count: 30_000)
        let counter = try Counter { _ in
            "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nX-Mine: yes\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        }
        let id = try counter.id(try counter.make())
        try counter.post.take()
        try counter.post.dispatch()
        let listed = try #require(try counter.send(.get, "webhooks/\(id)/deliveries").json["data"]?[0])
        #expect(listed["status"] == "waiting" && listed["attempts"] == 1 && listed["last_status"] == 503)
        #expect(listed["error"]?["code"] == "status" && listed["under_way"] == false)
        #expect(listed["next_attempt_at"]?.text == (counter.post.house.world.now() + .seconds(120)).rfc3339)
        let shown = try counter.send(.get, "deliveries/\(listed["id"]?.text ?? "")").json
        let attempt = try #require(shown["attempts_log"]?[0])
        #expect(attempt["number"] == 1 && attempt["cause"] == "schedule" && attempt["status"] == 503)
        let text = try #require(attempt["response_body"]?.text)
        #expect(text.hasPrefix("<script>") && text.utf8.count <= 20_010 && text.utf8.count >= 19_000)
        let sent = (attempt["request_headers"]?.elements ?? []).compactMap { $0["name"]?.text }
        #expect(sent.contains("webhook-signature") && sent.contains("webhook-id"))
        let returned = attempt["response_headers"]?.elements ?? []
        #expect(returned.contains { $0["name"]?.text?.lowercased() == "x-mine" && $0["value"] == "yes" })
        #expect(attempt["timing_ms"]?.members?.map(\.name) == ["dns", "connect", "tls", "first_byte", "total"])
        for (query, count) in [
            ("status=waiting", 1), ("status=delivered", 0), ("event=user.*", 1), ("event=payment.*", 0),
            ("since=2030-01-01T00:00:00Z", 0), ("until=2030-01-01T00:00:00Z", 1),
        ] {
            let found = try counter.send(.get, "webhooks/\(id)/deliveries", query: query).json["data"]?.elements
            #expect(found?.count == count, "\(query)")
        }
        #expect(
            try counter.send(.get, "webhooks/\(id)/deliveries", query: "status=lost").refusals == ["status invalid"])
    }
}
