import AdminShell
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// The contract “Integrations Hub”, its answers compared member by member.
@Suite(.timeLimit(.minutes(15))) struct IntegrationsHub {
    let there: SigningInOffice
    let door: Door

    init() throws {
        there = try SigningInOffice(variables: [
            "SHOPIFY_CLIENT_ID": "0123456789abcdef0123456789abcdef", "SHOPIFY_CLIENT_SECRET": "shop-secret",
            "GOOGLE_CLIENT_ID": "123-abc.apps.googleusercontent.com", "GOOGLE_CLIENT_SECRET": "google-secret",
        ])
        door = try Self.door(there, .own)
    }

    private static func door(_ there: SigningInOffice, _ addresses: ReturnAddresses) throws -> Door {
        try Door(
            there.office.house, there.office.room.integrationsHubContract(addresses), templates: Connections.templates)
    }

    private func connect(_ body: String, by door: Door? = nil) throws -> (response: Response, body: JSON) {
        there.office.house.pass(.milliseconds(1))
        let response = try (door ?? self.door).send(
            .post, "/functions/v1/integrations-connect", as: there.office.admin, json: body)
        return (response, try JSON(parsing: Array(response.text().utf8)))
    }

    /// Begins a sign-in and gives the address of the service, taken apart.
    private func address(_ body: String, by door: Door? = nil) throws -> Address {
        let text = try connect(body, by: door).body["authUrl"]?.text
        return try Address(#require(text))
    }

    /// Begins a sign-in at Google Drive and gives its state.
    private func begin() throws -> String { try address(#"{"provider":"google_drive"}"#).state }

    private func comeBack(_ query: [(String, String)], to provider: String, by door: Door? = nil) throws -> Response {
        try (door ?? self.door).send(
            .get, "/functions/v1/integrations-callback/\(provider)", as: there.office.admin,
            query: Form(pairs: query.map { (name: $0.0, value: $0.1) }).urlencoded)
    }

    @Test("Connecting answers authUrl and provider and nothing else, with this contract's own redirect address")
    func connecting() throws {
        let (response, body) = try connect(#"{"provider":"google_drive"}"#)
        #expect(response.status == 200 && body.members?.map(\.name) == ["authUrl", "provider"])
        #expect(body["provider"] == "google_drive")
        let address = try Address(#require(body["authUrl"]?.text))
        #expect(address.place == "https://accounts.google.com/o/oauth2/v2/auth")
        #expect(
            address["redirect_uri"] == "https://site.example/hub/functions/v1/integrations-callback/google_drive")
        #expect(address["scope"]?.contains("https://www.googleapis.com/auth/drive.file") == true)
        #expect(address["client_id"] == "123-abc.apps.googleusercontent.com" && address.state.utf8.count == 43)
        #expect(address["code_challenge_method"] == "S256")
        _ = try connect(#"{"provider":"google_drive"}"#)
        #expect(try there.office.json(.get, "connections").body["data"]?.elements?.count == 1)
    }

    @Test("A sign-in ends with 302 to /integrations?success=, and the connection works")
    func success() throws {
        there.service.answer(
            "/token", 200,
            #"{"access_token":"ya29.drive","token_type":"Bearer","scope":"https://www.googleapis.com/auth/drive.file"}"#
        )
        there.service.answer("/drive/v3/about", 200, #"{"user":{"emailAddress":"ana@gmail.example"}}"#)
        let begun = try address(#"{"provider":"google_drive"}"#)
        let query = [("code", SigningInOffice.code), ("state", begun.state)]
        let back = try comeBack(query, to: "google_drive")
        #expect(back.status == 302 && back.headers["location"] == "/hub/integrations?success=google_drive")
        #expect(try back.text().isEmpty && flash(back).hasPrefix("Google Drive “default” connected"))
        #expect(
            there.sent("POST /token ")["redirect_uri"]
                == "https://site.example/hub/functions/v1/integrations-callback/google_drive")
        let status = try there.office.json(.get, "connections/google_drive").body
        #expect(status["status"] == "connected", "\(status)")
        let again = try comeBack(query, to: "google_drive")
        #expect(again.status == 302 && again.headers["location"] == "/hub/integrations?error=state_used")
    }

    @Test("What goes wrong ends with 302 to /integrations?error= and its code")
    func failures() throws {
        for (query, code) in [
            ([("error", "access_denied"), ("state", try begin())], "access_denied"),
            ([("code", "x"), ("state", String(repeating: "A", count: 43))], "state_unknown"),
            ([("code", "x"), ("state", there.office.admin.actor.name)], "state_unknown"),
            ([("code", "x")], "state_missing"),
        ] {
            let back = try comeBack(query, to: "google_drive")
            #expect(back.status == 302 && back.headers["location"] == "/hub/integrations?error=\(code)", "\(code)")
        }
        there.service.answer("/token", 400, #"{"error":"invalid_grant"}"#)
        let back = try comeBack([("code", "x"), ("state", try begin())], to: "google_drive")
        #expect(back.headers["location"] == "/hub/integrations?error=invalid_grant")
        let elsewhere = try comeBack([("code", "x"), ("state", try begin())], to: "notion")
        #expect(elsewhere.headers["location"] == "/hub/integrations?error=wrong_provider")
    }

    @Test("Shopify needs its shop, from the body or from the connection, in either form")
    func shopify() throws {
        let (missing, body) = try connect(#"{"provider":"shopify"}"#)
        #expect(missing.status == 422 && refusals(body) == ["/shop required"])
        for shop in ["acme", "acme.myshopify.com", "ACME.myshopify.com"] {
            let begun = try address(#"{"provider":"shopify","shop":"\#(shop)"}"#)
            #expect(begun.place == "https://acme.myshopify.com/admin/oauth/authorize")
            #expect(begun["scope"] == "read_products,write_products,read_orders")
        }
        let begun = try address(#"{"provider":"shopify"}"#)
        #expect(begun.place == "https://acme.myshopify.com/admin/oauth/authorize")
        for shop in ["evil.example", "a/b", "x?.myshopify.com", ""] {
            #expect(try connect(#"{"provider":"shopify","shop":"\#(shop)"}"#).response.status == 422, "\(shop)")
        }
    }

    /// Comes back from a shop, as Shopify signs it.
    private func comeBack(from shop: String, _ state: String) throws -> Response {
        let query = [("code", "c"), ("shop", "\(shop).myshopify.com"), ("state", state)]
        let message = query.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        let hmac = Hex.encode(HMAC.sha256(Array(message.utf8), key: Array("shop-secret".utf8)))
        return try comeBack(query + [("hmac", hmac)], to: "shopify")
    }

    @Test("A sign-in at another shop changes nothing of the one that works before somebody has consented")
    func anotherShop() throws {
        let scope = "read_products,write_products,read_orders"
        there.service.answer("/admin/oauth/access_token", 200, #"{"access_token":"shpat_1","scope":"\#(scope)"}"#)
        there.service.answer("/admin/api/", 200, #"{"shop":{"name":"Acme"}}"#)
        there.service.answer("/admin/api_permissions/current.json", 200, "{}")
        let begun = try address(#"{"provider":"shopify","shop":"acme"}"#)
        #expect(try comeBack(from: "acme", begun.state).headers["location"] == "/hub/integrations?success=shopify")
        func shopify() throws -> JSON { try there.office.json(.get, "connections/shopify").body }
        let id = try #require(try shopify()["id"]?.text)

        let other = try address(#"{"provider":"shopify","shop":"other"}"#)
        #expect(other.place == "https://other.myshopify.com/admin/oauth/authorize")
        #expect(try shopify()["status"] == "connected" && shopify()["setup"]?["shop"] == "acme")
        #expect(try there.tokens(id)?.access.reveal { $0 } == "shpat_1")
        // The shop that was asked is the one that must answer.
        #expect(try comeBack(from: "acme", other.state).headers["location"]?.contains("error=wrong_tenant") == true)
        #expect(try shopify()["setup"]?["shop"] == "acme")

        there.service.answer("/admin/oauth/access_token", 200, #"{"access_token":"shpat_2","scope":"\#(scope)"}"#)
        let again = try address(#"{"provider":"shopify","shop":"other"}"#)
        there.office.house.pass(.seconds(2))
        #expect(try comeBack(from: "other", again.state).headers["location"] == "/hub/integrations?success=shopify")
        #expect(there.request("POST /admin/oauth/access_token ")?.contains("Host: other.myshopify.com") == true)
        #expect(try shopify()["status"] == "connected" && shopify()["setup"]?["shop"] == "other")
        #expect(try there.tokens(id)?.access.reveal { $0 } == "shpat_2")
        // What the first shop granted is given back there.
        there.office.house.pass(.minutes(2))
        try there.work()
        let revoked = there.request("DELETE /admin/api_permissions/current.json ")
        #expect(revoked?.contains("Host: acme.myshopify.com") == true && revoked?.contains("shpat_1") == true)
    }

    @Test("An error inside the hub ends at the page too, never at an address that holds the code")
    func broken() throws {
        let state = try begin()
        try there.office.house.database.execute("DROP TABLE authorization_flows")
        let back = try comeBack([("code", "c"), ("state", state)], to: "google_drive")
        let location = back.headers["location"] ?? ""
        #expect(back.status == 302 && location.hasPrefix("/hub/integrations?error=") && !location.contains(state))
        let twice = try door.send(
            .get, "/functions/v1/integrations-callback/google_drive", as: there.office.admin, query: "code=%")
        #expect(twice.status == 302)
    }

    @Test("Zapier has no sign-in: its answer leads to where the hook's address is entered")
    func zapier() throws {
        let (response, body) = try connect(#"{"provider":"zapier"}"#)
        #expect(response.status == 200)
        #expect(body == ["authUrl": "https://site.example/hub/connections/new/zapier", "provider": "zapier"])
        let made = try there.office.json(
            .post, "connections",
            #"{"provider":"zapier","setup":{"webhook_url":"https://hooks.zapier.com/hooks/catch/1/a/"}}"#)
        let id = try #require(made.body["id"]?.text)
        #expect(
            try connect(#"{"provider":"zapier"}"#).body["authUrl"]?.text
                == "https://site.example/hub/connections/\(id)/edit")
    }

    @Test("Without a client for the service there is nothing to sign in with, and the answer says what is missing")
    func withoutClient() throws {
        let (response, body) = try connect(#"{"provider":"notion"}"#)
        #expect(response.status == 409 && body["code"] == "setup_incomplete")
    }

    @Test(
        "Only the four services of the contract are taken, and every other member is named",
        arguments: [
            (#"{}"#, ["/provider required"]), (#"{"provider":"telegram"}"#, ["/provider invalid"]),
            (#"{"provider":"notion","state":"me"}"#, ["/state unknown_field"]),
            (#"{"provider":"notion","redirectUri":7}"#, ["/redirectUri wrong_type"]),
        ])
    func refused(body: String, errors: [String]) throws {
        let (response, answer) = try connect(body)
        #expect(response.status == 422 && refusals(answer) == errors, "\(answer)")
    }

    @Test(
        "redirectUri leads nowhere but to this site and to what is listed",
        arguments: [
            ("/integrations/done", true), ("https://site.example/hub/x?y=1", true),
            ("https://app.example/callback", true),
            ("https://shop.example/any", true), ("https://app.example/callback2", false),
            ("https://evil.example/", false), ("//evil.example", false), (#"/\\evil.example"#, false),
            ("https://site.example@evil.example/", false), ("https://site.example.evil.example/", false),
            ("javascript:alert(1)", false), ("http://site.example/", false), ("https://site.example/#x", false),
            ("integrations", false), ("/a b", false),
        ])
    func redirects(address: String, isAllowed: Bool) throws {
        let addresses = try #require(
            ReturnAddresses(siteURL: "https://shop.example", listed: ["https://app.example/callback"]))
        let door = try Self.door(there, addresses)
        let (response, body) = try connect(#"{"provider":"google_drive","redirectUri":"\#(address)"}"#, by: door)
        #expect((response.status == 200) == isAllowed, "\(address) \(body)")
        guard isAllowed else { return #expect(refusals(body) == ["/redirectUri invalid"]) }
        let state = try Address(#require(body["authUrl"]?.text)).state
        let back = try comeBack([("error", "access_denied"), ("state", state)], to: "google_drive", by: door)
        let mark = address.contains("?") ? "&" : "?"
        #expect(back.headers["location"] == "\(address)\(mark)error=access_denied")
    }

    @Test("SITE_URL names the site whose page /integrations shows how it went")
    func siteURL() throws {
        let door = try Self.door(there, #require(ReturnAddresses(siteURL: "https://shop.example/", listed: [])))
        let state = try address(#"{"provider":"google_drive"}"#, by: door).state
        let back = try comeBack([("error", "access_denied"), ("state", state)], to: "google_drive", by: door)
        #expect(back.headers["location"] == "https://shop.example/integrations?error=access_denied")
        #expect(ReturnAddresses(siteURL: "shop.example", listed: []) == nil)
        #expect(ReturnAddresses(siteURL: "", listed: ["/x"]) == nil)
    }

    @Test("The list tells what /integrations?success= and ?error= say, and nothing that a stranger wrote there")
    func told() throws {
        func page(_ query: String) throws -> String {
            let answer = try there.office.door.send(.get, "/integrations", as: there.office.admin, query: query)
            #expect(answer.status == 303 && answer.headers["location"] == "/hub/connections")
            return flash(answer)
        }
        #expect(try page("success=telegram") == "")
        _ = try there.office.telegram()
        #expect(try page("success=telegram") == "Telegram connected.")
        #expect(try page("success=%3Cb%3E") == "" && page("") == "")
        #expect(try page("error=access_denied").hasPrefix("Access denied"))
        #expect(try page("error=You+won") == "The sign-in came to nothing. Start it again.")
    }
}
