import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Webhooks

@Suite("Kinds of events")
struct EventTypeTests {
    private static let path = "event-types"

    @Test("Those of seed 1 and every one that the hub tells of are described, with an example and a sentence")
    func builtIn() throws {
        let counter = try Counter()
        let found = try counter.send(.get, Self.path).json["data"]?.elements ?? []
        let names = Set(found.compactMap { $0["name"]?.text })
        let site = [
            "user.created", "user.updated", "user.deleted", "payment.succeeded", "payment.failed",
            "subscription.created",
            "subscription.updated", "subscription.canceled", "ai.request.completed", "ai.request.failed",
            "project.created",
            "project.updated", "project.completed",
        ]
        #expect(names == Set(site + DomainEventType.allCases.map(\.rawValue) + ["webhook.test"]))
        for type in found {
            #expect(type["built_in"] == true && type["description"]?.text?.hasSuffix(".") == true)
            #expect(type["example"]?.members?.isEmpty == false)
        }
        #expect(try counter.send(.get, "event-types/user.created").json["name"] == "user.created")
        for (method, body) in [(.patch, ["description": "x"]), (.delete, nil)] as [(HTTPKit.Method, JSON?)] {
            #expect(try counter.send(method, "event-types/user.created", body).status == 404)
        }
        for name in ["user.created", "webhook.test", "webhook.disabled", "inbound.stripe.x"] as [JSON] {
            #expect(
                try counter.send(.post, Self.path, ["name": name, "description": "x"]).refusals == ["name built_in"])
        }
    }

    @Test("What the hub tells of a webhook is what its description shows, member by member")
    func examples() throws {
        let counter = try Counter()
        let id = try counter.id(try counter.make())
        for (path, body) in [
            ("webhooks/\(id)", ["description": "x"]), ("webhooks/\(id)", ["active": false]),
        ] as [(String, JSON)] { _ = try counter.send(.patch, path, body) }
        _ = try counter.send(.post, "webhooks/\(id)/roll-secret")
        let webhook = try #require(Identifier<Webhook>(id))
        try counter.post.disable(webhook)
        for isActive in [true, false] {
            _ = try counter.post.room.setActive(isActive, webhook, by: counter.post.scope)
        }
        let record = try counter.post.room.find(webhook, counter.post.scope)
        try counter.post.room.tell(.webhookFailing, of: record, in: counter.post.house.database)
        _ = try counter.send(.delete, "webhooks/\(id)")
        let told = try counter.post.house.database.rows("SELECT type, data FROM domain_events ORDER BY id LIMIT 20")
        let types = try Set(told.map { try $0.get("type", as: String.self) })
        #expect(types == Set(DomainEventType.allCases.map(\.rawValue).filter { $0.hasPrefix("webhook.") }))
        for row in told {
            let type = try #require(DomainEventType(rawValue: try row.get("type")))
            let data = try JSON(parsing: Array(row.get("data", as: String.self).utf8))
            #expect(data.members?.map(\.name) == type.example.members?.map(\.name), "\(type)")
        }
    }

    @Test("One's own is described, changed under its version, found, and forgotten")
    func own() throws {
        let counter = try Counter()
        let schema: JSON = ["type": "object", "required": ["order_id"], "properties": ["order_id": ["type": "string"]]]
        let made = try counter.send(
            .post, Self.path,
            ["name": "order.shipped", "description": "It left.", "schema": schema, "example": ["order_id": "o1"]])
        #expect(made.status == 201 && made.headers["location"] == "/hub/api/v1/event-types/order.shipped")
        #expect(made.json["schema"] == schema && made.json["built_in"] == false && made.json["deprecated"] == false)
        let again = try counter.send(.post, Self.path, ["name": "order.shipped", "description": "x"])
        #expect(again.status == 409 && again.code == "event_type_exists")
        let tag = try #require(made.headers["etag"])
        let changed = try counter.send(
            .patch, "event-types/order.shipped", ["deprecated": true, "schema": .null], headers: ["if-match": tag])
        #expect(
            changed.json["deprecated"] == true && changed.json["schema"] == .null
                && changed.json["deprecated_at"] != .null)
        #expect(changed.json["example"] == ["order_id": "o1"] && changed.json["description"] == "It left.")
        let late = try counter.send(
            .patch, "event-types/order.shipped", ["deprecated": false], headers: ["if-match": tag])
        #expect(late.status == 412)
        let event: JSON = ["type": "order.shipped", "data": ["n": 1]]
        #expect(try counter.send(.post, "events", event).status == 202, "a deprecated kind is still taken")
        let stranger = try counter.stranger()
        try counter.post.prepare(stranger)
        #expect(try counter.send(.get, "event-types/order.shipped", as: stranger).status == 404)
        #expect(try counter.send(.post, "events", event, as: stranger).refusals == ["type unknown_event_type"])
        #expect(try counter.send(.delete, "event-types/order.shipped").status == 204)
        #expect(try counter.send(.get, "event-types/order.shipped").status == 404)
        #expect(try counter.send(.post, "events", event).refusals == ["type unknown_event_type"])
        #expect(
            try counter.post.house.auditedActions() == [
                "event_type.created", "event_type.updated", "event_type.deleted",
            ])
    }

    @Test("An event that breaks the schema of its kind is refused, each place with what would be right")
    func schema() throws {
        let counter = try Counter()
        let schema: JSON = [
            "type": "object", "required": ["order_id"], "additionalProperties": false,
            "properties": ["order_id": ["type": "string", "minLength": 1], "lines": ["items": ["required": ["sku"]]]],
        ]
        for name in ["order.shipped", "custom.order"] as [JSON] {
            #expect(
                try counter.send(.post, Self.path, ["name": name, "description": "x", "schema": schema]).status == 201)
            let good = try counter.send(
                .post, "events", ["type": name, "data": ["order_id": "o1", "lines": [["sku": "a"]]]])
            #expect(good.status == 202)
            let bad = try counter.send(
                .post, "events", ["type": name, "data": ["lines": [["sku": 1], [:]], "more": 1]])
            #expect(bad.status == 422)
            #expect(
                Set(bad.refusals) == [
                    "data/order_id breaks_schema", "data/lines/1/sku breaks_schema", "data/more breaks_schema",
                ])
        }
    }

    @Test("A description is bounded, its schema is one that can be kept to, and its example keeps to it")
    func refused() throws {
        let counter = try Counter()
        for (more, refusals) in [
            (["name": "a b"], ["name invalid"]), (["name": "custom.*"], ["name invalid"]),
            (["description": ""], ["description too_short"]),
            (["description": .string(String(repeating: "x", count: 501))], ["description too_long"]),
            (["schema": ["pattern": "a"]], ["schema/pattern invalid_schema"]), (["schema": 3], ["schema wrong_type"]),
            (["schema": ["properties": ["a": ["type": "text"]]]], ["schema/properties/a/type invalid_schema"]),
            (["schema": ["required": ["a"]], "example": [:]], ["example breaks_schema"]),
            (["example": 3], ["example wrong_type"]),
            (["schema": ["description": .string(String(repeating: "x", count: 70_000))]], ["schema too_large"]),
            (["example": ["x": .string(String(repeating: "x", count: 70_000))]], ["example too_large"]),
            (["built_in": true], ["built_in unknown_field"]),
        ] as [(JSON, [String])] {
            let whole: JSON = ["name": "order.shipped", "description": "It left."]
            let body = JSON.object((whole.members ?? []).filter { more[$0.name] == nil } + (more.members ?? []))
            let answer = try counter.send(.post, Self.path, body)
            #expect(answer.status == 422 && answer.refusals == refusals, "\(answer.refusals)")
        }
        for name in ["a%20b", "x".padding(300)] {
            #expect(try counter.send(.get, "event-types/\(name)").status == 404)
        }
    }

    @Test("A schema that refers to itself without end breaks every event of its kind, and nothing else")
    func endless() throws {
        let counter = try Counter()
        let made = try counter.send(
            .post, Self.path, ["name": "custom.loop", "description": "x", "schema": ["$ref": "#"]])
        #expect(made.status == 201)
        let answer = try counter.send(.post, "events", ["type": "custom.loop", "data": [:]])
        #expect(answer.refusals == ["data breaks_schema"])
        #expect(try counter.send(.post, "events", ["type": "custom.other", "data": [:]]).status == 202)
    }
}

extension String {
    /// The text so often.
    fileprivate func padding(_ count: Int) -> String { String(repeating: self, count: count) }
}
