import DatabaseKit
import Domain
import HTTPKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

@Suite struct PageTests {
    let house: House
    let room: APIKeys
    let door: Door
    let admin: Principal

    init() throws {
        house = try House(connections: 2)
        room = try APIKeys(house)
        door = try Door(house, room.routes, templates: APIKeys.templates)
        admin = try house.person(.admin, in: house.organization(), email: "ana@acme.example")
    }

    @Test("Each page's sample fills its template")
    func samples() throws { try door.check(APIKeys.pages) }

    @Test("A key made by the form is shown in the answer, never stored, and stands in the list without its secret")
    func creating() throws {
        let answer = try door.send(
            .post, "/api-keys/new", as: admin,
            form: [
                ("csrf_token", "token"), ("form_nonce", "n"), ("name", "billing"), ("scopes", "connections:read"),
                ("scopes", "audit:read"), ("other_scopes", "payments:read\r\nprojects:*"), ("expires_in_days", "30"),
            ])
        #expect(answer.status == 200)
        #expect(answer.headers["cache-control"] == "no-store")
        let page = try answer.text()
        let key = try #require(page.firstMatch(of: #/sk_[0-9a-f]{8}_[0-9A-Za-z]{38}/#)?.output)
        #expect(page.contains("read connections, read the audit log, use payments:read and use projects:*"))
        #expect(page.contains("https://site.example/hub/api/v1/connections"))
        #expect(try room.principal(key: Secret(String(key)), remoteAddress: "-") != nil)
        let list = try door.send(.get, "/api-keys", as: admin).text()
        #expect(list.contains("billing") && list.contains("in 1 month"))
        for scope in ["connections:read", "+3 more"] { #expect(list.contains(">\(scope)<")) }
        #expect(list.contains("You hold 1 of at most 10."))
        #expect(!list.contains(key))
    }

    @Test("A refused form comes back with what was typed, each fault beside its field")
    func refused() throws {
        let answer = try door.send(
            .post, "/api-keys/new", as: admin,
            form: [("name", "nightly <b>"), ("other_scopes", "nonsense"), ("expires_in_days", "")])
        #expect(answer.status == 422)
        let page = try answer.text()
        #expect(page.contains("value=\"nightly &lt;b&gt;\""))
        #expect(page.contains("“nonsense” is no scope"))
        #expect(page.contains("id=\"field-other-scopes-error\""))
        let none = try door.send(.post, "/api-keys/new", as: admin, form: [("name", "a"), ("expires_in_days", "30")])
            .text()
        #expect(none.contains("id=\"scopes-error\"") && none.contains("href=\"#scopes\""))
    }

    @Test("A key without end is made by an empty choice")
    func endless() throws {
        _ = try door.send(
            .post, "/api-keys/new", as: admin,
            form: [("name", "a"), ("scopes", "connections:read"), ("expires_in_days", "")])
        let end = try #require(try house.database.row("SELECT expires_at FROM api_keys"))
        #expect(try end.get("expires_at", as: Timestamp?.self) == nil)
    }

    @Test("The eleventh key is refused on its form")
    func full() throws {
        let form = [("name", "a"), ("scopes", "connections:read"), ("expires_in_days", "30")]
        for _ in 0..<10 { #expect(try door.send(.post, "/api-keys/new", as: admin, form: form).status == 200) }
        let answer = try door.send(.post, "/api-keys/new", as: admin, form: form)
        #expect(answer.status == 409)
        #expect(try answer.text().contains("at most 10 are allowed"))
    }

    @Test("The form offers only what its maker may do")
    func offered() throws {
        let member = try house.person(.member, in: try #require(admin.memberships.first?.organization))
        let page = try door.send(.get, "/api-keys/new", as: member).text()
        #expect(page.contains("value=\"connections:read\""))
        #expect(!page.contains("connections:write") && !page.contains("credentials:read"))
        #expect(page.contains("value=\"api_keys:write\""))
    }

    @Test("A key is revoked when its name is typed")
    func revoking() throws {
        let key = try room.create(name: "old laptop", scopes: ["x:read"], by: house.scope(of: admin))
        let id = try #require(try house.database.row("SELECT id FROM api_keys")).get("id", as: Identifier<APIKey>.self)
        let path = "/api-keys/\(id)/revoke"
        #expect(try door.send(.get, path, as: admin).text().contains("Type “old laptop” to go on"))
        let wrong = try door.send(.post, path, as: admin, form: [("confirm_name", "laptop")])
        #expect(wrong.status == 422)
        #expect(try room.principal(key: key, remoteAddress: "-") != nil)
        let right = try door.send(.post, path, as: admin, form: [("confirm_name", "old laptop")])
        #expect(right.status == 303)
        #expect(right.headers["location"] == "/hub/api-keys")
        #expect(try room.principal(key: key, remoteAddress: "-") == nil)
        #expect(try door.send(.get, path, as: admin).status == 404)
        #expect(try door.send(.get, "/api-keys", as: admin).text().contains("Revoked"))
        #expect(try door.send(.get, "/api-keys", as: admin).text().contains("revoked <time"))
    }

    @Test("Keys that end within two weeks are told, the first to end first")
    func expiring() throws {
        let scope = try house.scope(of: admin)
        for (name, days) in [("late", 400), ("second", 13), ("first", 2)] {
            _ = try door.send(
                .post, "/api/v1/api-keys", as: admin,
                json:
                    #"{"name":"\#(name)","scopes":["x:read"],"expires_at":"\#((house.world.now() + .days(days)).rfc3339)"}"#
            )
        }
        #expect(try room.expiring(scope, limit: 5).map(\.name) == ["first", "second"])
        #expect(try door.send(.get, "/api-keys", as: admin).text().contains("Expires soon"))
    }
}
