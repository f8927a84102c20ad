import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import OAuthServer

/// What endpoints say when they are sent too much, are asked by the wrong one, or cannot.
@Suite struct EndpointFailureTests {
    @Test("What goes wrong on our side is told in the words of RFC 6749, too, and without a word of what it was")
    func serverError() throws {
        let bureau = try Bureau()
        try bureau.change("ALTER TABLE oauth_access_tokens RENAME TO oauth_elsewhere")
        let (response, body) = try bureau.post("/token", [("grant_type", "client_credentials")])
        #expect(response.status == 500 && body.error == "server_error", "\(body)")
        #expect(response.headers["cache-control"] == "no-store")
        #expect(body["error_description"]?.text?.contains("oauth_") == false)
    }

    @Test("Of a pushed request what counts is kept, however much else comes with it, and comes back byte for byte")
    func pushed() throws {
        let bureau = try Bureau()
        _ = try bureau.code()
        let state = String(repeating: "é", count: 4_096)
        let form = try #require(Form(urlencoded: bureau.query(["state": state]))).pairs.map { ($0.name, $0.value) }
        let more = (0..<100).map { ("more\($0)", String(repeating: "x", count: 8_000)) }
        let (response, body) = try bureau.post("/par", form.filter { $0.0 != "client_id" } + more)
        #expect(response.status == 201, "\(body)")
        let kept = try #require(try bureau.house.database.row("SELECT parameters FROM oauth_requests"))
        #expect(try !kept.get("parameters", as: String.self).contains("more"))
        let query = Form([("client_id", bureau.app.clientID), ("request_uri", body["request_uri"]?.text ?? "")])
        let told = try bureau.door.send(.get, "/oauth/authorize", as: bureau.person, query: query.urlencoded)
        #expect(try Bureau.parameters(try #require(told.headers["location"]))["state"] == state)
    }

    @Test("An app that may read apps learns of all tokens of its organization for as long as its owner belongs there")
    func ownerLeft() throws {
        let bureau = try Bureau()
        let access = try bureau.tokens().access
        let mia = try bureau.house.user("mia@acme.example", .admin, in: bureau.organization)
        let backEnd = try Bureau.insert(bureau.house, bureau.organization, mia, isConfidential: true)
        try bureau.change("UPDATE oauth_apps SET scopes = 'oauth_apps:read' WHERE id = \(backEnd.id)")
        func isActive() throws -> JSON? { try bureau.post("/introspect", [("token", access)], as: backEnd).1["active"] }
        #expect(try isActive() == true)
        try bureau.change("DELETE FROM memberships WHERE user_id = \(mia)")
        #expect(try isActive() == false)
        #expect(try bureau.introspect(access)["active"] == true)
    }
}
