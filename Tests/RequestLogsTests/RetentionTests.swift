import DatabaseKit
import Domain
import RoomFixture
import Testing
import TimeKit

@testable import RequestLogs

@Suite struct RetentionTests {
    @Test("Days are made ahead, rows lie in their day, and a day that is over is dropped whole")
    func days() throws {
        let archive = try Archive(settings: .init(logDays: 3, minuteDays: 1, hourDays: 2, dayDays: 4))
        let parts = DayParts(database: archive.house.database)
        let today = UsageUnit.day.floor(archive.house.world.now())
        // Before any day was made, and a request of the future beside it.
        try archive.log([archive.request(id: "early"), archive.request(86_400 * 2, id: "late")])
        try archive.room.makeAndDropDays()
        try archive.room.makeAndDropDays()
        #expect(try parts.days(of: "request_logs") == (0...7).map { today + .days($0) })
        try archive.log([archive.request(id: "now")])
        #expect(try archive.ids("").count == 3)
        try IngestingTests.expectEqual(archive)
        archive.house.pass(.days(4))
        try archive.room.makeAndDropDays()
        #expect(try parts.days(of: "request_logs").first == today + .days(1))
        #expect(try parts.days(of: "usage_minutes").first == today + .days(3))
        #expect(try parts.days(of: "usage_hours").first == today + .days(2))
        #expect(try archive.ids("") == ["late"])
        #expect(try archive.count("SELECT COUNT(*) AS n FROM usage_days") > 0)
        archive.house.pass(.days(1))
        while try archive.room.dropOldFigures() {}
        #expect(try archive.count("SELECT COUNT(*) AS n FROM usage_days WHERE at <= \(today)") == 0)
    }

    @Test("After a pause longer than the days ahead the table goes on from today")
    func pause() throws {
        let archive = try Archive()
        try archive.room.makeAndDropDays()
        archive.house.pass(.days(60))
        try archive.log([archive.request(86_400 * 60, id: "r")])
        try archive.room.makeAndDropDays()
        #expect(try archive.ids("") == ["r"])
        let today = UsageUnit.day.floor(archive.house.world.now())
        #expect(try DayParts(database: archive.house.database).days(of: "request_logs").last == today + .days(7))
    }
}
