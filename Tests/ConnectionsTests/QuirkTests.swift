import CipherKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// Each service that writes something in its own way, against answers as its documentation shows them.
@Suite struct QuirkTests {
    private static let client = "0123456789abcdef0123456789abcdef"
    private static let secret = "fedcba9876543210fedcba9876543210"
    private let there: SigningInOffice

    init() throws { there = try SigningInOffice(isGoogle: false) }

    private func json(_ beginning: String) throws -> JSON {
        try JSON(parsing: Array((there.request(beginning)?.components(separatedBy: "\r\n\r\n").last ?? "").utf8))
    }

    private func header(_ name: String, of beginning: String) -> String? {
        let lines = there.request(beginning)?.components(separatedBy: "\r\n") ?? []
        return lines.first { $0.lowercased().hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    private func body(_ id: String) throws -> JSON { try there.office.json(.get, "connections/\(id)").body }

    private func token(_ id: String) throws -> String? { try there.tokens(id)?.access.reveal { $0 } }

    // MARK: Shopify

    private func shop() throws -> String {
        try there.connection(
            "shopify", setup: #"{"shop":"acme","client_id":"\#(Self.client)","client_secret":"hush"}"#)
    }

    /// A callback as Shopify signs it: hex HMAC-SHA256 with the client's secret over the sorted query.
    private func signed(_ query: [(String, String)], by secret: String = "hush") -> [(String, String)] {
        let message = query.sorted { $0.0 < $1.0 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        return query + [("hmac", Hex.encode(HMAC.sha256(Array(message.utf8), key: Array(secret.utf8))))]
    }

    @Test("The example that Shopify published for its signature holds")
    func shopifyVector() throws {
        // shopify.dev, "Verification": the message and the secret `hush` of the documentation.
        let message = "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&timestamp=1337178173"
        let digest = Hex.encode(HMAC.sha256(Array(message.utf8), key: Array("hush".utf8)))
        #expect(digest == "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20")
    }

    @Test("Shopify is asked at the shop's own host, signs its answer, and a right to write is one to read")
    func shopify() throws {
        there.service.answer(
            "/admin/oauth/access_token", 200,
            #"{"access_token":"shpat_1","scope":"write_products,read_orders","expires_in":3600,"refresh_token":"shprt_1","refresh_token_expires_in":7776000}"#
        )
        there.service.answer("/admin/api/", 200, #"{"shop":{"name":"Acme","domain":"acme.example"}}"#)
        let id = try shop()
        let address = try there.begin(id)
        #expect(address.place == "https://acme.myshopify.com/admin/oauth/authorize")
        #expect(address["scope"] == "read_products,write_products,read_orders" && address["code_challenge"] == nil)
        let query = [
            ("code", "c0"), ("shop", "acme.myshopify.com"), ("state", address.state), ("timestamp", "1337178173"),
            ("host", "YWNtZS5teXNob3BpZnkuY29tL2FkbWlu"),
        ]
        #expect(flash(try there.comeBack(signed(query), to: "shopify")).contains("connected."))
        #expect(there.sent("POST /admin/oauth/access_token ")["expiring"] == "1")
        #expect(header("host", of: "POST /admin/oauth/access_token ") == "acme.myshopify.com")
        let state = try body(id)
        #expect(state["status"] == "connected" && state["scopes"]?["missing"] == [])
        #expect(state["grant_ends_at"] != .null)
    }

    @Test("An answer that Shopify did not sign, or that names another shop, connects nothing")
    func shopifyForged() throws {
        let id = try shop()
        for (forge, words) in [
            ({ $0 }, "not signed"), ({ self.signed($0, by: "other") }, "not signed"),
            ({ self.signed($0).map { $0.0 == "code" ? ("code", "other") : $0 } }, "not signed"),
            ({ $0 + [("hmac", "")] }, "not signed"),
            ({ self.signed($0.map { $0.0 == "shop" ? ("shop", "evil.myshopify.com") : $0 }) }, "another Shop"),
            ({ self.signed($0.map { $0.0 == "shop" ? ("shop", "evil.com") : $0 }) }, "another Shop"),
            ({ self.signed($0.filter { $0.0 != "shop" }) }, "another Shop"),
        ] as [(([(String, String)]) -> [(String, String)], String)] {
            let query = [("code", "c"), ("shop", "acme.myshopify.com"), ("state", try there.begin(id).state)]
            #expect(flash(try there.comeBack(forge(query), to: "shopify")).contains(words))
        }
        #expect(there.office.service.requests.isEmpty)
        for shop in ["evil.com/", "evil.com#", "a.b", "evil.com?", "A", "x@evil"] {
            let (response, _) = try there.office.json(
                .post, "connections",
                #"{"provider":"shopify","name":"x","setup":{"shop":"\#(shop)","client_id":"\#(Self.client)","client_secret":"s"}}"#
            )
            #expect(response.status == 422, "\(shop)")
        }
    }

    @Test("A script hands over the whole query where the service signs it")
    func shopifyScript() throws {
        there.service.answer("/admin/oauth/access_token", 200, #"{"access_token":"shpat_1","scope":"write_products"}"#)
        let id = try shop()
        let state = try there.begin(id).state
        let bare = #"{"code":"c","state":"\#(state)"}"#
        #expect(try there.office.json(.post, "connections/\(id)/exchange", bare).body["code"] == "bad_signature")
        let query = signed([("code", "c"), ("shop", "acme.myshopify.com"), ("state", try there.begin(id).state)])
        let text = Form(pairs: query.map { (name: $0.0, value: $0.1) }).urlencoded
        let (response, _) = try there.office.json(.post, "connections/\(id)/exchange", #"{"query":"\#(text)"}"#)
        #expect(response.status == 200)
    }

    // MARK: Slack, Notion, GitHub, Airtable

    @Test("Slack's scopes have commas, its refusals come with status 200, and a user's token may stand beside a bot's")
    func slack() throws {
        let id = try there.connection(
            "slack", setup: #"{"client_id":"1234567.1234567","client_secret":"\#(Self.secret)"}"#)
        #expect(try there.begin(id)["scope"] == "chat:write,channels:read,groups:read")
        there.service.answer("/api/oauth.v2.access", 200, #"{"ok":false,"error":"invalid_code"}"#)
        #expect(flash(try there.signIn(id, "slack")).hasPrefix("Invalid grant: "))
        there.service.answer("/api/oauth.v2.access", 200, #"{"ok":false,"error":"bad_client_secret"}"#)
        #expect(flash(try there.signIn(id, "slack")).contains("does not know this client"))
        let bot = #"""
            {"ok":true,"access_token":"xoxb-1","token_type":"bot","scope":"chat:write,channels:read,groups:read",
             "bot_user_id":"U0KRQLJ9H","team":{"name":"Acme","id":"T9TK3CUKW"},"authed_user":{"id":"U1234"}}
            """#
        there.service.answer("/api/oauth.v2.access", 200, bot)
        there.service.answer("/api/auth.test", 200, #"{"ok":true,"team":"Acme","user":"hub","team_id":"T9TK3CUKW"}"#)
        #expect(flash(try there.signIn(id, "slack")).contains("connected."))
        #expect(try token(id) == "xoxb-1")
        let facts = try body(id)["metadata"]?.elements?.compactMap { $0["value"]?.text } ?? []
        #expect(facts.contains("U0KRQLJ9H") && facts.contains("T9TK3CUKW"))
        let user =
            #"{"ok":true,"authed_user":{"id":"U1","access_token":"xoxp-1","token_type":"user","scope":"chat:write"}}"#
        there.service.answer("/api/oauth.v2.access", 200, user)
        there.office.house.pass(.seconds(2))
        _ = try there.signIn(id, "slack")
        #expect(try token(id) == "xoxp-1")
    }

    @Test("Notion takes JSON and HTTP Basic, and says which workspace it is")
    func notion() throws {
        let id = try there.connection(
            "notion", setup: #"{"client_id":"\#(Self.client)","client_secret":"secret_x"}"#)
        let address = try there.begin(id)
        #expect(address["owner"] == "user" && address["scope"] == nil)
        there.service.answer(
            "/v1/oauth/token", 200,
            #"{"access_token":"ntn_1","refresh_token":"nrt_1","token_type":"bearer","bot_id":"b1","workspace_name":"Acme wiki","workspace_id":"w1","owner":{}}"#
        )
        there.service.answer(
            "/v1/users/me", 200, #"{"object":"user","name":"Hub","bot":{"workspace_name":"Acme wiki"}}"#)
        #expect(
            flash(try there.comeBack([("code", "c"), ("state", address.state)], to: "notion")).contains("connected."))
        let sent = try json("POST /v1/oauth/token ")
        #expect(sent["grant_type"] == "authorization_code" && sent["code"] == "c" && sent["client_secret"] == nil)
        #expect(sent["redirect_uri"]?.text == address["redirect_uri"])
        let basic = Base64.encode(Array("\(Self.client):secret_x".utf8))
        #expect(header("authorization", of: "POST /v1/oauth/token ") == "Basic \(basic)")
        #expect(header("notion-version", of: "POST /v1/oauth/token ") == "2022-06-28")
        #expect(try body(id)["metadata"]?.elements?.contains { $0["value"] == "w1" } == true)
    }

    @Test("GitHub answers as a form, and refuses with status 200")
    func github() throws {
        let id = try there.connection(
            "github", setup: #"{"client_id":"Iv1.0123456789abcdef","client_secret":"\#(Self.secret)01234567"}"#)
        let path = "/login/oauth/access_token"
        there.service.answer(
            path, 200,
            #"{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}"#)
        #expect(flash(try there.signIn(id, "github")).contains("Invalid grant"))
        there.service.answer(path, 200, "access_token=gho_16C7&scope=repo%2Cuser&token_type=bearer")
        there.service.answer("/user", 200, #"{"login":"octocat"}"#)
        #expect(flash(try there.signIn(id, "github")).contains("connected"))
        #expect(try token(id) == "gho_16C7" && body(id)["scopes"]?["granted"] == ["repo", "user"])
        #expect(header("accept", of: "POST \(path) ") == "application/json")
    }

    @Test("Airtable is given a proof and HTTP Basic")
    func airtable() throws {
        let id = try there.connection(
            "airtable",
            setup: #"{"client_id":"00000000-1111-2222-3333-444444444444","client_secret":"\#(Self.secret)"}"#)
        let address = try there.begin(id)
        #expect(address["code_challenge_method"] == "S256")
        there.service.answer(
            "/oauth2/v1/token", 200,
            #"{"access_token":"oaa","refresh_token":"oar","expires_in":3600,"refresh_expires_in":5184000,"token_type":"Bearer","scope":"data.records:read"}"#
        )
        there.service.answer("/v0/meta/whoami", 200, #"{"id":"usr1"}"#)
        _ = try there.comeBack([("code", "c"), ("state", address.state)], to: "airtable")
        let sent = there.sent("POST /oauth2/v1/token ")
        #expect(sent["code_verifier"].map(AuthorizationRequest.challenge) == address["code_challenge"])
        #expect(header("authorization", of: "POST /oauth2/v1/token ")?.hasPrefix("Basic ") == true)
        #expect(try token(id) == "oaa" && body(id)["grant_ends_at"] != .null)
    }

    // MARK: Meta

    @Test("Instagram's short-lived token becomes a long-lived one at once, in both forms of its answer")
    func instagram() throws {
        let id = try there.connection(
            "instagram",
            setup:
                #"{"client_id":"990602627938098","client_secret":"\#(Self.secret)","instagram_scoped_id":"17841400000000000"}"#
        )
        let scopes = "instagram_business_basic,instagram_business_manage_messages"
        for answer in [
            #"{"access_token":"IGQ-short","user_id":17841405793187218,"permissions":"\#(scopes)"}"#,
            #"{"data":[{"access_token":"IGQ-short","user_id":"17841405793187218","permissions":"\#(scopes)"}]}"#,
        ] {
            there.service.answer("/oauth/access_token", 200, answer)
            there.service.answer(
                "/access_token", 200, #"{"access_token":"IGQ-long","token_type":"bearer","expires_in":5183944}"#)
            there.service.answer("/me", 200, #"{"user_id":"17841405793187218","username":"acme"}"#)
            let state = try there.begin(id).state
            #expect(
                flash(try there.comeBack([("code", "AQB#_"), ("state", state)], to: "instagram")).contains("connected.")
            )
            #expect(there.sent("POST /oauth/access_token ")["code"] == "AQB")
            let second = try #require(there.request("GET /access_token?"))
            #expect(second.contains("grant_type=ig_exchange_token") && second.contains("access_token=IGQ-short"))
            #expect(second.contains("client_secret=\(Self.secret)"))
            #expect(try token(id) == "IGQ-long" && body(id)["scopes"]?["granted"]?.elements?.count == 2)
            there.office.house.pass(.seconds(2))
        }
    }

    @Test("Instagram's token is renewed once it is a day old, and before that nobody is asked")
    func instagramTooYoung() throws {
        let id = try there.connection(
            "instagram",
            setup:
                #"{"client_id":"990602627938098","client_secret":"\#(Self.secret)","instagram_scoped_id":"17841400000000000"}"#
        )
        there.service.answer("/oauth/access_token", 200, #"{"access_token":"IGQ-short","user_id":1}"#)
        there.service.answer("/access_token", 200, #"{"access_token":"IGQ-long","expires_in":5183944}"#)
        there.service.answer("/me", 200, #"{"username":"acme"}"#)
        there.service.answer("/refresh_access_token", 200, #"{"access_token":"IGQ-longer","expires_in":5183944}"#)
        _ = try there.signIn(id, "instagram")
        let (response, body) = try there.office.json(.post, "connections/\(id)/refresh", "{}")
        #expect(response.status == 409 && body["code"] == "not_refreshable")
        #expect(there.request("GET /refresh_access_token?") == nil)
        there.office.house.pass(.days(1))
        #expect(try there.office.json(.post, "connections/\(id)/refresh", "{}").response.status == 200)
        #expect(try token(id) == "IGQ-longer")
        // A renewed one is as young again.
        #expect(try there.office.json(.post, "connections/\(id)/refresh", "{}").response.status == 409)
    }

    @Test("Meta says by 400 that it knows a token no more, and a person is needed")
    func metaEnded() throws {
        let id = try there.connection(
            "facebook", setup: #"{"client_id":"1234567890","client_secret":"\#(Self.secret)"}"#)
        let path = "/v22.0/oauth/access_token"
        there.service.answer(path, 200, #"{"access_token":"EAAB","token_type":"bearer","expires_in":5183944}"#)
        there.service.answer("/v22.0/me", 200, #"{"name":"Ana","id":"1"}"#)
        _ = try there.signIn(id, "facebook")
        let ended =
            #"{"error":{"message":"Error validating access token: The session has been invalidated because the user changed their password.","type":"OAuthException","code":190}}"#
        there.service.answer(path, 400, ended)
        there.service.answer("/v22.0/me", 400, ended)
        there.office.house.pass(.days(2))
        #expect(try there.office.json(.post, "connections/\(id)/test", "{}").body["ok"] == false)
        #expect(try body(id)["status"] == "needs_reauth")
    }

    @Test("Facebook's token is lengthened under its own name for it")
    func facebook() throws {
        let id = try there.connection(
            "facebook", setup: #"{"client_id":"1234567890","client_secret":"\#(Self.secret)"}"#)
        #expect(try there.begin(id).place == "https://www.facebook.com/v22.0/dialog/oauth")
        let path = "/v22.0/oauth/access_token"
        there.service.answer(path, 200, #"{"access_token":"EAAB-short","token_type":"bearer","expires_in":5000}"#)
        there.service.answer(
            path + "?", 200, #"{"access_token":"EAAB-long","token_type":"bearer","expires_in":5183944}"#)
        there.service.answer("/v22.0/me", 200, #"{"name":"Ana","id":"1"}"#)
        #expect(flash(try there.signIn(id, "facebook")).contains("connected."))
        #expect(there.request("GET \(path)?")?.contains("fb_exchange_token=EAAB-short") == true)
        #expect(try token(id) == "EAAB-long")
        there.service.answer(
            path, 400,
            #"{"error":{"message":"This authorization code has been used.","type":"OAuthException","code":100}}"#)
        #expect(flash(try there.signIn(id, "facebook")).hasPrefix("Invalid grant:"))
    }

    // MARK: Others

    @Test("OpenRouter knows no client: the address it comes back to holds the state, and the code becomes the key")
    func openrouter() throws {
        let id = try there.connection("openrouter", setup: "{}")
        let address = try there.begin(id)
        let callback = try Address(#require(address["callback_url"]))
        #expect(callback.place == "https://site.example/hub/connections/callback/openrouter")
        #expect(address.state.isEmpty && address["client_id"] == nil && address["code_challenge_method"] == "S256")
        there.service.answer("/api/v1/auth/keys", 200, #"{"key":"sk-or-v1-made","user_id":"user_1"}"#)
        there.service.answer("/api/v1/auth/key", 200, #"{"data":{"label":"sk-or-v1-mad...ade"}}"#)
        let back = try there.comeBack([("state", callback.state), ("code", "c")], to: "openrouter")
        #expect(flash(back).contains("connected."))
        let sent = try json("POST /api/v1/auth/keys ")
        #expect(sent["code"] == "c" && sent["code_challenge_method"] == "S256" && sent["grant_type"] == nil)
        #expect(sent["code_verifier"]?.text.map(AuthorizationRequest.challenge) == address["code_challenge"])
        #expect(try token(id) == "sk-or-v1-made")
        #expect(there.request("GET /api/v1/auth/key")?.contains("Bearer sk-or-v1-made") == true)
    }

    @Test("Microsoft is asked at the tenant's address, and does not name the right to stay signed in")
    func microsoft() throws {
        let tenant = "11111111-2222-3333-4444-555555555555"
        let id = try there.connection(
            "microsoft",
            setup:
                #"{"client_id":"00000000-1111-2222-3333-444444444444","client_secret":"s~e.c","tenant_id":"\#(tenant)"}"#
        )
        let address = try there.begin(id)
        #expect(address.place == "https://login.microsoftonline.com/\(tenant)/oauth2/v2.0/authorize")
        #expect(address["scope"] == "offline_access User.Read" && address["response_mode"] == "query")
        there.service.answer(
            "/\(tenant)/oauth2/v2.0/token", 200,
            #"{"token_type":"Bearer","scope":"https://graph.microsoft.com/User.Read profile","expires_in":3736,"ext_expires_in":3736,"access_token":"eyJ0","refresh_token":"AwAB"}"#
        )
        there.service.answer("/v1.0/me", 200, #"{"userPrincipalName":"ana@acme.example"}"#)
        #expect(
            flash(try there.comeBack([("code", "c"), ("state", address.state)], to: "microsoft")).contains("connected.")
        )
        #expect(try body(id)["scopes"]?["missing"] == [] && body(id)["status"] == "connected")
    }

    @Test("Stripe is told whose account lets the hub go, with the platform's own key")
    func stripe() throws {
        let id = try there.connection(
            "stripe",
            setup: #"{"client_id":"ca_FkyHCg7X8mlvCUdMDao4mMxagUfhIwXb","client_secret":"sk_test_0123456789abcdef"}"#)
        there.service.answer(
            "/oauth/token", 200,
            #"{"access_token":"sk_test_9","token_type":"bearer","scope":"read_write","stripe_user_id":"acct_1"}"#)
        there.service.answer("/v1/account", 200, #"{"id":"acct_1"}"#)
        there.service.answer("/oauth/deauthorize", 200, #"{"stripe_user_id":"acct_1"}"#)
        #expect(flash(try there.signIn(id, "stripe")).contains("connected"))
        // A test and a change of the name leave alone whose grant it is.
        _ = try there.office.json(.patch, "connections/\(id)", #"{"name":"shop"}"#)
        let told = try there.office.json(.post, "connections/\(id)/disconnect", "{}").body
        #expect(told["revocation"]?["outcome"] == "revoked")
        let call = "POST /oauth/deauthorize"
        #expect(header("authorization", of: call) == "Bearer sk_test_0123456789abcdef")
        #expect(
            there.request(call)?.hasSuffix("client_id=ca_FkyHCg7X8mlvCUdMDao4mMxagUfhIwXb&stripe_user_id=acct_1")
                == true)
    }

    @Test(
        "Stripe, HubSpot and Discord connect as they document",
        arguments: [
            (
                "stripe",
                #"{"client_id":"ca_FkyHCg7X8mlvCUdMDao4mMxagUfhIwXb","client_secret":"sk_test_0123456789abcdef"}"#,
                "/oauth/token",
                #"{"access_token":"sk_test_9","refresh_token":"rt_9","token_type":"bearer","scope":"read_write","stripe_user_id":"acct_1","livemode":false}"#,
                "acct_1"
            ),
            (
                "hubspot", #"{"client_id":"00000000-1111-2222-3333-444444444444","client_secret":"s3cret"}"#,
                "/oauth/2026-03/token",
                #"{"access_token":"CJ_1","refresh_token":"e1","token_type":"bearer","expires_in":1800,"hub_id":12345}"#,
                "12345"
            ),
            (
                "discord", #"{"client_id":"157730590492196864","client_secret":"s3cret"}"#,
                "/api/oauth2/token",
                #"{"access_token":"6qrZ","refresh_token":"D43f","token_type":"Bearer","expires_in":604800,"scope":"bot identify guilds","guild":{"name":"Acme","id":"g1"}}"#,
                "g1"
            ),
        ])
    func others(provider: String, setup: String, path: String, answer: String, fact: String) throws {
        let id = try there.connection(provider, setup: setup)
        there.service.answer(path, 200, answer)
        there.service.answer("/", 200, "{}")
        #expect(flash(try there.signIn(id, provider)).contains("connected"))
        #expect(try body(id)["metadata"]?.elements?.contains { $0["value"] == .string(fact) } == true)
        #expect(try body(id)["scopes"]?["missing"] == [])
    }

    // MARK: Servers of one's own

    private func own(_ name: String, host: String) throws -> String {
        try there.connection(
            "custom_oauth2", name: name,
            setup:
                #"{"client_id":"c","client_secret":"own-secret","authorize_url":"https://\#(host)/authorize","token_url":"https://\#(host)/token","test_url":"https://\#(host)/me"}"#
        )
    }

    @Test("Of servers that connections name each has a redirect address of its own, and no code of one reaches another")
    func ownServers() throws {
        let (honest, evil) = (
            try own("honest", host: "login.own.example"), try own("evil", host: "login.other.example")
        )
        let (one, other) = (try there.begin(honest), try there.begin(evil))
        #expect(one["redirect_uri"] == "https://site.example/hub/connections/callback/custom_oauth2/\(honest)")
        #expect(other["redirect_uri"] == "https://site.example/hub/connections/callback/custom_oauth2/\(evil)")
        // The dishonest server sends the browser on to the honest one, which answers at its own address (COAT).
        let mixed = try there.comeBack([("code", "honest"), ("state", other.state)], to: "custom_oauth2/\(honest)")
        #expect(flash(mixed).contains("another service"))
        // Or it sends a code of its own to the address of the honest one (CORF).
        let forged = try there.comeBack([("code", "evil"), ("state", one.state)], to: "custom_oauth2/\(evil)")
        #expect(flash(forged).contains("another service"))
        #expect(
            flash(try there.comeBack([("code", "c"), ("state", try there.begin(honest).state)], to: "custom_oauth2"))
                .contains("another service"))
        #expect(there.office.service.requests.isEmpty)
    }

    @Test("A server of one's own gets the client of this connection and nobody else's")
    func ownClient() throws {
        let id = try own("default", host: "login.own.example")
        there.service.answer("/token", 200, #"{"access_token":"t","token_type":"Bearer"}"#)
        there.service.answer("/me", 200, "{}")
        #expect(flash(try there.signIn(id, "custom_oauth2/\(id)")).contains("connected."))
        #expect(header("host", of: "POST /token ") == "login.own.example")
        #expect(
            header("authorization", of: "POST /token ") == "Basic \(Base64.encode(Array("c:own-secret".utf8)))")
    }

    @Test("A stored value that the field's rules no longer take leads no call anywhere")
    func staleValue() throws {
        let provider = try #require(there.office.room.catalogue["shopify"])
        let oauth = try #require(provider.oauth)
        for shop in ["evil.com/", "evil.com#", "", "a.b"] {
            #expect(throws: AddressProblem.self) { try provider.address(oauth.tokenURL, ["shop": shop]) }
        }
        #expect(try provider.address(oauth.tokenURL, ["shop": "acme"]).hasPrefix("https://acme.myshopify.com/"))
    }
}
