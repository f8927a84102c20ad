import DatabaseKit
import Domain
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Webhooks

@Suite("Others who are told of the hub's own events")
struct HandingOnTests {
    private struct Refused: Error {}

    @Test("They are told in the transaction that hands an event on: again when that fails, and then never more")
    func once() throws {
        let post = try Post()
        let told = Lock<[String]>([])
        let refuses = Lock(true)
        let room = Webhooks(
            database: post.house.database, world: post.house.world, vault: post.room.vault, client: post.room.client,
            log: Log(threshold: .error), settings: Post.settings,
            tellOthers: { event, transaction in
                try transaction.execute(
                    "UPDATE organizations SET name = CONCAT(name, '!') WHERE id = \(event.organization)")
                guard !refuses.withLock({ $0 }) else { throw Refused() }
                told.withLock { $0.append("\(event.type) \(event.data["url"]?.text?.hasPrefix("http") ?? false)") }
            })
        try post.webhook()
        #expect(throws: Refused.self) { try HandingOn(room: room).run() }
        refuses.withLock { $0 = false }
        #expect(try HandingOn(room: room).run() == 1 && HandingOn(room: room).run() == 0)
        #expect(told.withLock { $0 } == ["webhook.created true"])
        let name = try post.house.database.row("SELECT name FROM organizations WHERE id = \(post.organization)")
        #expect(try name?.get("name") == "Acme Shop!")
    }
}

@Suite("A replay")
struct ReplayPartTests {
    @Test("It finds what is meant among very much that is not, part by part, and says how far it is")
    func sparse() throws {
        let post = try Post()
        let webhook = try post.webhook(["*"]).record
        let since = post.house.world.now() - .seconds(1)
        for _ in 0..<6 { _ = try post.take((0..<200).map { _ in try post.event("user.created") }) }
        _ = try post.take((0..<3).map { _ in try post.event("custom.rare") })
        let late = try post.webhook(["custom.*"], path: "/late").record
        try post.house.database.execute(
            "UPDATE deliveries SET state = 'failed', finished_at = \(post.house.world.now())")
        let store = ReplayStore(database: post.house.database, world: post.house.world)
        post.house.pass(.seconds(1))
        func replay(_ webhook: WebhookRecord, _ selection: ReplayRecord.Selection?) throws -> [Int] {
            let wanted = ReplayStore.Wanted(
                webhook: webhook, since: since, until: post.house.world.now(), selection: selection,
                pattern: EventPattern("custom.*"))
            let id = try post.room.replay(wanted, by: post.scope).id
            var parts = 1
            while try !post.house.database.transaction({ transaction in
                let replay = try #require(try store.lock(id, in: transaction))
                return try store.advance(replay, webhook, in: transaction)
            }) { parts += 1 }
            let replay = try #require(try store.find(id, of: post.organization))
            return [replay.total, replay.done, parts]
        }
        #expect(try replay(webhook, .failed) == [3, 3, 7])
        #expect(try replay(webhook, nil) == [3, 3, 7])
        #expect(try replay(late, .missing) == [3, 3, 7] && replay(late, .missing) == [0, 0, 7])
        let waiting = try post.house.database.row("SELECT COUNT(*) AS n FROM deliveries WHERE state = 'waiting'")
        #expect(try waiting?.get("n") == 6)
    }
}
