import DatabaseKit
import Domain
import Foundation
import RoomFixture
import SpoolKit
import Testing
import TimeKit

@testable import RequestLogs

@Suite struct IngestingTests {
    let archive: Archive

    init() throws { archive = try Archive() }

    private func logged() throws -> Int { try archive.count("SELECT COUNT(*) AS n FROM request_logs") }

    /// What A5-28 asks: each roll-up sums up to the log, in each of its breakdowns.
    static func expectEqual(_ archive: Archive, organizations: Int = 1) throws {
        let database = archive.house.database
        let log = try #require(
            try database.row(
                """
                SELECT COUNT(*) AS requests, COALESCE(SUM(status >= 400), 0) AS failed,
                       COALESCE(SUM(microseconds), 0) AS microseconds, COALESCE(SUM(bytes), 0) AS bytes
                  FROM request_logs
                """))
        for unit in UsageUnit.allCases {
            let parts: [(SQL, String)] = [
                ("subject = \(UsageCell.everybody) AND breakdown = 0", "all together"),
                ("subject = \(UsageCell.everybody) AND breakdown = 1", "by subject"),
                ("subject = \(UsageCell.everybody) AND breakdown = 2", "by endpoint"),
                ("subject <> \(UsageCell.everybody) AND breakdown = 0", "each subject"),
                ("subject <> \(UsageCell.everybody) AND breakdown = 2", "each subject by endpoint"),
            ]
            for (condition, name) in parts {
                let row = try #require(
                    try database.row(
                        """
                        SELECT COALESCE(SUM(requests), 0) AS requests,
                               COALESCE(SUM(IF(hundred >= 4, requests, 0)), 0) AS failed,
                               COALESCE(SUM(microseconds), 0) AS microseconds, COALESCE(SUM(bytes), 0) AS bytes
                          FROM \(unescaped: unit.table)
                         WHERE \(condition)
                        """))
                for column in ["requests", "failed", "microseconds", "bytes"] {
                    #expect(
                        try row.get(column, as: Int.self) == log.get(column, as: Int.self),
                        "\(column) of \(unit.table) \(name)")
                }
            }
            let stored = try database.rows(
                "SELECT latency FROM \(unescaped: unit.table) WHERE breakdown = 0 AND subject = \(UsageCell.everybody)"
            ).reduce(0) { sum, row in sum + LatencyHistogram(stored: try row.get("latency")).total }
            #expect(stored == (try log.get("requests", as: Int.self)), "histograms of \(unit.table)")
        }
    }

    @Test("Every request that was written is taken in once, and the files go when their writers have")
    func once() throws {
        var spool: RequestSpool? = try archive.spool()
        for number in 0..<2_500 { spool?.write(archive.request(Int64(number), id: "r\(number)")) }
        try archive.ingest(#require(spool))
        #expect(try logged() == 2_500)
        #expect(try archive.count("SELECT COUNT(DISTINCT request_id) AS n FROM request_logs") == 2_500)
        #expect(spool?.folder.records().count == 1)
        let folder = try #require(spool).folder
        spool = nil
        try archive.ingest(archive.spool())
        #expect(folder.records().isEmpty)
        #expect(try logged() == 2_500)
        #expect(try archive.count("SELECT COUNT(*) AS n FROM spool_positions") == 0)
        try Self.expectEqual(archive)
    }

    @Test("A writer that is killed leaves its whole records, and a new reader goes on where the last one was")
    func killed() throws {
        var spool: RequestSpool? = try archive.spool()
        for number in 0..<10 { spool?.write(archive.request(id: "r\(number)")) }
        try archive.ingest(#require(spool))
        for number in 10..<20 { spool?.write(archive.request(id: "r\(number)")) }
        let name = try #require(spool?.folder.records().first)
        spool = nil
        let path = "\(archive.folder)/spool/\(name)"
        let bytes = try Data(contentsOf: URL(filePath: path))
        try bytes.dropLast(3).write(to: URL(filePath: path))
        try archive.ingest(archive.spool())
        #expect(try logged() == 19)
        #expect(!FileManager.default.fileExists(atPath: path))
        try Self.expectEqual(archive)
    }

    @Test("A commit whose answer was lost is neither done twice nor left out")
    func commitUnknown() throws {
        let spool = try archive.spool()
        for number in 0..<10 { spool.write(archive.request(id: "r\(number)")) }
        let reading = Ingesting(spool, into: archive.room)
        try reading.runOnce()
        for number in 10..<20 { spool.write(archive.request(id: "r\(number)")) }
        // Somebody moved the file on by what the reader thinks it still has to do: so it looks for a commit of its own.
        let name = try #require(spool.folder.records().first)
        let size = try Data(contentsOf: URL(filePath: "\(archive.folder)/spool/\(name)")).count
        try archive.house.database.execute("UPDATE spool_positions SET position = \(size)")
        while try reading.runOnce() {}
        #expect(try logged() == 10, "what is said to be taken in is not taken in again")
        spool.write(archive.request(id: "r20"))
        while try reading.runOnce() {}
        #expect(try logged() == 11)
    }

    @Test("When the place of a file was lost, its lines are not taken in again, and new ones are")
    func lostPlace() throws {
        let spool = try archive.spool()
        for number in 0..<10 { spool.write(archive.request(id: "r\(number)")) }
        try archive.ingest(spool)
        try archive.house.database.execute("DELETE FROM spool_positions")
        for number in 10..<15 { spool.write(archive.request(id: "r\(number)")) }
        try archive.ingest(spool)
        #expect(try logged() == 15)
        try Self.expectEqual(archive)
    }

    @Test("As long as the database lacks its tables, or refuses all, nothing is left out")
    func refusal() throws {
        let spool = try archive.spool()
        for number in 0..<10 { spool.write(archive.request(id: "r\(number)")) }
        let reading = Ingesting(spool, into: archive.room)
        try archive.house.database.execute("RENAME TABLE request_logs TO elsewhere")
        for _ in 0..<5 { #expect(throws: DatabaseError.self) { try reading.runOnce() } }
        try archive.house.database.execute("RENAME TABLE elsewhere TO request_logs, usage_days TO elsewhere")
        for _ in 0..<5 { #expect(throws: DatabaseError.self) { try reading.runOnce() } }
        try archive.house.database.execute("RENAME TABLE elsewhere TO usage_days")
        while try reading.runOnce() {}
        #expect(try logged() == 10)
        try Self.expectEqual(archive)
    }

    @Test("Readers beside each other take each line in once")
    func manyReaders() throws {
        let spools = try (0..<3).map { _ in try archive.spool() }
        let readers = try (0..<3).map { _ in Ingesting(try archive.spool(), into: archive.room) }
        for number in 0..<300 {
            spools[number % 3].write(archive.request(Int64(number), id: "r\(number)"))
            try readers[(number / 7) % 3].runOnce()
        }
        for reader in readers + readers { while try reader.runOnce() {} }
        #expect(try logged() == 300)
        try Self.expectEqual(archive)
    }

    @Test("A line that the database never takes is left out, and all around it are kept")
    func poison() throws {
        let spool = try archive.spool()
        for number in 0..<20 { spool.write(archive.request(Int64(number), id: "r\(number)")) }
        var bad = archive.request(id: "bad")
        bad.at = Timestamp(microseconds: .max)
        spool.write(bad)
        for number in 20..<40 { spool.write(archive.request(Int64(number), id: "r\(number)")) }
        let reading = Ingesting(spool, into: archive.room)
        for _ in 0..<60 { try reading.runOnce() }
        #expect(try logged() == 40)
        try Self.expectEqual(archive)
    }

    @Test("nginx's lines are taken in once, a partly written one when it is whole, strangers' not at all")
    func gate() throws {
        let folder = archive.gateFolder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = try archive.key("site")
        func line(_ number: Int, key: String) -> String {
            """
            {"v":1,"time":\(archive.start.seconds).\(number),"request_id":"g\(number)","org":"\(archive.organization)","key":"\(key)",\
            "method":"GET","uri":"/shop?secret=SENTINEL","route":"shop","status":200,"bytes":5,"seconds":0.01,\
            "address":"203.0.113.9","agent":"x","code":"valid"}
            """
        }
        let path = URL(filePath: "\(folder)/gate-2099011507.log")
        let text = line(0, key: key.text) + "\n" + line(1, key: "") + "\nrubbish\n" + line(2, key: key.text)
        try Data(text.utf8).write(to: path)
        let spool = try archive.spool()
        // The clock of the house is far ahead of the file's, so it is over as soon as it is whole.
        try archive.ingest(spool)
        #expect(try logged() == 1)
        #expect(FileManager.default.fileExists(atPath: path.path), "its last line has no end yet")
        let handle = try FileHandle(forWritingTo: path)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("\n".utf8))
        try archive.ingest(spool)
        #expect(try archive.ids("") == ["g2", "g0"])
        #expect(try archive.ids("api_key_id=\(key)").count == 2)
        #expect(!FileManager.default.fileExists(atPath: path.path))
        #expect(try archive.count("SELECT COUNT(*) AS n FROM request_logs WHERE path LIKE '%SENTINEL%'") == 0)
        try Self.expectEqual(archive)
    }

    @Test("However many endpoints a site invents, an hour tells so many apart and counts all")
    func inventions() throws {
        try archive.log(
            (0..<600).map { archive.request(Int64($0), route: "/invented/\($0)", id: "r\($0)", surface: .gate) })
        let labels: SQL = "FROM usage_hours WHERE breakdown = 2 AND subject = \(UsageCell.everybody)"
        #expect(try archive.count("SELECT COUNT(*) AS n \(labels)") == KnownRoutes.perHour + 1)
        try archive.log([archive.request(route: "/invented/0"), archive.request(route: "/yet/another")])
        #expect(try archive.count("SELECT COUNT(*) AS n \(labels)") == KnownRoutes.perHour + 1)
        try Self.expectEqual(archive)
    }

    @Test("Histograms are summed up before they grow")
    func compaction() throws {
        let spool = try archive.spool()
        let reading = Ingesting(spool, into: archive.room)
        for number in 0..<100 {
            spool.write(archive.request(id: "r\(number)"))
            while try reading.runOnce() {}
        }
        #expect(try archive.count("SELECT MAX(LENGTH(latency)) AS n FROM usage_days") <= 3 * 17)
        try Self.expectEqual(archive)
    }
}
