import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LimitKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import OAuthServer

/// The other endpoints: an app's own tokens, revocation, introspection, pushed requests, devices, metadata, the gate.
@Suite struct EndpointTests {
    @Test("An app gets a token for itself by one row, without a refresh token, and no public app does (RFC 6749 §4.4)")
    func itself() throws {
        let bureau = try Bureau()
        let (response, body) = try bureau.post("/token", [("grant_type", "client_credentials")])
        #expect(
            response.status == 200 && body["refresh_token"] == nil && body["scope"] == "connections:read audit:read")
        #expect(bureau.opens(body["access_token"]?.text ?? ""))
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_access_tokens") == 1)
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_grants") == 0)
        let refused = try bureau.post("/token", [("grant_type", "client_credentials")], as: bureau.publicApp)
        #expect(refused.1.error == "unauthorized_client")
        #expect(try bureau.introspect(body["access_token"]?.text ?? "")["sub"]?.text == bureau.app.clientID)
    }

    @Test("Of many who ask at once each gets a token of its own, however many are committed together")
    func together() throws {
        let bureau = try Bureau()
        let answers = try inThreads(48) { index in
            let scope = index % 2 == 0 ? "audit:read" : "connections:read"
            return try bureau.post("/token", [("grant_type", "client_credentials"), ("scope", scope)])
        }
        let tokens = Set(answers.compactMap { $0.1["access_token"]?.text })
        #expect(tokens.count == 48 && answers.allSatisfy { $0.0.status == 200 })
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_access_tokens") == 48)
        for (_, body) in answers {
            let token = body["access_token"]?.text ?? ""
            #expect(bureau.opens(token))
            #expect(try bureau.introspect(token)["scope"] == body["scope"])
        }
    }

    @Test("Bodies that are no forms get 415 and a sentence; what stands in the address is refused; nothing comes twice")
    func forms() throws {
        let bureau = try Bureau()
        let json = try bureau.door.send(.post, "/oauth/token", as: nil, json: #"{"grant_type":"client_credentials"}"#)
        #expect(json.status == 415)
        #expect(try json.text().contains("application/x-www-form-urlencoded"))
        let query = try bureau.door.send(
            .post, "/oauth/token", as: nil, query: "grant_type=client_credentials", form: [("client_id", "x")])
        #expect(try query.status == 400 && query.text().contains("invalid_request"))
        let twice = try bureau.post(
            "/token", [("grant_type", "client_credentials"), ("grant_type", "client_credentials")])
        #expect(twice.1.error == "invalid_request")
        #expect(try bureau.post("/token", [("grant_type", "password")]).1.error == "unsupported_grant_type")
        #expect(try bureau.door.send(.get, "/oauth/token", as: nil).status == 405)
    }

    @Test("> Note: invalid tokens do not cause an error response; a refresh token ends all that its grant gave")
    func revocation() throws {
        let bureau = try Bureau()
        let other = try bureau.another()
        let pair = try bureau.tokens()
        #expect(bureau.opens(pair.access) && bureau.opens(pair.access, other))
        #expect(try bureau.post("/revoke", [("token", pair.access)], as: bureau.publicApp).1.error == "invalid_grant")
        for token in ["nonsense", pair.access, pair.access] {
            #expect(try bureau.post("/revoke", [("token", token), ("token_type_hint", "wrong")]).0.status == 200)
        }
        #expect(!bureau.opens(pair.access))
        let second = try bureau.refresh(pair.refresh).1
        let access = try #require(second["access_token"]?.text)
        #expect(bureau.opens(access) && bureau.opens(access, other))
        #expect(try bureau.post("/revoke", [("token", second["refresh_token"]?.text ?? "")]).0.status == 200)
        #expect(!bureau.opens(access))
        // Another host has it in memory still, and forgets it once the count of changes was looked up.
        try other.memory.lookUp()
        #expect(!bureau.opens(access, other) && !bureau.opens(pair.access, other))
        #expect(try bureau.post("/revoke", []).1.error == "invalid_request")
    }

    @Test("Two processes of a host share the count of changes: what one revokes opens nothing in the other at once")
    func processes() throws {
        let bureau = try Bureau()
        let pair = try bureau.tokens()
        #expect(bureau.opens(pair.access))
        let memory = bureau.room.memory
        #expect(try memory.token(pair.access) != nil)
        _ = try bureau.room.change { transaction in
            try bureau.room.revokeGrants(.app(bureau.app.id), because: .person, in: transaction)
        }
        #expect(!bureau.opens(pair.access))
    }

    @Test("> the authorization server MUST return an introspection response with the active field set to false")
    func introspection() throws {
        let bureau = try Bureau()
        let pair = try bureau.tokens()
        let told = try bureau.introspect(pair.access)
        #expect(told["active"] == true && told["client_id"]?.text == bureau.app.clientID)
        #expect(told["sub"]?.text == bureau.user.text && told["scope"] == "connections:read")
        #expect(told["iss"] == "https://site.example/hub" && told["aud"] == ["https://site.example/hub"])
        #expect((told["exp"]?.wholeNumber ?? 0) - (told["iat"]?.wholeNumber ?? 0) == 3_600)
        #expect(try bureau.introspect(pair.refresh)["active"] == true)
        let other = try Bureau.insert(bureau.house, bureau.organization, bureau.user, isConfidential: true)
        let inactive: JSON = ["active": false]
        #expect(try bureau.post("/introspect", [("token", pair.access)], as: other).1 == inactive)
        for token in ["nonsense", pair.access + "x", String(pair.access.dropLast()) + "-"] {
            #expect(try bureau.introspect(token) == inactive)
        }
        bureau.house.pass(.seconds(3_600))
        #expect(try bureau.introspect(pair.access) == inactive)
        #expect(try bureau.post("/introspect", [("token", pair.access)], as: bureau.publicApp).0.status == 401)
    }

    @Test("A pushed request belongs to its client, is used once, and is all that counts (RFC 9126)")
    func pushed() throws {
        let bureau = try Bureau()
        _ = try bureau.code()
        let form = try #require(Form(urlencoded: bureau.query())).pairs.filter { $0.name != "client_id" }
        let (response, body) = try bureau.post("/par", form.map { ($0.name, $0.value) })
        #expect(response.status == 201 && body["expires_in"] == 60)
        let uri = try #require(body["request_uri"]?.text)
        func use(_ client: Bureau.Client) throws -> Response {
            let query = Form([("client_id", client.clientID), ("request_uri", uri), ("state", "other")]).urlencoded
            return try bureau.door.send(.get, "/oauth/authorize", as: bureau.person, query: query)
        }
        #expect(try use(bureau.publicApp).status == 400)
        let told = try Bureau.parameters(try #require(try use(bureau.app).headers["location"]))
        #expect(told["code"] != nil && told["state"] == "st4te")
        #expect(try use(bureau.app).status == 400)
        #expect(try bureau.post("/par", [("request_uri", uri)]).1.error == "invalid_request")
        let bad = form.map { ($0.name, $0.name == "scope" ? "no:such" : $0.value) }
        #expect(try bureau.post("/par", bad).1.error == "invalid_scope")
    }

    @Test("A device waits until a person has typed its code, and is told to slow down (RFC 8628 §3.5)")
    func device() throws {
        let bureau = try Bureau()
        let began = try bureau.post("/device_authorization", [("scope", "connections:read")], as: bureau.publicApp).1
        let code = try #require(began["device_code"]?.text)
        let typed = try #require(began["user_code"]?.text)
        #expect(typed.wholeMatch(of: /[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}/) != nil)
        func poll() throws -> JSON {
            try bureau.post(
                "/token", [("grant_type", GrantType.deviceCode.rawValue), ("device_code", code)], as: bureau.publicApp
            ).1
        }
        #expect(try poll().error == "authorization_pending" && poll().error == "slow_down")
        bureau.house.pass(.seconds(9))
        #expect(try poll().error == "slow_down")
        bureau.house.pass(.seconds(15))
        #expect(try poll().error == "authorization_pending")
        #expect(throws: Problem.self) { try bureau.room.pendingDevice(userCode: "BCDF-GHJK", bureau.call()) }
        let pending = try bureau.room.pendingDevice(
            userCode: typed.lowercased().replacing("-", with: " "), bureau.call())
        #expect(pending.app.id == bureau.publicApp.id && pending.scopes == [.read(.connections)])
        try bureau.room.approveDevice(pending, bureau.call(), by: bureau.house.scope(of: bureau.person))
        #expect(throws: Problem.authorizationOver) { try bureau.room.denyDevice(pending, bureau.call()) }
        bureau.house.pass(.seconds(15))
        let given = try poll()
        #expect(bureau.opens(given["access_token"]?.text ?? ""))
        #expect(try poll().error == "invalid_grant")
    }

    @Test("A device that is turned away, or waits too long, is told so")
    func denied() throws {
        let bureau = try Bureau()
        func begin() throws -> JSON { try bureau.post("/device_authorization", []).1 }
        func poll(_ began: JSON) throws -> String {
            try bureau.post(
                "/token",
                [("grant_type", GrantType.deviceCode.rawValue), ("device_code", began["device_code"]?.text ?? "")]
            ).1.error
        }
        let denied = try begin()
        let pending = try bureau.room.pendingDevice(userCode: denied["user_code"]?.text ?? "", bureau.call())
        try bureau.room.denyDevice(pending, bureau.call())
        #expect(try poll(denied) == "access_denied")
        let late = try begin()
        bureau.house.pass(.seconds(600))
        #expect(try poll(late) == "expired_token")
        for _ in 0..<10 { _ = try? bureau.room.pendingDevice(userCode: "BCDF-GHJK", bureau.call()) }
        let waiting = try begin()
        #expect(throws: Problem.self) {
            _ = try bureau.room.pendingDevice(userCode: waiting["user_code"]?.text ?? "", bureau.call())
        }
    }

    @Test(
        "> The issuer value returned MUST be identical to the issuer identifier; every endpoint that is told of is there"
    )
    func metadata() throws {
        let bureau = try Bureau()
        let response = try bureau.door.send(.get, "/.well-known/oauth-authorization-server", as: nil)
        let told = try JSON(parsing: Array(response.text().utf8))
        #expect(told["issuer"] == "https://site.example/hub" && told["code_challenge_methods_supported"] == ["S256"])
        #expect(told["authorization_response_iss_parameter_supported"] == true && told["registration_endpoint"] == nil)
        for member in told.members ?? [] where member.name.hasSuffix("_endpoint") {
            let address = try #require(member.value.text)
            let path = try #require(Path(String(address.dropFirst("https://site.example/hub".count))))
            #expect(OAuthEndpointRoute(path) != nil, "\(address)")
        }
        let resource = try bureau.door.send(.get, "/.well-known/oauth-protected-resource", as: nil)
        #expect(try JSON(parsing: Array(resource.text().utf8))["resource"] == "https://site.example/hub")
    }

    @Test("A token for one part of the site opens no other (RFC 8707)")
    func audience() throws {
        let bureau = try Bureau()
        let resource = "https://site.example/shop"
        let access = try bureau.tokens(["resource": resource]).access
        #expect(!bureau.opens(access))
        var question = GateQuestion()
        question.scope = "connections:read"
        func answer(_ uri: String) -> String {
            question.uri = uri
            return String(decoding: bureau.room.answer(question, .init(access)) { nil }, as: UTF8.self)
        }
        #expect(answer("/shop/items?x=1").hasPrefix("Status: 204") && answer("/shop").hasPrefix("Status: 204"))
        for other in ["/shop/../admin", "/shop/%2e%2e/admin", "/shop//x", "/%73hop/x"] {
            #expect(answer(other).hasPrefix("Status: 401"), "\(other)")
        }
        #expect(answer("/shopping").hasPrefix("Status: 401") && answer("/").hasPrefix("Status: 401"))
        let none = try bureau.redeem(bureau.code(["resource": resource]), [("resource", "https://site.example/hub")])
        #expect(none.1.error == "invalid_target")
    }

    @Test("The gate lets an app in under the limits of the app, and says whose it is")
    func gate() throws {
        let bureau = try Bureau()
        let access = try bureau.tokens().access
        var question = GateQuestion()
        func answer() -> String {
            String(decoding: bureau.room.answer(question, .init(access)) { nil }, as: UTF8.self)
        }
        question.scope = "connections:read"
        let admitted = answer()
        #expect(admitted.contains("X-Hub-App-Id: \(bureau.app.id)\r\n") && !admitted.contains("X-Hub-Key-Id"))
        #expect(admitted.contains("X-Hub-User-Id: \(bureau.user)\r\n") && admitted.contains("\"minute\";r=999;"))
        question.scope = "connections:write"
        #expect(answer().contains("X-Hub-Code: insufficient_scope"))
        question.scope = "connections:read"
        question.organization = Identifier<Organization>(.real).text
        #expect(answer().contains("X-Hub-Code: not_found"))
        question.organization = ""
        question.cost = "1000"
        #expect(answer().contains("X-Hub-Status: 429"))
    }

    @Test("Uses of tokens are written by and by, one line for each grant and app")
    func uses() throws {
        let bureau = try Bureau()
        let access = try bureau.tokens().access
        for _ in 0..<100 { #expect(bureau.opens(access)) }
        bureau.room.flush()
        let row = try #require(
            try bureau.house.database.row("SELECT last_used_at, last_used_address FROM oauth_grants"))
        #expect(try row.get("last_used_at") == bureau.house.world.now())
        #expect(try row.get("last_used_address") == "203.0.113.9")
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_apps WHERE last_used_at IS NOT NULL") == 1)
    }

    @Test("What has ended is removed, and what may still be brought a second time is not")
    func purge() throws {
        let bureau = try Bureau()
        let code = try bureau.code()
        _ = try bureau.redeem(code)
        _ = try bureau.authorize(["prompt": "consent"], as: bureau.person)
        _ = try bureau.post("/device_authorization", [])
        func rows() throws -> [Int] {
            try ["codes", "requests", "device_codes", "access_tokens", "refresh_tokens", "grants"].map {
                try bureau.count("SELECT COUNT(*) FROM oauth_\(unescaped: $0)")
            }
        }
        try bureau.room.purge()
        #expect(try rows() == [1, 1, 1, 1, 1, 1])
        bureau.house.pass(.hours(2))
        try bureau.room.purge()
        #expect(try rows() == [1, 0, 1, 0, 1, 1])
        #expect(try bureau.redeem(code).1.error == "invalid_grant")
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_grants WHERE revoked_at IS NOT NULL") == 1)
        bureau.house.pass(.days(32))
        try bureau.room.purge()
        #expect(try rows() == [0, 0, 0, 0, 0, 0])
    }
}
