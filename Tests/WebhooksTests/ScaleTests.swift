import DatabaseKit
import Domain
import Foundation
import RoomFixture
import Testing
import TimeKit

@testable import Webhooks

@Suite("However many deliveries there are", .serialized)
struct ScaleTests {
    /// A statement, and by which indexes it reads.
    private struct Question {
        let name: String
        let statement: SQL
        let indexes: [String]
    }

    private static func questions(_ heap: Heap) throws -> [Question] {
        let (log, webhook, now) = (try heap.log, heap.webhooks[3], heap.post.house.world.now())
        let claims = ClaimStore(database: heap.database, world: heap.post.house.world)
        let replays = ReplayStore(database: heap.database, world: heap.post.house.world)
        let record = try #require(try claims.webhook(webhook, in: heap.database))
        let delivery = try #require(heap.delivery(777, to: 1))
        func list(
            _ name: String, _ index: String, _ change: (inout LogStore.Filter) -> Void = { _ in }
        ) throws -> Question {
            var filter = LogStore.Filter(webhook: webhook)
            change(&filter)
            return Question(
                name: name, statement: try log.statement(filter, after: nil, limit: 21),
                indexes: ["d PRIMARY", "x \(index)"])
        }
        func wanted(_ selection: ReplayRecord.Selection?, _ pattern: String? = nil) -> ReplayStore.Wanted {
            .init(
                webhook: record, since: heap.start, until: heap.start + .milliseconds(500), selection: selection,
                pattern: pattern.flatMap { EventPattern($0) })
        }
        return [
            Question(name: "what is due", statement: claims.dueStatement(), indexes: ["d due", "w state"]),
            Question(
                name: "claim", statement: ClaimStore.lockStatement(webhook, 20, now + .days(2)), indexes: ["d due"]),
            Question(
                name: "first of each key", statement: ClaimStore.windowStatement(webhook, now),
                indexes: ["deliveries due", "e in_order", "h held"]),
            Question(
                name: "next key", statement: ClaimStore.headStatement(webhook, after: nil, now),
                indexes: ["d in_order", "h held"]),
            Question(
                name: "next webhook", statement: ClaimStore.waitingStatement(after: heap.webhooks[5]),
                indexes: ["d due", "w PRIMARY"]),
            try list("list", "list"), try list("failed", "by_state") { $0.state = .failed },
            try list("canceled", "by_state") { $0.state = .canceled },
            try list("of a type", "by_type") {
                $0.state = .delivered
                $0.pattern = EventPattern("custom.b")
            },
            try list("of a time", "list") { $0.until = heap.start + .milliseconds(100) },
            Question(
                name: "types of a pattern", statement: LogStore.typeStatement(of: webhook, "custom.a", "custom/"),
                indexes: ["deliveries by_type"]),
            Question(
                name: "of an event",
                statement: try log.statement(.init(event: Identifier(lowestAt: now)), after: nil, limit: 200),
                indexes: ["d PRIMARY", "x pair"]),
            Question(name: "detail", statement: try log.statement(delivery), indexes: ["d PRIMARY"]),
            Question(
                name: "its attempts", statement: log.attemptsStatement(delivery, limit: 200),
                indexes: ["delivery_attempts PRIMARY"]),
            Question(
                name: "events", statement: try log.statement(nil, after: nil, limit: 21),
                indexes: ["e PRIMARY", "x list"]),
            Question(
                name: "events of a type", statement: try log.statement(EventPattern("custom.b"), after: nil, limit: 21),
                indexes: ["e PRIMARY", "x by_type"]),
            Question(
                name: "count before a replay", statement: replays.countStatement(wanted(.failed)),
                indexes: ["d by_state"]),
            Question(
                name: "count of a type", statement: replays.countStatement(wanted(.failed, "custom.b")),
                indexes: ["d by_type"]),
            Question(
                name: "part of a replay", statement: replays.partStatement(wanted(.failed), after: nil),
                indexes: ["d by_state"]),
            Question(
                name: "part of what is missing", statement: replays.partStatement(wanted(.missing), after: nil),
                indexes: ["e list"]),
            Question(
                name: "old events", statement: RetentionStore.eventStatement(after: nil, before: now),
                indexes: ["events PRIMARY"]),
            Question(
                name: "figures", statement: FigureStore.hoursStatement([webhook], now - .days(30)),
                indexes: ["webhook_hours PRIMARY"]),
        ]
    }

    @Test("Lists, details, claims, replays and retention read the same few rows, each by its index")
    func reads() throws {
        let heap = try Heap()
        try heap.fill(to: 20_000)
        let few = try Self.questions(heap).map { try heap.reads($0.statement) }
        try heap.fill(to: 200_000)
        for (question, few) in zip(try Self.questions(heap), few) {
            let many = try heap.reads(question.statement)
            #expect(many <= few + 2 && many < 2_500, "\(question.name): \(few) rows of 20 000, \(many) of 200 000")
            #expect(try heap.indexes(question.statement).sorted() == question.indexes, "\(question.name)")
        }
        let found = try heap.log.deliveries(
            .init(webhook: heap.webhooks[3], pattern: EventPattern("custom.*")), after: nil, limit: 30)
        #expect(found.count == 30 && found.allSatisfy { $0.type.hasPrefix("custom.") })
        #expect(found.map(\.id.text) == found.map(\.id.text).sorted(by: >))
        #expect(Set(found.map(\.type)) == ["custom.a", "custom.b"])
    }

    @Test("What a hundred thousand due deliveries of a dead receiver leave to the others is found at once")
    func deadReceiver() throws {
        let heap = try Heap()
        let store = ClaimStore(database: heap.database, world: heap.post.house.world)
        try heap.due(100_000, to: heap.webhooks[0])
        try heap.due(3, to: heap.webhooks[1], since: .seconds(1))
        #expect(try store.due() == [heap.webhooks[0], heap.webhooks[1]])
        #expect(try heap.reads(store.dueStatement()) < 60)
        let records = try store.webhooks([heap.webhooks[0], heap.webhooks[1]])
        let claims = try store.claim(records.map { ($0, 2) }).claims
        #expect(claims.count == 4 && claims.count { $0.webhook == heap.webhooks[1] } == 2)
        #expect(
            try heap.reads(ClaimStore.lockStatement(heap.webhooks[0], 2, heap.post.house.world.now())) < 10)
    }

    @Test("What stands behind one that waits to be tried again holds up no other key, however much that is")
    func behindOne() throws {
        let heap = try Heap()
        let webhook = heap.webhooks[0]
        try heap.database.execute("UPDATE webhooks SET ordering = 'block' WHERE id = \(webhook)")
        let (blocked, free) = ([UInt8](repeating: 0x40, count: 16), [UInt8](repeating: 0x80, count: 16))
        try heap.due(20_000, to: webhook, key: blocked)
        try heap.database.execute(
            """
            UPDATE deliveries
               SET next_at = \(heap.post.house.world.now() + .hours(1))
             WHERE ordering_hash = \(blocked) ORDER BY sequence LIMIT 1
            """)
        try heap.due(2, to: webhook, since: .seconds(1), key: free)
        let store = ClaimStore(database: heap.database, world: heap.post.house.world)
        let record = try #require(try store.webhook(webhook, in: heap.database))
        #expect(try store.claim([(record, 64)]).claims.count == 1)
        #expect(try store.claim([(record, 64)]).claims.isEmpty)
        #expect(try heap.reads(ClaimStore.windowStatement(webhook, heap.post.house.world.now())) < 1_500)
    }

    @Test("Of a key of which one is on its way none goes, though it stand before that one and many others before both")
    func heldBehindMany() throws {
        let heap = try Heap()
        let (webhook, start) = (heap.webhooks[0], heap.post.house.world.now())
        try heap.database.execute("UPDATE webhooks SET ordering = 'block' WHERE id = \(webhook)")
        let (blocked, held) = ([UInt8](repeating: 0x40, count: 16), [UInt8](repeating: 0x80, count: 16))
        try heap.due(300, to: webhook, key: blocked)
        try heap.database.execute(
            """
            UPDATE deliveries
               SET next_at = \(start + .minutes(1))
             WHERE ordering_hash = \(blocked) ORDER BY sequence LIMIT 1
            """)
        try heap.due(2, to: webhook, since: .seconds(1), key: held)
        let store = ClaimStore(database: heap.database, world: heap.post.house.world)
        let record = try #require(try store.webhook(webhook, in: heap.database))
        #expect(try store.claim([(record, 64)]).claims.count == 1)
        // What is committed late, and what is sent again, may stand before the one that is on its way.
        try heap.database.execute(
            "UPDATE deliveries SET sequence = 1 WHERE ordering_hash = \(held) AND lease_token IS NULL")
        #expect(try store.claim([(record, 64)]).claims.isEmpty)
        try heap.database.execute("UPDATE deliveries SET state = 'delivered' WHERE lease_token IS NOT NULL")
        #expect(try store.claim([(record, 64)]).claims.count == 1)
        let claimed = try store.claim([(record, 64)])
        #expect(claimed.claims.isEmpty && claimed.nextAt[webhook] == start + .minutes(1))
    }

    private static let many = ProcessInfo.processInfo.environment["HUB_TEST_DELIVERIES"].flatMap { Int($0) }

    @Test(
        "With as many as HUB_TEST_DELIVERIES says nothing takes over 1.3 times as long as with fifty thousand",
        .enabled(if: many != nil))
    func times() throws {
        let heap = try Heap()
        try heap.fill(to: 50_000)
        try heap.due(100_000, to: heap.webhooks[0])
        let few = try Self.questions(heap).map { try heap.time($0.statement) }
        try heap.fill(to: try #require(Self.many))
        for (question, few) in zip(try Self.questions(heap), few) {
            let many = try heap.time(question.statement)
            print("\(question.name): \(few) of 50 000, \(many) of \(Self.many ?? 0)")
            #expect(many <= few * 1.3 + .microseconds(30), "\(question.name): \(few), \(many)")
        }
    }
}
