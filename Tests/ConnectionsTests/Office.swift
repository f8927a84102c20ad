import AdminShell
import CipherKit
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// The room with a house around it, an organization, somebody who may change it, and a stand-in for every service.
struct Office: Sendable {
    let house: House
    let ring: KeyRing
    let room: Connections
    let door: Door
    let organization: Identifier<Organization>
    let admin: Principal
    let service: StandIn

    /// - Parameters:
    ///   - answer: what the services answer to a request; Telegram's "yes" unless told.
    ///   - overlay: provider files of the site.
    ///   - variables: what the hub's settings say.
    ///   - permissions: what the operator permits.
    init(
        overlay: [(name: String, bytes: [UInt8])] = [], variables: [String: String] = [:],
        permitting permissions: Set<ProviderPermission> = [],
        _ answer: @escaping @Sendable (String) -> String? = { _ in StandIn.telegram }
    ) throws {
        house = try House()
        ring = KeyRing()
        service = StandIn(answer)
        room = try Self.room(
            house, ring, calling: service, overlay: overlay, variables: variables, permitting: permissions)
        door = try Door(house, room.routes, templates: Connections.templates)
        organization = try house.organization()
        admin = try house.person(.admin, in: organization, email: "ana@acme.example")
        try Self.prepare(organization, house, ring)
    }

    static func prepare(_ organization: Identifier<Organization>, _ house: House, _ ring: KeyRing) throws {
        try house.database.transaction {
            try Vault(ring: ring, world: house.world).prepare(organization, in: $0)
        }
    }

    /// The room as a process with this key ring has it.
    static func room(
        _ house: House, _ ring: KeyRing, calling service: StandIn? = nil,
        overlay: [(name: String, bytes: [UInt8])] = [], variables: [String: String] = [:],
        permitting permissions: Set<ProviderPermission> = [], limits: ProxyLimits = ProxyLimits(),
        limiter: Limiter? = nil
    ) throws -> Connections {
        let database = house.database
        let catalogue = try ProviderCatalogue(overlay: overlay, permitting: permissions)
        return Connections(
            database: database, world: house.world, vault: Vault(ring: ring, world: house.world),
            client: Client(origins: try origins(service, catalogue), version: "test"), catalogue: catalogue,
            environment: ServiceEnvironment(catalogue) { name in variables[name].map { Secret($0) } },
            proxyLimits: limits, limiter: limiter
        ) { scope in
            try database.rows(
                "SELECT id, name FROM workspaces WHERE organization_id = \(scope.organization) ORDER BY id"
            )
            .map { (try $0.get("id"), try $0.get("name")) }
        }
    }

    /// Every fixed address of the catalogue leads to the stand-in, which tells them apart by `Host`.
    private static func origins(_ service: StandIn?, _ catalogue: ProviderCatalogue) throws -> OriginMap {
        guard let service else { return OriginMap() }
        let addresses = catalogue.providers.flatMap { provider -> [String] in
            let oauth = provider.oauth
            var all = [oauth?.tokenURL, oauth?.refreshURL, oauth?.longLivedURL, oauth?.revocation?.call.url]
            if case .http(let call) = provider.test.call { all.append(call.url) }
            return all.compactMap(\.self)
        }
        let own = [
            "https://sts.eu-central-1.amazonaws.com", "https://acme.myshopify.com", "https://other.myshopify.com",
            "https://login.own.example",
            "https://login.other.example",
            "https://api.telegram.org", "https://api.sendgrid.com", "https://openrouter.ai", "https://api.twilio.com",
            "https://s3.eu-central-1.amazonaws.com", "https://proxied.example.com", "https://other.example.com",
            "https://shop-1.example.net", "https://own.example.org",
        ]
        let filled = addresses.map { Holes.fill($0) { $0 == "shop" ? "acme" : "x" } }
        let names = Set(filled.compactMap { try? OutboundURL($0).origin.description } + own)
        let pairs = names.map { "\"\($0)\":\"http://127.0.0.1:\(service.port)\"" }
        return try OriginMap(json: Array("{\(pairs.joined(separator: ","))}".utf8))
    }

    // MARK: Asking

    /// Sends a request and reads the JSON of the answer; null when it has none.
    func json(
        _ method: HTTPKit.Method, _ path: String, _ body: String? = nil, as principal: Principal? = nil,
        query: String = "", headers: Headers = [:]
    ) throws -> (response: Response, body: JSON) {
        house.pass(.milliseconds(1))
        let response = try door.send(
            method, "/api/v1/\(path)", as: principal ?? admin, query: query, json: body, headers: headers)
        return (response, (try? JSON(parsing: Array(response.text().utf8))) ?? .null)
    }

    /// Makes a Telegram connection and gives its id.
    func telegram(_ name: String = "default", token: String = Office.token, workspace: String? = nil) throws -> String {
        let place = workspace.map { #","workspace_id":"\#($0)""# } ?? ""
        let (response, body) = try json(
            .post, "connections",
            #"{"provider":"telegram","name":"\#(name)","setup":{"bot_token":"\#(token)"}\#(place)}"#)
        try #require(response.status == 201)
        return try #require(body["id"]?.text)
    }

    /// A token of the form that BotFather gives, published in the Bot API's documentation.
    static let token = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"

    func status(_ id: String) throws -> String? { try json(.get, "connections/\(id)/status").body["status"]?.text }

    func workspace(_ name: String, in organization: Identifier<Organization>) throws -> Identifier<Workspace> {
        let id = Identifier<Workspace>(house.world)
        try house.database.execute(
            """
            INSERT INTO workspaces (id, organization_id, name, created_at, updated_at)
            VALUES (\(id), \(organization), \(name), \(house.world.now()), \(house.world.now()))
            """)
        return id
    }

    /// What stands in a column of a connection.
    func sealed(_ id: String) throws -> [UInt8]? {
        let key = try #require(Identifier<Connection>(id))
        return try house.database.row("SELECT secrets_sealed FROM connections WHERE id = \(key)")?.get("secrets_sealed")
    }

    func overwriteSealed(_ id: String, with bytes: [UInt8]?) throws {
        let key = try #require(Identifier<Connection>(id))
        try house.database.execute("UPDATE connections SET secrets_sealed = \(bytes) WHERE id = \(key)")
    }
}

/// Each refusal as `pointer code`.
func refusals(_ body: JSON) -> [String] {
    (body["errors"]?.elements ?? []).map { "\($0["pointer"]?.text ?? "") \($0["code"]?.text ?? "")" }
}
