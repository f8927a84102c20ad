import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

@Suite struct ListTests {
    let office: Office

    init() throws { office = try Office(settings: .init(maxPerUser: 100)) }

    private func names(_ query: String, as principal: Principal? = nil) throws -> [String] {
        let response = try office.door.send(.get, "/api/v1/api-keys", as: principal ?? office.admin, query: query)
        try #require(response.status == 200)
        let body = try JSON(parsing: Array(response.text().utf8))
        return (body["data"]?.elements ?? []).compactMap { $0["name"]?.text }.sorted()
    }

    /// A key in each state, by name.
    private func furnish() throws {
        let soon = (office.house.world.now() + .days(95)).rfc3339
        let gone = (office.house.world.now() + .days(50)).rfc3339
        var made: [String: JSON] = [:]
        for (name, end) in [
            ("busy", nil), ("idle", nil), ("aside", nil), ("ended", nil), ("soon", soon), ("gone", gone),
        ] {
            let expires = end.map { "\"\($0)\"" } ?? "null"
            made[name] = try office.made(#"{"name":"\#(name)","scopes":["x:read"],"expires_at":\#(expires)}"#)
        }
        _ = try office.send(.post, "/\(made["aside"]?.id ?? "")/disable")
        _ = try office.send(.delete, "/\(made["ended"]?.id ?? "")")
        office.house.pass(.days(90))
        for name in ["busy", "soon"] { try office.setLastUse(made[name]?.id ?? "", office.house.world.now()) }
    }

    @Test(
        "A list is narrowed to a state",
        arguments: [
            ("", ["aside", "busy", "ended", "gone", "idle", "soon"]), ("state=active", ["busy", "idle", "soon"]),
            ("state=disabled", ["aside"]), ("state=expired", ["gone"]), ("state=revoked", ["ended"]),
            ("state=ended", ["ended", "gone"]), ("state=expiring", ["soon"]), ("state=unused", ["idle"]),
            ("state=", ["aside", "busy", "ended", "gone", "idle", "soon"]),
        ])
    func states(query: String, expected: [String]) throws {
        try furnish()
        #expect(try names(query) == expected)
    }

    @Test("What a list is narrowed by must make sense", arguments: ["state=lost", "owner=nobody", "page=2"])
    func refused(query: String) throws {
        #expect(try office.door.send(.get, "/api/v1/api-keys", as: office.admin, query: query).status == 422)
    }

    @Test("A list is narrowed by whose keys they are, what they are called, and how they begin")
    func searched() throws {
        let member = try office.house.person(.member, in: office.organization)
        let mine = try office.made(#"{"name":"100% mine","scopes":["x:read"]}"#)
        _ = try office.made(#"{"name":"1000 theirs","scopes":["connections:read"]}"#, as: member)
        #expect(try names("owner=me") == ["100% mine"])
        #expect(try names("owner=\(mine["user_id"]?.text ?? "")") == ["100% mine"])
        #expect(try names("owner=\(mine["user_id"]?.text ?? "")", as: member) == [])
        #expect(try names("q=THEIRS") == ["1000 theirs"])
        #expect(try names("q=100%25") == ["100% mine"])
        #expect(try names("q=%C4%8D") == [])
        #expect(try names("q=\(mine["prefix"]?.text ?? "")") == ["100% mine"])
        #expect(try names("q=\(mine["key"]?.text ?? "")") == ["100% mine"])
        #expect(try names("q=sk_") == ["100% mine", "1000 theirs"])
        #expect(try names("q=sk%25") == [])
    }

    @Test("A part of a narrowed list leads to the next part of the same")
    func parts() throws {
        for number in 0..<3 {
            let key = try office.made(#"{"name":"k\#(number)","scopes":["x:read"]}"#)
            _ = try office.made()
            _ = try office.send(.post, "/\(key.id)/disable")
            office.house.pass(.milliseconds(1))
        }
        let first = try office.door.send(
            .get, "/api/v1/api-keys", as: office.admin, query: "state=disabled&limit=2")
        #expect(first.headers["link"]?.contains("api-keys?state=disabled&limit=2&cursor=") == true)
        let cursor = try #require(try JSON(parsing: Array(first.text().utf8))["next_cursor"]?.text)
        #expect(try names("state=disabled&limit=2&cursor=\(cursor)") == ["k0"])
    }
}
