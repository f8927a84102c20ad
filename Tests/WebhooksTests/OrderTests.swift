import ClientKit
import DatabaseKit
import Domain
import JSONKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Webhooks

@Suite("Order, pace and patience")
struct OrderTests {
    private static let failure = "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    private static func words(_ post: Post) throws -> [String] {
        try post.receiver.requests.compactMap { try JSON(parsing: Post.body(of: $0))["data"]?["word"]?.text }
    }

    @Test("With the order “skip” one that failed so often makes way for those behind it, and can be replayed")
    func skipped() throws {
        let post = try Post { $0.contains("\"bad\"") ? Self.failure : Post.ok }
        let made = try post.webhook { $0.ordering = .skip(after: 2) }
        for word in ["bad", "second", "third"] { try post.take("a.b", ["word": .string(word)], order: "key") }
        try post.dispatchAll()
        #expect(try Self.words(post) == ["bad"])
        post.house.pass(.seconds(10))
        try post.dispatchAll()
        #expect(try Self.words(post) == ["bad", "bad", "second", "third"])
        #expect(try post.deliveries() == ["failed 2 500", "delivered 1 204", "delivered 1 204"])
        let first = try #require(
            try post.room.log(post.scope).deliveries(.init(webhook: made.record.id), after: nil, limit: 10).first {
                $0.state == .failed
            })
        #expect(first.lastError == "skipped" && first.trouble?.isEmpty == false)
        #expect(try post.room.sendAgain(first.id, by: post.scope).state == .waiting)
    }

    @Test("Without an ordering key nothing is skipped, whatever the order")
    func unordered() throws {
        let post = try Post { _ in Self.failure }
        try post.webhook { $0.ordering = .skip(after: 1) }
        try post.take("a.b", ["word": "free"])
        try post.dispatchAll()
        #expect(try post.deliveries() == ["waiting 1 500"])
        try post.take("a.b", ["word": "line"], order: "key")
        try post.dispatchAll()
        #expect(try post.deliveries() == ["waiting 1 500", "failed 1 500"])
    }

    @Test("Two dispatchers at once keep the order of a key, and send each delivery once")
    func together() throws {
        let post = try Post()
        try post.webhook { $0.ordering = .block }
        for number in 0..<12 { try post.take("a.b", ["word": .string("\(number)")], order: "k\(number % 2)") }
        var rounds = 0
        while try Self.words(post).count < 12, rounds < 100 {
            _ = try inThreads(2) { _ in try post.dispatch() }
            post.house.pass(.milliseconds(300))
            rounds += 1
        }
        let words = try Self.words(post).compactMap { Int($0) }
        #expect(words.count == 12)
        #expect(
            words.filter { $0 % 2 == 0 } == [0, 2, 4, 6, 8, 10] && words.filter { $0 % 2 == 1 } == [1, 3, 5, 7, 9, 11])
    }

    @Test("Nothing of a key goes while one of it is on its way, though it be sent again and stand before that one")
    func sentAgain() throws {
        let post = try Post()
        let made = try post.webhook { $0.ordering = .block }
        try post.take("a.b", ["word": "first"], order: "key")
        try post.dispatchAll()
        let first = try #require(
            try post.room.log(post.scope).deliveries(.init(webhook: made.record.id), after: nil, limit: 1).first)
        try post.take("a.b", ["word": "second"], order: "key")
        let claiming = post.claiming()
        let second = try #require(try claiming.claim().first)
        #expect(try post.room.sendAgain(first.id, by: post.scope).state == .waiting)
        #expect(try post.dispatch() == 0)
        try OutcomeStore(room: post.room).note([post.attempted(second, 204)])
        #expect(try post.dispatch() == 1)
        #expect(try Self.words(post) == ["first", "first"])
    }

    @Test("A webhook all keys of which must wait is left alone for five seconds, or until something of it is over")
    func rests() throws {
        let post = try Post()
        try post.webhook { $0.ordering = .block }
        try post.take(try (0..<300).map { _ in try post.event(order: "blocked") })
        try post.house.database.execute(
            "UPDATE deliveries SET next_at = \(post.house.world.now() + .hours(1)) ORDER BY sequence LIMIT 1")
        let claiming = post.claiming()
        #expect(try claiming.claim().isEmpty)
        post.house.pass(.milliseconds(10))
        for _ in 0..<2 { try post.take(order: "free") }
        post.house.pass(.milliseconds(4_900))
        #expect(try claiming.claim().isEmpty)
        post.house.pass(.milliseconds(200))
        let parcel = try #require(try claiming.claim().first)
        #expect(try claiming.claim().isEmpty)
        post.house.pass(.milliseconds(300))
        let attempted = post.attempted(parcel, 204)
        try OutcomeStore(room: post.room).note([attempted])
        claiming.noted([attempted])
        #expect(try claiming.claim().count == 1)
    }

    @Test("Of a key the next goes as soon as what came of the one before is noted")
    func follows() throws {
        let post = try Post()
        try post.webhook { $0.ordering = .block }
        for number in 0..<5 { try post.take("a.b", ["word": .string("\(number)")], order: "key") }
        let slots = Slots(total: 512, each: 32)
        let claiming = post.claiming(slots)
        for _ in 0..<5 {
            let parcel = try #require(try claiming.claim().first)
            // Looked for meanwhile, it is still on its way.
            #expect(try claiming.claim().isEmpty && claiming.claim().isEmpty)
            let attempted = post.attempted(parcel, 204)
            try OutcomeStore(room: post.room).note([attempted])
            claiming.noted([attempted])
            slots.give(of: parcel.destination.receiver, isSilent: false, after: .zero)
        }
        #expect(try post.deliveries() == Array(repeating: "delivered 1 204", count: 5))
    }

    @Test("Two dispatchers at once send no delivery twice")
    func once() throws {
        let post = try Post()
        try post.webhook()
        try post.take(try (0..<200).map { _ in try post.event() })
        var sent = 0
        while sent < 200 {
            let part = try inThreads(3) { _ in try post.dispatch() }.reduce(0, +)
            guard part > 0 else { break }
            sent += part
        }
        #expect(sent == 200 && post.receiver.requests.count == 200)
        #expect(Set(post.receiver.requests.compactMap { Post.field("webhook-id", in: $0) }).count == 200)
    }

    @Test("A webhook gets no more in a second than it bears, and loses nothing by it")
    func pace() throws {
        let post = try Post()
        try post.webhook { $0.perSecond = .some(3) }
        try post.take(try (0..<10).map { _ in try post.event() })
        let slots = Slots(total: 512, each: 32)
        let claiming = Claiming(post.room, ClaimStore(database: post.house.database, world: post.house.world), slots)
        func claim() throws -> Int {
            let parcels = try claiming.claim()
            for parcel in parcels { slots.give(of: parcel.destination.receiver, isSilent: false, after: .zero) }
            return parcels.count
        }
        #expect(try claim() == 3 && claim() == 0)
        // Many short looks add up to what one long look would find.
        var found = 0
        for _ in 0..<2_010 {
            post.house.pass(.microseconds(500))
            found += try claim()
        }
        #expect(found == 3)
        post.house.pass(.seconds(1))
        #expect(try claim() == 3)
        post.house.pass(.hours(1))
        #expect(slots.busy == 0)
    }

    @Test("A share is earned: it grows with quick answers, a little with slow ones, and halves with each silence")
    func slots() {
        let slots = Slots(total: 10, each: 6)
        #expect(slots.take(100, of: "a") == 4 && slots.take(1, of: "a") == 0 && slots.take(9, of: "b") == 4)
        #expect(slots.take(9, of: "c") == 2 && slots.free == 0 && slots.take(1, of: "d") == 0)
        slots.give(2, of: "c")
        for _ in 0..<4 { slots.give(of: "a", isSilent: true, after: .seconds(30)) }
        #expect(slots.take(9, of: "a") == 1, "four, two, one, and never none")
        slots.give(of: "a", isSilent: false, after: .seconds(1))
        #expect(slots.take(9, of: "a") == 2)
        for _ in 0..<2 { slots.give(of: "a", isSilent: false, after: .seconds(1)) }
        #expect(slots.take(9, of: "a") == 4)
        for _ in 0..<3 { slots.give(of: "a", isSilent: false, after: .seconds(1)) }
        #expect(slots.take(9, of: "a") == 5, "six, of which one is on its way, and no more than six")
        #expect(slots.take(9, of: "c") == 0, "all are taken")
        for _ in 0..<6 { slots.give(of: "a", isSilent: false, after: .seconds(1)) }
        for _ in 0..<4 { slots.give(of: "b", isSilent: false, after: .seconds(1)) }
        #expect(slots.busy == 0 && slots.free == 10)
        for _ in 0..<20 {
            #expect(slots.take(9, of: "f") == 4, "429 and 5xx show no room for more, however quick they are")
            for _ in 0..<4 { slots.give(of: "f", isSilent: false, isStrained: true, after: .zero) }
        }
        slots.give(0, of: "e")
        #expect(slots.take(-3, of: "e") == 0)
    }

    @Test("A hundred silent receivers, and a slow one, with hundreds of deliveries each leave most slots to others")
    func silentCrowd() {
        let slots = Slots(total: 512, each: 32)
        for _ in 0..<5 {
            for number in 0..<100 {
                let taken = slots.take(200, of: "dead \(number)")
                for _ in 0..<taken { slots.give(of: "dead \(number)", isSilent: true, after: .seconds(30)) }
            }
        }
        #expect((0..<100).map { slots.take(200, of: "dead \($0)") }.reduce(0, +) == 100)
        for _ in 0..<100 {
            let taken = slots.take(200, of: "slow")
            for _ in 0..<taken { slots.give(of: "slow", isSilent: false, after: .seconds(29)) }
        }
        #expect(slots.take(200, of: "slow") == 8)
        for _ in 0..<100 {
            let taken = slots.take(200, of: "well")
            for _ in 0..<taken { slots.give(of: "well", isSilent: false, after: .milliseconds(5)) }
        }
        #expect(slots.take(200, of: "well") == 32)
        #expect(slots.free == 512 - 100 - 8 - 32)
    }

    @Test("A changed address begins anew: what the old one failed at does not count against it")
    func moved() throws {
        let post = try Post { _ in Self.failure }
        let made = try post.webhook()
        try post.take()
        try post.dispatch()
        #expect(try post.room.find(made.record.id, post.scope).failingSince != nil)
        try post.house.database.execute("UPDATE webhooks SET failing_told_at = failing_since")
        let other = StandIn { _ in Post.ok }
        var terms = WebhookTerms()
        terms.url = try ReceiverURL("http://127.0.0.1:\(other.port)/new", allowsHTTP: true)
        _ = try post.room.update(made.record.id, terms, by: post.scope)
        #expect(try post.room.find(made.record.id, post.scope).failingSince == nil)
        let told = try #require(
            try post.house.database.row("SELECT COUNT(failing_told_at) + COUNT(failed_at) AS n FROM webhooks"))
        #expect(try told.get("n") == 0, "and its owner is told anew")
        post.house.pass(.minutes(1))
        try post.dispatchAll()
        #expect(other.requests.count == 1)
        #expect(try post.deliveries() == ["delivered 2 204"])
    }

    @Test("What waits for a webhook that is removed ends, and none of it is sent")
    func removed() throws {
        let post = try Post()
        let made = try post.webhook()
        try post.take()
        try post.room.remove(made.record.id, by: post.scope)
        #expect(try post.dispatch() == 0 && post.deliveries() == ["canceled 0 disabled"])
        #expect(post.receiver.requests.isEmpty)
    }
}
