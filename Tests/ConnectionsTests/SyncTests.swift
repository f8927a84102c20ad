import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

@Suite struct SyncTests {
    private static let provider = SignedIn.provider(
        more: """
            , "sync": [{"method": "GET", "url": "https://auth.example/me", "bearer": "{access_token}",
                        "success": {"status": [200]}, "error": "error", "facts": [{"label": "Account", "path": "email"}]}]
            """)

    @Test("Facts are read soon after the sign-in, every hour, and on demand; all see them")
    func hourly() throws {
        let acme = try SignedIn(Self.provider)
        let view = try acme.connect()
        try acme.work()
        var (_, body) = try acme.json(.get, "connections/\(view.record.id)")
        #expect(body["metadata"] == [["label": "Account", "value": "ana@acme.example"]])
        #expect(body["last_sync_at"] != .null && body["sync_error"] == .null)
        acme.house.pass(.minutes(59))
        try acme.work()
        #expect(acme.service.count("read") == 1)
        acme.house.pass(.minutes(8))
        try acme.work()
        #expect(acme.service.count("read") == 2)
        acme.house.pass(.seconds(6))
        (_, body) = try acme.json(.post, "connections/\(view.record.id)/sync", "{}")
        #expect(body["ok"] == true && body["last_sync_at"]?.text != nil)
        let (again, refused) = try acme.json(.post, "connections/\(view.record.id)/sync", "{}")
        #expect(again.status == 429 && refused["code"] == "synced_just_now")
    }

    @Test("What cannot be read is tried again soon, told, and leaves what was read before")
    func failing() throws {
        let acme = try SignedIn(Self.provider)
        let view = try acme.connect()
        try acme.work()
        acme.house.pass(.minutes(67))
        // No token is taken any more, and none is given.
        acme.service.set {
            $0.access = []; $0.scripted = [StandIn.json(500, "{}")]
        }
        try acme.work()
        let (_, body) = try acme.json(.get, "connections/\(view.record.id)")
        #expect(body["metadata"] == [["label": "Account", "value": "ana@acme.example"]])
        #expect(body["sync_error"]?.text?.contains("Acme has trouble") == true)
        acme.house.pass(.minutes(2))
        try acme.work()
        let (_, mended) = try acme.json(.get, "connections/\(view.record.id)")
        #expect(mended["sync_error"] == .null && mended["status"] == "connected")
    }

    @Test("Of two who would read the facts at once one has the turn, though nothing could be read before")
    func turns() throws {
        let acme = try SignedIn(Self.provider)
        let (id, store) = (try acme.connect().record.id, acme.room.store(acme.scope))
        #expect(try store.claimSync(of: id))
        acme.house.pass(.seconds(30))
        #expect(try !store.claimSync(of: id))
        // Whoever died at it gives the turn back in the end.
        acme.house.pass(.minutes(3))
        acme.service.set {
            $0.access = []; $0.scripted = [StandIn.json(500, "{}")]
        }
        #expect(try acme.room.sync(acme.view(id), by: acme.scope).error != nil)
        #expect(try !store.claimSync(of: id), "a failure too is left in peace for a moment")
        acme.house.pass(.seconds(6))
        #expect(try store.claimSync(of: id))
    }

    @Test("A service without facts says so")
    func nothing() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        let (response, body) = try acme.json(.post, "connections/\(view.record.id)/sync", "{}")
        #expect(response.status == 409 && body["code"] == "nothing_to_sync")
        try acme.work()
        #expect(
            try acme.house.database.row("SELECT sync_due_at FROM connections")?.get("sync_due_at", as: Timestamp?.self)
                == nil)
    }
}
