import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

@Suite struct NoticeTests {
    let office: Office

    init() throws { office = try Office() }

    private func made(_ name: String, days: Int) throws -> JSON {
        let end = (office.house.world.now() + .days(days)).rfc3339
        return try office.made(#"{"name":"\#(name)","scopes":["x:read"],"expires_at":"\#(end)"}"#)
    }

    /// What was told of ends, as `name days`, after another look at all keys.
    private func ends() throws -> [String] {
        try office.room.tellExpiring()
        return try office.events().filter { $0.type == "api_key.expiring" }.map {
            "\($0.data["name"]?.text ?? "") \($0.data["days"]?.wholeNumber ?? 0)"
        }
    }

    @Test("An end is told of 30, 7 and 1 days before, each once")
    func expiring() throws {
        let key = try made("a", days: 100)
        office.house.pass(.days(70) - .seconds(1))
        #expect(try ends() == [])
        office.house.pass(.seconds(1))
        #expect(try ends() == ["a 30"])
        #expect(try ends() == ["a 30"])
        office.house.pass(.days(23))
        #expect(try ends() == ["a 30", "a 7"])
        office.house.pass(.days(6))
        #expect(try ends() == ["a 30", "a 7", "a 1"])
        office.house.pass(.days(2))
        #expect(try ends() == ["a 30", "a 7", "a 1"])
        let event = try #require(try office.events().last)
        #expect(event.data["expires_at"] == key["expires_at"])
        #expect(try office.house.auditedActions() == ["api_key.created"])
    }

    @Test("What is long missed is told of once, by the shortest time")
    func missed() throws {
        _ = try made("a", days: 100)
        office.house.pass(.days(99) + .hours(12))
        #expect(try ends() == ["a 1"])
    }

    @Test("Whoever gives a short life is not told of it, only of what comes then")
    func short() throws {
        _ = try made("a", days: 20)
        #expect(try ends() == [])
        office.house.pass(.days(13))
        #expect(try ends() == ["a 7"])
    }

    @Test("An end that has moved is told of anew, and revoked keys are not told of")
    func moved() throws {
        let key = try made("a", days: 31)
        _ = try made("b", days: 31)
        office.house.pass(.days(1))
        #expect(try Set(ends()) == ["a 30", "b 30"])
        let end = (office.house.world.now() + .days(60)).rfc3339
        _ = try office.send(.patch, "/\(key.id)", #"{"expires_at":"\#(end)"}"#)
        for found in try #require(office.send(.get, "", nil).body["data"]?.elements) where found["name"] == "b" {
            _ = try office.send(.delete, "/\(found.id)")
        }
        office.house.pass(.days(30))
        #expect(try ends().filter { $0 == "a 30" }.count == 2)
        #expect(try ends().filter { $0.hasPrefix("b") }.count == 1)
    }

    @Test("More keys than are read at a time are all told of")
    func many() throws {
        let owner = office.house.commandLine(office.organization)
        for number in 0..<(NoticeStore.batch + 5) {
            _ = try office.room.create(name: "k\(number)", scopes: ["x:read"], by: owner)
        }
        office.house.pass(.days(336))
        #expect(try ends().count == NoticeStore.batch + 5)
    }

    private func unused() throws -> Int {
        try office.room.tellUnused()
        return try office.events().filter { $0.type == "api_key.unused" }.count
    }

    @Test("That nobody uses a key is told of once, until it is used again")
    func unusedOnce() throws {
        let key = try office.made()
        office.house.pass(.days(90) - .seconds(1))
        #expect(try unused() == 0)
        office.house.pass(.seconds(1))
        #expect(try unused() == 1)
        office.house.pass(.days(30))
        #expect(try unused() == 1)
        try office.setLastUse(key.id, office.house.world.now())
        office.house.pass(.days(89))
        #expect(try unused() == 1)
        office.house.pass(.days(1))
        #expect(try unused() == 2)
        #expect(try unused() == 2)
        #expect(try office.events().last?.data["last_used_at"]?.text != nil)
    }

    @Test("Keys that are put aside or over are not called unused")
    func unusedAside() throws {
        let aside = try office.made()
        let over = try office.made()
        _ = try office.send(.post, "/\(aside.id)/disable")
        _ = try office.send(.delete, "/\(over.id)")
        office.house.pass(.days(100))
        #expect(try unused() == 0)
    }

    @Test("Unused keys are ended together, if they are as many as was said")
    func revokeUnused() throws {
        let keys = try (0..<3).map { _ in try office.made() }
        office.house.pass(.days(91))
        try office.setLastUse(keys[0].id, office.house.world.now())
        let member = try office.house.person(.member, in: office.organization)
        #expect(try office.send(.post, "/revoke-unused", #"{"count":2}"#, as: member).response.status == 422)
        let (response, body) = try office.send(.post, "/revoke-unused", #"{"count":3}"#)
        #expect(response.status == 422 && body.refusals == ["/count not_the_count"])
        #expect(try office.send(.post, "/revoke-unused", "{}").body.refusals == ["/count required"])
        #expect(try office.send(.post, "/revoke-unused", #"{"count":2}"#).body == ["revoked": 2])
        #expect(try keys.map { try office.key($0.id)["state"] } == ["active", "revoked", "revoked"])
        #expect(try office.house.auditedActions().filter { $0 == "api_key.revoked" }.count == 2)
    }
}
