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
import ThreadKit
import TimeKit

@testable import OAuthServer

/// The room in a house of its own, with a person who may consent and two apps, as clients and browsers ask it.
final class Bureau: Sendable {
    static let callback = "https://app.example/callback"
    /// RFC 7636, appendix B.
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    let house: House
    let room: OAuthServer
    let door: Door
    let organization: Identifier<Organization>
    let user: Identifier<User>
    let person: Principal
    let app: Client
    let publicApp: Client
    private let limiter: Limiter

    /// An app with the secret that it was shown once.
    struct Client: Sendable {
        let id: Identifier<OAuthApp>
        let secret: ClientSecret?
        var clientID: String { ClientID(id).text }
    }

    init(settings: OAuthServer.Settings = .init(), connections: Int = 8) throws {
        house = try House(connections: connections)
        let house = house
        let path = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString)").path
        defer { for end in ["", ".lock"] { try? FileManager.default.removeItem(atPath: path + end) } }
        limiter = try Limiter(file: path, subjects: 256, log: Log(threshold: .error), now: { house.world.now() })
        room = try Self.room(house, limiter, settings)
        door = try Door(house, room.routes, templates: OAuthServer.templates)
        organization = try house.organization()
        user = try house.user("ana@acme.example", .admin, in: organization)
        person = house.principal(user, "ana@acme.example", .admin, in: organization)
        app = try Self.insert(house, organization, user, isConfidential: true)
        publicApp = try Self.insert(house, organization, user, isConfidential: false)
    }

    /// Another process of the same host, or another host: it shares nothing but the database.
    func another() throws -> OAuthServer { try Self.room(house, limiter, room.settings) }

    private static func room(_ house: House, _ limiter: Limiter, _ settings: OAuthServer.Settings) throws -> OAuthServer
    {
        let site = try #require(
            Site(
                publicURL: "https://site.example/hub", name: "Hub",
                assets: .init(css: "hub.css", script: "hub.js", icon: "icon.svg")))
        let key = SymmetricKey()
        return OAuthServer(
            database: house.database, world: house.world, site: site, settings: settings, limiter: limiter,
            memory: try OAuthMemory(house.database), successorKeys: { [key] }, log: Log(threshold: .error))
    }

    /// An app as its maker would have it.
    static func insert(
        _ house: House, _ organization: Identifier<Organization>, _ owner: Identifier<User>, isConfidential: Bool
    ) throws -> Client {
        let id = Identifier<OAuthApp>(house.world)
        let secret = isConfidential ? ClientSecret() : nil
        let grants = GrantType.allCases.filter { isConfidential || $0 != .clientCredentials }
        let now = house.world.now()
        try house.database.execute(
            """
            INSERT INTO oauth_apps
                   (id, organization_id, user_id, name, redirect_uris, grants, scopes, is_confidential,
                    requests_per_minute, requests_per_hour, requests_per_day, secret_hash, secret_last_four, created_at,
                    updated_at)
            VALUES (\(id), \(organization), \(owner), 'Nightly export', \(callback + "\nhttp://127.0.0.1/cb"),
                    \(Set(grants).stored), 'connections:read audit:read', \(isConfidential), 1000, 10000, 100000,
                    \(secret?.digest), \(secret?.lastFour), \(now), \(now))
            """)
        return Client(id: id, secret: secret)
    }

    // MARK: What clients send

    /// Sends a form to an endpoint, the client proving itself in the body.
    func post(_ path: String, _ form: [(String, String)], as client: Client? = nil) throws -> (Response, JSON) {
        let client = client ?? app
        var form = form
        form.append(("client_id", client.clientID))
        if let secret = client.secret { form.append(("client_secret", secret.secret.reveal { $0 })) }
        let response = try door.send(.post, "/oauth" + path, as: nil, form: form)
        let text = try response.text()
        return (response, text.isEmpty ? .null : try JSON(parsing: Array(text.utf8)))
    }

    func redeem(_ code: String, as client: Client? = nil, _ more: [(String, String)] = []) throws -> (Response, JSON) {
        var form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Self.callback)]
        if !more.contains(where: { $0.0 == "code_verifier" }) { form.append(("code_verifier", Self.verifier)) }
        return try post("/token", form + more, as: client)
    }

    func refresh(_ token: String, as client: Client? = nil, _ more: [(String, String)] = []) throws -> (Response, JSON)
    {
        try post("/token", [("grant_type", "refresh_token"), ("refresh_token", token)] + more, as: client)
    }

    func introspect(_ token: String) throws -> JSON { try post("/introspect", [("token", token)]).1 }

    /// What stands in the query of an authorization request.
    func query(_ changes: [String: String?] = [:], as client: Client? = nil) -> String {
        var pairs: [String: String?] = [
            "response_type": "code", "client_id": (client ?? app).clientID, "redirect_uri": Self.callback,
            "state": "st4te", "scope": "connections:read", "code_challenge": Self.challenge,
            "code_challenge_method": "S256",
        ]
        pairs.merge(changes) { $1 }
        return Form(pairs.compactMap { name, value in value.map { (name, $0) } }).urlencoded
    }

    /// Pushes the usual request: under which name it waits.
    func pushed() throws -> String {
        let form = try #require(Form(urlencoded: query())).pairs.filter { $0.name != "client_id" }
        return try #require(try post("/par", form.map { ($0.name, $0.value) }).1["request_uri"]?.text)
    }

    /// Changes how apps are registered, behind their backs.
    func change(_ statement: SQL) throws {
        try house.database.execute(statement)
        room.memory.changed()
    }

    /// Somebody who has not signed in comes with a request: where they wait, and where they are sent once they have.
    func signInAndContinue(_ query: String) throws -> (asked: String, told: String) {
        let asked = try #require(
            try door.send(.get, "/oauth/authorize", as: nil, query: query).headers["location"])
        let told = try door.send(
            .get, "/oauth/authorize/continue", as: person, query: String(asked.split(separator: "?").last ?? ""))
        return (asked, try #require(told.headers["location"]))
    }

    /// A browser comes to the authorization endpoint.
    func authorize(
        _ changes: [String: String?] = [:], as principal: Principal? = nil, client: Client? = nil
    ) throws
        -> Response
    {
        try door.send(.get, "/oauth/authorize", as: principal, query: query(changes, as: client))
    }

    /// A call as the consent page makes it.
    func call() throws -> Call {
        let path = try #require(Path("/oauth/consent"))
        return try door.call(Request(.post, path: path, mount: "/hub"), as: person)
    }

    /// The person consents; what the app is sent.
    func allowed(_ changes: [String: String?] = [:], client: Client? = nil) throws -> [String: String] {
        let response = try authorize(changes, as: person, client: client)
        let said = try response.text()
        let location = try #require(response.headers["location"], "\(said)")
        guard location.contains("/oauth/consent?request=") else { return try Self.parameters(location) }
        let id = String(location.split(separator: "=")[1])
        let pending = try room.pendingAuthorization(id, call())
        return try Self.parameters(
            room.grantAuthorization(pending, call(), by: house.scope(of: person)))
    }

    func code(_ changes: [String: String?] = [:], client: Client? = nil) throws -> String {
        try #require(try allowed(changes, client: client)["code"])
    }

    /// A pair that the person has given.
    func tokens(_ changes: [String: String?] = [:], client: Client? = nil) throws -> (access: String, refresh: String) {
        let (response, body) = try redeem(code(changes, client: client), as: client)
        try #require(response.status == 200, "\(body)")
        return (try #require(body["access_token"]?.text), try #require(body["refresh_token"]?.text))
    }

    /// Whether a token opens the interface just now.
    func opens(_ token: String, _ room: OAuthServer? = nil) -> Bool {
        (try? (room ?? self.room).visit(Secret(token), at: "/api/v1/connections", from: "203.0.113.9")) != nil
    }

    static func parameters(_ address: String) throws -> [String: String] {
        let query = try #require(address.firstIndex(of: "?")).utf16Offset(in: address)
        let form = try #require(Form(urlencoded: String(address.dropFirst(query + 1))))
        try #require(Set(form.names).count == form.pairs.count, "a parameter stands there twice: \(address)")
        return Dictionary(uniqueKeysWithValues: form.pairs.map { ($0.name, $0.value) })
    }

    func events() throws -> [String] {
        try house.database.rows("SELECT type FROM domain_events ORDER BY id LIMIT 1000").map { try $0.get("type") }
    }

    func count(_ sql: SQL) throws -> Int { try #require(try house.database.row(sql)).first() }
}

extension JSON {
    /// The word of an error (RFC 6749 §5.2).
    var error: String { self["error"]?.text ?? "" }
}

/// Runs a body in several threads at once and gives what each returned.
func inThreads<Result: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Result) throws -> [Result] {
    let results = Lock<[Swift.Result<Result, any Error>]>([])
    let threads = try (0..<count).map { index in
        try WorkerThread(name: "test \(index)") {
            let result = Swift.Result { try body(index) }
            results.withLock { $0.append(result) }
        }
    }
    for thread in threads { thread.join(before: .now + .seconds(300)) }
    return try results.withLock { $0 }.map { try $0.get() }
}
