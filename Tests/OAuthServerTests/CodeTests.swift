import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import OAuthServer

/// Codes, from the app's request to the tokens that it gets (RFC 6749 §4.1).
@Suite struct CodeTests {
    @Test("A code becomes a pair by which the app comes in as the person's, and the answer is never stored")
    func code() throws {
        let bureau = try Bureau()
        let (response, body) = try bureau.redeem(bureau.code())
        #expect(response.status == 200 && response.headers["cache-control"] == "no-store")
        #expect(response.headers["pragma"] == "no-cache")
        #expect(body["token_type"] == "Bearer" && body["expires_in"] == 3_600 && body["scope"] == "connections:read")
        let access = try #require(body["access_token"]?.text)
        let visit = try bureau.room.visit(.init(access), at: "/api/v1/connections", from: "203.0.113.9")
        #expect(visit.principal.actor.kind == .oauthApp && visit.principal.actor.user == bureau.user)
        #expect(visit.principal.actor.name == "Nightly export for ana@acme.example")
        let scope = try bureau.house.scope(of: visit.principal)
        #expect(
            scope.allows(.read(.connections)) && !scope.allows(.read(.audit)) && !scope.allows(.write(.connections)))
    }

    @Test("> any parameter twice is refused, and so are all other faults that the client is told of by the browser")
    func faults() throws {
        let bureau = try Bureau()
        let cases: [([String: String?], String)] = [
            (["response_type": nil], "invalid_request"), (["response_type": "token"], "unsupported_response_type"),
            (["scope": "no:such"], "invalid_scope"), (["scope": "connections:write"], "invalid_scope"),
            (["code_challenge": nil], "invalid_request"), (["code_challenge_method": nil], "invalid_request"),
            (["code_challenge_method": "plain"], "invalid_request"), (["code_challenge": "short"], "invalid_request"),
            (["resource": "relative"], "invalid_target"),
            (["resource": "https://elsewhere.example/"], "invalid_target"),
            (["resource": "https://site.example/hub#x"], "invalid_target"), (["request": "x.y.z"], "invalid_request"),
            (["response_mode": "fragment"], "invalid_request"), (["prompt": "none"], "access_denied"),
        ]
        for (changes, error) in cases {
            let told = try bureau.allowed(changes)
            #expect(told["error"] == error && told["state"] == "st4te", "\(changes) \(told)")
            #expect(told["iss"] == "https://site.example/hub" && told["code"] == nil)
        }
        let twice = try bureau.door.send(
            .get, "/oauth/authorize", as: bureau.person, query: bureau.query() + "&state=other")
        let location = try #require(twice.headers["location"])
        #expect(location.contains("error=invalid_request") && location.hasPrefix(Bureau.callback))
    }

    @Test(
        "> the authorization server MUST NOT automatically redirect the user-agent to the invalid redirection URI",
        arguments: [
            "https://evil.example/", "https://app.example/callback/", "https://app.example/Callback", "",
            "https://app.example:443/callback", "https://app.example/%63allback", "http://app.example/callback",
            "http://127.0.0.1:99999/cb", "http://localhost/cb",
        ])
    func strangers(uri: String) throws {
        let bureau = try Bureau()
        for principal in [nil, bureau.person] {
            let response = try bureau.authorize(["redirect_uri": uri, "scope": "no:such"], as: principal)
            #expect(response.status == 400 && response.headers["location"] == nil)
        }
        #expect(try bureau.authorize(["client_id": "app_unknown"], as: bureau.person).status == 400)
    }

    @Test("Who has not signed in is asked to before anybody is sent anywhere, even with an error (RFC 9700 §4.11.2)")
    func signIn() throws {
        let bureau = try Bureau()
        for changes in [[:], ["scope": "no:such"]] as [[String: String?]] {
            let response = try bureau.authorize(changes)
            let location = try #require(response.headers["location"])
            #expect(location.hasPrefix("/hub/oauth/authorize/continue?request="))
            let back = try bureau.door.send(
                .get, "/oauth/authorize/continue", as: bureau.person, query: String(location.split(separator: "?")[1]))
            let next = try #require(back.headers["location"])
            #expect(next.hasPrefix(changes.isEmpty ? "/hub/oauth/consent?request=" : Bureau.callback + "?error="))
        }
    }

    @Test("A pushed request that has become bad sends nobody on before they have signed in (RFC 9700 §4.11.2)")
    func pushedAndBad() throws {
        let bureau = try Bureau()
        let uri = try bureau.pushed()
        try bureau.change("UPDATE oauth_apps SET scopes = 'audit:read'")
        let query = Form([("client_id", bureau.app.clientID), ("request_uri", uri)]).urlencoded
        let (asked, told) = try bureau.signInAndContinue(query)
        #expect(asked.hasPrefix("/hub/oauth/authorize/continue?request="))
        #expect(told.hasPrefix(Bureau.callback + "?error=invalid_scope&") && told.contains("state=st4te"))
    }

    @Test("Who must push its requests cannot go round that, signed in or not, nor by an empty name (RFC 9126 §6)")
    func boundToPushing() throws {
        let bureau = try Bureau()
        let uri = try bureau.pushed()
        try bureau.change("UPDATE oauth_apps SET requires_pushed_requests = TRUE")
        for query in [bureau.query(), bureau.query(["request_uri": ""])] {
            let told = try bureau.signInAndContinue(query).told
            #expect(told.hasPrefix(Bureau.callback + "?error=invalid_request&"))
            let signedIn = try bureau.door.send(.get, "/oauth/authorize", as: bureau.person, query: query)
            #expect(signedIn.headers["location"]?.hasPrefix(Bureau.callback + "?error=invalid_request&") == true)
        }
        let query = Form([("client_id", bureau.app.clientID), ("request_uri", uri)]).urlencoded
        #expect(try bureau.signInAndContinue(query).told.hasPrefix("/hub/oauth/consent?request="))
    }

    @Test("> If an authorization code is used more than once, the server MUST deny the request and SHOULD revoke")
    func replay() throws {
        let bureau = try Bureau()
        let code = try bureau.code()
        let first = try bureau.redeem(code).1
        let access = try #require(first["access_token"]?.text)
        #expect(bureau.opens(access))
        #expect(try bureau.redeem(code).1.error == "invalid_grant")
        #expect(!bureau.opens(access))
        #expect(try bureau.refresh(first["refresh_token"]?.text ?? "").1.error == "invalid_grant")
        #expect(try bureau.events() == ["oauth_app.token_reused"])
        #expect(try bureau.house.auditedActions().contains("oauth_grant.revoked"))
    }

    @Test("One code in the hands of fifty gives one pair, which then ends, since somebody has stolen it")
    func fifty() throws {
        let bureau = try Bureau()
        for _ in 0..<3 {
            let code = try bureau.code()
            let answers = try inThreads(50) { _ in try bureau.redeem(code).1 }
            let given = answers.compactMap { $0["access_token"]?.text }
            #expect(given.count == 1 && answers.filter { $0.error == "invalid_grant" }.count == 49)
            #expect(!bureau.opens(given.first ?? ""))
        }
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_grants WHERE revoked_at IS NULL") == 0)
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_grants") == 3)
    }

    @Test("A code is bound to its client, its address and its verifier, and a refused attempt does not use it up")
    func bound() throws {
        let bureau = try Bureau()
        let code = try bureau.code()
        #expect(try bureau.redeem(code, as: bureau.publicApp).1.error == "invalid_grant")
        #expect(
            try bureau.post(
                "/token",
                [
                    ("grant_type", "authorization_code"), ("code", code), ("code_verifier", Bureau.verifier),
                    ("redirect_uri", "http://127.0.0.1/cb"),
                ]
            ).1.error == "invalid_grant")
        for verifier in [String(repeating: "a", count: 43), "short", "", Bureau.challenge, Bureau.verifier + "="] {
            #expect(try bureau.redeem(code, [("code_verifier", verifier)]).1.error == "invalid_grant")
        }
        #expect(try bureau.redeem(code).0.status == 200)
    }

    @Test("A client of OAuth 2.1 leaves redirect_uri out; the verifier does what it was for")
    func withoutAddress() throws {
        let bureau = try Bureau()
        let form = [
            ("grant_type", "authorization_code"), ("code", try bureau.code()), ("code_verifier", Bureau.verifier),
        ]
        #expect(try bureau.post("/token", form).0.status == 200)
    }

    @Test("> The authorization code MUST expire shortly after it is issued")
    func expiry() throws {
        let bureau = try Bureau()
        let code = try bureau.code()
        bureau.house.pass(.seconds(600))
        #expect(try bureau.redeem(code).1.error == "invalid_grant")
    }

    @Test("What was consented to is remembered for an app with a secret; a public one asks each time (RFC 8252 §8.6)")
    func remembered() throws {
        let bureau = try Bureau()
        _ = try bureau.code()
        func asks(_ changes: [String: String?] = [:], _ client: Bureau.Client? = nil) throws -> Bool {
            try bureau.authorize(changes, as: bureau.person, client: client).headers["location"]?
                .contains("/oauth/consent") == true
        }
        #expect(try !asks())
        #expect(try asks(["scope": "connections:read audit:read"]) && asks(["prompt": "consent"]))
        _ = try bureau.code(client: bureau.publicApp)
        #expect(try asks([:], bureau.publicApp))
        let id = try bureau.house.user("mia@acme.example", .member, in: bureau.organization)
        let mia = bureau.house.principal(id, "mia@acme.example", .member, in: bureau.organization)
        #expect(try bureau.authorize(as: mia).headers["location"]?.contains("/oauth/consent") == true)
    }

    @Test(
        "Who is let in again without a question leaves no line in the audit log, and needs what was consented to still")
    func silent() throws {
        let bureau = try Bureau()
        func lines() throws -> Int { try bureau.house.auditedActions().filter { $0 == "oauth_app.consented" }.count }
        _ = try bureau.code()
        _ = try bureau.code()
        #expect(try lines() == 1)
        // Whoever is asked and answers is noted each time.
        _ = try bureau.code(["prompt": "consent"])
        #expect(try lines() == 2)
        let asked = try #require(try bureau.authorize(["prompt": "consent"], as: bureau.person).headers["location"])
        let pending = try bureau.room.pendingAuthorization(String(asked.split(separator: "=")[1]), bureau.call())
        try bureau.change("DELETE FROM oauth_consents")
        #expect(throws: Problem.authorizationOver) {
            try bureau.room.grantAuthorization(
                pending, bureau.call(), by: bureau.house.scope(of: bureau.person), isAsked: false)
        }
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_consents") == 0)
    }

    @Test("A request is decided once, and not after its time")
    func decided() throws {
        let bureau = try Bureau()
        let location = try #require(try bureau.authorize(as: bureau.person).headers["location"])
        let id = String(location.split(separator: "=")[1])
        let pending = try bureau.room.pendingAuthorization(id, bureau.call())
        let scope = try bureau.house.scope(of: bureau.person)
        _ = try bureau.room.grantAuthorization(pending, bureau.call(), by: scope)
        #expect(throws: Problem.authorizationOver) {
            _ = try bureau.room.grantAuthorization(pending, bureau.call(), by: scope)
        }
        #expect(throws: Problem.authorizationOver) { _ = try bureau.room.denyAuthorization(pending, bureau.call()) }
        #expect(throws: Problem.authorizationOver) { _ = try bureau.room.pendingAuthorization(id, bureau.call()) }
        let late = try #require(try bureau.authorize(["prompt": "consent"], as: bureau.person).headers["location"])
        bureau.house.pass(OAuthServer.patience)
        #expect(throws: Problem.authorizationOver) {
            _ = try bureau.room.pendingAuthorization(String(late.split(separator: "=")[1]), bureau.call())
        }
    }
}
