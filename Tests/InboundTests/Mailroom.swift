import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import ProcessKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Inbound

/// The room with a house around it, its doors, and somebody who may change it.
struct Mailroom: Sendable {
    let house: House
    let vault: Vault
    let room: Inbound
    let door: Door
    let organization: Identifier<Organization>
    let admin: Principal

    /// - Parameter listeners: who is told of each event.
    init(
        settings: Inbound.Settings = .init(), listeners: [InboundListener] = [], sources: [InboundSources] = [],
        named: [@Sendable (Identifier<InboundSource>, OrganizationScope) throws -> Inbound.NamedSource?] = []
    ) throws {
        house = try House()
        vault = Vault(ring: KeyRing(), world: house.world)
        let folder = FileManager.default.temporaryDirectory.appending(path: "inbound-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var neighbours = Inbound.Neighbours()
        neighbours.providers = [
            "slack", "discord", "stripe", "github", "twilio", "notion", "facebook", "custom_webhook", "telegram",
            "sendgrid", "microsoft_teams", "hubspot", "instagram",
        ].map { .init(key: $0, name: $0.capitalized, letters: "Xx", color: "slate") }
        neighbours.listeners = listeners
        neighbours.sources = sources
        neighbours.namedSources = named
        let now = house.world.now
        let limiter = try Limiter(
            file: folder.appending(path: "limits").path, subjects: 1_024, log: Log(threshold: .error), now: { now() })
        defer { try? FileManager.default.removeItem(at: folder) }
        room = Inbound(
            database: house.database, world: house.world, vault: vault, limiter: limiter,
            generation: try SharedGeneration(), log: Log(threshold: .error), settings: settings,
            neighbours: neighbours)
        door = try Door(house, room.routes, templates: Inbound.templates)
        organization = try house.organization()
        admin = try house.person(.admin, in: organization, email: "ana@acme.example")
        let (vault, organization) = (vault, organization)
        try house.database.transaction { try vault.prepare(organization, in: $0) }
    }

    // MARK: Asking

    /// An answer with its JSON.
    struct Answer {
        let response: Response
        let text: String
        let json: JSON

        var status: Int { response.status.code }
        var code: String? { json["code"]?.text }
    }

    func answer(_ response: Response) throws -> Answer {
        let text = try response.text()
        return Answer(response: response, text: text, json: (try? JSON(parsing: Array(text.utf8))) ?? .null)
    }

    func api(
        _ method: HTTPKit.Method, _ path: String, _ body: JSON? = nil, query: String = "",
        as principal: Principal? = nil
    ) throws -> Answer {
        let text = body.map { String(decoding: $0.bytes, as: UTF8.self) }
        return try answer(
            door.send(method, "/api/v1/\(path)", as: principal ?? admin, query: query, json: text))
    }

    /// A source, with what was shown of it this once.
    struct Source {
        let id: String
        let path: String
        let json: JSON
    }

    func source(_ terms: JSON) throws -> Source {
        let made = try api(.post, "inbound-sources", terms)
        try #require(made.status == 201, "\(made.text)")
        return Source(
            id: try #require(made.json["id"]?.text), path: try path(made.json), json: made.json)
    }

    /// The path of a source's address below the mount prefix.
    func path(_ source: JSON) throws -> String {
        let url = try #require(source["url"]?.text)
        return String(url.dropFirst("https://site.example/hub".count))
    }

    func post(_ path: String, _ body: String, _ headers: Headers, from address: String = "203.0.113.1") throws -> Answer
    {
        try post(path, Array(body.utf8), headers, from: address)
    }

    func post(
        _ path: String, _ body: [UInt8], _ headers: Headers, from address: String = "203.0.113.1"
    ) throws -> Answer {
        let parsed = try #require(Path(path))
        return try answer(
            door.send(
                Request(.post, path: parsed, mount: "/hub", headers: headers, body: body, remoteAddress: address),
                as: nil))
    }

    // MARK: Signing

    func slack(_ body: String, secret: String, at moment: Timestamp? = nil) -> Headers {
        let time = "\((moment ?? house.world.now()).seconds)"
        let code = HMAC.sha256(Array("v0:\(time):\(body)".utf8), key: Array(secret.utf8))
        return [
            "x-slack-request-timestamp": time, "x-slack-signature": "v0=" + Hex.encode(code),
            "content-type": "application/json",
        ]
    }

    func github(_ body: [UInt8], secret: String, id: String = "d-1", event: String = "push") -> Headers {
        [
            "x-hub-signature-256": "sha256=" + Hex.encode(HMAC.sha256(body, key: Array(secret.utf8))),
            "x-github-delivery": id, "x-github-event": event, "content-type": "application/json",
        ]
    }

    /// A form as Twilio signs it; the fields behind each other are given apart, since a test may cut them otherwise.
    func twilio(_ path: String, signing fields: String, secret: String) -> Headers {
        let content = "https://site.example/hub\(path)\(fields)"
        return [
            "x-twilio-signature": Base64.encode(HMAC.sha1(Array(content.utf8), key: Array(secret.utf8))),
            "content-type": "application/x-www-form-urlencoded",
        ]
    }

    func hubspot(_ path: String, _ body: String, secret: String) -> Headers {
        let time = "\(house.world.now().seconds * 1_000)"
        let content = "POSThttps://site.example/hub\(path)\(body)\(time)"
        return [
            "x-hubspot-signature-v3": Base64.encode(HMAC.sha256(Array(content.utf8), key: Array(secret.utf8))),
            "x-hubspot-request-timestamp": time, "content-type": "application/json",
        ]
    }

    // MARK: What became of it

    func count(_ table: StaticString, _ condition: StaticString = "1 = 1") throws -> Int {
        let row = try house.database.row(
            "SELECT COUNT(*) AS n FROM \(unescaped: "\(table)") WHERE \(unescaped: "\(condition)")")
        return try #require(row).get("n")
    }

    /// Publishes all that waits.
    @discardableResult
    func work() throws -> Int {
        let working = Working(room)
        var sum = 0
        while true {
            let count = try working.run()
            sum += count
            if count == 0 { return sum }
        }
    }

    /// What the outbox tells, the oldest first.
    func published() throws -> [(type: String, data: JSON)] {
        try house.database.rows("SELECT type, data FROM domain_events ORDER BY id LIMIT 1000").map { row in
            (try row.get("type"), try JSON(parsing: Array(try row.get("data", as: String.self).utf8)))
        }
    }
}

/// Runs a body in several threads and gives what each gave.
func inThreads<Result: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Result) throws -> [Result] {
    let results = Lock<[Swift.Result<Result, any Error>]>([])
    let threads = try (0..<count).map { number in
        try WorkerThread(name: "test \(number)") {
            let result = Swift.Result { try body(number) }
            results.withLock { $0.append(result) }
        }
    }
    threads.forEach { $0.join() }
    return try results.withLock { $0 }.map { try $0.get() }
}
