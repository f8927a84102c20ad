import AdminShell
import CipherKit
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import JobKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Connections

/// The room with a stand-in for every service that takes messages, and a runner for its jobs.
struct PostRoom: Sendable {
    let house: House
    let room: Connections
    let organization: Identifier<Organization>
    let admin: Principal
    let service: StandIn
    private let door: Door
    private let connectionDoor: Door
    private let answers: Lock<[String?]>

    /// Credentials of the form that each service gives.
    static let discordBot =
        #"{"bot_token":"MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs","channel_id":"290926798999357250"}"#
    static let discordHook = #"{"webhook_url":"https://discord.com/api/webhooks/223704706495545344/3d89bb75"}"#
    static let slack = #"{"bot_token":"xoxb-1234567890","channel":"C0123456789"}"#
    static let calendar = #"{"token":"ya29.0123456789abcdef"}"#

    /// - Parameter answers: what the services answer to one request after another, the last one to all that follow; nil
    ///   hangs up without an answer.
    init(_ answers: String?...) throws {
        let kept = Lock<[String?]>(answers)
        self.answers = kept
        house = try House()
        let ring = KeyRing()
        service = StandIn { _ in kept.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
        let database = house.database
        let port = service.port
        let names = [
            "https://api.telegram.org", "https://api.sendgrid.com", "https://api.twilio.com", "https://slack.com",
            "https://discord.com", "https://graph.instagram.com", "https://prod-1.westeurope.logic.azure.com",
            "https://www.googleapis.com", "https://oauth2.googleapis.com",
        ]
        let origins = names.map { "\"\($0)\":\"http://127.0.0.1:\(port)\"" }.joined(separator: ",")
        room = Connections(
            database: database, world: house.world, vault: Vault(ring: ring, world: house.world),
            client: Client(origins: try OriginMap(json: Array("{\(origins)}".utf8)), version: "test"),
            catalogue: try ProviderCatalogue(), log: Log(threshold: .error)
        ) { _ in [] }
        door = try Door(house, room.messageRoutes, templates: Connections.templates)
        connectionDoor = try Door(house, room.routes, templates: Connections.templates)
        organization = try house.organization()
        admin = try house.person(.admin, in: organization, email: "ana@acme.example")
        try Office.prepare(organization, house, ring)
    }

    /// What the services answer from now on.
    func answer(_ answers: String?...) { self.answers.withLock { $0 = answers } }

    /// What is answered to whoever connects a service.
    func asked(_ provider: String, _ setup: String) throws -> Response {
        try connectionDoor.send(
            .post, "/api/v1/connections", as: admin, json: #"{"provider":"\#(provider)","setup":\#(setup)}"#)
    }

    /// Connects a service and gives the connection's id.
    func connect(_ provider: String, _ setup: String) throws -> String {
        let made = try asked(provider, setup)
        let text = try made.text()
        try #require(made.status == 201, "\(text)")
        return try #require(try JSON(parsing: Array(text.utf8))["id"]?.text)
    }

    /// A calendar that somebody signed in to a moment ago, for an hour.
    func signIn(refresh: String? = "1//refresh") throws -> String {
        let setup =
            #"{"client_id":"1234567890-abc.apps.googleusercontent.com","client_secret":"GOCSPX-0123456789abcdef"}"#
        let text = try connect("google_calendar", setup)
        let id = try #require(Identifier<Connection>(text))
        let scope = try house.scope(of: admin)
        let end = house.world.now() + .hours(1)
        try house.database.transaction { transaction in
            let sealed = try room.vault.seal(
                Tokens(access: "ya29.old", refresh: refresh).bytes, at: Tokens.place(id), for: scope.organization,
                in: transaction)
            try room.store(scope).storeGrant(
                id, sealedTokens: sealed, times: GrantTimes(expiresAt: end, refreshDueAt: end, endsAt: nil),
                requested: [], granted: nil, metadata: "{}", status: .connected, detail: nil, grantKey: nil,
                in: transaction)
        }
        house.pass(.seconds(10))
        return text
    }

    /// Sends a request for scripts and reads the answer.
    @discardableResult
    func json(
        _ method: HTTPKit.Method, _ path: String, _ body: String? = nil, query: String = "", key: String? = nil,
        as principal: Principal? = nil
    ) throws -> (response: Response, body: JSON) {
        house.pass(.milliseconds(1))
        let headers: Headers = key.map { ["idempotency-key": $0] } ?? [:]
        let response = try door.send(
            method, "/api/v1/\(path)", as: principal ?? admin, query: query, json: body, headers: headers)
        return (response, (try? JSON(parsing: Array(response.text().utf8))) ?? .null)
    }

    /// A page, or a form sent to it.
    func page(
        _ method: HTTPKit.Method, _ path: String, form: [(String, String)]? = nil, as principal: Principal? = nil
    ) throws -> Response {
        house.pass(.milliseconds(1))
        return try door.send(method, path, as: principal ?? admin, form: form)
    }

    /// Sends over a connection and waits for the outcome.
    func send(_ id: String, _ body: String, event: Bool = false) throws -> (response: Response, body: JSON) {
        try json(.post, "connections/\(id)/\(event ? "calendar-events" : "messages")", body, query: "wait=true")
    }

    /// Does one job that is due, as `hub work` does; whether there was one.
    @discardableResult
    func work() throws -> Bool {
        try JobRunner(
            JobQueue(house.database, now: house.world.now),
            room.messageJobs.filter { $0.kind == Connections.messageJob },
            log: Log(threshold: .error), now: house.world.now
        ).runOne()
    }

    /// The last request that a service got: its line, its header fields by name, and its body.
    func lastRequest() throws -> String {
        let whole = try #require(service.requests.last)
        let parts = whole.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        var lines = parts[0].split(separator: "\r\n").map(String.init)
        let first = lines.removeFirst()
        // What any call has, whatever it is.
        let common = ["content-length:", "accept-encoding:", "accept:"]
        lines.removeAll { line in common.contains { line.lowercased().hasPrefix($0) } }
        return ([first] + lines.sorted() + ["", parts.count > 1 ? String(parts[1]) : ""]).joined(separator: "\n")
    }
}
