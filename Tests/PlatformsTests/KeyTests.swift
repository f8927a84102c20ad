import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing

@testable import Platforms

/// Platform keys.
@Suite(.timeLimit(.minutes(30))) struct Keys {
    @Test("A key is lvng_plat_ and 48 hex digits, shown once, kept as a digest, and opens its own integration alone")
    func made() throws {
        let office = try Office()
        let (id, other) = (try office.integration(), try office.integration("discord"))
        let made = try office.json(.post, "/\(id)/api-key")
        let key = try #require(made.body["api_key"]?.text)
        #expect(made.status == 201 && key.wholeMatch(of: /lvng_plat_[0-9a-f]{48}/) != nil)
        #expect(
            (made.body.members ?? []).map(\.name) == ["api_key", "api_key_created_at", "message"]
                && made.body["message"] == "API key generated successfully. This key will only be shown once.")
        #expect(made.response.headers["cache-control"] == "no-store")
        let shown = try office.json(.get, "/\(id)").body["integration"]
        #expect(shown?["api_key"]?.text == "lvng_plat_***\(key.suffix(4))")
        #expect(shown?["api_key_created_at"] == made.body["api_key_created_at"])
        #expect(
            try office.house.database.row(
                """
                SELECT 1 AS one
                  FROM platform_integrations
                 WHERE INSTR(api_key_hash, CAST(\(key) AS BINARY)) > 0
                """) == nil)
        let platform = try #require(try office.room.principal(Secret(key)))
        #expect(platform.actor.kind == .platformKey)
        #expect(try office.json(.get, "/\(id)", as: platform).status == 200)
        #expect(try office.json(.get, "/\(other)", as: platform).status == 404)
        let listed = try office.json(.get, as: platform).body["integrations"]?.elements
        #expect(listed?.compactMap { $0["id"]?.text } == [id])
        #expect(try office.json(.patch, "/\(id)", #"{"enabled":false}"#, as: platform).status == 403)
        #expect(try office.json(.post, "/\(id)/api-key", as: platform).status == 403)
    }

    @Test("The next key takes the place of the one before, and a revoked one opens nothing from the next request on")
    func ended() throws {
        let office = try Office()
        let id = try office.integration()
        let first = try #require(try office.json(.post, "/\(id)/api-key").body["api_key"]?.text)
        let second = try #require(try office.json(.post, "/\(id)/api-key").body["api_key"]?.text)
        #expect(try office.room.principal(Secret(first)) == nil && office.room.principal(Secret(second)) != nil)
        let revoked = try office.json(.delete, "/\(id)/api-key")
        #expect(
            revoked.status == 200
                && revoked.body == ["success": true, "message": "API key revoked successfully"])
        #expect(try office.room.principal(Secret(second)) == nil)
        let shown = try office.json(.get, "/\(id)").body["integration"]
        #expect(shown?["api_key"] == .null && shown?["api_key_created_at"] == .null)
        // Once more changes nothing and says the same.
        #expect(try office.json(.delete, "/\(id)/api-key").status == 200)
        #expect(
            try office.house.auditedActions().filter { $0.contains("key") } == [
                "platform_integration.key_created", "platform_integration.key_created",
                "platform_integration.key_revoked",
            ])
    }

    @Test("The key of a disabled integration is refused, and that of a removed one unknown")
    func disabled() throws {
        let office = try Office()
        let id = try office.integration()
        let key = Secret(try #require(try office.json(.post, "/\(id)/api-key").body["api_key"]?.text))
        try office.json(.patch, "/\(id)", #"{"enabled":false}"#)
        #expect(throws: Problem.self) { try office.room.principal(key) }
        try office.json(.delete, "/\(id)")
        #expect(try office.room.principal(key) == nil)
    }

    @Test(
        "What has not the form of a key is looked up nowhere",
        arguments: [
            "lvng_plat_", "lvng_plat_" + String(repeating: "A", count: 48),
            "lvng_plat_" + String(repeating: "a", count: 49), "sk_" + String(repeating: "a", count: 48), "",
        ])
    func malformed(text: String) throws { #expect(!PlatformKey.isKey(text)) }
}
