import AdminShell
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import RoomFixture
import Synchronization
import Testing
import TimeKit

@testable import Operations

@Suite struct OperationsTests {
    let house: House
    let owner: Principal

    init() throws {
        house = try House(connections: 2)
        owner = try house.person(.owner, in: house.organization())
    }

    private func door(
        overview: Overview = .sample, system: SystemState = .sample,
        schemaState: @escaping @Sendable () throws -> SchemaState = { .current }
    ) throws -> Door {
        let room = Operations(
            world: house.world, schemaState: schemaState, overview: { _ in overview }, system: { system })
        return try Door(house, room.routes, templates: Operations.templates)
    }

    @Test("Each page's sample fills its template")
    func samples() throws { try door().check(Operations.pages) }

    // MARK: Health

    @Test("A process that answers is live, whatever the database does")
    func live() throws {
        let response = try door { throw Away() }.send(.get, "/health/live", as: nil)
        #expect(response.status == 200)
        #expect(try response.text() == #"{"status":"ok"}"#)
        #expect(response.headers["cache-control"] == "no-store")
    }

    @Test(
        "The hub is ready when the database answers and its schema is known",
        arguments: [
            ("/health/ready", #"{"status":"ok"}"#), ("/health/", #"{"status":"ok","pending_migrations":0}"#),
            ("/health", #"{"status":"ok","pending_migrations":0}"#),
        ])
    func ready(path: String, answer: String) throws {
        let door = try door()
        #expect(try door.send(.get, path, as: nil).text() == answer)
        #expect(try door.send(.head, path, as: nil).status == 200)
        #expect(try door.send(.post, path, as: nil).status == 405)
    }

    @Test("A hub that cannot work says so, when to ask again, and nothing else")
    func notReady() throws {
        let away = Database(try DatabaseURL("mysql://hub:geheim@/hub?socket=/nowhere/mariadb.sock"), connections: 1)
        let closures: [@Sendable () throws -> SchemaState] = [
            {
                _ = try away.row("SELECT 1")
                return .current
            }, { .unknown(["0099_later"]) },
            { .changed(["0001_organizations"]) }, { .behind(["0077_oauth_device_codes"]) },
        ]
        for closure in closures {
            let response = try door(schemaState: closure).send(.get, "/health/ready", as: nil)
            #expect(response.status == 503)
            #expect(response.headers["retry-after"] == "2")
            #expect(response.headers["content-type"] == "application/problem+json")
            let body = try response.text()
            #expect(body.contains(#""code":"not_ready""#))
            #expect(!body.contains("mariadb") && !body.contains("schema") && !body.contains("2002"))
        }
    }

    // MARK: Overview

    @Test("A new organization is told where to begin, and its figures promise nothing")
    func beginning() throws {
        let empty = Overview(
            attention: [], connections: [], activeKeys: 0, expiringKeys: [], people: 1, changesThisWeek: 0, changes: [],
            paths: Overview.sample.paths)
        let page = try door(overview: empty).send(.get, "/", as: owner).text()
        #expect(page.components(separatedBy: "class=\"next\"").count == 2)
        #expect(page.contains("Begin here") && page.contains("href=\"/hub/connections/new\""))
        #expect(page.contains("0 of 0") && page.contains("none yet"))
        #expect(page.contains("Nothing has changed yet."))
        #expect(!page.contains("Connections by state"))
        let member = try house.person(.member, in: try #require(owner.memberships.first?.organization))
        #expect(try !door(overview: empty).send(.get, "/", as: member).text().contains("Begin here"))
    }

    @Test("An organization at work sees what needs somebody, its figures and its latest changes")
    func working() throws {
        var overview = Overview.sample
        overview.activeKeys = 18
        overview.expiringKeys = [.init(name: "nightly export", at: house.world.now() + .days(6))]
        let page = try door(overview: overview).send(.get, "/", as: owner).text()
        #expect(page.contains("attention-bad") && page.contains("WhatsApp “orders” needs a new token."))
        #expect(page.contains("“nightly export” expires in 6 days."))
        #expect(page.contains("2 of 3") && page.contains("1 is not connected") && page.contains("1 expires soon"))
        #expect(page.contains("x=\"66.6%\"") && page.contains("width=\"33.3%\""))
        #expect(page.contains("connected Telegram “alerts”"))
        #expect(!page.contains("Begin here"))
    }

    // MARK: System

    @Test("Only who may do everything sees the system page")
    func closed() throws {
        let organization = try #require(owner.memberships.first?.organization)
        #expect(try door().send(.get, "/system", as: owner).status == 200)
        for role in [Role.member, .support] {
            #expect(try door().send(.get, "/system", as: house.person(role, in: organization)).status == 403)
        }
    }

    @Test("The system page names what is missing and what is wrong")
    func broken() throws {
        let page = try door().send(.get, "/system", as: owner).text()
        #expect(page.contains("Out of order") && page.contains("Key mk-2025 is missing."))
        #expect(page.contains("128\u{202f}431") && page.contains("1 worker on 1 host answers requests"))
        #expect(page.contains("neither the database’s schema nor the encryption keys are in order"))
    }

    @Test("A hub in order is healthy, with a warning it needs a look")
    func healthy() throws {
        var state = SystemState.sample
        state.keys = [.init(id: "mk-2026", state: .current, dataKeys: 1)]
        state.schema = .init(applied: 14, known: 14, latest: "0014_x", appliedAt: nil, complaint: nil)
        #expect(try door(system: state).send(.get, "/system", as: owner).text().contains("Needs a look"))
        state.warnings = []
        #expect(try door(system: state).send(.get, "/system", as: owner).text().contains("Healthy"))
    }

    // MARK: The database away

    @Test("While the database is away a page says so, and where to try again")
    func away() throws {
        let room = RoomRoutes(OperationsRoute.self) { _, call in try Operations.databaseAway(call) }
        let door = try Door(house, room, templates: Operations.templates)
        let response = try door.send(.get, "/system", as: nil, query: "a=%3Cb%3E&c=%22")
        #expect(response.status == 403)
        let open = try door.send(.get, "/health/live", as: nil, query: "a=%3Cb%3E&c=%22")
        #expect(open.status == 503)
        #expect(open.headers["retry-after"] == "5")
        #expect(open.headers["cache-control"] == "no-store")
        #expect(try open.text().contains("href=\"/hub/health/live?a=%3Cb%3E&amp;c=%22\""))
    }
}

/// The database is away.
private struct Away: Error {}
