import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import OAuthServer

/// What people see of apps.
@Suite(.timeLimit(.minutes(10))) struct PageTests {
    private let office: Office

    init() throws { office = try Office() }

    private let filled = [
        ("name", "Nightly export"), ("confidential", "true"), ("redirect_uris", "https://export.example/callback\n"),
        ("scopes", "connections:read"), ("other_scopes", "payments:read"), ("grant_types", "authorization_code"),
        ("grant_types", "refresh_token"), ("rate_limit.requests_per_minute", "7"),
    ]

    @Test("Every page renders its sample, every name in its template told")
    func samples() throws {
        try office.door.check(OAuthServer.pages)
    }

    @Test("A form makes an app and shows its secret once, in an answer that nobody stores")
    func made() throws {
        let answer = try office.post("/oauth-apps/new", filled)
        let page = try answer.text()
        #expect(answer.status == 200 && answer.headers["cache-control"] == "no-store")
        #expect(page.contains("hub_cs_") && page.contains("I have stored it"))
        let app = try #require(try office.send(.get, "/api/v1/oauth-apps").body["data"]?.elements?.first)
        #expect(app["scopes"] == ["connections:read", "payments:read"])
        #expect(app["grant_types"] == ["authorization_code", "refresh_token"])
        #expect(app["rate_limit"]?["requests_per_minute"] == 7)
        #expect(
            try !office.page("/oauth-apps/\(app.id)").contains(
                "hub_cs_" + page.split(separator: "hub_cs_")[1].prefix(10)))
    }

    @Test("A form that is refused keeps what was typed and names each field")
    func refused() throws {
        let answer = try office.post(
            "/oauth-apps/new",
            [
                ("name", "Mine"), ("confidential", "false"), ("redirect_uris", "http://a.example/cb"),
                ("grant_types", "client_credentials"),
            ])
        let page = try answer.text()
        #expect(answer.status == 422 && page.contains("value=\"Mine\"") && page.contains("http://a.example/cb"))
        #expect(page.contains("Use https;") && page.contains("scopes-error"))
    }

    @Test("An app is edited, rolled, put aside, taken back and removed by pages")
    func life() throws {
        let app = try office.made()
        let edited = try office.post(
            "/oauth-apps/\(app.id)/edit", filled.filter { $0.0 != "confidential" } + [("version", "1")])
        #expect(edited.status == 303)
        let stale = try office.post(
            "/oauth-apps/\(app.id)/edit", filled.filter { $0.0 != "confidential" } + [("version", "1")])
        #expect(stale.status == 409)
        #expect(try stale.text().contains("Somebody else changed"))
        #expect(
            try office.post("/oauth-apps/\(app.id)/roll-secret", [("grace_seconds", "3600")]).text().contains("hub_cs_")
        )
        #expect(try office.page("/oauth-apps/\(app.id)").contains("End the previous secret now"))
        #expect(try office.post("/oauth-apps/\(app.id)/end-previous").status == 303)
        #expect(try office.post("/oauth-apps/\(app.id)/disable").status == 303)
        #expect(try office.page("/oauth-apps/\(app.id)").contains("Enable app"))
        #expect(try office.post("/oauth-apps/\(app.id)/enable").status == 303)
        #expect(try office.post("/oauth-apps/\(app.id)/delete", [("confirm_name", "wrong")]).status == 422)
        #expect(try office.post("/oauth-apps/\(app.id)/delete", [("confirm_name", "Nightly export")]).status == 303)
        #expect(try office.page("/oauth-apps").contains("No app yet"))
    }

    @Test("A member reads of apps and is offered nothing to change")
    func member() throws {
        let app = try office.made()
        let page = try office.page("/oauth-apps/\(app.id)", as: office.member)
        #expect(page.contains("Nightly export") && !page.contains("Edit app") && !page.contains("Remove app"))
        #expect(try office.door.send(.get, "/oauth-apps/new", as: office.member).status == 403)
        #expect(try !office.page("/oauth-apps", as: office.member).contains("Create app"))
    }
}
