import CipherKit
import Domain
import HTTPKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

@Suite struct HealthTests {
    @Test("What cannot be opened is counted as needing a person within a minute, in the navigation and on the overview")
    func undecryptable() throws {
        let office = try Office()
        let scope = try office.house.scope(of: office.admin)
        let (damaged, whole) = (try office.telegram("damaged"), try office.telegram("whole"))
        #expect(try office.room.attentionCount(scope) == 0)
        var bytes = try #require(try office.sealed(damaged))
        bytes[bytes.count - 1] ^= 1
        try office.overwriteSealed(damaged, with: bytes)
        office.house.pass(.minutes(1))
        #expect(try office.status(damaged) == "undecryptable" && office.status(whole) == "disconnected")
        #expect(try office.room.attentionCount(scope) == 1)
        let health = try office.room.healthFigures(scope)
        #expect(
            health.states.filter { $0.count > 0 }.map { "\($0.count) \($0.label)" } == [
                "1 Undecryptable", "1 Not connected",
            ])
        #expect(health.needingAttention.map(\.path) == ["/connections/\(damaged)"])
        #expect(health.needingAttention.first?.sentence.contains("key ring") == true)
        #expect(try office.json(.delete, "connections/\(damaged)").response.status == 204)
        #expect(try office.room.attentionCount(scope) == 0)
    }

    @Test("With another key ring every connection needs a person, and those of other organizations are not counted")
    func anotherRing() throws {
        let office = try Office()
        for name in ["default", "one", "two", "three"] { _ = try office.telegram(name) }
        let other = try Office.room(office.house, KeyRing())
        let scope = try office.house.scope(of: office.admin)
        #expect(try other.attentionCount(scope) == 4)
        #expect(try other.healthFigures(scope).needingAttention.count == 3)
        let stranger = try office.house.scope(of: office.house.person(.owner, in: office.house.organization("Other")))
        #expect(try other.attentionCount(stranger) == 0)
        #expect(try office.room.attentionCount(scope) == 0)
    }
}
