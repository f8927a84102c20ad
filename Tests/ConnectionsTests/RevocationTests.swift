import CipherKit
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
        let key = Self.key(7)
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

    /// The key of a grant of an account at a client.
    private static func key(_ account: UInt8, client: UInt8 = 1) -> GrantKey {
        GrantKey(whole: .init(repeating: account, count: 32), client: .init(repeating: client, count: 32))
    }

    @Test("A grant that another organization shares by the hub's own client is not ended, and nothing is told of whose")
    func foreignSibling() throws {
        let acme = try SignedIn(Self.provider(endsSiblings: true))
        let (one, other) = (
            try acme.connect("one", grantKey: Self.key(7)), try acme.connect("secret-name", grantKey: Self.key(7))
        )
        let strange = try acme.house.organization("Other")
        try acme.house.database.execute(
            "UPDATE connections SET organization_id = \(strange) WHERE id = \(other.record.id)")
        let (_, body) = try acme.json(.post, "connections/\(one.record.id)/disconnect", "{}")
        #expect(body["revocation"]?["outcome"] == "shared" && acme.service.revoked == [])
        #expect(
            body["revocation"]?["detail"]?.text
                == "Nothing was revoked at Acme: another connection of this hub uses the same sign-in.")
    }

    @Test(
        "A grant of which nobody says whose it is counts as one with every grant of its client, and of no other client")
    func unknownSiblings() throws {
        for (isFirst, isSameClient) in [(true, true), (false, true), (true, false)] {
            let acme = try SignedIn(Self.provider(endsSiblings: true))
            let unknown = try #require(try acme.connect("unknown").keyOfUnknownGrant)
            try acme.house.database.execute(
                "UPDATE connections SET grant_key = \(unknown.whole), grant_client = \(unknown.client)")
            let mine = GrantKey(whole: Self.key(7).whole, client: isSameClient ? unknown.client : Self.key(7).client)
            _ = try acme.connect("known", grantKey: mine)
            if !isSameClient {
                // Another client's unknown grants have another key, too.
                try acme.house.database.execute(
                    "UPDATE connections SET grant_key = \(Self.key(8).whole) WHERE name = 'unknown'")
            }
            let name = isFirst ? "acme:known" : "acme:unknown"
            let (_, body) = try acme.json(.post, "connections/\(name)/disconnect", "{}")
            #expect(body["revocation"]?["outcome"] == (isSameClient ? "shared" : "revoked"), "\(name)")
        }
    }

    @Test(
        "Where a call shows the client, it does so as at the token endpoint, and the refresh token is what is revoked")
    func clientAuthentication() throws {
        for (how, isBasic) in [("basic", true), ("body", false)] {
            let there = try SigningInOffice(isGoogle: false)
            let id = try there.connection(
                "custom_oauth2",
                setup: #"""
                    {"client_id":"c:1","client_secret":"own secret","client_authentication":"\#(how)",
                     "authorize_url":"https://login.own.example/authorize","token_url":"https://login.own.example/token",
                     "revoke_url":"https://login.own.example/revoke","test_url":"https://login.own.example/me"}
                    """#)
            there.service.answer(
                "/token", 200, #"{"access_token":"at-1","refresh_token":"rt-1","token_type":"Bearer"}"#)
            there.service.answer("/me", 200, "{}")
            there.service.answer("/revoke", 200, "{}")
            _ = try there.signIn(id, "custom_oauth2/\(id)")
            let told = try there.office.json(.post, "connections/\(id)/disconnect", "{}").body
            #expect(told["revocation"]?["outcome"] == "revoked")
            let sent = there.sent("POST /revoke ")
            #expect(sent["token"] == "rt-1", "\(how)")
            let basic = Base64.encode(Array("c%3A1:own%20secret".utf8))
            let request = there.request("POST /revoke ")?.lowercased() ?? ""
            #expect(request.contains("authorization: basic \(basic.lowercased())") == isBasic, "\(how)")
            #expect(sent["client_secret"] == (isBasic ? nil : "own secret"), "\(how)")
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
