import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

@Suite struct ProbeTests {
    private func test(_ view: ConnectionView, _ acme: SignedIn) throws -> JSON {
        acme.house.pass(.seconds(2))
        return try acme.json(.post, "connections/\(view.record.id)/test", "{}").body
    }

    @Test("validate_connection: tokens that the service refuses are renewed once, and the test made again")
    func renewing() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set { $0.access = [] }
        #expect(try test(view, acme)["ok"] == true)
        #expect(acme.service.calls == ["read", "refresh", "read"])
        #expect(try acme.view(view).token == "access-1")
        // Refused again right after: only a person can mend it.
        acme.service.set { $0.access = [] }
        let (body, after) = (try test(view, acme), try acme.view(view))
        #expect(body["ok"] == false && body["status"] == "needs_reauth" && after.status == .needsReauth)
    }

    @Test("A token that has ended and cannot be renewed needs a person; one that nobody signed in for is not tested")
    func ended() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        acme.service.set {
            $0.access = []; $0.refreshTokens = []
        }
        #expect(try test(view, acme)["status"] == "needs_reauth")
        #expect(try acme.events() == ["connection.needs_reauth"])
        // It works again by itself once the service takes it again.
        acme.service.set { $0.access = ["access-0"] }
        #expect(try test(view, acme)["status"] == "connected")
        #expect(try acme.events() == ["connection.needs_reauth", "connection.connected"])
    }

    @Test("record_validation: what is as it was is neither written to the audit log nor published, but kept as a check")
    func onChangeOnly() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        for _ in 0..<3 { #expect(try test(view, acme)["ok"] == true) }
        #expect(try acme.events() == [] && acme.house.auditedActions() == ["connection.created"])
        let before = try acme.view(view).record.version
        #expect(try test(view, acme)["ok"] == true)
        #expect(try acme.view(view).record.version == before)
        acme.service.set {
            $0.access = []; $0.scripted = [StandIn.json(500, "{}")]
        }
        #expect(try test(view, acme)["ok"] == false)
        #expect(try acme.events() == ["connection.error"])
        let (_, checks) = try acme.json(.get, "connections/\(view.record.id)/checks", query: "limit=2")
        #expect(checks["data"]?.elements?.map { $0["ok"] } == [false, false])
        #expect(checks["next_cursor"]?.text != nil)
        let next = "limit=2&cursor=\(checks["next_cursor"]?.text ?? "")"
        let (_, more) = try acme.json(.get, "connections/\(view.record.id)/checks", query: next)
        #expect(more["data"]?.elements?.map { $0["ok"] } == [true, true])
        #expect(more["data"]?[0]?["kind"] == "test" && more["data"]?[0]?["detail"] == .null)
    }

    @Test("Each connection is tested by itself once a day, whatever its kind")
    func daily() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        let (_, made) = try acme.json(
            .post, "connections", #"{"provider":"acme","name":"new","setup":{"client_id":"a","client_secret":"b"}}"#)
        try acme.house.database.execute("UPDATE connections SET probe_due_at = NULL")
        try acme.work()
        #expect(acme.service.calls == [])
        acme.house.pass(.days(1))
        try acme.work()
        #expect(acme.service.count("read") == 1)
        let checks = try acme.json(.get, "connections/\(view.record.id)/checks").body["data"]
        #expect(checks?.elements?.contains { $0["kind"] == "probe" && $0["ok"] == true } == true)
        #expect(try acme.json(.get, "connections/\(made["id"]?.text ?? "")").body["status"] == "disconnected")
        acme.house.pass(.hours(20))
        try acme.work()
        #expect(acme.service.count("read") == 1)
        acme.house.pass(.hours(4) + .minutes(1))
        try acme.work()
        #expect(acme.service.count("read") == 2)
    }

    @Test("A test that does something at the service is made only when somebody asks for it")
    func notice() throws {
        let text = SignedIn.provider().replacing(#""metadata": []}"#, with: #""metadata": [], "notice": "It sends."}"#)
        let acme = try SignedIn(text)
        let view = try acme.connect()
        acme.house.pass(.days(2))
        acme.service.set { $0.lifetime = nil }
        try acme.work()
        #expect(acme.service.calls == ["refresh"])
        #expect(try test(view, acme)["ok"] == true)
    }

    @Test("Of a connection's checks the last hundred are kept, for a month")
    func keeping() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        let checks = acme.room.checks(acme.scope)
        for number in 0..<130 {
            acme.house.pass(.milliseconds(1))
            try acme.house.database.transaction {
                try checks.record(.test, view.record.id, "\(number)", .zero, in: $0)
            }
        }
        let kept = try checks.list(view.record.id, limit: 200)
        #expect(kept.count == 100 && kept.first?.detail == "129" && kept.last?.detail == "30")
        acme.house.pass(.days(31))
        try CheckStore.purge(acme.house.database, acme.house.world)
        #expect(try checks.list(view.record.id, limit: 200).isEmpty)
    }

    @Test("Ends that are known are told ahead: of a sign-in, of credentials, of a service's addresses")
    func warnings() throws {
        let day = Timestamp(seconds: 1_800_000_000) + .days(60)
        let text = SignedIn.provider(
            #", "grant_lifetime": 5184000, "grant_warning": 864000, "rotates_refresh_token": true"#,
            more: #", "sunset": [{"date": "\#(day.day)", "href": "https://acme.example/x", "sentence": "Use v2."}]"#)
        let acme = try SignedIn(text)
        acme.service.set {
            $0.rotates = false; $0.lifetime = nil
        }
        let view = try acme.connect()
        let ends = acme.house.world.now() + .days(60)
        try acme.house.database.execute("UPDATE connections SET grant_ends_at = \(ends), token_expires_at = NULL")
        let body = try test(view, acme)
        #expect(body["status"] == "expiring")
        #expect(try acme.view(view).record.statusDetail == "\(day.day): Use v2.")
        #expect(try acme.json(.get, "connections/\(view.record.id)/status").body["connected"] == true)
        #expect(try acme.events() == ["connection.expiring"])
        acme.house.pass(.days(51))
        #expect(try test(view, acme)["status"] == "expiring")
        #expect(try acme.view(view).record.statusDetail?.contains("Use v2.") == true)
    }

    @Test("A renewal that moves the end takes the warning back")
    func prolonged() throws {
        let acme = try SignedIn(SignedIn.provider(#", "grant_lifetime": 5184000, "grant_warning": 864000"#))
        let view = try acme.connect()
        let now = acme.house.world.now()
        try acme.house.database.execute(
            """
            UPDATE connections
               SET grant_ends_at = \(now + .days(9)), authorized_at = \(now - .days(51)), refreshed_at = \(now)
            """)
        #expect(try test(view, acme)["status"] == "expiring")
        #expect(try acme.view(view).record.statusDetail?.hasPrefix("The sign-in at Acme ends on ") == true)
        let renewed = try acme.room.refresh(acme.view(view), by: acme.scope)
        #expect(renewed.status == .connected && renewed.record.statusDetail == nil)
        #expect(renewed.record.grant.endsAt == acme.house.world.now() + .days(60))
    }

    @Test("Of one service no organization takes the turn of another, however much of it is due")
    func turns() throws {
        let acme = try SignedIn()
        let first = try acme.connect("first").record.id
        let other = try acme.connect("other").record.id
        let (house, due) = (acme.house, acme.house.world.now() - .hours(1))
        try house.database.execute(
            """
            INSERT INTO connections
                   (id, organization_id, provider, name, status, status_changed_at, setup, metadata, created_by,
                    created_at, updated_at, probe_due_at)
            WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 300)
            SELECT UNHEX(MD5(CONCAT('c', n.seq))), c.organization_id, c.provider, CONCAT('n', n.seq), c.status,
                   c.status_changed_at, c.setup, c.metadata, c.created_by, c.created_at, c.updated_at, \(due)
              FROM connections c
              JOIN n
             WHERE c.id = \(first)
            """)
        let strange = try house.organization("Other")
        try house.database.execute(
            """
            UPDATE connections
               SET organization_id = \(strange), probe_due_at = \(due + .minutes(30))
             WHERE id = \(other)
            """)
        let items = try DueStore(database: house.database, world: house.world).due(.probe)
        #expect(items.count == DueStore.mostOfOne && items.contains { $0.id == other })
    }

    @Test("load_all_connections: the connections of thirty services are one query")
    func oneQuery() throws {
        let acme = try SignedIn(connections: 1)
        _ = try acme.connect()
        let providers = (0..<29).map { "provider=p\($0)" } + ["provider=acme"]
        let before = try acme.selects()
        let (response, body) = try acme.json(.get, "connections", query: providers.joined(separator: "&"))
        #expect(response.status == 200 && body["data"]?.elements?.count == 1)
        #expect(try acme.selects() == before + 1)
    }
}
