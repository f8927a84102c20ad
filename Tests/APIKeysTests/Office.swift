import AdminShell
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import ProcessKit
import RoomFixture
import TemplateKit
import Testing
import TimeKit

@testable import APIKeys

/// The room in a house of its own, with an administrator, as tests ask it.
final class Office: Sendable {
    let house: House
    let room: APIKeys
    let door: Door
    let organization: Identifier<Organization>
    let admin: Principal
    private let memory: Gatekeeper.Memory

    /// How often those who keep keys in memory were told.
    var told: Int { Int(memory.generation.number) - 1 }

    init(settings: APIKeys.Settings = .init()) throws {
        house = try House()
        memory = try .made(house)
        let clock = MachineClock()
        // By a clock that stands nobody looks again whether another host has changed anything.
        memory.generation.saw(.max, at: clock.now)
        room = APIKeys(
            database: house.database, world: house.world, settings: settings,
            gatekeeper: try .made(house, memory: memory, clock: clock),
            usageBlock: { _, _ in
                [
                    "has_requests": .bool(true), "spark": Sparkline([1, 3, 2], label: "6 requests").view,
                    "figures": [["label": "Requests", "value": "4 120"]], "href": "/hub/usage", "log_href": .null,
                ]
            })
        door = try Door(house, room.routes, templates: APIKeys.templates)
        organization = try house.organization()
        admin = try house.person(.admin, in: organization, email: "ana@acme.example")
    }

    /// Sends JSON and reads JSON.
    func send(
        _ method: HTTPKit.Method, _ path: String, _ json: String? = nil, as principal: Principal? = nil,
        headers: Headers = [:]
    ) throws -> (response: Response, body: JSON) {
        // What happens within one millisecond has no order.
        if method != .get { house.pass(.milliseconds(1)) }
        let response = try door.send(
            method, "/api/v1/api-keys" + path, as: principal ?? admin, json: json, headers: headers)
        let text = try response.text()
        return (response, text.isEmpty ? .null : try JSON(parsing: Array(text.utf8)))
    }

    /// A new key, as its maker was told of it.
    func made(
        _ json: String = #"{"name":"ci","scopes":["connections:read"]}"#, as principal: Principal? = nil
    ) throws -> JSON {
        let (response, body) = try send(.post, "", json, as: principal)
        try #require(response.status == 201)
        return body
    }

    func key(_ id: String) throws -> JSON { try send(.get, "/\(id)").body }

    func post(_ path: String, _ form: [(String, String)] = []) throws -> Response {
        try door.send(.post, "/api-keys" + path, as: admin, form: form)
    }

    func page(_ path: String, as principal: Principal? = nil, query: String = "") throws -> String {
        try door.send(.get, "/api-keys" + path, as: principal ?? admin, query: query).text()
    }

    /// What others were told of, the oldest first.
    func events() throws -> [(type: String, data: JSON)] {
        try house.database.rows("SELECT type, data FROM domain_events ORDER BY id LIMIT 1000").map {
            (try $0.get("type"), try JSON(parsing: Array($0.get("data", as: String.self).utf8)))
        }
    }

    /// How many changes of keys were committed.
    func generation() throws -> Int64 { try Generations.value(of: Generations.apiKeys, in: house.database) }

    func setLastUse(_ id: String, _ moment: Timestamp) throws {
        guard let id = Identifier<APIKey>(id) else { return }
        try house.database.execute("UPDATE api_keys SET last_used_at = \(moment) WHERE id = \(id)")
    }
}

extension JSON {
    /// What was refused, as `/pointer code`.
    var refusals: [String] {
        (self["errors"]?.elements ?? []).map { "\($0["pointer"]?.text ?? "") \($0["code"]?.text ?? "")" }
    }

    var id: String { self["id"]?.text ?? "" }
}

/// Runs a body in several threads at once and gives what each returned.
func inThreads<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Result
) throws -> [Result] {
    let results = Collected<Result>()
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            results.add(Swift.Result { try body(index) })
            group.leave()
        }
    }
    group.wait()
    return try results.all()
}
