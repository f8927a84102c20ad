import DatabaseKit
import Domain
import JSONKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Webhooks

@Suite("Events that come at once")
struct GatheringTests {
    private let organization = Identifier<Organization>(.real)

    private func events(_ count: Int) throws -> [NewEvent] {
        let name = try #require(EventName("custom.thing"))
        return (0..<count).map { number in
            NewEvent(
                Identifier(.real), key: nil, name, ["n": .integer(Int64(number))], orderingKey: nil, source: .api,
                at: World.real.now())
        }
    }

    private static func taken(_ event: NewEvent) -> TakenEvent {
        TakenEvent(
            id: event.id, name: event.name, key: event.key, deliveries: 0, isDue: false, isRepetition: false,
            createdAt: event.occurredAt)
    }

    @Test(
        "Whoever comes while one commits goes with the next, and each learns of its own events",
        .timeLimit(.minutes(15)))
    func together() throws {
        let gathering = Gathering<Identifier<Organization>, NewEvent, TakenEvent>()
        let sizes = Lock<[Int]>([])
        let (gate, done) = (Mailbox<Void>(), Mailbox<(asked: [NewEvent], taken: [TakenEvent])>())
        let all = try (0..<6).map { _ in try events(2) }
        var threads: [WorkerThread] = []
        for mine in all {
            threads.append(
                try WorkerThread(name: "publishes") { [organization] in
                    let taken = try? gathering.take(mine, for: organization) { events in
                        let isFirst = sizes.withLock { sizes in
                            sizes.append(events.count)
                            return sizes.count == 1
                        }
                        if isFirst { _ = gate.take(waiting: .seconds(60)) }
                        return events.map(Self.taken)
                    }
                    done.put((mine, taken ?? []))
                })
            // The first is at work before the others come.
            while sizes.withLock({ $0.isEmpty }) { WorkerThread.rest(for: .milliseconds(1)) }
        }
        while gathering.count(of: organization) < 5 { WorkerThread.rest(for: .milliseconds(1)) }
        gate.put(())
        for thread in threads { thread.join() }
        #expect(sizes.withLock { $0 } == [2, 10])
        for one in done.take() { #expect(one.taken.map(\.id) == one.asked.map(\.id)) }
        #expect(gathering.count(of: organization) == 0)
    }

    @Test("What keeps one from being committed is told to all who went with it", .timeLimit(.minutes(15)))
    func failure() throws {
        struct Away: Error {}
        let gathering = Gathering<Identifier<Organization>, NewEvent, TakenEvent>()
        #expect(throws: Away.self) { try gathering.take(events(1), for: organization) { _ in throw Away() } }
        // The line is free again.
        #expect(try gathering.take(events(1), for: organization) { $0.map(Self.taken) }.count == 1)
    }

    @Test("A key that many bring at once is one event, and refuses nothing that came with it", .timeLimit(.minutes(15)))
    func sameKey() throws {
        let post = try Post()
        try post.webhook()
        let done = Mailbox<[TakenEvent]>()
        let threads = try (0..<12).map { _ in
            let mine = try [post.event(key: "same"), post.event("user.updated")]
            return try WorkerThread(name: "publishes") { done.put((try? post.take(mine)) ?? []) }
        }
        for thread in threads { thread.join() }
        let taken = done.take()
        #expect(taken.allSatisfy { $0.count == 2 })
        #expect(Set(taken.compactMap { $0.first?.id }).count == 1)
        #expect(taken.count { $0.first?.isRepetition == false } == 1)
        #expect(Set(taken.compactMap { $0.last?.id }).count == 12)
        #expect(try post.deliveries().count == 13)
    }
}
