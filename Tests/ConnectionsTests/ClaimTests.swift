import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Connections

@Suite struct ClaimTests {
    @Test("Of many tests at once one asks the service, and the others are told to wait")
    func atOnce() throws {
        let gate = DispatchSemaphore(value: 0)
        let office = try Office { _ in
            gate.wait()
            return StandIn.telegram
        }
        let path = "connections/\(try office.telegram())/test"
        let statuses = Lock<[Int]>([])
        let answered = DispatchSemaphore(value: 0)
        for _ in 0..<4 {
            Thread.detachNewThread {
                let status = (try? office.json(.post, path, "{}").response.status.code) ?? 0
                statuses.withLock { $0.append(status) }
                answered.signal()
            }
        }
        // The others have their answers before the one that asks has its own.
        for _ in 0..<3 { answered.wait() }
        for _ in 0..<4 { gate.signal() }
        answered.wait()
        #expect(statuses.withLock { $0.sorted() } == [200, 429, 429, 429])
        #expect(office.service.requests.count == 1)
        office.house.pass(.seconds(2))
        #expect(try office.json(.post, path, "{}").response.status == 200)
    }

    @Test("A test whose process died holds up the next one for fifteen seconds and no longer")
    func abandoned() throws {
        let office = try Office()
        let id = try office.telegram()
        let store = office.room.store(try office.house.scope(of: office.admin))
        #expect(try store.claimTest(of: #require(Identifier<Connection>(id)), for: Tester.deadline + .seconds(5)))
        let (refused, body) = try office.json(.post, "connections/\(id)/test", "{}")
        #expect(refused.status == 429 && body["code"] == "tested_just_now" && refused.headers["retry-after"] == "2")
        office.house.pass(.seconds(16))
        #expect(try office.json(.post, "connections/\(id)/test", "{}").response.status == 200)
    }

    @Test("Who read the clock a moment before the other, and came to the row after it, is told to wait")
    func overtaken() throws {
        let office = try Office()
        let id = try #require(Identifier<Connection>(office.telegram()))
        let store = office.room.store(try office.house.scope(of: office.admin))
        #expect(try store.claimTest(of: id, for: .seconds(15)))
        for earlier in [Duration.milliseconds(1), .seconds(59)] {
            office.house.pass(.zero - earlier)
            #expect(try !store.claimTest(of: id, for: .seconds(15)), "\(earlier)")
            office.house.pass(earlier)
        }
    }

    @Test("A host whose clock goes an hour fast keeps nobody else waiting")
    func fastClock() throws {
        let office = try Office()
        let id = try #require(Identifier<Connection>(office.telegram()))
        let ahead = office.house.world.now() + .hours(1)
        try office.house.database.execute("UPDATE connections SET test_rests_until = \(ahead) WHERE id = \(id)")
        #expect(try office.json(.post, "connections/\(id)/test", "{}").response.status == 200)
    }

    @Test("Another set-up may be tested at once, though the one before it was tested just now")
    func anew() throws {
        let office = try Office()
        let id = try office.telegram()
        #expect(try office.json(.post, "connections/\(id)/test", "{}").response.status == 200)
        #expect(try office.json(.post, "connections/\(id)/test", "{}").response.status == 429)
        #expect(try office.json(.patch, "connections/\(id)", #"{"setup":{"chat_id":"42"}}"#).response.status == 200)
        #expect(try office.json(.post, "connections/\(id)/test", "{}").response.status == 200)
    }
}
