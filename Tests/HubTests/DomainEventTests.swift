import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import Testing
import TimeKit

@testable import Hub

/// What the hub tells of itself against what it says about it.
@Suite(.timeLimit(.minutes(15))) struct OwnEvents {
    private let door: FrontDoor
    private let key: String

    init() throws {
        door = try FrontDoor()
        try door.person("ana@acme.example")
        key = try door.key()
    }

    private func send(_ method: HTTPKit.Method, _ path: String, _ json: String? = nil) throws -> JSON {
        let answer = try Visitor(door).send(method, path, json: json, headers: ["x-api-key": key])
        try #require(answer.status.code < 300, "\(method) \(path): \(answer.text)")
        door.clock.pass(.seconds(1))
        return answer.text.isEmpty ? .null : try JSON(parsing: Array(answer.text.utf8))
    }

    /// The members of each event's data, by its type, as they were told.
    private func told() throws -> [(type: String, members: [String])] {
        try door.database.rows("SELECT type, data FROM domain_events ORDER BY id LIMIT 100").map { row in
            let data = try JSON(parsing: Array(row.get("data", as: String.self).utf8))
            return (try row.get("type"), data.members?.map(\.name) ?? [])
        }
    }

    /// The members of an example, by the type that it is of.
    private func examples() throws -> [String: [String]] {
        let types = try send(.get, "/api/v1/event-types")["data"]?.elements ?? []
        let pairs = types.map { ($0["name"]?.text ?? "", $0["example"]?.members?.map(\.name) ?? []) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test("What is told of an API key's life is what its description shows, member by member")
    func keys() throws {
        let made = try send(.post, "/api/v1/api-keys", #"{"name":"export","scopes":["connections:read"]}"#)
        let path = "/api/v1/api-keys/" + (made["id"]?.text ?? "")
        _ = try send(.patch, path, #"{"name":"nightly export"}"#)
        _ = try send(.post, path + "/roll", #"{"grace_seconds":3600}"#)
        _ = try send(.delete, path + "/previous")
        _ = try send(.post, path + "/disable")
        _ = try send(.post, path + "/enable")
        _ = try send(.delete, path)
        let (told, examples) = (try told(), try examples())
        let types = ["created", "updated", "rolled", "previous_ended", "disabled", "enabled", "revoked"]
        #expect(Set(told.map(\.type)).isSuperset(of: types.map { "api_key.\($0)" }))
        for (type, members) in told { #expect(members == examples[type], "\(type)") }
    }

    @Test("What is told of a connection that is dropped and removed is what its description shows")
    func connections() throws {
        let made = try send(
            .post, "/api/v1/connections",
            #"{"provider":"openrouter","name":"second","setup":{"api_key":"sk-or-abcdefghijkl"}}"#)
        let path = "/api/v1/connections/" + (made["id"]?.text ?? "")
        _ = try send(.post, path + "/disconnect")
        _ = try send(.delete, path)
        let (told, examples) = (try told(), try examples())
        #expect(Set(told.map(\.type)).isSuperset(of: ["connection.disconnected", "connection.removed"]))
        for (type, members) in told { #expect(members == examples[type], "\(type)") }
    }

    @Test("An event with an Idempotency-Key is taken once: the same request gets its first answer, another is refused")
    func idempotent() throws {
        func publish(_ body: String, _ idempotencyKey: String) throws -> Response {
            try Visitor(door).send(
                .post, "/api/v1/events", json: body, headers: ["x-api-key": key, "idempotency-key": idempotencyKey])
        }
        let body = #"{"type":"custom.order","data":{"n":1}}"#
        let (first, second) = (try publish(body, "order-1"), try publish(body, "order-1"))
        #expect(first.status == 202 && second.status == 202 && first.text == second.text)
        #expect(
            second.headers["idempotent-replayed"] == "true" && second.headers["location"] == first.headers["location"])
        let other = try publish(#"{"type":"custom.order","data":{"n":2}}"#, "order-1")
        #expect(other.status == 422 && other.text.contains("idempotency_key_reused"))
        #expect(try publish(body, "order-2").text != first.text)
        #expect(try door.count("SELECT COUNT(*) AS n FROM events WHERE source = 'api'") == 2)
    }
}
