import DatabaseKit
import Domain
import JSONKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Webhooks

@Suite("What is old")
struct RetentionTests {
    private static func count(_ table: String, _ post: Post) throws -> Int {
        try #require(try post.house.database.row("SELECT COUNT(*) AS n FROM \(unescaped: table)")).get("n")
    }

    @Test("An event is forgotten with its deliveries after its days, but not while anything of it is to be tried")
    func events() throws {
        let isWell = Lock(true)
        let post = try Post { _ in
            isWell.withLock { $0 } ? Post.ok : "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
        let paused = try post.webhook(["user.deleted"])
        let other = try post.webhook(["*"])
        try post.take("user.created")
        _ = try post.room.setActive(false, paused.record.id, by: post.scope)
        let kept = try post.take("user.deleted")
        try post.dispatchAll()
        #expect(try post.deliveries().sorted() == ["delivered 1 204", "delivered 1 204", "waiting 0 -"])
        post.house.pass(.days(29))
        try post.room.forgetEvents()
        #expect(try Self.count("events", post) == 2)
        post.house.pass(.days(2))
        let young = try post.take("user.created")
        try post.room.forgetEvents()
        let left = try post.house.database.rows("SELECT id FROM events ORDER BY id LIMIT 10")
        #expect(try left.map { try $0.get("id", as: Identifier<Event>.self) } == [kept.id, young.id])
        #expect(try Self.count("deliveries", post) == 3)
        // Once it was sent it has as long again, and a replay of what is left finds it.
        _ = try post.room.setActive(true, paused.record.id, by: post.scope)
        try post.dispatchAll()
        try post.room.forgetEvents()
        #expect(try Self.count("events", post) == 2)
        post.house.pass(.days(31))
        try post.room.forgetEvents()
        #expect(try Self.count("events", post) == 0 && Self.count("deliveries", post) == 0)
        #expect(try post.room.find(other.record.id, post.scope).state == .active)
    }

    @Test("Many are forgotten part by part, whatever stays between them")
    func parts() throws {
        let post = try Post()
        let webhook = try post.webhook()
        for _ in 0..<4 { _ = try post.take((0..<70).map { _ in try post.event() }) }
        try post.house.database.execute(
            "UPDATE deliveries SET state = 'failed', finished_at = \(post.house.world.now()) WHERE sequence MOD 5 <> 0")
        post.house.pass(.days(31))
        try post.room.forgetEvents()
        #expect(try Self.count("events", post) == 56 && Self.count("deliveries", post) == 56)
        let orphans = try post.house.database.row(
            "SELECT COUNT(*) AS n FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = d.event_id)")
        #expect(try orphans?.get("n") == 0)
        try post.dispatchAll()
        #expect(try post.room.figures(of: webhook.record.id, since: post.house.world.now()).total.delivered == 56)
    }

    @Test("Attempts lie in their day, and a day that is over is dropped whole")
    func attempts() throws {
        let post = try Post()
        try post.room.makeAndDropDays()
        try post.webhook()
        try post.take()
        try post.dispatchAll()
        post.house.pass(.days(5))
        try post.room.makeAndDropDays()
        try post.take()
        try post.dispatchAll()
        #expect(try Self.count("delivery_attempts", post) == 2)
        post.house.pass(.days(27))
        try post.room.makeAndDropDays()
        #expect(try Self.count("delivery_attempts", post) == 1)
        let days = try DayParts(database: post.house.database).days(of: "delivery_attempts")
        #expect(days.count <= 30 + Webhooks.daysAhead + 1 && days.contains { $0 > post.house.world.now() })
    }

    @Test("Of the hub's own events those are forgotten that were handed on")
    func outbox() throws {
        let post = try Post()
        let outbox = DomainEvents(world: post.house.world)
        try post.webhook()
        try #require(try HandingOn(room: post.room).run() == 1)
        try post.webhook()
        post.house.pass(.days(31))
        try outbox.purge(after: .days(30), in: post.house.database)
        let rows = try post.house.database.rows("SELECT handed_on_at FROM domain_events LIMIT 10")
        #expect(try rows.map { try $0.get("handed_on_at", as: Timestamp?.self) } == [nil])
    }

    @Test("Replays that ended and hours of long ago are forgotten")
    func rest() throws {
        let post = try Post()
        let webhook = try post.webhook()
        try post.take()
        try post.dispatchAll()
        let now = post.house.world.now()
        let wanted = ReplayStore.Wanted(
            webhook: webhook.record, since: now - .hours(1), until: now + .hours(1), selection: .delivered, pattern: nil
        )
        let ended = try post.room.replay(wanted, by: post.scope)
        try post.house.database.execute("UPDATE replays SET state = 'finished' WHERE id = \(ended.id)")
        _ = try post.room.replay(wanted, by: post.scope)
        post.house.pass(.days(91))
        #expect(try !post.room.retention.forgetReplays() && !post.room.retention.forgetFigures())
        #expect(try Self.count("replays", post) == 1 && Self.count("webhook_hours", post) == 0)
    }
}
