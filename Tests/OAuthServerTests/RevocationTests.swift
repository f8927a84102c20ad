import AdminShell
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

/// What is ended has ended: with all that could still become of it, and nothing besides (RFC 9700 §4.14.2).
@Suite struct RevocationTests {
    /// A device that the person has let in and that has not come for its tokens.
    private func approvedDevice(_ bureau: Bureau) throws -> String {
        let began = try bureau.post("/device_authorization", [("scope", "connections:read")]).1
        let pending = try bureau.room.pendingDevice(userCode: began["user_code"]?.text ?? "", bureau.call())
        try bureau.room.approveDevice(pending, bureau.call(), by: bureau.house.scope(of: bureau.person))
        return try #require(began["device_code"]?.text)
    }

    private func poll(_ code: String, _ bureau: Bureau) throws -> JSON {
        try bureau.post("/token", [("grant_type", GrantType.deviceCode.rawValue), ("device_code", code)]).1
    }

    @Test("With another password the codes that a thief may hold give nothing, nor do devices that were let in")
    func password() throws {
        let bureau = try Bureau()
        let mia = try bureau.house.user("mia@acme.example", .member, in: bureau.organization)
        let code = try bureau.code()
        let device = try approvedDevice(bureau)
        try bureau.house.database.transaction { try bureau.room.passwordChanged(of: mia, in: $0) }
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_codes") == 1)
        try bureau.house.database.transaction { try bureau.room.passwordChanged(of: bureau.user, in: $0) }
        #expect(try bureau.redeem(code).1.error == "invalid_grant")
        #expect(try poll(device, bureau).error == "invalid_grant")
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_grants") == 0)
        // What begins afterwards is the person's own again.
        #expect(try bureau.redeem(bureau.code()).0.status == 200)
        #expect(try poll(approvedDevice(bureau), bureau)["access_token"] != nil)
    }

    @Test(
        "A code that an app has held back gives nothing once its person has taken access back, or its maker ended all")
    func heldBack() throws {
        let bureau = try Bureau()
        for path in ["/api/v1/app-consents/", "/api/v1/oauth-apps/\(bureau.app.id)/tokens"] {
            let code = try bureau.code()
            let device = try approvedDevice(bureau)
            let other = try bureau.code(client: bureau.publicApp)
            var address = path
            if path.hasSuffix("/") {
                let row = try bureau.house.database.row("SELECT id FROM oauth_consents WHERE app_id = \(bureau.app.id)")
                address += try #require(row).get("id", as: Identifier<OAuthConsent>.self).text
            }
            #expect(try bureau.door.send(.delete, address, as: bureau.person).status == 204)
            #expect(try bureau.redeem(code).1.error == "invalid_grant")
            #expect(try poll(device, bureau).error == "invalid_grant")
            #expect(try bureau.redeem(other, as: bureau.publicApp).0.status == 200)
        }
    }

    @Test("A used code that another app brings is refused, and ends nothing of whose it is")
    func foreignReplay() throws {
        let bureau = try Bureau()
        let code = try bureau.code()
        let given = try bureau.redeem(code).1
        #expect(try bureau.redeem(code, as: bureau.publicApp).1.error == "invalid_grant")
        #expect(bureau.opens(given["access_token"]?.text ?? ""))
        #expect(try bureau.events().isEmpty)
        #expect(try bureau.refresh(given["refresh_token"]?.text ?? "").0.status == 200)
    }

    @Test("Who ends one grant of a person ends all of theirs to the app: none lives on that its person sees no more")
    func siblings() throws {
        let bureau = try Bureau()
        let pairs = try [bureau.tokens(), bureau.tokens()]
        let other = try bureau.tokens(client: bureau.publicApp)
        let row = try bureau.house.database.row(
            "SELECT MIN(id) AS id FROM oauth_grants WHERE app_id = \(bureau.app.id)")
        let grant = try #require(row).get("id", as: Identifier<OAuthGrant>.self)
        bureau.house.pass(.milliseconds(1))
        #expect(try bureau.door.send(.delete, "/api/v1/oauth-tokens/\(grant)", as: bureau.person).status == 204)
        for pair in pairs {
            #expect(!bureau.opens(pair.access))
            #expect(try bureau.refresh(pair.refresh).1.error == "invalid_grant")
        }
        #expect(bureau.opens(other.access))
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_consents WHERE app_id = \(bureau.app.id)") == 0)
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_consents") == 1)
    }

    @Test("A grant that has ended is given back again without making anybody's memory old")
    func deadRefresh() throws {
        let bureau = try Bureau()
        let (dead, living) = (try bureau.tokens(), try bureau.tokens())
        func giveBack() throws { #expect(try bureau.post("/revoke", [("token", dead.refresh)]).0.status == 200) }
        try giveBack()
        #expect(bureau.opens(living.access))
        // Behind everybody's back: whoever reads anew sees it.
        try bureau.house.database.execute("UPDATE oauth_apps SET disabled_at = created_at")
        try giveBack()
        #expect(bureau.opens(living.access))
        bureau.room.changed()
        #expect(!bureau.opens(living.access))
    }

    @Test("All that an app got for itself ends at one moment, however many tokens that are, and what follows does not")
    func ownTokens() throws {
        let bureau = try Bureau()
        func own() throws -> String {
            bureau.house.pass(.milliseconds(1))
            return try #require(
                try bureau.post("/token", [("grant_type", "client_credentials")]).1["access_token"]?.text)
        }
        let path = "/api/v1/oauth-apps/\(bureau.app.id)/tokens"
        func held() throws -> Int {
            let text = try bureau.door.send(.get, path, as: bureau.person).text()
            return try JSON(parsing: Array(text.utf8))["data"]?.elements?.count ?? -1
        }
        let old = try [own(), own(), own()]
        #expect(old.allSatisfy { bureau.opens($0) })
        #expect(try held() == 3)
        #expect(try bureau.door.send(.delete, path, as: bureau.person).status == 204)
        #expect(!old.contains { bureau.opens($0) })
        #expect(try bureau.introspect(old[0]) == ["active": false])
        #expect(try held() == 0)
        // No row was touched: they are purged when their time is over.
        #expect(try bureau.count("SELECT COUNT(*) FROM oauth_access_tokens") == 3)
        let new = try own()
        #expect(bureau.opens(new))
        #expect(try held() == 1)
        let details = try #require(
            try bureau.house.database.row(
                "SELECT details FROM audit_events WHERE action = 'oauth_app.tokens_revoked'"))
        #expect(try details.get("details", as: String.self).contains("own_tokens_before"))
    }

    @Test("The end of all access reaches a token that a host with a faster clock has given")
    func fasterClock() throws {
        let bureau = try Bureau()
        bureau.house.pass(.seconds(2))
        let token = try #require(
            try bureau.post("/token", [("grant_type", "client_credentials")]).1["access_token"]?.text)
        bureau.house.pass(.seconds(-2))
        let path = "/api/v1/oauth-apps/\(bureau.app.id)/tokens"
        #expect(try bureau.door.send(.delete, path, as: bureau.person).status == 204)
        #expect(!bureau.opens(token))
    }

    @Test("What is given back, or given again, is logged with its person (requirements A1-67)")
    func logged() throws {
        let bureau = try Bureau()
        let pair = try bureau.tokens()
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", pair.refresh)]
        let asked: [(String, [(String, String)])] = [
            ("/oauth/token", refresh), ("/oauth/token", refresh), ("/oauth/revoke", [("token", pair.access)]),
            ("/oauth/revoke", [("token", pair.refresh)]),
        ]
        for (path, form) in asked {
            let lines = try lines(of: path, form, bureau)
            #expect(lines.count == 1 && lines.first?["user"]?.text == bureau.user.text, "\(path) \(lines)")
        }
    }

    /// What the log is told when the app asks an endpoint.
    private func lines(of path: String, _ form: [(String, String)], _ bureau: Bureau) throws -> [JSON] {
        let file = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        let proof = [
            ("client_id", bureau.app.clientID), ("client_secret", bureau.app.secret?.secret.reveal { $0 } ?? ""),
        ]
        let request = Request(
            .post, path: try #require(Path(path)), mount: "/hub",
            headers: ["content-type": "application/x-www-form-urlencoded"],
            body: Array(Form(form + proof).urlencoded.utf8))
        let call = Call(
            request: request, principal: nil, organization: nil, shell: try bureau.door.call(request, as: nil).shell,
            csrfToken: "", log: Log(descriptor: handle.fileDescriptor))
        #expect(try #require(bureau.room.endpointRoutes.match(request.path)).respond(to: call).status == 200)
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
            try JSON(parsing: Array($0.utf8))
        }
    }
}
