import AdminShell
import CipherKit
import ClientKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import TemplateKit
import Testing
import ThreadKit
import TimeKit

@testable import Platforms

/// The room with a house around it, an organization with a workspace, and one stand-in for all four platforms.
struct Office: Sendable {
    let house: House
    let room: Platforms
    let organization: Identifier<Organization>
    let workspace: Identifier<Workspace>
    let admin: Principal
    let service: StandIn
    private let vault: Vault
    private let door: Door
    private let pageDoor: Door
    private let answer: Lock<@Sendable (String) -> String?>
    /// For how long the room has waited at a platform's wish.
    let rests: Lock<[Duration]>
    /// How often inbound addresses were said to have changed.
    let inboundChanges: Lock<Int>
    /// What connections lend.
    let lent: Lock<[Identifier<Connection>: ConnectionCredentials]>

    static let platforms: [ChannelPlatform] = [
        platform("discord", "Discord", .discord),
        platform("microsoft_teams", "Microsoft Teams", .microsoftTeams, ["teams"]),
        platform("slack", "Slack", .slack), platform("telegram", "Telegram", .telegram),
    ]

    private static func platform(
        _ key: String, _ name: String, _ kind: ChannelPlatform.Kind, _ aliases: [String] = []
    ) -> ChannelPlatform {
        ChannelPlatform(
            key: key, name: name, summary: "Channels of \(name).", aliases: aliases, kind: kind, letters: "Xx",
            color: "plum", fields: [.init(name: "bot_token", label: "Bot token", help: nil, isSecret: true)])
    }

    /// - Parameter answer: what the platforms answer to a request; nil hangs up.
    init(_ answer: @escaping @Sendable (String) -> String? = { _ in StandIn.json(500, "{}") }) throws {
        let kept = Lock<@Sendable (String) -> String?>(answer)
        let service = StandIn { request in kept.withLock { $0 }(request) }
        let (rests, changes) = (Lock<[Duration]>([]), Lock(0))
        let lent = Lock<[Identifier<Connection>: ConnectionCredentials]>([:])
        let house = try House()
        let ring = KeyRing()
        let vault = Vault(ring: ring, world: house.world)
        let organization = try house.organization()
        try house.database.transaction { try vault.prepare(organization, in: $0) }
        let names = [
            "https://slack.com", "https://discord.com", "https://graph.microsoft.com", "https://api.telegram.org",
        ]
        let origins = names.map { "\"\($0)\":\"http://127.0.0.1:\(service.port)\"" }.joined(separator: ",")
        let database = house.database
        room = Platforms(
            database: database, world: house.world, vault: vault,
            client: Client(origins: try OriginMap(json: Array("{\(origins)}".utf8)), version: "test"),
            platforms: Self.platforms,
            neighbours: .init(
                workspaces: { scope in
                    try database.rows(
                        "SELECT id, name FROM workspaces WHERE organization_id = \(scope.organization) LIMIT 100"
                    ).map { (try $0.get("id"), try $0.get("name")) }
                },
                holdWorkspace: { id, scope, transaction in
                    try transaction.row(
                        """
                        SELECT id FROM workspaces
                         WHERE id = \(id) AND organization_id = \(scope.organization) LOCK IN SHARE MODE
                        """) != nil
                },
                credentials: { id, _ in
                    guard let found = lent.withLock({ $0[id] }) else { throw Problem.notFound }
                    return found
                },
                connections: { key, _ in
                    lent.withLock { $0 }.filter { $0.value.provider == key }.map { ($0.key, "\(key) (default)") }
                }, organizationPath: "/organization", activityPath: "/audit-log",
                refusalsPath: { "/inbound-sources/\($0)/debug" }),
            log: Log(threshold: .error), inboundChanged: { changes.withLock { $0 += 1 } },
            rest: { pause in rests.withLock { $0.append(pause) } })
        door = try Door(house, room.routes, templates: Platforms.templates)
        pageDoor = try Door(house, room.pageRoutes, templates: Platforms.templates)
        workspace = try Self.workspace("Main", organization, house)
        admin = try house.person(.admin, in: organization, email: "ana@acme.example")
        (self.house, self.vault, self.organization, self.service) = (house, vault, organization, service)
        (self.answer, self.rests, inboundChanges, self.lent) = (kept, rests, changes, lent)
    }

    static func workspace(
        _ name: String, _ organization: Identifier<Organization>, _ house: House
    ) throws -> Identifier<Workspace> {
        let id = Identifier<Workspace>(house.world)
        let now = house.world.now()
        try house.database.execute(
            """
            INSERT INTO workspaces (id, organization_id, name, created_at, updated_at)
            VALUES (\(id), \(organization), \(name), \(now), \(now))
            """)
        return id
    }

    /// Gives an organization of somebody else a key of its own.
    func prepare(_ organization: Identifier<Organization>) throws {
        try house.database.transaction { try vault.prepare(organization, in: $0) }
    }

    /// What the platforms answer from now on.
    func answer(_ answer: @escaping @Sendable (String) -> String?) { self.answer.withLock { $0 = answer } }

    var scope: OrganizationScope { get throws { try house.scope(of: admin) } }

    /// Sends a request for scripts and reads the answer; the path begins after `platform-integrations`.
    @discardableResult
    func json(
        _ method: HTTPKit.Method, _ path: String = "", _ body: String? = nil, as principal: Principal? = nil,
        headers: Headers = [:]
    ) throws -> (status: Int, body: JSON, response: Response) {
        house.pass(.milliseconds(1))
        let response = try door.send(
            method, "/api/v2/platform-integrations\(path)", as: principal ?? admin, json: body, headers: headers)
        return (response.status.code, (try? JSON(parsing: Array(response.text().utf8))) ?? .null, response)
    }

    /// A page, or a form sent to it.
    func page(
        _ method: HTTPKit.Method, _ path: String, form: [(String, String)]? = nil, query: String = "",
        as principal: Principal? = nil
    ) throws -> Response {
        house.pass(.milliseconds(1))
        return try pageDoor.send(method, path, as: principal ?? admin, query: query, form: form)
    }

    /// An integration that is there already, by its id.
    func integration(
        _ platform: String = "slack", config: String = #"{"bot_token":"xoxb-1234567890","team_id":"T0123456789"}"#,
        in workspace: Identifier<Workspace>? = nil
    ) throws -> String {
        let made = try json(
            .post, "",
            #"{"workspace_id":"\#((workspace ?? self.workspace).text)","platform":"\#(platform)","config":\#(config)}"#)
        try #require(made.status == 201, "\(made.body)")
        return try #require(made.body["integration"]?["id"]?.text)
    }

    /// What stands in the address at which the events of an integration come in.
    func address(of integration: String) throws -> Identifier<InboundAddress> {
        let url = try #require(try json(.get, "/\(integration)/inbound").body["inbound"]?["url"]?.text)
        try #require(url.hasPrefix("https://site.example/hub/inbound/"))
        return try #require(Identifier(String(url.suffix(36))))
    }

    /// Each event of the hub's own, the oldest first.
    func events() throws -> [(type: String, data: JSON)] {
        try house.database.rows("SELECT type, data FROM domain_events ORDER BY id LIMIT 1000").map { row in
            (try row.get("type"), try JSON(parsing: Array(row.get("data", as: String.self).utf8)))
        }
    }

    /// Lets the room hear an event of a platform.
    func hear(_ body: String, of integration: String) throws {
        house.pass(.milliseconds(1))
        let record = try room.find(#require(Identifier(integration)), scope)
        let event = InboundEvent(
            id: Identifier(house.world),
            origin: InboundOrigin(
                source: Identifier(house.world), organization: organization, provider: record.platform,
                integration: record.id), type: "message", key: "k", received: house.world.now(), headers: [],
            body: Array(body.utf8))
        try house.database.transaction { try room.hear(event, in: $0) }
    }
}

/// The first line of a request and its body.
func line(of request: String) -> String { String(request.prefix { $0 != "\r\n" }) }
func body(of request: String) -> JSON {
    guard let cut = request.range(of: "\r\n\r\n") else { return .null }
    return (try? JSON(parsing: Array(request[cut.upperBound...].utf8))) ?? .null
}

extension Office {
    /// A call of a principal that has named no organization.
    func shellCall(_ request: Request, as principal: Principal) throws -> Call? {
        guard
            let site = Site(
                publicURL: "https://site.example/hub", name: "Hub",
                assets: .init(css: "hub.css", script: "hub.js", icon: "icon.svg"))
        else { return nil }
        let shell = Shell(
            site: site, library: try TemplateLibrary(ShellTemplates.sources),
            navigation: Navigation(overview: "/", account: "/", signOut: "/", switchOrganization: "/", groups: []),
            idleSeconds: 60)
        return Call(
            request: request, principal: principal, organization: nil, shell: shell, csrfToken: "",
            log: Log(threshold: .error))
    }
}
