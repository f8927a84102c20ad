import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

@Suite struct RevocationTests {
    private static func provider(endsSiblings: Bool = false) -> String {
        SignedIn.provider(
            """
            , "revoke": {"method": "POST", "url": "https://auth.example/revoke", "parameters": {"token": "{refresh_token}"},
                         "success": {"status": [200]}, "error": "error", "ends_siblings": \(endsSiblings)}
            """)
    }

    @Test("disconnect: the grant is revoked there, tokens are dropped here, and what makes the hub known stays")
    func disconnect() throws {
        let acme = try SignedIn(Self.provider())
        let view = try acme.connect()
        let (response, body) = try acme.json(.post, "connections/\(view.record.id)/disconnect", "{}")
        #expect(response.status == 200 && body["status"] == "disconnected")
        #expect(body["revocation"]?["outcome"] == "revoked")
        #expect(body["revocation"]?["detail"] == "The access was revoked at Acme.")
        #expect(body["setup"] == ["client_id": "client", "client_secret": "***"])
        #expect(acme.service.revoked == ["refresh-0"])
        let after = try acme.view(view)
        #expect(after.record.grant.sealed == nil && after.values["client_secret"] == "the client's secret")
        #expect(try acme.jobs() == 0)
        #expect(try acme.events() == ["connection.disconnected"])
        let (again, said) = try acme.json(.post, "connections/\(view.record.id)/disconnect", "{}")
        #expect(again.status == 200 && said["revocation"]?["outcome"] == "nothing")
    }

    @Test("A removed connection's grant ends too, and the answer says so; where nobody had signed in there is none")
    func removing() throws {
        let acme = try SignedIn(Self.provider())
        let view = try acme.connect("first")
        let (response, body) = try acme.json(.delete, "connections/\(view.record.id)")
        #expect(response.status == 200 && body["revocation"]?["outcome"] == "revoked")
        let (_, made) = try acme.json(
            .post, "connections", #"{"provider":"acme","name":"new","setup":{"client_id":"a","client_secret":"b"}}"#)
        #expect(try acme.json(.delete, "connections/\(made["id"]?.text ?? "")").response.status == 204)
        #expect(try acme.events() == ["connection.removed", "connection.removed"])
    }

    @Test("A sibling's grant is not ended along: neither where it is one grant, nor ever where each token is its own")
    func siblings() throws {
        let key = [UInt8](repeating: 7, count: 32)
        for endsSiblings in [true, false] {
            let acme = try SignedIn(Self.provider(endsSiblings: endsSiblings))
            let (one, other) = (try acme.connect("one", grantKey: key), try acme.connect("other", grantKey: key))
            let (_, body) = try acme.json(.post, "connections/\(one.record.id)/disconnect", "{}")
            #expect(body["revocation"]?["outcome"] == (endsSiblings ? "shared" : "revoked"))
            #expect(body["revocation"]?["detail"]?.text?.contains("acme:other") == endsSiblings)
            // The last one takes the grant along.
            let (_, last) = try acme.json(.post, "connections/\(other.record.id)/disconnect", "{}")
            #expect(last["revocation"]?["outcome"] == "revoked")
            #expect(acme.service.revoked.count == (endsSiblings ? 1 : 2))
        }
    }

    @Test("A service that is away is asked again by the queue; meanwhile nothing is left here but sealed")
    func queued() throws {
        let acme = try SignedIn(Self.provider())
        let view = try acme.connect()
        acme.service.set { $0.revocationStatus = 503 }
        let (_, body) = try acme.json(.post, "connections/\(view.record.id)/disconnect", "{}")
        #expect(body["revocation"]?["outcome"] == "queued")
        #expect(try acme.view(view).record.grant.sealed == nil)
        let payload = try acme.house.database.row("SELECT payload FROM jobs")?.get("payload", as: String.self) ?? ""
        #expect(!payload.contains("refresh-0") && !payload.contains("the client's secret"))
        try acme.work()
        #expect(try acme.jobs() == 1)
        acme.house.pass(.minutes(1))
        try acme.work()
        acme.service.set { $0.revocationStatus = 200 }
        acme.house.pass(.minutes(2))
        try acme.work()
        #expect(acme.service.revoked == ["refresh-0"])
        #expect(try acme.jobs() == 0)
        #expect(try acme.house.auditedActions().last == "connection.revoked")
        #expect(acme.service.count("revoke") == 3)
    }

    @Test("A service that refuses is not asked again, and a person is told what to do")
    func refused() throws {
        let acme = try SignedIn(Self.provider())
        let view = try acme.connect()
        acme.service.set { $0.revocationStatus = 403 }
        let page = try acme.door.send(
            .post, "/connections/\(view.record.id)/disconnect", as: acme.admin, form: [("confirm_name", "default")])
        #expect(page.status == 303)
        #expect(try acme.jobs() == 0)
        let (_, body) = try acme.json(.get, "connections/\(view.record.id)")
        #expect(body["status"] == "disconnected")
    }

    @Test("A service without a way says so; a key is dropped, and nobody is asked")
    func notSupported() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        let (_, body) = try acme.json(.post, "connections/\(view.record.id)/disconnect", "{}")
        #expect(body["revocation"]?["outcome"] == "not_supported")
        let (_, made) = try acme.json(
            .post, "connections", #"{"provider":"telegram","setup":{"bot_token":"\#(Office.token)"}}"#)
        let (_, dropped) = try acme.json(.post, "connections/\(made["id"]?.text ?? "")/disconnect", "{}")
        #expect(dropped["setup"]?["bot_token"] == .null && dropped["revocation"]?["outcome"] == "not_supported")
    }

    @Test("Tokens that come for a connection which was disconnected meanwhile are given back")
    func unwanted() throws {
        let acme = try SignedIn(Self.provider())
        let view = try acme.connect()
        acme.service.set { $0.after = { _ = try? acme.room.disconnect(view.record.id, by: acme.scope) } }
        #expect(throws: Problem.self) { try acme.room.refresh(view, by: acme.scope) }
        #expect(acme.service.revoked == ["refresh-0", "refresh-1"])
    }
}
