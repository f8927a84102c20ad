import CipherKit
import DatabaseKit
import Domain
import Foundation
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import ClientKit
@testable import Webhooks

@Suite("A delivery")
struct DeliveryTests {
    @Test("It is signed by Standard Webhooks over the very bytes that are sent, and noted as delivered")
    func signed() throws {
        let post = try Post()
        let made = try post.webhook()
        let event = try post.take("user.created", ["name": "Ana"])
        #expect(event.deliveries == 1 && !event.isRepetition)
        #expect(try post.dispatch() == 1)
        let request = try #require(post.receiver.requests.first)
        let body = Post.body(of: request)
        let secret = try #require(made.secret.text.reveal { StandardWebhooks.SymmetricSecret($0) })
        let timestamp = try #require(Post.field("webhook-timestamp", in: request).flatMap { Int64($0) })
        #expect(Post.field("webhook-id", in: request) == event.id.text)
        #expect(
            StandardWebhooks.isSigned(
                try #require(Post.field("webhook-signature", in: request)), id: event.id.text, timestamp: timestamp,
                body: body, by: [secret]))
        let sent = try JSON(parsing: body)
        #expect(sent["type"] == "user.created" && sent["data"]?["name"] == "Ana" && sent["id"]?.text == event.id.text)
        #expect(request.hasPrefix("POST /hook HTTP/1.1\r\n"))
        #expect(try post.deliveries() == ["delivered 1 204"])
        #expect(try post.dispatch() == 0)
    }

    @Test("Whoever sends may be woken any number of times", .timeLimit(.minutes(15)))
    func wokenOften() throws {
        let post = try Post()
        try post.webhook()
        try post.take()
        let slots = Slots(total: 1, each: 1)
        let claiming = Claiming(post.room, ClaimStore(database: post.house.database, world: post.house.world), slots)
        let done = Mailbox<Attempted>()
        let sending = Sending(post.room, to: done) { _ in }
        let sender = try WorkerThread(name: "sends") { try? sending.run() }
        sending.put(try claiming.claim())
        #expect(done.take(waiting: .seconds(60)).count == 1)
        // On a stack as small as the one of the thread that claims.
        let claimer = try WorkerThread(name: "claims") { for _ in 0..<50_000 { sending.wake() } }
        claimer.join()
        sending.stop()
        sender.join()
    }

    @Test("Only those who want an event get it, and each has a delivery of its own")
    func fanOut() throws {
        let post = try Post()
        try post.webhook(["user.created"], path: "/one")
        try post.webhook(["user.*", "payment.failed"], path: "/two")
        try post.webhook(["custom.*"], path: "/three")
        #expect(try post.take("user.created").deliveries == 2)
        #expect(try post.take("user.deleted").deliveries == 1)
        #expect(try post.take("users.x").deliveries == 0)
        try post.dispatchAll()
        #expect(
            post.receiver.requests.map { $0.split(separator: " ")[1] }.sorted() == ["/one", "/two", "/two"])
    }

    @Test("A failure is tried again by the schedule under the same id with a new signature, and then given up")
    func retries() throws {
        var settings = Post.settings
        settings.retries = .short
        let post = try Post(settings: settings) { _ in
            "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
        try post.webhook()
        let event = try post.take()
        for attempt in 1...6 {
            #expect(try post.dispatch() == 1, "attempt \(attempt)")
            #expect(try post.dispatch() == 0, "not before its time")
            post.house.pass(.seconds(60))
        }
        #expect(try post.deliveries() == ["failed 6 500"])
        #expect(Set(post.receiver.requests.compactMap { Post.field("webhook-id", in: $0) }) == [event.id.text])
        #expect(Set(post.receiver.requests.compactMap { Post.field("webhook-signature", in: $0) }).count == 6)
        let attempts = try post.house.database.rows("SELECT number FROM delivery_attempts ORDER BY number LIMIT 10")
        #expect(try attempts.map { try $0.get("number", as: Int.self) } == [1, 2, 3, 4, 5, 6])
    }

    @Test("Whoever dies with a delivery in hand leaves it due again after a minute, and late news of it change nothing")
    func lostLease() throws {
        let post = try Post()
        try post.webhook()
        try post.take()
        let store = ClaimStore(database: post.house.database, world: post.house.world)
        let webhook = try #require(try store.webhooks(try store.due()).first)
        let first = try store.claim([(webhook, 10)])
        #expect(first.claims.count == 1)
        #expect(try store.claim([(webhook, 10)]).claims.isEmpty && post.dispatch() == 0)
        post.house.pass(ClaimStore.lease)
        #expect(try post.dispatch() == 1)
        #expect(try post.deliveries() == ["delivered 1 204"])
    }

    @Test("Whoever comes back after their lease has ended changes nothing of what another made of the delivery")
    func lateNews() throws {
        let post = try Post()
        let made = try post.webhook()
        try post.take()
        let slots = Slots(total: 8, each: 8)
        let slow = Claiming(post.room, ClaimStore(database: post.house.database, world: post.house.world), slots)
        let parcel = try #require(try slow.claim().first)
        let startedAt = post.house.world.now()
        post.house.pass(ClaimStore.lease)
        #expect(try post.dispatch() == 1)
        let error = ClientError(.timedOut, detail: "late")
        let late = Attempted(
            parcel: parcel, startedAt: startedAt, elapsed: .seconds(61), result: .failure(error),
            judgement: Judgement(
                .failure(error), attempts: 1, profile: .standard, chance: 0.5, now: post.house.world.now()))
        try OutcomeStore(room: post.room).note([late])
        #expect(try post.deliveries() == ["delivered 1 204"])
        let attempts = try post.room.log(post.scope).attempts(parcel.delivery)
        #expect(attempts.count == 2, "both are in the log")
        #expect(try post.room.find(made.record.id, post.scope).state == .active)
        #expect(try post.dispatch() == 0)
    }

    @Test("410 disables the webhook and ends what waits for it; nothing more is kept for it")
    func gone() throws {
        let post = try Post { _ in "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" }
        let made = try post.webhook()
        try post.take()
        // Events of one moment stand in no order.
        post.house.pass(.seconds(1))
        #expect(try post.dispatch() == 1)
        let record = try post.room.find(made.record.id, post.scope)
        #expect(record.state == .disabled && record.disabledReason == .gone)
        #expect(try post.take().deliveries == 0)
        let told = try post.house.database.rows("SELECT type FROM domain_events ORDER BY id LIMIT 10")
        #expect(try told.map { try $0.get("type", as: String.self) }.contains("webhook.disabled"))
    }

    @Test("Of those on their way what comes is noted, though the webhook be disabled meanwhile; what still waits ends")
    func goneMeanwhile() throws {
        let post = try Post()
        let made = try post.webhook()
        post.house.pass(.seconds(1))
        try post.take(try (0..<6).map { _ in try post.event() })
        let parcels = try post.claiming().claim()
        try #require(parcels.count == 4)
        let outcomes = OutcomeStore(room: post.room)
        try outcomes.note([post.attempted(parcels[0], 410)])
        #expect(try post.room.find(made.record.id, post.scope).state == .disabled)
        #expect(try post.dispatch() == 0)
        try outcomes.note(parcels.dropFirst().map { post.attempted($0, 200) })
        let deliveries = try post.deliveries()
        #expect(deliveries.filter { $0 == "delivered 1 200" }.count == 3 && deliveries.contains("failed 1 410"))
        #expect(deliveries.filter { $0 == "failed 0 disabled" }.count == 2)
        #expect(try post.house.auditedActions() == ["webhook.created", "webhook.disabled"])
        let last = try post.house.database.row("SELECT actor_kind FROM audit_events ORDER BY id DESC LIMIT 1")
        #expect(try last?.get("actor_kind") == "hub")
    }

    @Test("Whoever has seen a webhook disabled gives up nothing of it once it is enabled")
    func enabledMeanwhile() throws {
        let post = try Post()
        let made = try post.webhook()
        let store = ClaimStore(database: post.house.database, world: post.house.world)
        try post.disable(made.record.id)
        _ = try post.room.setActive(true, made.record.id, by: post.scope)
        try post.take()
        try store.giveUp(made.record.id, isGone: false)
        try store.giveUp(made.record.id, isGone: true)
        #expect(try post.deliveries() == ["waiting 0 -"])
    }

    @Test("Two failures with nothing in between for days disable nothing: those days begin with the second")
    func farBetween() throws {
        var settings = Post.settings
        settings.retries = .short
        let post = try Post(settings: settings) { _ in
            "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
        let made = try post.webhook()
        for _ in 0..<3 {
            try post.take()
            for _ in 0..<6 {
                try post.dispatch()
                post.house.pass(.seconds(20))
            }
            post.house.pass(.days(6))
        }
        #expect(try post.room.find(made.record.id, post.scope).state == .active)
        #expect(try post.deliveries() == Array(repeating: "failed 6 500", count: 3))
        for _ in 0..<6 {
            try post.take()
            try post.dispatch()
            post.house.pass(.days(1))
        }
        #expect(try post.room.find(made.record.id, post.scope).state == .disabled, "one event a day is enough")
    }

    @Test("Five days of nothing but failures disable a webhook; one success begins the count anew")
    func failing() throws {
        let isWell = Lock(false)
        let post = try Post { _ in
            isWell.withLock { $0 } ? Post.ok : "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
        let made = try post.webhook()
        func state() throws -> WebhookRecord.State { try post.room.find(made.record.id, post.scope).state }
        try post.take()
        try post.dispatch()
        post.house.pass(.hours(119))
        try post.take()
        isWell.withLock { $0 = true }
        try post.dispatchAll()
        isWell.withLock { $0 = false }
        try post.take()
        try post.dispatch()
        for _ in 0..<7 {
            post.house.pass(.hours(17))
            try post.take()
            try post.dispatch()
        }
        #expect(try state() == .active)
        post.house.pass(.hours(2))
        try post.take()
        try post.dispatch()
        #expect(try state() == .disabled)
    }

    @Test("Retry-After is heeded, and 429 spares the receiver all other deliveries meanwhile")
    func slowed() throws {
        let isBusy = Lock(true)
        let post = try Post { _ in
            isBusy.withLock { $0 }
                ? "HTTP/1.1 429 Slow\r\nRetry-After: 600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" : Post.ok
        }
        try post.webhook()
        try post.take()
        #expect(try post.dispatch() == 1)
        isBusy.withLock { $0 = false }
        try post.take()
        post.house.pass(.seconds(599))
        #expect(try post.dispatch() == 0)
        post.house.pass(.seconds(2))
        try post.dispatchAll()
        #expect(try post.deliveries() == ["delivered 2 204", "delivered 1 204"])
    }

    @Test("For how long a receiver is left in peace the webhook says, so a new address is called at once")
    func slowedOnce() throws {
        let post = try Post()
        let made = try post.webhook()
        try post.take(try (0..<2).map { _ in try post.event() })
        let claiming = post.claiming()
        let parcels = try claiming.claim()
        try #require(parcels.count == 2)
        let slowed = [post.attempted(parcels[0], 429, ["Retry-After: 86400"])]
        claiming.landed(slowed)
        try post.take()
        #expect(try claiming.claim().isEmpty)
        try OutcomeStore(room: post.room).note(slowed)
        claiming.noted(slowed)
        // Begun before it, and over after it.
        try OutcomeStore(room: post.room).note([post.attempted(parcels[1], 204)])
        let until = try #require(try post.room.find(made.record.id, post.scope).slowUntil)
        #expect(until > post.house.world.now() + .hours(23))
        post.house.pass(.seconds(2))
        #expect(try claiming.claim().isEmpty)
        var terms = WebhookTerms()
        terms.url = try ReceiverURL("http://127.0.0.1:\(post.receiver.port)/new", allowsHTTP: true)
        _ = try post.room.update(made.record.id, terms, by: post.scope)
        #expect(try claiming.claim().count == 1)
    }

    @Test("A paused webhook loses nothing")
    func paused() throws {
        let post = try Post()
        let made = try post.webhook()
        _ = try post.room.setActive(false, made.record.id, by: post.scope)
        #expect(try post.take().deliveries == 1)
        #expect(try post.dispatch() == 0)
        _ = try post.room.setActive(true, made.record.id, by: post.scope)
        #expect(try post.dispatch() == 1)
    }

    @Test("While a secret is replaced both sign, and after the grace the new one alone")
    func rolled() throws {
        let post = try Post()
        let made = try post.webhook()
        let rolled = try post.room.roll(made.record.id, to: nil, grace: .hours(24), by: post.scope)
        for (count, wait) in [(2, Duration.zero), (1, .hours(25))] {
            post.house.pass(wait)
            let event = try post.take()
            try post.dispatchAll()
            let request = try #require(post.receiver.requests.last)
            let header = try #require(Post.field("webhook-signature", in: request))
            #expect(header.split(separator: " ").count == count && !header.hasSuffix(" "))
            for (secret, fits) in [(made.secret, count == 2), (rolled.secret, true)] {
                let key = try #require(secret.text.reveal { StandardWebhooks.SymmetricSecret($0) })
                let timestamp = try #require(Post.field("webhook-timestamp", in: request).flatMap { Int64($0) })
                #expect(
                    StandardWebhooks.isSigned(
                        header, id: event.id.text, timestamp: timestamp, body: Post.body(of: request), by: [key])
                        == fits)
            }
        }
    }

    @Test("Deliveries of one ordering key go one at a time and in order; those of other keys do not wait")
    func inOrder() throws {
        let answers = Lock<[String]>(["500", "204"])
        let post = try Post { request in
            guard request.contains("\"first\"") else { return Post.ok }
            let status = answers.withLock { $0.isEmpty ? "204" : $0.removeFirst() }
            return "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
        try post.webhook { $0.ordering = .block }
        for word in ["first", "second", "third"] { try post.take("a.b", ["word": .string(word)], order: "key") }
        try post.take("a.b", ["word": "other"], order: "another")
        try post.take("a.b", ["word": "free"])
        func words() throws -> [String] {
            try post.receiver.requests.compactMap { try JSON(parsing: Post.body(of: $0))["data"]?["word"]?.text }
        }
        try post.dispatch()
        #expect(try Set(words()) == ["first", "other", "free"])
        try post.dispatchAll()
        #expect(try words().count == 3)
        post.house.pass(.seconds(10))
        try post.dispatchAll()
        #expect(try words().suffix(3) == ["first", "second", "third"])
    }
}
