import DatabaseKit
import Domain
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Webhooks

@Suite("What the hub itself tells")
struct OutboxTests {
    private static func tell(_ post: Post, _ count: Int, _ type: DomainEventType = .keyUnused) throws {
        try post.house.database.transaction { transaction in
            for number in 0..<count {
                try post.room.outbox.publish(
                    type, about: nil as Identifier<Webhook>?, ["n": .integer(Int64(number))], for: post.organization,
                    in: transaction)
            }
        }
    }

    private static func count(_ post: Post, _ condition: SQL) throws -> Int {
        try #require(try post.house.database.row("SELECT COUNT(*) AS n FROM \(condition)")).get("n")
    }

    @Test("It is handed on once, as an event of the hub under the same id, to those who want it")
    func once() throws {
        let post = try Post()
        try post.webhook(["api_key.*"])
        try post.webhook(["user.*"])
        try Self.tell(post, 3)
        let outbox = HandingOn(room: post.room)
        #expect(try outbox.run() == 5, "the webhooks themselves are told of, too")
        #expect(try outbox.run() == 0)
        #expect(try Self.count(post, "events WHERE source = 'hub' AND type = 'api_key.unused'") == 3)
        #expect(try Self.count(post, "deliveries") == 3)
        #expect(try Self.count(post, "events e JOIN domain_events d ON d.id = e.id AND d.type = e.type") == 5)
        try post.dispatchAll()
        let bodies = try post.receiver.requests.map { try JSON(parsing: Post.body(of: $0)) }
        #expect(Set(bodies.compactMap { $0["data"]?["n"]?.wholeNumber }) == [0, 1, 2])
        #expect(bodies.allSatisfy { $0["type"] == "api_key.unused" })
    }

    @Test("Several who hand on at once hand on each event once")
    func together() throws {
        let post = try Post()
        try post.webhook(["api_key.*"])
        try Self.tell(post, 430)
        let counts = try inThreads(4) { _ in
            // Of what another has in hand nothing is handed on, so that none does not mean that none is left.
            var count = 0
            while try Self.count(post, "domain_events WHERE handed_on_at IS NULL") > 0 {
                count += try HandingOn(room: post.room).run()
            }
            return count
        }
        #expect(counts.reduce(0, +) == 431)
        #expect(try Self.count(post, "events") == 431 && Self.count(post, "deliveries") == 430)
        #expect(try Self.count(post, "domain_events WHERE handed_on_at IS NULL") == 0)
    }

    @Test("An organization whose key is missing holds up no other, however much it has to tell, and loses nothing")
    func keyMissing() throws {
        let post = try Post()
        try post.webhook(["api_key.*"])
        let outbox = HandingOn(room: post.room)
        _ = try outbox.run()
        let other = try post.house.organization("Other Shop")
        try post.house.database.transaction { transaction in
            for _ in 0..<150 {
                try post.room.outbox.publish(
                    .keyUnused, about: nil as Identifier<Webhook>?, [:], for: other, in: transaction)
            }
        }
        post.house.pass(.seconds(1))
        try Self.tell(post, 3)
        #expect(try outbox.run() == 0 && outbox.run() == 3 && outbox.run() == 0)
        #expect(try Self.count(post, "domain_events WHERE handed_on_at IS NULL") == 150)
        try post.house.database.transaction { try post.room.vault.prepare(other, in: $0) }
        #expect(try outbox.run() == 0, "it is passed over for a while")
        post.house.pass(.minutes(1))
        #expect(try outbox.run() == 100 && outbox.run() == 50 && outbox.run() == 0)
    }

    @Test("What is rolled back is told to nobody, and what cannot be handed on now waits")
    func rolledBack() throws {
        struct Mistake: Error {}
        let post = try Post()
        #expect(throws: Mistake.self) {
            try post.house.database.transaction { transaction in
                try post.room.outbox.publish(
                    .keyUnused, about: nil as Identifier<Webhook>?, [:], for: post.organization, in: transaction)
                throw Mistake()
            }
        }
        #expect(try HandingOn(room: post.room).run() == 0)
    }

    @Test("An entry that cannot be read holds up no other")
    func unreadable() throws {
        let post = try Post()
        try Self.tell(post, 2)
        try post.house.database.execute("UPDATE domain_events SET type = 'not a name' ORDER BY id LIMIT 1")
        #expect(try HandingOn(room: post.room).run() == 2)
        #expect(try Self.count(post, "events") == 1 && HandingOn(room: post.room).run() == 0)
    }
}
