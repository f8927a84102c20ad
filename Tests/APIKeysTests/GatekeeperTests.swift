import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import ProcessKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

@Suite struct GatekeeperTests {
    let house: House
    let room: APIKeys
    let organization: Identifier<Organization>

    init() throws {
        house = try House()
        room = try APIKeys(house)
        organization = try house.organization()
    }

    private func enter(_ key: Secret<String>, from address: String = "203.0.113.9") throws -> Principal? {
        try room.principal(key: key, remoteAddress: address)
    }

    @Test("A key from the command line may do what its scopes say, and nothing else")
    func commandLine() throws {
        let key = try room.create(
            name: "ci", scopes: ["connections:read", "payments:read"], by: house.commandLine(organization))
        let principal = try #require(try enter(key))
        let scope = try house.scope(of: principal)
        #expect(principal.actor.kind == .apiKey)
        #expect(principal.actor.name == "ci")
        #expect(scope.organization == organization)
        #expect(scope.allows(.read(.connections)))
        #expect(!scope.allows(.write(.connections)))
        #expect(!scope.allows(.read(.credentials)))
        #expect(!scope.allows(.everything))
    }

    @Test("A wrong shape or checksum is refused although the database is away")
    func withoutDatabase() throws {
        let clock = MachineClock()
        let memory = try Gatekeeper.Memory.made(house)
        memory.generation.saw(1, at: clock.now)
        let nowhere = Database(try DatabaseURL("mysql://hub@/hub?socket=/nowhere/mariadb.sock"), connections: 1)
        let away = try Gatekeeper.made(house, database: nowhere, memory: memory, clock: clock)
        for _ in 0..<10_000 {
            #expect(try away.find(Secret("sk_\(Random.base62(8))_\(Random.base62(38))")) == nil)
        }
        #expect(try away.find(Secret(String(repeating: "a", count: 2_000))) == nil)
        let real = KeyText(for: Identifier(house.world), prefix: "sk_").secret
        #expect(throws: DatabaseError.self) { _ = try away.find(real) }
    }

    @Test("Unknown, revoked and expired keys open nothing")
    func ended() throws {
        let scope = house.commandLine(organization)
        #expect(try enter(KeyText(for: Identifier(house.world), prefix: "sk_").secret) == nil)
        let key = try room.create(name: "ci", scopes: ["admin:*"], by: scope)
        let principal = try #require(try enter(key))
        let id = try #require(principal.actor.id.flatMap { Identifier<APIKey>(bytes: $0) })
        house.pass(.days(365) - .seconds(1))
        #expect(try enter(key) != nil)
        house.pass(.seconds(1))
        #expect(try enter(key) == nil)
        let other = try room.create(name: "other", scopes: ["admin:*"], by: scope)
        let otherID = try #require(try enter(other)?.actor.id.flatMap { Identifier<APIKey>(bytes: $0) })
        try room.revoke(otherID, by: scope)
        #expect(try enter(other) == nil)
        #expect(id != otherID)
    }

    @Test("What is stored differs in case or by a blank from no other key")
    func exact() throws {
        let key = try room.create(name: "ci", scopes: ["admin:*"], by: house.commandLine(organization))
        let text = key.reveal { $0 }
        #expect(try enter(Secret(text + " ")) == nil)
        #expect(try enter(Secret(text.lowercased())) == nil)
    }

    @Test("The role is that which the key's user has at the moment")
    func reevaluated() throws {
        let email = "ana@acme.example"
        let user = try house.user(email, .admin, in: organization)
        let scope = try house.scope(of: house.principal(user, email, .admin, in: organization))
        let key = try room.create(name: "mine", scopes: ["connections:*"], by: scope)
        func may(_ right: Scope) throws -> Bool? { try enter(key).map { try house.scope(of: $0).allows(right) } }
        #expect(try may(.write(.connections)) == true)
        func change(_ sql: SQL) throws {
            try house.database.execute(sql)
            room.gatekeeper.changed()
        }
        try change("UPDATE memberships SET role = 'member' WHERE user_id = \(user)")
        #expect(try may(.write(.connections)) == false)
        #expect(try may(.read(.connections)) == true)
        try change("UPDATE users SET disabled_at = \(house.world.now()) WHERE id = \(user)")
        #expect(try enter(key) == nil)
        try change("UPDATE users SET disabled_at = NULL WHERE id = \(user)")
        #expect(try enter(key) != nil)
        try change("DELETE FROM memberships WHERE user_id = \(user)")
        #expect(try enter(key) == nil)
    }

    @Test("The last use is written at most once a minute, by whoever of two processes knows it, and when one leaves")
    func lastUse() throws {
        let key = try room.create(name: "ci", scopes: ["admin:*"], by: house.commandLine(organization))
        let other = try Gatekeeper.made(house)
        func used() throws -> (Timestamp?, String?) {
            let row = try #require(try house.database.row("SELECT last_used_at, last_used_address FROM api_keys"))
            return (try row.get("last_used_at"), try row.get("last_used_address"))
        }
        let first = house.world.now()
        _ = try enter(key, from: "203.0.113.9")
        #expect(try used() == (nil, nil))
        room.gatekeeper.flush()
        #expect(try used() == (first, "203.0.113.9"))
        house.pass(.seconds(49))
        _ = try enter(key, from: "2001:db8::1")
        _ = try other.visit(key, from: "2001:db8::2", requestID: "test")
        room.gatekeeper.flush()
        other.flush()
        #expect(try used() == (first, "203.0.113.9"))
        house.pass(.seconds(11))
        _ = try enter(key, from: "2001:db8::3")
        room.gatekeeper.flush()
        // The other one sees that somebody has just written a later use than it knows.
        other.flush()
        #expect(try used() == (first + .minutes(1), "2001:db8::3"))
        house.pass(.seconds(59))
        _ = try enter(key, from: "2001:db8::4")
        room.gatekeeper.flush()
        #expect(try used() == (first + .minutes(1), "2001:db8::3"))
        room.gatekeeper.flush(isLast: true)
        #expect(try used() == (first + .seconds(119), "2001:db8::4"))
    }

    @Test("The database holds no key")
    func atRest() throws {
        let key = try room.create(name: "ci", scopes: ["admin:*"], by: house.commandLine(organization))
        let stored = try house.database.rows(
            "SELECT CONCAT_WS('|', name, prefix, last_four, HEX(key_hash), key_hash, scopes) AS everything FROM api_keys"
        )
        let details = try house.database.rows("SELECT details FROM audit_events")
        let secret = key.reveal { String($0.dropFirst(12)) }
        for row in stored {
            let bytes: [UInt8] = try row.get("everything")
            #expect(!String(decoding: bytes, as: UTF8.self).contains(secret))
        }
        for row in details { #expect(try !row.get("details", as: String.self).contains(secret)) }
    }
}
