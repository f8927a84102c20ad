import AdminShell
import CipherKit
import ClientKit
import DatabaseKit
import Domain
import Foundation
import Glibc
import HTTPKit
import JSONKit
import JobKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// An organization that is signed in to a service, and the room in two processes.
struct SignedIn: Sendable {
    let house: House
    let service: GrantService
    let room: Connections
    /// The same room as another process has it.
    let other: Connections
    let door: Door
    let admin: Principal
    let scope: OrganizationScope
    private let log: LogFile

    /// - Parameter otherClock: what the other process makes of the house's clock.
    init(
        _ provider: String = Self.provider(), connections: Int = 8,
        otherClock: @escaping @Sendable (Timestamp) -> Timestamp = { $0 }
    ) throws {
        house = try House(connections: connections)
        service = GrantService()
        let ring = KeyRing()
        let organization = try house.organization()
        try Office.prepare(organization, house, ring)
        admin = try house.person(.admin, in: organization, email: "ana@acme.example")
        scope = try house.scope(of: admin)
        log = try LogFile()
        let world = house.world
        let otherWorld = World(now: { otherClock(world.now()) }, randomBytes: world.randomBytes)
        room = try Self.room(house, world, ring, service, provider, log)
        other = try Self.room(house, otherWorld, ring, service, provider, log)
        door = try Door(house, room.routes, templates: Connections.templates)
    }

    private static func room(
        _ house: House, _ world: World, _ ring: KeyRing, _ service: GrantService, _ provider: String, _ log: LogFile
    ) throws -> Connections {
        let origins = #"{"https://auth.example":"http://127.0.0.1:\#(service.port)"}"#
        return Connections(
            database: house.database, world: world, vault: Vault(ring: ring, world: world),
            client: Client(origins: try OriginMap(json: Array(origins.utf8)), version: "test"),
            catalogue: try ProviderCatalogue(overlay: [("acme.json", Array(provider.utf8))]),
            log: Log(descriptor: log.descriptor)
        ) { _ in [] }
    }

    /// The provider file of the service.
    ///
    /// - Parameter oauth: more members of its `oauth`.
    static func provider(_ oauth: String = "", more: String = "") -> String {
        """
        {"key": "acme", "name": "Acme", "kind": "oauth2", "category": "Test",
         "tile": {"letters": "Ac", "color": "blue"}, "summary": "A service.", "guide": [],
         "fields": [{"name": "client_id", "label": "Client ID", "kind": "text", "required": true},
                    {"name": "client_secret", "label": "Client secret", "kind": "secret", "required": true}],
         "hosts": ["auth.example"],
         "oauth": {"authorize": "https://auth.example/authorize", "token": "https://auth.example/token",
                   "scopes": ["read"]\(oauth)},
         "test": {"kind": "http", "method": "GET", "url": "https://auth.example/me", "bearer": "{access_token}",
                  "success": {"status": [200]}, "error": "error", "access": "{email}", "metadata": []}\(more),
         "verified": false}
        """
    }

    /// A connection that somebody signed in to just now.
    func connect(
        _ name: String = "default", refresh: String? = "refresh-0", previous: String? = nil,
        lifetime: Duration? = .hours(1), grantKey: GrantKey? = nil
    ) throws -> ConnectionView {
        let (response, body) = try json(
            .post, "connections",
            #"{"provider":"acme","name":"\#(name)","setup":{"client_id":"client","client_secret":"the client's secret"}}"#
        )
        try #require(response.status == 201, "\(body)")
        let id = try #require(body["id"]?.text.flatMap { Identifier<Connection>($0) })
        let tokens = Tokens(access: "access-0", refresh: refresh, previousRefresh: previous)
        let now = house.world.now()
        let expiresAt = lifetime.map { now + $0 }
        let dueAt = lifetime.map { now + $0 - GrantTimes.margin(of: $0) }
        try house.database.transaction { transaction in
            try room.store(scope).storeGrant(
                id,
                sealedTokens: room.vault.seal(
                    tokens.bytes, at: Tokens.place(id), for: scope.organization, in: transaction),
                times: GrantTimes(expiresAt: expiresAt, refreshDueAt: dueAt, endsAt: nil), requested: ["read"],
                granted: nil, metadata: "{}", status: .connected, detail: nil,
                grantKey: grantKey, in: transaction)
        }
        // As if it had just been tested.
        try house.database.execute("UPDATE connections SET probe_due_at = \(now + .days(1)) WHERE id = \(id)")
        // What comes later has a later id.
        house.pass(.milliseconds(1))
        return try view(id)
    }

    func view(_ id: Identifier<Connection>) throws -> ConnectionView { try room.find(.id(id), scope) }

    func view(_ view: ConnectionView) throws -> ConnectionView { try self.view(view.record.id) }

    /// Sends a request and reads the JSON of the answer; null when it has none.
    func json(
        _ method: HTTPKit.Method, _ path: String, _ body: String? = nil, query: String = ""
    ) throws -> (response: Response, body: JSON) {
        house.pass(.milliseconds(1))
        let response = try door.send(method, "/api/v1/\(path)", as: admin, query: query, json: body)
        return (response, (try? JSON(parsing: Array(response.text().utf8))) ?? .null)
    }

    /// Does what is due in the background until nothing is.
    func work() throws {
        let runner = JobRunner(
            JobQueue(house.database, now: house.world.now), room.jobs, log: Log(threshold: .error, descriptor: -1),
            now: house.world.now)
        while try runner.runOne() {}
    }

    /// How many jobs wait that somebody has put into the queue.
    func jobs() throws -> Int {
        try house.database.row("SELECT COUNT(*) AS jobs FROM jobs WHERE unique_key NOT LIKE 'every:%'")?.get("jobs")
            ?? 0
    }

    /// How many rows the one connection to the database was asked for so far.
    func selects() throws -> Int {
        let row = try house.database.row("SHOW SESSION STATUS LIKE 'Com_select'")
        return try Int(row?.get("Value", as: String.self) ?? "") ?? 0
    }

    /// What the room has written to the operator's log.
    func logged() -> String { log.text }

    /// The types of the events so far, the oldest first; those of one moment by their names.
    func events() throws -> [String] {
        try house.database.rows("SELECT type FROM domain_events ORDER BY occurred_at, type").map { try $0.get("type") }
    }
}

extension ConnectionView {
    /// The access token that calls carry.
    var token: String? { values["access_token"] }

    /// The tokens, opened.
    var open: Tokens? { if case .open(let tokens) = tokens { tokens } else { nil } }

    var refreshToken: String? { open?.refresh?.reveal { $0 } }
    var previousRefresh: String? { open?.previousRefresh?.reveal { $0 } }
}

/// A log that a test reads: a file without a name, gone with whoever holds it open.
private final class LogFile: Sendable {
    let descriptor: Int32

    struct NoFile: Error {}

    init() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).log").path
        descriptor = unsafe open(path, O_CREAT | O_RDWR | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw NoFile() }
        unsafe unlink(path)
    }

    deinit { close(descriptor) }

    var text: String { (try? String(contentsOfFile: "/proc/self/fd/\(descriptor)", encoding: .utf8)) ?? "" }
}
