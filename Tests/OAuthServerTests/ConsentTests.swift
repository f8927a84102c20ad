import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import OAuthServer

/// What people are asked, what they answer, and how they take it back.
@Suite(.timeLimit(.minutes(10))) struct ConsentTests {
    private let office: Office

    init() throws { office = try Office() }

    @Test("The page names the app, its owner, its links, what it could do in plain words, and where the answer leads")
    func page() throws {
        let app = try office.made(
            """
            {"name":"Nightly <export>","description":"Copies orders","redirect_uris":["https://export.example/cb"],
             "scopes":["connections:read","payments:read"],"website_url":"https://export.example",
             "privacy_policy_url":"https://export.example/privacy"}
            """)
        let request = try office.waiting(app, scope: "connections:read payments:read")
        let answer = try office.door.send(.get, "/oauth/consent", as: office.member, query: "request=\(request)")
        let page = try answer.text()
        for words in [
            "Nightly &lt;export&gt;", "Acme Shop", "Copies orders", "https://export.example/privacy",
            "Read connections",
            "Use payments:read", "export.example", "30 days", "mia@acme.example", "Allow access",
        ] { #expect(page.contains(words), "\(words)") }
        #expect(!page.contains("Nightly <export>") && !page.contains("<script src=\"http"))
        #expect(answer.headers["referrer-policy"] == "no-referrer" && answer.headers["cache-control"] == "no-store")
    }

    @Test("The answer leads out by a page that goes on by itself, for browsers hold a form's policy against redirects")
    func leaving() throws {
        let app = try office.made()
        let answer = try office.decide(office.waiting(app))
        #expect(answer.status == 200 && answer.headers["location"] == nil)
        let refresh = try #require(answer.headers["refresh"])
        #expect(refresh.hasPrefix("0; url=https://export.example/callback?code=hub_ac_"))
        #expect(refresh.contains("state=xyz") && refresh.contains("iss=https%3A%2F%2Fsite.example%2Fhub"))
        #expect(try answer.text().contains("rel=\"noreferrer\""))
        #expect(try office.redeem(String(refresh.dropFirst(7)), app).response.status == 200)
    }

    @Test("Who says no sends the app away with access_denied, and nothing is remembered")
    func denied() throws {
        let app = try office.made()
        let answer = try office.decide(office.waiting(app), "deny")
        #expect(answer.headers["refresh"]?.contains("error=access_denied") == true)
        #expect(try office.house.database.rows("SELECT id FROM oauth_consents").isEmpty)
    }

    @Test("A request is answered once")
    func once() throws {
        let request = try office.waiting(office.made())
        #expect(try office.decide(request).status == 200)
        #expect(try office.decide(request).status == 410)
        let page = try office.door.send(.get, "/oauth/consent", as: office.member, query: "request=\(request)")
        #expect(page.status == 410)
    }

    @Test("What was allowed is remembered: the same is not asked again, more is asked with what is new of it")
    func remembered() throws {
        let app = try office.made(
            Office.usual.replacing("\"connections:read\"", with: "\"connections:read\",\"usage:read\""))
        _ = try office.letIn(app)
        let again = try office.door.send(
            .get, "/oauth/authorize", as: office.member,
            query:
                "response_type=code&client_id=\(app["client_id"]?.text ?? "")&scope=connections:read&redirect_uri=https%3A%2F%2Fexport.example%2Fcallback&code_challenge=\(Office.challenge)&code_challenge_method=S256"
        )
        #expect(again.headers["location"]?.hasPrefix("https://export.example/callback?code=") == true)
        let more = try office.page(
            "/oauth/consent", as: office.member,
            query: "request=\(office.waiting(app, scope: "connections:read usage:read"))")
        #expect(more.contains("asks for more") && more.components(separatedBy: ">New<").count == 2)
    }

    @Test("An app without a secret is asked for each time, whatever was allowed before (RFC 8252 §8.6)")
    func publicApp() throws {
        let app = try office.made(
            #"{"name":"Phone","redirect_uris":["http://127.0.0.1/cb"],"scopes":["connections:read"],"confidential":false}"#
        )
        _ = try office.decide(office.waiting(app))
        let page = try office.page("/oauth/consent", as: office.member, query: "request=\(office.waiting(app))")
        #expect(page.contains("in again?") && page.contains("a program on this device"))
    }

    @Test("One who belongs to several organizations chooses where, and nobody chooses another's")
    func organizations() throws {
        let other = try office.house.organization("Other Shop")
        let browser = try #require(office.member.browser)
        try office.house.database.execute(
            """
            INSERT INTO memberships (organization_id, user_id, role, created_at)
            VALUES (\(other), \(browser.user), 'owner', \(office.house.world.now()))
            """)
        let both = Principal(
            actor: office.member.actor,
            memberships: office.member.memberships + [.init(organization: other, name: "Other Shop", role: .owner)],
            browser: browser)
        let app = try office.made()
        let request = try office.waiting(app, as: both)
        #expect(try office.page("/oauth/consent", as: both, query: "request=\(request)").contains("Other Shop"))
        let stranger = try office.house.organization("Third")
        let refused = try office.decide(request, as: both, more: [("organization", stranger.text)])
        #expect(refused.status == 422)
        let answer = try office.decide(request, as: both, more: [("organization", other.text)])
        #expect(answer.status == 200)
        let row = try #require(try office.house.database.row("SELECT organization_id FROM oauth_consents"))
        #expect(try row.get("organization_id", as: Identifier<Organization>.self) == other)
    }

    @Test("Access that is taken back ends at once, and the app must ask anew")
    func takenBack() throws {
        let app = try office.made()
        let tokens = try office.letIn(app)
        let token = try #require(tokens["access_token"]?.text)
        #expect(try office.memory.token(token) != nil)
        let page = try office.page("/apps", as: office.member)
        #expect(page.contains("Nightly export") && page.contains("Has access") && page.contains("Read connections"))
        #expect(try !office.page("/apps", as: office.admin).contains("Nightly export"))
        let consents = try office.send(.get, "/api/v1/app-consents", as: office.member).body["data"]?.elements ?? []
        #expect(consents.count == 1 && consents[0]["has_access"] == true)
        // Nobody takes back another's.
        #expect(try office.post("/apps/\(consents[0].id)/revoke").status == 404)
        #expect(try office.send(.delete, "/api/v1/app-consents/\(consents[0].id)").response.status == 404)
        let answer = try office.post("/apps/\(consents[0].id)/revoke", as: office.member)
        #expect(answer.status == 303)
        let refreshed = try office.token([
            ("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"]?.text ?? ""),
            ("client_id", app["client_id"]?.text ?? ""), ("client_secret", app["client_secret"]?.text ?? ""),
        ])
        #expect(refreshed.body["error"] == "invalid_grant")
        #expect(try office.page("/apps", as: office.member).contains("No app has access"))
        #expect(
            try office.page("/oauth/consent", as: office.member, query: "request=\(office.waiting(app))").contains(
                "in?"))
        #expect(try office.events().contains { $0.type == "oauth_app.consent_revoked" })
    }

    @Test("A script takes back its person's consent only with the right to change apps")
    func scripts() throws {
        let app = try office.made()
        _ = try office.letIn(app)
        let consent = try office.send(.get, "/api/v1/app-consents", as: office.member).body["data"]?.elements?.first
        let id = consent?.id ?? ""
        let reader = Principal(
            actor: office.member.actor, memberships: office.member.memberships, limits: [.read(.oauthApps)])
        #expect(try office.send(.delete, "/api/v1/app-consents/\(id)", as: reader).response.status == 403)
        #expect(try office.send(.delete, "/api/v1/app-consents/\(id)", as: office.member).response.status == 204)
    }

    @Test("What an app holds is listed, people of other organizations unnamed, and ended one by one or all at once")
    func held() throws {
        let app = try office.made()
        _ = try office.letIn(app)
        let own = try office.token([
            ("grant_type", "client_credentials"), ("client_id", app["client_id"]?.text ?? ""),
            ("client_secret", app["client_secret"]?.text ?? ""),
        ])
        #expect(own.response.status == 200)
        let path = "/api/v1/oauth-apps/\(app.id)/tokens"
        let held = try office.send(.get, path).body["data"]?.elements ?? []
        #expect(Set(held.compactMap { $0["kind"]?.text }) == ["grant", "client_credentials"])
        #expect(held.first { $0["kind"] == "grant" }?["user"] == "mia@acme.example")
        let stranger = try office.house.person(.owner, in: office.house.organization("Other"))
        for one in held {
            #expect(try office.send(.delete, "/api/v1/oauth-tokens/\(one.id)", as: stranger).response.status == 404)
            #expect(
                try office.send(.delete, "/api/v1/oauth-tokens/\(one.id)", as: office.member).response.status == 403)
            #expect(try office.send(.delete, "/api/v1/oauth-tokens/\(one.id)").response.status == 204)
            #expect(try office.send(.delete, "/api/v1/oauth-tokens/\(one.id)").response.status == 404)
        }
        #expect(try office.send(.get, path).body["data"]?.elements?.isEmpty == true)
        _ = try office.letIn(app)
        #expect(try office.page("/oauth-apps/\(app.id)/tokens").contains("mia@acme.example"))
        #expect(try office.send(.delete, path).response.status == 204)
        #expect(try office.send(.get, path).body["data"]?.elements?.isEmpty == true)
        #expect(try office.house.database.rows("SELECT id FROM oauth_consents").isEmpty)
    }

    @Test("A device is let in by its code, which is shown again before the answer, and a wrong code is a guess")
    func device() throws {
        let app = try office.made(
            """
            {"name":"Television","scopes":["connections:read"],"confidential":false,"website_url":"https://tv.example",
             "privacy_policy_url":"https://tv.example/privacy",
             "grant_types":["urn:ietf:params:oauth:grant-type:device_code","refresh_token"]}
            """)
        let asked = try office.door.send(
            .post, "/oauth/device_authorization", as: nil, form: [("client_id", app["client_id"]?.text ?? "")])
        let device = try JSON(parsing: Array(try asked.text().utf8))
        let code = try #require(device["user_code"]?.text, "\(device)")
        #expect(
            try office.page("/oauth/device", as: office.member, query: "user_code=\(code)").contains(
                "value=\"\(code)\""))
        #expect(try office.post("/oauth/device", [("user_code", "BBBB-BBBB")], as: office.member).status == 422)
        let page = try office.post("/oauth/device", [("user_code", code.lowercased())], as: office.member).text()
        #expect(page.contains("Television") && page.contains(code) && page.contains("Read connections"))
        #expect(page.contains("href=\"https://tv.example\"") && page.contains("href=\"https://tv.example/privacy\""))
        let done = try office.post(
            "/oauth/device/decision", [("user_code", code), ("decision", "allow")], as: office.member)
        #expect(try done.text().contains("The device is connected"))
        office.house.pass(.seconds(6))
        let tokens = try office.token([
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device["device_code"]?.text ?? ""), ("client_id", app["client_id"]?.text ?? ""),
        ])
        #expect(tokens.response.status == 200, "\(tokens.body)")
        #expect(try office.page("/apps", as: office.member).contains("Television"))
    }
}
