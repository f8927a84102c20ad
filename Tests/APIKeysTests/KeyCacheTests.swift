import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import LogKit
import ProcessKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import APIKeys

@Suite struct KeyCacheTests {
    let house: House
    let organization: Identifier<Organization>
    let clock = MachineClock()
    let memory: Gatekeeper.Memory
    let gatekeeper: Gatekeeper
    let room: APIKeys

    init() throws {
        house = try House()
        organization = try house.organization()
        memory = try .made(house)
        gatekeeper = try .made(house, memory: memory, clock: clock)
        room = APIKeys(database: house.database, world: house.world, gatekeeper: gatekeeper)
    }

    private func key(_ scopes: [String] = ["admin:*"]) throws -> Secret<String> {
        try room.create(name: "ci", scopes: scopes, by: house.commandLine(organization))
    }

    @Test("A key is read once, then judged from memory until something was changed")
    func once() throws {
        let secret = try key()
        let first = try #require(try gatekeeper.find(secret))
        for _ in 0..<100 { #expect(try gatekeeper.find(secret) === first) }
        gatekeeper.changed()
        let second = try #require(try gatekeeper.find(secret))
        #expect(second !== first)
        #expect(try gatekeeper.find(secret) === second)
    }

    @Test("What one process changes is seen by the others of its host at once")
    func atOnce() throws {
        let other = try Gatekeeper.made(house, memory: memory, clock: clock)
        let secret = try key()
        let found = try #require(try other.find(secret))
        #expect(found.verdict(at: house.world.now(), from: "-") == .valid)
        try room.revoke(found.id, by: house.commandLine(organization))
        #expect(try other.find(secret)?.verdict(at: house.world.now(), from: "-") == .revoked)
    }

    @Test("What another host changes is seen once the count was looked up, and without that after three seconds")
    func elsewhere() throws {
        let secret = try key()
        let there = APIKeys(database: house.database, world: house.world, gatekeeper: try .made(house))
        gatekeeper.lookUp()
        let found = try #require(try gatekeeper.find(secret))
        try there.revoke(found.id, by: house.commandLine(organization))
        #expect(try gatekeeper.find(secret) === found)
        gatekeeper.lookUp()
        #expect(try gatekeeper.find(secret)?.verdict(at: house.world.now(), from: "-") == .revoked)

        let another = try key()
        let id = try #require(try gatekeeper.find(another)).id
        gatekeeper.lookUp()
        _ = try gatekeeper.find(another)
        try there.revoke(id, by: house.commandLine(organization))
        clock.pass(.seconds(4))
        #expect(try gatekeeper.find(another)?.verdict(at: house.world.now(), from: "-") == .revoked)
    }

    @Test("While the database is away known keys are taken for a minute, unknown ones never, then none")
    func away() throws {
        let secret = try key()
        let stranger = try key()
        let found = try #require(try gatekeeper.find(secret))
        try house.database.execute("RENAME TABLE api_keys TO keys_away, generations TO generations_away")
        clock.pass(.seconds(59))
        #expect(try gatekeeper.find(secret) === found)
        #expect(throws: DatabaseError.self) { _ = try gatekeeper.find(stranger) }
        clock.pass(.seconds(2))
        #expect(throws: DatabaseError.self) { _ = try gatekeeper.find(secret) }
        let answer = String(decoding: gatekeeper.answer(.asking(secret, for: "items:read")), as: UTF8.self)
        #expect(answer.contains("403") && answer.contains("X-Hub-Status: 503") && answer.contains("gate_unavailable"))
    }

    @Test("An unknown key is asked for once a second by all processes together")
    func unknown() throws {
        let other = try Gatekeeper.made(house, memory: memory, clock: clock)
        let stranger = KeyText(for: Identifier(house.world), prefix: "sk_").secret
        _ = try (gatekeeper.find(stranger), other.find(stranger))
        let digest = stranger.reveal { KeyDigest(of: $0) }
        let table = KeyNotes(memory.unknown, clock: { [clock] in clock.now })
        #expect(table.contains(digest))
        clock.pass(.milliseconds(999))
        #expect(table.contains(digest))
        clock.pass(.milliseconds(1))
        #expect(!table.contains(digest))
    }

    @Test("A hundred thousand unknown keys leave memory as it was")
    func flood() throws {
        let table = KeyNotes(memory.unknown, clock: { [clock] in clock.now })
        for number in 0..<100_000 { table.note(KeyDigest(of: "key \(number)")) }
        #expect(memory.unknown.count == KeyNotes.words)
        #expect(gatekeeper.cache.count == 0)
        #expect(table.contains(KeyDigest(of: "key 99999")))
    }

    @Test("Of many who need the same key the first one reads it")
    func flight() throws {
        let secret = try key()
        _ = try gatekeeper.find(secret)
        gatekeeper.changed()
        let found = Collected<ObjectIdentifier>()
        let threads = try (0..<16).map { _ in
            try WorkerThread(name: "lane") { [gatekeeper] in
                found.add(
                    Result {
                        guard let key = try gatekeeper.find(secret) else { throw Problem.notFound }
                        return ObjectIdentifier(key)
                    })
            }
        }
        for thread in threads { thread.join() }
        #expect(Set(try found.all()).count == 1)
    }

    @Test("The secret before a roll is found as the same key until its grace ends")
    func previous() throws {
        let secret = try key()
        let id = try #require(try gatekeeper.find(secret)).id
        let next = KeyText(for: id, prefix: "sk_")
        let end = house.world.now() + .hours(1)
        try room.change { transaction in
            try room.store(house.commandLine(organization)).roll(id, to: next, previousEnd: end, in: transaction)
        }
        let now = house.world.now()
        #expect(try gatekeeper.find(secret)?.id == id)
        #expect(try gatekeeper.find(next.secret)?.id == id)
        #expect(try gatekeeper.find(secret)?.verdict(at: now, from: "-") == .valid)
        #expect(try gatekeeper.find(secret)?.verdict(at: end, from: "-") == .expired)
        #expect(try gatekeeper.find(next.secret)?.verdict(at: end, from: "-") == .valid)
    }

    @Test("No more keys are kept than there is room for, and those in use stay")
    func bounded() throws {
        var kept = 0
        let secret = try key()
        let found = try #require(try gatekeeper.find(secret))
        for number in 0..<20_000 {
            gatekeeper.cache.keep(found, KeyDigest(of: "key \(number)"))
            if number % 100 == 0 { #expect(try gatekeeper.find(secret) === found) }
            kept = max(kept, gatekeeper.cache.count)
        }
        #expect(kept <= 16_384)
    }
}
