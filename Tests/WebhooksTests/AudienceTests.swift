import AddressKit
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit

@testable import Webhooks

@Suite("What is remembered of who wants events")
struct AudienceTests {
    /// The same room in another process, on another host perhaps; `rings` counts what its dispatcher is told.
    private func another(of post: Post, rings: Lock<Int> = Lock(0)) -> Webhooks {
        Webhooks(
            database: post.house.database, world: post.house.world,
            vault: Vault(ring: post.ring, world: post.house.world), client: post.room.client,
            log: Log(threshold: .error), settings: post.room.settings, wake: { rings.withLock { $0 += 1 } })
    }

    @Test("Whatever another process changes of webhooks counts for the next event")
    func webhooks() throws {
        let post = try Post()
        let other = another(of: post)
        let scope = try post.scope
        let count = { try post.take("user.created").deliveries }
        #expect(try count() == 0)
        var terms = WebhookTerms()
        terms.url = try ReceiverURL("http://127.0.0.1:\(post.receiver.port)/hook", allowsHTTP: true)
        terms.events = [try #require(EventPattern("user.*"))]
        let webhook = try other.create(terms, by: scope).record.id
        #expect(try count() == 1)
        try post.disable(webhook)
        #expect(try count() == 0)
        _ = try other.setActive(true, webhook, by: scope)
        #expect(try count() == 1)
        var others = WebhookTerms()
        others.events = [try #require(EventPattern("payment.*"))]
        _ = try other.update(webhook, others, by: scope)
        #expect(try count() == 0)
        others.events = [try #require(EventPattern("*"))]
        _ = try other.update(webhook, others, by: scope)
        #expect(try count() == 1)
        try other.remove(webhook, by: scope)
        #expect(try count() == 0)
    }

    @Test("A webhook that a dispatcher disables is owed nothing by any process from then on")
    func disabledByItself() throws {
        let post = try Post { _ in "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" }
        let other = another(of: post)
        try post.webhook()
        let event = { [try post.event()] }
        #expect(try other.take(event(), for: post.organization)[0].deliveries == 1)
        #expect(try post.dispatch() == 1)
        #expect(try other.take(event(), for: post.organization)[0].deliveries == 0)
    }

    @Test("An event keeps to what another process has said of its kind the moment before")
    func kinds() throws {
        let counter = try Counter()
        let other = another(of: counter.post)
        let scope = try counter.post.scope
        let send = { (type: String, data: JSON) in
            try counter.send(.post, "events", ["type": .string(type), "data": data]).status
        }
        for _ in 1...2 { #expect(try send("custom.order", [:]) == 202) }
        for _ in 1...2 { #expect(try send("order.shipped", [:]) == 422) }
        let schema: JSON = ["type": "object", "required": ["id"]]
        for name in ["custom.order", "order.shipped"] {
            _ = try other.describe(
                Input(["name": .string(name), "description": "An order.", "schema": schema]), by: scope)
        }
        for name in ["custom.order", "order.shipped", "custom.order"] {
            #expect(try send(name, [:]) == 422)
            #expect(try send(name, ["id": "o_1"]) == 202)
        }
        _ = try other.describe("custom.order", anew: Input(["schema": .null]), by: scope) { _ in }
        #expect(try send("custom.order", [:]) == 202)
        for name in ["custom.order", "order.shipped"] { try other.forget(name, by: scope) }
        #expect(try send("custom.order", [:]) == 202)
        #expect(try send("order.shipped", ["id": "o_1"]) == 422)
    }

    @Test("What was judged by a memory that is old when it would be stored is not taken, and nothing else is lost")
    func outdated() throws {
        let post = try Post()
        let (scope, name) = (try post.scope, try #require(EventName("custom.order")))
        let generation = try Generations.value(of: Generations.webhooks, in: post.house.database)
        let event = {
            NewEvent(
                Identifier(post.house.world), key: nil, name, [:], orderingKey: nil, source: .api,
                at: post.house.world.now(), generation: generation)
        }
        #expect(try post.take([event()]).count == 1)
        _ = try another(of: post).describe(
            Input(["name": "custom.order", "description": "An order.", "schema": ["required": ["id"]]]), by: scope)
        #expect(throws: Outdated.self) { try post.take([event()]) }
        #expect(try post.take([post.event("custom.order")]).count == 1)
        let stored = try post.house.database.row("SELECT COUNT(*) AS count FROM events WHERE source = 'api'")
        #expect(try stored?.get("count") == 2)
    }

    @Test("The dispatcher is told once of each commit that makes something due, and of none for paused webhooks")
    func rings() throws {
        let post = try Post()
        let rings = Lock(0)
        let other = another(of: post, rings: rings)
        let events = { try (0..<3).map { _ in try post.event() } }
        _ = try other.take(events(), for: post.organization)
        #expect(rings.withLock { $0 } == 0)
        let webhook = try post.webhook { $0.isActive = false }.record.id
        #expect(try other.take(events(), for: post.organization).allSatisfy { $0.deliveries == 1 && !$0.isDue })
        #expect(rings.withLock { $0 } == 0)
        _ = try post.room.setActive(true, webhook, by: post.scope)
        #expect(try other.take(events(), for: post.organization).allSatisfy(\.isDue))
        #expect(rings.withLock { $0 } == 1)
    }
}
