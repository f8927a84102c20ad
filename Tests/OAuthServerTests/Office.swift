import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import OAuthServer

/// The room in a house of its own, with an administrator and a member, as tests ask it.
final class Office: Sendable {
    let house: RoomFixture.House
    let room: OAuthServer
    let door: Door
    let organization: Identifier<Organization>
    let admin: Principal
    let member: Principal
    let memory: OAuthMemory

    init(_ change: (inout OAuthServer.Settings) -> Void = { _ in }) throws {
        house = try RoomFixture.House()
        var settings = OAuthServer.Settings()
        change(&settings)
        let site = try #require(
            Site(
                publicURL: "https://site.example/hub", name: "Hub",
                assets: .init(css: "hub.css", script: "hub.js", icon: "icon.svg")))
        let path = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString)").path
        defer { for end in ["", ".lock"] { try? FileManager.default.removeItem(atPath: path + end) } }
        let limiter = try Limiter(
            file: path, subjects: 1_024, log: Log(threshold: .error), now: house.world.now)
        memory = try OAuthMemory(house.database)
        let key = SymmetricKey()
        room = OAuthServer(
            database: house.database, world: house.world, site: site, settings: settings, limiter: limiter,
            memory: memory, successorKeys: { [key] }, log: Log(threshold: .error))
        door = try Door(house, room.routes, templates: OAuthServer.templates)
        organization = try house.organization()
        admin = try house.person(.admin, in: organization, email: "ana@acme.example")
        member = try house.person(.member, in: organization, email: "mia@acme.example")
    }

    // MARK: Asking

    /// Sends JSON and reads JSON.
    func send(
        _ method: HTTPKit.Method, _ path: String, _ json: String? = nil, as principal: Principal? = nil,
        query: String = "", headers: Headers = [:]
    ) throws -> (response: Response, body: JSON) {
        // What happens within one millisecond has no order.
        if method != .get { house.pass(.milliseconds(1)) }
        let response = try door.send(
            method, path, as: principal ?? admin, query: query, json: json, headers: headers)
        let text = try response.text()
        return (response, text.isEmpty ? .null : try JSON(parsing: Array(text.utf8)))
    }

    func page(_ path: String, as principal: Principal? = nil, query: String = "") throws -> String {
        try door.send(.get, path, as: principal ?? admin, query: query).text()
    }

    func post(_ path: String, _ form: [(String, String)] = [], as principal: Principal? = nil) throws -> Response {
        house.pass(.milliseconds(1))
        return try door.send(.post, path, as: principal ?? admin, form: form)
    }

    // MARK: Apps

    static let usual = """
        {"name":"Nightly export","redirect_uris":["https://export.example/callback"],"scopes":["connections:read"]}
        """

    /// A new app, as its maker was told of it.
    func made(_ json: String = usual, as principal: Principal? = nil) throws -> JSON {
        let (response, body) = try send(.post, "/api/v1/oauth-apps", json, as: principal)
        try #require(response.status == 201, "\(body)")
        return body
    }

    func record(_ app: JSON) throws -> AppRecord {
        try #require(
            try ClientID(app["client_id"]?.text ?? "").flatMap { try AppReader.find($0.id, in: house.database) })
    }

    // MARK: Authorizing

    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    /// The name under which an app's request waits for its person.
    func waiting(_ app: JSON, scope: String = "connections:read", as principal: Principal? = nil) throws -> String {
        let query = Form([
            ("response_type", "code"), ("client_id", app["client_id"]?.text ?? ""),
            ("redirect_uri", app["redirect_uris"]?.elements?.first?.text ?? ""), ("scope", scope), ("state", "xyz"),
            ("code_challenge", Self.challenge), ("code_challenge_method", "S256"),
        ]).urlencoded
        let answer = try door.send(.get, "/oauth/authorize", as: principal ?? member, query: query)
        let said = try answer.text()
        let location = try #require(answer.headers["location"], "\(said)")
        let parts = location.split(separator: "request=")
        return String(try #require(parts.count == 2 ? parts[1] : nil, "\(location)"))
    }

    /// What the person answers, and where that leads.
    func decide(
        _ request: String, _ decision: String = "allow", as principal: Principal? = nil,
        more: [(String, String)] = []
    ) throws -> Response {
        try post("/oauth/consent", [("request", request), ("decision", decision)] + more, as: principal ?? member)
    }

    /// Redeems the code at the end of an address.
    func redeem(_ address: String, _ app: JSON) throws -> (response: Response, body: JSON) {
        let query = try #require(address.split(separator: "?").last.flatMap { Form(urlencoded: $0) })
        return try token([
            ("grant_type", "authorization_code"), ("code", query["code"] ?? ""),
            ("redirect_uri", app["redirect_uris"]?.elements?.first?.text ?? ""), ("code_verifier", Self.verifier),
            ("client_id", app["client_id"]?.text ?? ""), ("client_secret", app["client_secret"]?.text ?? ""),
        ])
    }

    func token(_ form: [(String, String)], headers: Headers = [:]) throws -> (response: Response, body: JSON) {
        let answer = try door.send(.post, "/oauth/token", as: nil, form: form, headers: headers)
        return (answer, try JSON(parsing: Array(try answer.text().utf8)))
    }

    /// The app let in by the member, with the tokens it got.
    func letIn(_ app: JSON, scope: String = "connections:read") throws -> JSON {
        let answer = try decide(waiting(app, scope: scope))
        let address = String(try #require(answer.headers["refresh"]).dropFirst("0; url=".count))
        let (response, body) = try redeem(address, app)
        try #require(response.status == 200, "\(body)")
        return body
    }

    /// What others were told of, the oldest first.
    func events() throws -> [(type: String, data: JSON)] {
        try house.database.rows("SELECT type, data FROM domain_events ORDER BY id LIMIT 1000").map {
            (try $0.get("type"), try JSON(parsing: Array($0.get("data", as: String.self).utf8)))
        }
    }
}

extension JSON {
    /// What was refused, as `/pointer code`.
    var refusals: [String] {
        (self["errors"]?.elements ?? []).map { "\($0["pointer"]?.text ?? "") \($0["code"]?.text ?? "")" }
    }

    var id: String { self["id"]?.text ?? "" }
}
