import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import JobKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Webhooks

@Suite("Sending again")
struct ReplayTests {
    private static let failure = "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    private static let since: JSON.Member = .init("since", "2020-01-01T00:00:00Z")

    /// A counter whose receiver fails until told otherwise, and gives up after one attempt.
    private static func counter(_ isWell: Lock<Bool>) throws -> Counter {
        var settings = Post.settings
        settings.retries = try #require(RetryProfile("0"))
        return try Counter(settings: settings) { _ in isWell.withLock { $0 } ? Post.ok : Self.failure }
    }

    private static func statuses(_ counter: Counter, _ id: String) throws -> [String] {
        try counter.send(.get, "webhooks/\(id)/deliveries", query: "limit=200").json["data"]?.elements?.compactMap {
            $0["status"]?.text
        } ?? []
    }

    @Test("One that failed is sent again on request, under the same id, and one that was delivered, too")
    func one() throws {
        let isWell = Lock(false)
        let counter = try Self.counter(isWell)
        let id = try counter.id(try counter.make())
        let event = try counter.post.take()
        try counter.post.dispatchAll()
        let listed = try #require(try counter.send(.get, "webhooks/\(id)/deliveries").json["data"]?[0])
        #expect(listed["status"] == "failed" && listed["attempts"] == 2 && listed["finished_at"] != .null)
        isWell.withLock { $0 = true }
        let path = "deliveries/\(listed["id"]?.text ?? "")"
        for attempts in [3, 4] as [JSON] {
            let again = try counter.send(.post, path + "/retry")
            #expect(again.status == 202 && again.json["status"] == "waiting" && again.json["finished_at"] == .null)
            try counter.post.dispatchAll()
            let shown = try counter.send(.get, path).json
            #expect(shown["status"] == "delivered" && shown["attempts"] == attempts && shown["error"] == .null)
            #expect(shown["attempts_log"]?[0]?["cause"] == "manual" && shown["attempts_log"]?[0]?["number"] == attempts)
        }
        #expect(Set(counter.post.receiver.requests.compactMap { Post.field("webhook-id", in: $0) }) == [event.id.text])
        #expect(try counter.send(.post, path + "/retry", ["x": 1]).refusals == ["x unknown_field"])
        #expect(try counter.post.house.auditedActions().suffix(2) == ["delivery.retried", "delivery.retried"])
    }

    @Test("One that is being sent, or whose webhook is disabled, is not sent again: 409")
    func notNow() throws {
        let counter = try Self.counter(Lock(true))
        let made = try counter.post.webhook()
        try counter.post.take()
        let store = ClaimStore(database: counter.post.house.database, world: counter.post.house.world)
        let record = try #require(try store.webhooks([made.record.id]).first)
        let claimed = try #require(try store.claim([(record, 1)]).claims.first)
        let path = "deliveries/\(claimed.delivery)"
        #expect(try counter.send(.get, path).json["under_way"] == true)
        #expect(try counter.send(.post, path + "/retry").code == "delivery_under_way")
        try counter.post.disable(made.record.id)
        #expect(try counter.send(.post, path + "/retry").code == "webhook_disabled")
        let replay = try counter.send(.post, "webhooks/\(made.record.id)/replay", .object([Self.since]))
        #expect(replay.status == 409 && replay.code == "webhook_disabled")
    }

    @Test("A replay counts first, then sends all that match: by time, state and kind; and says how far it is")
    func many() throws {
        let isWell = Lock(false)
        let counter = try Self.counter(isWell)
        let id = try counter.id(try counter.make())
        for number in 0..<450 { try counter.post.take(number % 3 == 0 ? "payment.failed" : "user.created") }
        try counter.post.dispatchAll()
        #expect(try Self.statuses(counter, id).allSatisfy { $0 == "failed" })
        counter.post.house.pass(.hours(1))
        let middle = counter.post.house.world.now()
        isWell.withLock { $0 = true }
        try counter.post.take()
        try counter.post.dispatchAll()
        counter.post.house.pass(.hours(1))
        func ask(_ more: JSON) throws -> Counter.Answer {
            try counter.send(.post, "webhooks/\(id)/replay", .object([Self.since] + (more.members ?? [])))
        }
        for (more, count) in [
            ([:], 451), (["status": "failed"], 450), (["status": "delivered"], 1), (["event": "payment.*"], 150),
            (["event": "payment.failed", "status": "delivered"], 0), (["until": .string(middle.rfc3339)], 450),
            (["status": "missing"], 0),
        ] as [(JSON, Int64)] {
            let dry = try ask(.object((more.members ?? []) + [.init("dry_run", true)]))
            #expect(dry.status == 200 && dry.json == ["deliveries": .integer(count)], "\(more): \(dry.json)")
        }
        let begun = try ask(["status": "failed", "event": "user.*"])
        let replay = try counter.id(begun)
        #expect(begun.status == 202 && begun.headers["location"] == "/hub/api/v1/replays/\(replay)")
        #expect(begun.json["deliveries"] == 300 && begun.json["done"] == 0 && begun.json["state"] == "running")
        let before = counter.post.receiver.requests.count
        try counter.work()
        let over = try counter.send(.get, "replays/\(replay)").json
        #expect(over["state"] == "finished" && over["done"] == 300 && over["finished_at"] != .null)
        try counter.post.dispatchAll()
        #expect(counter.post.receiver.requests.count - before == 300)
        let deliveries = try counter.post.deliveries()
        #expect(deliveries.filter { $0.hasPrefix("delivered") }.count == 301)
        #expect(deliveries.filter { $0.hasPrefix("failed") }.count == 150)
        #expect(try counter.post.house.auditedActions().last == "webhook.replayed")
    }

    @Test("A replay goes on where it was when its worker died, and sends nothing twice")
    func goesOn() throws {
        let isWell = Lock(false)
        let counter = try Self.counter(isWell)
        let made = try counter.post.webhook()
        for _ in 0..<250 { try counter.post.take() }
        try counter.post.dispatchAll()
        isWell.withLock { $0 = true }
        counter.post.house.pass(.seconds(1))
        let answer = try counter.send(.post, "webhooks/\(made.record.id)/replay", .object([Self.since]))
        let id = try #require(Identifier<Replay>(try counter.id(answer)))
        let store = ReplayStore(database: counter.post.house.database, world: counter.post.house.world)
        let isOver = try counter.post.house.database.transaction { transaction in
            let replay = try #require(try store.lock(id, in: transaction))
            return try store.advance(replay, made.record, in: transaction)
        }
        #expect(!isOver)
        let half = try counter.send(.get, "replays/\(id)").json
        #expect(half["done"] == 200 && half["state"] == "running")
        let before = counter.post.receiver.requests.count
        try counter.post.dispatchAll()
        try counter.work()
        try counter.post.dispatchAll()
        #expect(counter.post.receiver.requests.count - before == 250)
        #expect(try counter.send(.get, "replays/\(id)").json["done"] == 250)
    }

    @Test("What a webhook missed while it was disabled is made up for, each event once, and only what it wants")
    func missing() throws {
        let counter = try Self.counter(Lock(true))
        let made = try counter.post.webhook(["user.*"])
        try counter.post.disable(made.record.id)
        for name in ["user.created", "user.deleted", "payment.failed"] { try counter.post.take(name) }
        _ = try counter.post.room.setActive(true, made.record.id, by: counter.post.scope)
        counter.post.house.pass(.seconds(1))
        let path = "webhooks/\(made.record.id)/replay"
        let body = JSON.object([Self.since, .init("status", "missing")])
        #expect(try counter.send(.post, path, body).json["deliveries"] == 2)
        try counter.work()
        try counter.post.dispatchAll()
        #expect(counter.post.receiver.requests.count == 2)
        #expect(try counter.send(.post, path, body).json["deliveries"] == 0)
    }

    @Test("A webhook has one replay at a time, in short turns")
    func oneAtATime() throws {
        let counter = try Self.counter(Lock(true))
        let ids = try (0..<2).map { _ in try counter.id(try counter.make()) }
        func begin(_ id: String) throws -> Counter.Answer {
            try counter.send(.post, "webhooks/\(id)/replay", .object([Self.since]))
        }
        #expect(try ids.map { try begin($0).status } == [202, 202])
        let second = try begin(ids[0])
        #expect(second.status == 409 && second.code == "replay_under_way")
        let dry = try counter.send(
            .post, "webhooks/\(ids[0])/replay", .object([Self.since, .init("dry_run", true)]))
        #expect(dry.status == 200)
        try counter.work()
        #expect(try begin(ids[0]).status == 202)
        let replays = try #require(counter.post.room.jobs.first { $0.kind == Webhooks.replayJob })
        #expect(replays.deadline <= .seconds(30))
    }

    @Test("A replay counts what it made due, and not what is being sent just then; its attempts are told as asked for")
    func counted() throws {
        let counter = try Self.counter(Lock(true))
        let post = counter.post
        let made = try post.webhook(["user.created"])
        try post.take(try (0..<3).map { _ in try post.event() })
        let claiming = post.claiming(Slots(total: 1, each: 1))
        let parcel = try #require(try claiming.claim().first)
        #expect(parcel.cause == .schedule)
        post.house.pass(.seconds(1))
        let path = "webhooks/\(made.record.id)/replay"
        let replay = try counter.id(try counter.send(.post, path, .object([Self.since])))
        try counter.work()
        let over = try counter.send(.get, "replays/\(replay)").json
        #expect(over["deliveries"] == 3 && over["done"] == 2 && over["state"] == "finished")
        let late = try post.webhook(["user.*"], path: "/late")
        _ = try counter.send(
            .post, "webhooks/\(late.record.id)/replay", .object([Self.since, .init("status", "missing")]))
        try counter.work()
        let again = post.claiming()
        let parcels = try again.claim() + again.claim()
        #expect(parcels.count == 4 && parcels.allSatisfy { $0.cause == .manual && $0.attempts == 0 })
        #expect(Set(parcels.map(\.destination.webhook)) == [made.record.id, late.record.id])
    }

    @Test("A test occupies a lane, so a webhook is tested once at a time, and not too many of them at once")
    func trials() throws {
        var settings = Post.settings
        settings.testsAtOnce = 1
        let counter = try Counter(settings: settings)
        let ids = try (0..<2).map { _ in try #require(Identifier<Webhook>(try counter.id(try counter.make()))) }
        try counter.post.room.trials.run(ids[0], atMost: 1) {
            let same = try counter.send(.post, "webhooks/\(ids[0])/test")
            #expect(same.status == 429 && same.code == "test_under_way" && same.headers["retry-after"] == "1")
            let other = try counter.send(.post, "webhooks/\(ids[1])/test")
            #expect(other.status == 503 && other.code == "busy" && other.headers["retry-after"] == "1")
        }
        #expect(try ids.allSatisfy { try counter.send(.post, "webhooks/\($0)/test").status == 200 })
    }

    @Test("A replay ends when its webhook is disabled or removed meanwhile", arguments: [true, false])
    func ended(isDisabled: Bool) throws {
        let counter = try Self.counter(Lock(false))
        let made = try counter.post.webhook()
        try counter.post.take()
        try counter.post.dispatchAll()
        counter.post.house.pass(.seconds(1))
        let answer = try counter.send(.post, "webhooks/\(made.record.id)/replay", .object([Self.since]))
        let id = try #require(Identifier<Replay>(try counter.id(answer)))
        if isDisabled {
            try counter.post.disable(made.record.id)
        } else {
            try counter.post.room.remove(made.record.id, by: counter.post.scope)
        }
        try counter.work()
        let store = ReplayStore(database: counter.post.house.database, world: counter.post.house.world)
        let replay = try #require(try store.find(id, of: counter.post.organization))
        #expect(replay.state == "canceled" && replay.finishedAt != nil)
        #expect(try counter.post.deliveries() == ["failed 2 500"])
    }

    @Test("A replay without a beginning, with an end before it, or by unknown words is refused")
    func refused() throws {
        let counter = try Self.counter(Lock(true))
        let id = try counter.id(try counter.make())
        for (body, refusals) in [
            ([:], ["since required"]), (["since": "now"], ["since invalid"]), (["since": 7], ["since wrong_type"]),
            (["since": "2020-01-02T00:00:00Z", "until": "2020-01-01T00:00:00Z"], ["until out_of_range"]),
            (["since": "0001-01-01T00:00:00Z"], ["since invalid"]),
            (["since": "2020-01-01T00:00:00Z", "status": "lost"], ["status invalid"]),
            (["since": "2020-01-01T00:00:00Z", "event": "%"], ["event invalid"]),
            (["since": "2020-01-01T00:00:00Z", "dry_run": 1], ["dry_run wrong_type"]),
            (["since": "2020-01-01T00:00:00Z", "limit": 1], ["limit unknown_field"]),
            (["since": "2999-01-01T00:00:00Z"], ["until out_of_range"]),
        ] as [(JSON, [String])] {
            let answer = try counter.send(.post, "webhooks/\(id)/replay", body)
            #expect(answer.status == 422 && answer.refusals == refusals, "\(body): \(answer.refusals)")
        }
    }

    @Test("A test is signed and sent now, whatever the webhook's state, and is told and logged, and not tried again")
    func trial() throws {
        let isWell = Lock(true)
        let counter = try Self.counter(isWell)
        let id = try counter.id(try counter.make(["active": false]))
        let good = try counter.send(.post, "webhooks/\(id)/test")
        #expect(good.status == 200 && good.json["delivered"] == true && good.json["status"] == 204)
        #expect(good.json["error"] == .null && (good.json["duration_ms"]?.wholeNumber ?? -1) >= 0)
        let request = try #require(counter.post.receiver.requests.first)
        #expect(Post.field("webhook-signature", in: request)?.hasPrefix("v1,") == true)
        #expect(try JSON(parsing: Post.body(of: request))["type"] == "webhook.test")
        isWell.withLock { $0 = false }
        let bad = try counter.send(.post, "webhooks/\(id)/test", ["type": "payment.failed"])
        #expect(bad.json["delivered"] == false && bad.json["status"] == 500 && bad.json["error"]?["code"] == "status")
        let delivery = try counter.send(.get, "deliveries/\(bad.json["delivery_id"]?.text ?? "")").json
        #expect(delivery["status"] == "failed" && delivery["type"] == "payment.failed")
        #expect(delivery["attempts_log"]?[0]?["cause"] == "test")
        #expect(
            try counter.send(.post, "webhooks/\(id)/test", ["type": "no.such"]).refusals == ["type unknown_event_type"])
        counter.post.house.pass(.hours(1))
        #expect(try counter.post.dispatch() == 0)
    }
}
