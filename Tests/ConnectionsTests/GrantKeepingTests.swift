import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// What becomes of a grant when a set-up changes, and of tokens that cannot be stored.
@Suite(.timeLimit(.minutes(15))) struct GrantKeepingTests {
    private static let revocation = """
        , "revoke": {"method": "POST", "url": "https://auth.example/revoke", "parameters": {"token": "{refresh_token}"},
                     "success": {"status": [200]}, "error": "error"}
        """

    private func patch(_ acme: SignedIn, _ view: ConnectionView, _ setup: String) throws -> JSON {
        let (response, body) = try acme.json(.patch, "connections/\(view.record.id)", #"{"setup":\#(setup)}"#)
        #expect(response.status == 200, "\(body)")
        return body
    }

    @Test("A change of the set-up that keeps the tokens keeps the status, and whose access it is")
    func kept() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        let metadata = #"{"account":"acct_1","access":"Ana"}"#
        try acme.house.database.execute("UPDATE connections SET metadata = \(metadata), tested_at = created_at")
        let body = try patch(acme, view, #"{"client_secret":"another"}"#)
        #expect(body["status"] == "connected" && body["access"] == "Ana")
        #expect(try acme.json(.get, "connections/\(view.record.id)/status").body["connected"] == true)
        let after = try acme.view(view)
        #expect(after.token == "access-0" && after.record.metadata["account"] == "acct_1")
        #expect(after.record.testedAt == nil, "what was tested was another set-up")
    }

    @Test("What could not be renewed with the old set-up is renewed with the new one, without anybody signing in")
    func mended() throws {
        let acme = try SignedIn()
        let view = try acme.connect()
        try acme.house.database.execute(
            "UPDATE connections SET status = 'needs_reauth', refresh_due_at = NULL, refresh_failures = 1")
        #expect(try patch(acme, view, #"{"client_secret":"the right one"}"#)["status"] == "needs_reauth")
        try acme.work()
        #expect(try acme.service.refreshes == 1 && acme.view(view).status == .connected)
    }

    @Test("Without tokens a change of the set-up says what it said: not tested")
    func untested() throws {
        let office = try Office()
        let id = try office.telegram()
        _ = try office.json(.post, "connections/\(id)/test", "{}")
        #expect(try office.status(id) == "connected")
        _ = try office.json(.patch, "connections/\(id)", #"{"setup":{"chat_id":"42"}}"#)
        #expect(try office.status(id) == "disconnected")
    }

    @Test("A grant that a new address makes useless here is given back where it came from")
    func elsewhere() throws {
        let field = #", {"name": "site", "label": "Site", "kind": "text", "required": false, "pattern": "[a-z]+"}]"#
        let text = SignedIn.provider(Self.revocation)
            .replacing(#""required": true}],"#, with: #""required": true}\#(field),"#)
            .replacing(#""hosts": ["auth.example"]"#, with: #""hosts": ["auth.example", "{site}.auth.example"]"#)
        let acme = try SignedIn(text)
        let view = try acme.connect()
        let body = try patch(acme, view, #"{"site":"eu","client_secret":"the client's secret"}"#)
        #expect(try body["status"] == "disconnected" && acme.view(view).record.grant.sealed == nil)
        acme.house.pass(.minutes(2))
        try acme.work()
        #expect(acme.service.revoked == ["refresh-0"])
        #expect(try acme.house.auditedActions().last == "connection.revoked")
    }

    @Test("Tokens that come for a connection which was removed meanwhile are given back")
    func removed() throws {
        let there = try SigningInOffice(isGoogle: false)
        let office = there.office
        let own = #"""
            {"client_id":"c","client_secret":"s","authorize_url":"https://login.own.example/authorize",
             "token_url":"https://login.own.example/token","revoke_url":"https://login.own.example/revoke",
             "test_url":"https://login.own.example/me"}
            """#
        let id = try there.connection("custom_oauth2", name: "own", setup: own)
        let service = StandIn { request in
            guard request.hasPrefix("POST /token") else { return StandIn.json(200, "{}") }
            _ = try? office.json(.delete, "connections/\(id)")
            return StandIn.json(200, #"{"access_token":"at-1","refresh_token":"rt-1","token_type":"Bearer"}"#)
        }
        let room = try Office.room(office.house, office.ring, calling: service)
        let door = try Door(office.house, room.routes, templates: Connections.templates)
        let state = try there.begin(id).state
        let back = try door.send(
            .get, "/connections/callback/custom_oauth2/\(id)", as: office.admin, query: "code=c&state=\(state)")
        #expect(back.status == 303 && back.headers["location"] == "/hub/connections")
        let revocations = service.requests.filter { $0.hasPrefix("POST /revoke ") }
        #expect(revocations.count == 1 && revocations[0].contains("token=rt-1"))
    }

    @Test("A renewal reaches the service once, though a kept connection is closed just as it arrives")
    func sentOnce() throws {
        let there = try SigningInOffice()
        let office = there.office
        let service = StandIn(breaksOffKept: true) { request in
            let body =
                request.hasPrefix("POST /token") ? SigningInOffice.googleTokens : #"{"email":"ana@gmail.example"}"#
            return
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        let room = try Office.room(office.house, office.ring, calling: service)
        let door = try Door(office.house, room.routes, templates: Connections.templates)
        let id = try there.connection()
        let state = try there.begin(id).state
        _ = try door.send(.get, "/connections/callback/google", as: office.admin, query: "code=c&state=\(state)")
        office.house.pass(.minutes(5))
        let scope = try office.house.scope(of: office.admin)
        _ = try room.refresh(room.find(.id(#require(Identifier(id))), scope), by: scope)
        let grants = service.requests.filter { $0.hasPrefix("POST /token ") }.map { $0.contains("refresh_token=") }
        #expect(grants == [false, true])
        #expect(service.requests.count { $0.hasPrefix("GET ") } > 1, "the kept connection was closed")
    }
}
