import AdminShell
import Connections
import Domain
import HTTPKit
import JSONKit
import Testing

@testable import Hub

/// The contract “Integrations Hub” as a browser walks through it, by the front door.
@Suite(.timeLimit(.minutes(15))) struct IntegrationsHubByTheFrontDoor {
    @Test("A signed-in page begins a sign-in, its browser alone ends it, and the list tells how it went")
    func wholeWay() throws {
        let door = try FrontDoor([
            "NOTION_CLIENT_ID": "12345678-1234-1234-1234-123456789012", "NOTION_CLIENT_SECRET": "secret_notion",
        ])
        try door.person("ana@acme.example")
        let visitor = try door.signedIn("ana@acme.example")
        let token = try visitor.token()
        let begun = try visitor.send(
            .post, "/functions/v1/integrations-connect", json: #"{"provider":"notion"}"#,
            headers: ["x-csrf-token": token])
        let body = try JSON(parsing: Array(begun.text.utf8))
        #expect(begun.status == 200 && body.members?.map(\.name) == ["authUrl", "provider"], "\(begun.text)")
        let url = try #require(body["authUrl"]?.text)
        let query = try #require(Form(urlencoded: String(url.drop { $0 != "?" }.dropFirst())))
        #expect(url.hasPrefix("https://api.notion.com/v1/oauth/authorize?"))
        #expect(
            query["redirect_uri"] == "http://127.0.0.1:8080/functions/v1/integrations-callback/notion"
                && query["client_id"] == "12345678-1234-1234-1234-123456789012")
        let state = try #require(query["state"])
        let back = "/functions/v1/integrations-callback/notion?error=access_denied&state=\(state)"

        #expect(try Visitor(door).get(back).headers["location"] == "/integrations?error=signed_out")
        try door.person("eve@acme.example", .admin)
        let other = try door.signedIn("eve@acme.example").get(back)
        #expect(other.headers["location"] == "/integrations?error=state_of_another_session")
        let mine = try visitor.get(back)
        #expect(mine.status == 302 && mine.headers["location"] == "/integrations?error=access_denied")
        #expect(mine.headers["cache-control"] == "no-store" && mine.headers["referrer-policy"] != nil)

        let alias = try visitor.get("/integrations?error=access_denied")
        #expect(alias.status == 303 && alias.headers["location"] == "/connections")
        #expect(try visitor.get("/connections").text.contains("Access denied at Notion."))
        #expect(try !visitor.get("/connections").text.contains("Access denied"), "it is told once")
        _ = try visitor.get("/integrations?error=access_denied")
        #expect(try visitor.get("/connections").text.contains("Access denied: connect again"))
    }

    @Test("A stranger, a reader and a form cannot begin one")
    func rights() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let path = "/functions/v1/integrations-connect"
        let body = #"{"provider":"zapier"}"#
        #expect(try Visitor(door).send(.post, path, json: body).status == 401)
        let reader = try door.key(["connections:read"])
        #expect(try Visitor(door).send(.post, path, json: body, headers: ["x-api-key": reader]).status == 403)
        let visitor = try door.signedIn("ana@acme.example")
        #expect(try visitor.send(.post, path, json: body).status == 401, "without the form token")
        let key = try door.key()
        let answer = try Visitor(door).send(.post, path, json: body, headers: ["x-api-key": key])
        #expect(answer.text == #"{"authUrl":"http://127.0.0.1:8080/connections/new/zapier","provider":"zapier"}"#)
    }

    @Test("SITE_URL and HUB_REDIRECT_URIS are read as addresses, and refused when they are none")
    func settings() throws {
        #expect(throws: SettingsError.self) { try FrontDoor(["SITE_URL": "shop.example"]) }
        #expect(throws: SettingsError.self) { try FrontDoor(["HUB_REDIRECT_URIS": "https://a.example,/x"]) }
        let settings = try Settings(environment: ["SITE_URL": "https://shop.example"], cores: 1)
        #expect(settings[.siteURL]?.text == "https://shop.example")
    }
}
