import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import OAuthServer

/// What people of an organization let the apps of others do there, as the organization sees it (requirements A1-47).
@Suite(.timeLimit(.minutes(10))) struct ThirdPartyTests {
    private let office: Office
    private let maker: Principal

    init() throws {
        office = try Office()
        maker = try office.house.person(.owner, in: office.house.organization("Other Shop"))
    }

    private func listed(as principal: Principal? = nil) throws -> [JSON] {
        try office.send(.get, "/api/v1/third-party-grants", as: principal).body["data"]?.elements ?? []
    }

    @Test("An organization lists what its people let the apps of others do, and ends it with the consent")
    func ends() throws {
        _ = try office.letIn(office.made())
        let app = try office.made(as: maker)
        let tokens = try office.letIn(app)
        let token = try #require(tokens["access_token"]?.text)
        let found = try listed()
        #expect(found.count == 1 && found.first?["oauth_app_id"]?.text == app.id)
        #expect(found.first?["made_by"] == "Other Shop" && found.first?["user"] == "mia@acme.example")
        #expect(found.first?["scopes"] == ["connections:read"])
        let path = "/api/v1/third-party-grants/\(found.first?.id ?? "")"
        // Its maker sees nothing of it here, and who only reads ends nothing.
        #expect(try listed(as: maker).isEmpty)
        #expect(try office.send(.delete, path, as: maker).response.status == 404)
        #expect(try office.send(.delete, path, as: office.member).response.status == 403)
        #expect(try office.memory.token(token)?.verdict(at: office.house.world.now()) == .valid)
        #expect(try office.send(.delete, path).response.status == 204)
        #expect(try office.memory.token(token)?.verdict(at: office.house.world.now()) == .revoked)
        #expect(try office.send(.delete, path).response.status == 404)
        #expect(try listed().isEmpty)
        #expect(try office.house.database.rows("SELECT id FROM oauth_consents").count == 1)
        #expect(try office.house.auditedActions().contains("oauth_app.consent_revoked"))
    }

    @Test("The page of them leads from the list of apps, and from whatever names such an app")
    func page() throws {
        let app = try office.made(as: maker)
        #expect(try office.door.send(.get, "/oauth-apps/\(app.id)", as: office.admin).status == 404)
        _ = try office.letIn(app)
        #expect(try office.page("/oauth-apps").contains("/hub/oauth-apps/third-party"))
        let led = try office.door.send(.get, "/oauth-apps/\(app.id)", as: office.admin)
        #expect(led.status == 303 && led.headers["location"] == "/hub/oauth-apps/third-party")
        let page = try office.page("/oauth-apps/third-party")
        #expect(page.contains("Nightly export") && page.contains("Other Shop") && page.contains("mia@acme.example"))
        #expect(try !office.page("/oauth-apps/third-party", as: office.member).contains("/revoke"))
        let id = try listed().first?.id ?? ""
        #expect(try office.post("/oauth-apps/third-party/\(id)/revoke", as: office.member).status == 403)
        #expect(try office.post("/oauth-apps/third-party/\(id)/revoke").status == 303)
        #expect(try office.page("/oauth-apps/third-party").contains("No app of others has access"))
    }
}
