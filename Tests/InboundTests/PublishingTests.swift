import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Inbound

@Suite("Publishing what came in")
struct PublishingTests {
    private static let secret = "8f742231b10e8888abcd99baac2bcd1e"
    private struct Unwilling: Error {}

    private func bring(_ mail: Mailroom, _ ids: [String]) throws -> Mailroom.Source {
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        for id in ids {
            let body = #"{"type":"event_callback","event_id":"\#(id)","event":{"type":"message"}}"#
            #expect(try mail.post(source.path, body, mail.slack(body, secret: Self.secret)).status == 200)
            mail.house.pass(.seconds(1))
        }
        return source
    }

    @Test("Listeners are told in the transaction that publishes, and one event at fault holds up no other")
    func listeners() throws {
        let told = Lock<[String]>([])
        let mail = try Mailroom(listeners: [
            { event, _ in
                if event.key == "bad" { throw Unwilling() }
                told.withLock { $0.append(event.key) }
            }
        ])
        _ = try bring(mail, ["a", "bad", "b"])
        #expect(try Working(mail.room).run() == 3)
        #expect(try Set(mail.published().compactMap { $0.data["event_id"]?.text }) == ["a", "b"])
        #expect(try mail.count("inbound_events", "state = 'waiting' AND attempts = 1") == 1)
        for _ in 0..<Working.mostAttempts {
            mail.house.pass(.hours(2))
            try mail.work()
        }
        #expect(try mail.count("inbound_events", "state = 'dead'") == 1)
        #expect(try mail.published().count == 2)
    }

    @Test("What a dead worker held is due again once its lease ends, and is published once")
    func leases() throws {
        let mail = try Mailroom()
        _ = try bring(mail, ["a"])
        // Claimed and never heard of again.
        try mail.house.database.execute(
            """
            UPDATE inbound_events
               SET lease_token = 'abcdefghijklmnop', attempts = 1, next_at = \(mail.house.world.now() + Working.lease)
            """)
        #expect(try mail.work() == 0)
        mail.house.pass(Working.lease)
        #expect(try mail.work() == 1)
        #expect(try mail.published().count == 1)
    }

    @Test("Several at once publish each event once")
    func parallel() throws {
        let mail = try Mailroom()
        _ = try bring(mail, (0..<60).map { "e\($0)" })
        _ = try inThreads(4) { _ in try mail.work() }
        while try mail.count("inbound_events", "state = 'waiting'") > 0 { try mail.work() }
        #expect(try mail.published().count == 60)
    }

    @Test("One event, or a range of them, is published again when somebody asks, and says so")
    func replays() throws {
        let mail = try Mailroom()
        let source = try bring(mail, ["a", "b", "c"])
        let start = mail.house.world.now() + .seconds(-2)
        try mail.work()
        let all = try mail.api(.get, "inbound-events", query: "source_id=\(source.id)")
        let id = try #require(all.json["data"]?[0]?["id"]?.text)
        let again = try mail.api(.post, "inbound-events/\(id)/replay")
        #expect(again.status == 202 && again.json["state"] == "waiting")
        #expect(try mail.api(.post, "inbound-events/\(id)/replay").status == 409)
        try mail.work()
        #expect(try mail.published().count == 4)
        #expect(try mail.published().filter { $0.data["is_replay"] == true }.count == 1)
        let range = try mail.api(
            .post, "inbound-events/replay",
            ["since": JSON(start), "source_id": .string(source.id), "state": "published", "type": "message"])
        #expect(range.status == 202 && range.json["replayed"] == 2 && range.json["may_have_more"] == false)
        try mail.work()
        #expect(try mail.published().count == 6)
        #expect(try mail.api(.post, "inbound-events/replay", [:]).status == 422)
        let stranger = try mail.house.person(.admin, in: mail.house.organization("Other"))
        #expect(try mail.api(.post, "inbound-events/\(id)/replay", as: stranger).status == 404)
        #expect(try mail.api(.get, "inbound-events/\(id)", as: stranger).status == 404)
        #expect(
            try mail.api(.post, "inbound-events/replay", ["since": JSON(start)], as: stranger).json["replayed"] == 0)
    }

    @Test("More than are published again at once are gone through part by part, each once")
    func replaysInParts() throws {
        var settings = Inbound.Settings()
        settings.mostReplayed = 2
        let mail = try Mailroom(settings: settings)
        _ = try bring(mail, ["a", "b", "c", "d", "e"])
        try mail.work()
        var (last, counts): (JSON, [JSON?]) = (.null, [])
        repeat {
            let answer = try mail.api(
                .post, "inbound-events/replay", ["since": "2020-01-01T00:00:00Z", "after_id": last])
            counts.append(answer.json["replayed"])
            last = answer.json["next_after_id"] ?? .null
            #expect(answer.status == 202 && answer.json["may_have_more"] == .bool(last != .null))
            // Published meanwhile, they match again.
            try mail.work()
        } while last != .null
        #expect(counts == [2, 2, 1])
        let again = try mail.published().filter { $0.data["is_replay"] == true }
        #expect(again.compactMap { $0.data["event_id"]?.text }.sorted() == ["a", "b", "c", "d", "e"])
        let wrong: JSON = ["since": "2020-01-01T00:00:00Z", "after_id": "x"]
        #expect(try mail.api(.post, "inbound-events/replay", wrong).status == 422)
    }

    @Test("An event that comes again in another batch is published once, and once more when somebody asks")
    func batchesAgain() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "hubspot", "secret": "client-secret"])
        func send(_ objects: [Int64], attempt: Int64) throws {
            let events = objects.map { object -> JSON in
                // Its eventId alone is another event's, too.
                [
                    "eventId": 7, "portalId": 1, "subscriptionId": 2, "objectId": .integer(object),
                    "occurredAt": 1_700_000_000_000, "attemptNumber": .integer(attempt),
                    "subscriptionType": "contact.creation",
                ]
            }
            let body = String(decoding: JSON.array(events).bytes, as: UTF8.self)
            let headers = mail.hubspot(source.path, body, secret: "client-secret")
            #expect(try mail.post(source.path, body, headers).status == 200)
            mail.house.pass(.seconds(1))
        }
        func told() throws -> [Int64] {
            try mail.published().compactMap { $0.data["payload"]?["objectId"]?.wholeNumber }.sorted()
        }
        try send([1, 2], attempt: 0)
        try mail.work()
        // The same request, then a part of it, then the rest beside something new.
        try send([1, 2], attempt: 1)
        try send([1], attempt: 2)
        try send([3, 2, 3], attempt: 3)
        try mail.work()
        #expect(try told() == [1, 2, 3] && mail.count("inbound_events", "state = 'published'") == 3)
        let last = try mail.published().first { $0.data["payload"]?["objectId"] == 3 }
        #expect(last?.data["index"] == 0, "where it stands in its own request")
        let all = try mail.api(.post, "inbound-events/replay", ["since": "2020-01-01T00:00:00Z"])
        #expect(all.json["replayed"] == 3)
        try mail.work()
        #expect(try told() == [1, 1, 1, 2, 2, 2, 3, 3])
        mail.house.pass(.days(31))
        try mail.room.forget()
        #expect(try mail.count("inbound_events") == 0 && mail.count("inbound_batch_ids") == 0)
    }

    @Test("A request with many events is published one by one")
    func batches() throws {
        let naming = SchemeName.sendgrid
        let body: JSON = [["event": "bounce", "sg_event_id": "1"], ["event": "open", "sg_event_id": "2"]]
        let arrival = Arrival(url: "/", headers: ["content-type": "application/json"], body: body.bytes)
        let payload = try Payload(arrival)
        let named = naming.naming(arrival, payload, nil)
        #expect(named == Naming(key: "1,2", type: "batch"))
        #expect(naming.parts(payload, type: named.type).map(\.type) == ["bounce", "open"])
    }

    @Test(
        "Names of services become names of events",
        arguments: [
            ("orders/create", "orders.create"), ("page.created", "page.created"), ("in-progress", "in_progress"),
            ("", "event"), ("...", "event"), ("a..b", "a.b"), ("ä", "__"), ("message\u{0}", "message_"),
        ])
    func names(given: String, name: String) {
        #expect(Naming.words(given) == name)
        #expect(EventName("inbound.x." + Naming.words(given)) != nil)
    }

    @Test("Old events are forgotten, what waits is not, and repetitions are known for three days at least")
    func retention() throws {
        let mail = try Mailroom()
        _ = try bring(mail, ["old"])
        try mail.work()
        mail.house.pass(.days(4))
        try mail.room.forget()
        #expect(try mail.count("inbound_events") == 1)
        mail.house.pass(.days(27))
        _ = try bring(mail, ["waits"])
        mail.house.pass(.days(31))
        try mail.room.forget()
        #expect(try mail.count("inbound_events") == 1 && mail.count("inbound_events", "state = 'waiting'") == 1)
    }
}
