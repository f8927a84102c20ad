import AdminShell
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

@Suite struct KeysTests {
    let house: House
    let room: APIKeys
    let door: Door
    let organization: Identifier<Organization>
    let admin: Principal

    init() throws {
        house = try House()
        room = try APIKeys(house)
        door = try Door(house, room.routes, templates: APIKeys.templates)
        organization = try house.organization()
        admin = try house.person(.admin, in: organization)
    }

    private func post(_ json: String, as principal: Principal) throws -> (Response, JSON) {
        let response = try door.send(.post, "/api/v1/api-keys", as: principal, json: json)
        return (response, try JSON(parsing: Array(response.text().utf8)))
    }

    private func made(
        _ json: String = #"{"name":"ci","scopes":["connections:read"]}"#, as principal: Principal
    ) throws -> JSON {
        let (response, body) = try post(json, as: principal)
        try #require(response.status == 201)
        return body
    }

    private func path(_ key: JSON) throws -> String { "/api/v1/api-keys/\(try #require(key["id"]?.text))" }

    private func codes(_ body: JSON) -> [String] {
        (body["errors"]?.elements ?? []).compactMap { "\($0["pointer"]?.text ?? "") \($0["code"]?.text ?? "")" }
    }

    // MARK: Making

    @Test("A key is told once, in an answer that nobody stores, with where it is from then on")
    func once() throws {
        let (response, body) = try post(#"{"name":"ci","scopes":["connections:read","connections:read"]}"#, as: admin)
        #expect(response.status == 201)
        #expect(response.headers["cache-control"] == "no-store")
        #expect(response.headers["location"] == "/hub" + (try path(body)))
        #expect(response.headers["etag"] == "\"1\"")
        let key = try #require(body["key"]?.text)
        #expect(try room.principal(key: Secret(key), remoteAddress: "203.0.113.9") != nil)
        #expect(body["scopes"] == ["connections:read"])
        #expect(body["state"] == "active")
        #expect(body["expires_at"] == JSON(house.world.now() + .days(365)))
        let later = try door.send(.get, path(body), as: admin).text()
        #expect(!later.contains(key) && !later.contains("\"key\""))
        #expect(later.contains(String(key.suffix(4))))
        #expect(try !door.send(.get, "/api/v1/api-keys", as: admin).text().contains(key))
        #expect(try house.auditedActions() == ["api_key.created"])
    }

    @Test("null means a key without end, a time its end")
    func expiry() throws {
        #expect(try made(#"{"name":"a","scopes":["x:read"],"expires_at":null}"#, as: admin)["expires_at"] == .null)
        let end = (house.world.now() + .days(3)).rfc3339
        let body = try made(#"{"name":"b","scopes":["x:read"],"expires_at":"\#(end)"}"#, as: admin)
        #expect(body["expires_at"] == .string(end))
    }

    @Test(
        "What is refused is named by its pointer",
        arguments: [
            ("{}", ["/name required", "/scopes required"]),
            (#"{"name":"","scopes":[]}"#, ["/name too_short", "/scopes required"]),
            (#"{"name":1,"scopes":"connections:read"}"#, ["/name wrong_type", "/scopes wrong_type"]),
            (#"{"name":"a","scopes":["Connections:read"]}"#, ["/scopes invalid_scope"]),
            (#"{"name":"a","scopes":["*:read"]}"#, ["/scopes invalid_scope"]),
            (#"{"name":"a","scopes":["x:read"],"expires_at":"tomorrow"}"#, ["/expires_at invalid"]),
            (#"{"name":"a","scopes":["x:read"],"expires_at":"2001-01-01T00:00:00Z"}"#, ["/expires_at in_the_past"]),
            (
                #"{"name":"a","scopes":["x:read"],"expires_at":"9999-12-31T23:59:59-23:00"}"#,
                ["/expires_at out_of_range"]
            ),
            (#"{"name":"a","scopes":["x:read"],"user_id":"b"}"#, ["/user_id unknown_field"]),
        ])
    func refused(json: String, errors: [String]) throws {
        let (response, body) = try post(json, as: admin)
        #expect(response.status == 422)
        #expect(codes(body) == errors)
    }

    @Test("No key exceeds its maker, and the missing right is named")
    func beyond() throws {
        let member = try house.person(.member, in: organization)
        let (response, body) = try post(#"{"name":"a","scopes":["connections:read","credentials:read"]}"#, as: member)
        #expect(response.status == 403)
        #expect(body["code"] == "insufficient_scope")
        #expect(body["detail"]?.text?.contains("credentials:read") == true)
        #expect(body["detail"]?.text?.contains("connections:read") == false)
        #expect(try post(#"{"name":"a","scopes":["admin:*"]}"#, as: member).0.status == 403)
        #expect(try post(#"{"name":"a","scopes":["connections:*"]}"#, as: member).0.status == 403)
        let support = try house.person(.support, in: organization)
        #expect(try post(#"{"name":"a","scopes":["connections:read"]}"#, as: support).0.status == 403)
    }

    @Test("A key makes keys within its own scopes, for its own user")
    func byKey() throws {
        let key = try made(#"{"name":"maker","scopes":["api_keys:write","connections:read"]}"#, as: admin)
        let secret = try #require(key["key"]?.text)
        let script = try #require(try room.principal(key: Secret(secret), remoteAddress: "203.0.113.9"))
        #expect(try post(#"{"name":"a","scopes":["connections:write"]}"#, as: script).0.status == 403)
        let child = try made(#"{"name":"a","scopes":["connections:read"]}"#, as: script)
        #expect(child["user_id"] == key["user_id"])
        #expect(child["user_id"]?.text == admin.browser?.user.text)
    }

    // MARK: How many

    @Test("Of fifty keys made at once, ten live")
    func race() throws {
        let statuses = try inThreads(50) { number in
            try post(#"{"name":"k\#(number)","scopes":["connections:read"]}"#, as: admin).0.status.code
        }
        #expect(statuses.filter { $0 == 201 }.count == 10)
        #expect(statuses.filter { $0 == 409 }.count == 40)
        #expect(try room.activeCount(house.scope(of: admin)) == 10)
    }

    @Test("Revoked and expired keys make room, and the command line is not counted")
    func room10() throws {
        var keys: [JSON] = []
        for _ in 0..<10 { keys.append(try made(as: admin)) }
        #expect(try post(#"{"name":"a","scopes":["x:read"]}"#, as: admin).1["code"] == "too_many_keys")
        #expect(try door.send(.delete, path(keys[0]), as: admin).status == 204)
        _ = try made(as: admin)
        #expect(try post(#"{"name":"a","scopes":["x:read"]}"#, as: admin).0.status == 409)
        house.pass(.days(365))
        _ = try made(as: admin)
        for _ in 0..<12 { _ = try room.create(name: "ci", scopes: ["admin:*"], by: house.commandLine(organization)) }
    }

    @Test("A key from the command line and those that descend from it make ten together")
    func descendants() throws {
        let root = try room.create(name: "ci", scopes: ["admin:*"], by: house.commandLine(organization))
        let script = try #require(try room.principal(key: root, remoteAddress: "-"))
        let child = try made(#"{"name":"child","scopes":["admin:*"]}"#, as: script)
        let childKey = Secret(try #require(child["key"]?.text))
        let childScript = try #require(try room.principal(key: childKey, remoteAddress: "-"))
        for _ in 0..<9 { _ = try made(as: childScript) }
        #expect(try post(#"{"name":"a","scopes":["x:read"]}"#, as: childScript).0.status == 409)
        #expect(try post(#"{"name":"a","scopes":["x:read"]}"#, as: script).0.status == 409)
    }

    // MARK: Whose

    @Test("Another organization's key answers 404, whatever is asked of it")
    func foreign() throws {
        let key = try made(as: admin)
        let stranger = try house.person(.owner, in: house.organization("Other"))
        for method in [HTTPKit.Method.get, .delete] {
            #expect(try door.send(method, path(key), as: stranger).status == 404)
        }
        #expect(try door.send(.patch, path(key), as: stranger, json: #"{"name":"b"}"#).status == 404)
        let page = "/api-keys/\(try #require(key["id"]?.text))/revoke"
        #expect(try door.send(.get, page, as: stranger).status == 404)
        #expect(try door.send(.post, page, as: stranger, form: [("confirm_name", "ci")]).status == 404)
        #expect(try door.send(.get, "/api/v1/api-keys", as: stranger).text().contains(#""data":[]"#))
        #expect(try door.send(.get, path(key), as: admin).status == 200)
    }

    @Test("Members see and manage their own keys, admins all")
    func own() throws {
        let member = try house.person(.member, in: organization)
        let theirs = try made(as: admin)
        let mine = try made(as: member)
        #expect(try door.send(.get, path(theirs), as: member).status == 404)
        #expect(try door.send(.delete, path(theirs), as: member).status == 404)
        #expect(try door.send(.patch, path(mine), as: member, json: #"{"name":"mine"}"#).status == 200)
        let list = try JSON(parsing: Array(door.send(.get, "/api/v1/api-keys", as: member).text().utf8))
        #expect(list["data"]?.elements?.compactMap { $0["id"] } == [mine["id"]])
        #expect(try room.activeCount(house.scope(of: member)) == 1)
        #expect(try door.send(.delete, path(mine), as: admin).status == 204)
        #expect(try room.activeCount(house.scope(of: admin)) == 1)
    }

    // MARK: Changing

    @Test("Revoking is at once and for good, and once more changes nothing")
    func revoking() throws {
        let key = try made(as: admin)
        let secret = Secret(try #require(key["key"]?.text))
        house.pass(.milliseconds(1))
        #expect(try door.send(.delete, path(key), as: admin).status == 204)
        #expect(try room.principal(key: secret, remoteAddress: "-") == nil)
        #expect(try door.send(.delete, path(key), as: admin).status == 204)
        let body = try JSON(parsing: Array(door.send(.get, path(key), as: admin).text().utf8))
        #expect(body["state"] == "revoked")
        #expect(try house.auditedActions() == ["api_key.created", "api_key.revoked"])
    }

    @Test("A change of a version that is no longer there is refused")
    func versions() throws {
        let key = try made(as: admin)
        house.pass(.milliseconds(1))
        let first = try door.send(.patch, path(key), as: admin, json: #"{"name":"b"}"#, headers: ["if-match": "\"1\""])
        #expect(first.status == 200)
        #expect(first.headers["etag"] == "\"2\"")
        let late = try door.send(.patch, path(key), as: admin, json: #"{"name":"c"}"#, headers: ["if-match": "\"1\""])
        #expect(late.status == 412)
        #expect(try door.send(.delete, path(key), as: admin, headers: ["if-match": "\"1\""]).status == 412)
        #expect(try house.auditedActions() == ["api_key.created", "api_key.updated"])
    }

    @Test("A list is walked part by part without gaps or doubles while keys are made")
    func walk() throws {
        var expected: [String] = []
        for number in 0..<7 {
            let key = try room.create(name: "k\(number)", scopes: ["x:read"], by: house.commandLine(organization))
            expected.append(key.reveal { String($0.prefix(11)) })
            house.pass(.milliseconds(1))
        }
        var seen: [String] = []
        var query = "limit=3"
        while true {
            let response = try door.send(.get, "/api/v1/api-keys", as: admin, query: query)
            let body = try JSON(parsing: Array(response.text().utf8))
            seen += body["data"]?.elements?.compactMap { $0["prefix"]?.text } ?? []
            _ = try room.create(name: "later", scopes: ["x:read"], by: house.commandLine(organization))
            guard let cursor = body["next_cursor"]?.text else { break }
            query = "limit=3&cursor=\(cursor)"
            #expect(
                response.headers["link"]
                    == "<https://site.example/hub/api/v1/api-keys?limit=3&cursor=\(cursor)>; rel=\"next\"")
        }
        #expect(seen == expected.reversed())
    }

    @Test(
        "A wrong part of a list is refused",
        arguments: ["limit=0", "limit=201", "limit=x", "cursor=garbage", "limit=1&limit=2"])
    func parts(query: String) throws {
        let status = try door.send(.get, "/api/v1/api-keys", as: admin, query: query).status
        #expect(status.code == (query.contains("&") ? 400 : 422))
    }
}
