import DatabaseKit
import Foundation
import LimitKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import Domain

@Suite struct LimitExchanges {
    private let quotas = [Quota.minute(10), .hour(100), .day(1_000)]
    private let key = LimitSubject("api-key", [1])
    private let folder = FileManager.default.temporaryDirectory.appending(path: "exchange-\(UUID().uuidString)")

    /// A host: counts of its own, and an exchange with the others through the database.
    private struct Host {
        let limiter: Limiter
        let exchange: LimitExchange
    }

    private func hosts(_ count: Int, _ house: House) throws -> [Host] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try (0..<count).map { number in
            let limiter = try Limiter(
                file: folder.appending(path: "\(number)").path, subjects: 16_384, log: Log(threshold: .error),
                now: house.world.now)
            let exchange = LimitExchange(
                database: house.database, limiter: limiter, world: house.world, log: Log(threshold: .error))
            return Host(limiter: limiter, exchange: exchange)
        }
    }

    private func rows(_ house: House) throws -> Int {
        try house.database.row("SELECT COUNT(*) AS n FROM limit_counts")?.get("n") ?? -1
    }

    @Test("Two hosts count as one after a round each, and rounds that repeat count nothing twice")
    func two() throws {
        let house = try House()
        let hosts = try hosts(3, house)
        for host in hosts { try host.exchange.exchange() }
        #expect(hosts[0].limiter.take(3, from: quotas, of: key, at: house.world.now()).isAllowed)
        #expect(hosts[1].limiter.take(4, from: quotas, of: key, at: house.world.now()).isAllowed)
        for _ in 0..<3 { for host in hosts { try host.exchange.exchange() } }
        for host in hosts {
            let seen = host.limiter.peek(from: quotas, of: key, at: house.world.now())
            #expect(seen.standings.map(\.remaining) == [3, 93, 993])
        }
        #expect(try rows(house) == 2)
        house.pass(.seconds(62))
        #expect(hosts[2].limiter.take(10, from: quotas, of: key, at: house.world.now()).isAllowed)
        for _ in 0..<2 { for host in hosts { try host.exchange.exchange() } }
        let seen = hosts[0].limiter.take(from: quotas, of: key, at: house.world.now())
        #expect(!seen.isAllowed && seen.standings.map(\.remaining) == [0, 83, 983])
    }

    @Test("A host that is alone writes no counts, and tells of them once another is there")
    func alone() throws {
        let house = try House()
        let hosts = try hosts(2, house)
        #expect(hosts[0].limiter.take(10, from: quotas, of: key, at: house.world.now()).isAllowed)
        for _ in 0..<3 { try hosts[0].exchange.exchange() }
        #expect(try rows(house) == 0)
        try hosts[1].exchange.exchange()
        try hosts[0].exchange.exchange()
        try hosts[1].exchange.exchange()
        #expect(!hosts[1].limiter.take(from: quotas, of: key, at: house.world.now()).isAllowed)
    }

    @Test("Thousands of subjects are told of in pages, in as few seconds as there are thousands")
    func many() throws {
        let house = try House()
        let hosts = try hosts(2, house)
        for host in hosts { try host.exchange.exchange() }
        let subjects = (0..<2_500).map { LimitSubject("api-key", [UInt8($0 & 255), UInt8($0 >> 8)]) }
        for subject in subjects { _ = hosts[0].limiter.take(10, from: quotas, of: subject, at: house.world.now()) }
        for _ in 0..<3 { try hosts[0].exchange.exchange() }
        #expect(try rows(house) == 2_500)
        try hosts[1].exchange.exchange()
        let refused = subjects.count {
            !hosts[1].limiter.peek(from: quotas, of: $0, at: house.world.now()).isAllowed
        }
        #expect(refused == 2_500)
    }

    @Test("While the database is away each host counts for itself, and tells of it afterwards")
    func away() throws {
        let house = try House()
        let hosts = try hosts(2, house)
        for host in hosts { host.exchange.round(isFirst: true) }
        try house.database.execute("RENAME TABLE limit_counts TO limit_counts_away")
        #expect(hosts[0].limiter.take(6, from: quotas, of: key, at: house.world.now()).isAllowed)
        for host in hosts { host.exchange.round(isFirst: false) }
        #expect(hosts[0].limiter.peek(from: quotas, of: key, at: house.world.now()).standings[0].remaining == 4)
        #expect(hosts[1].limiter.peek(from: quotas, of: key, at: house.world.now()).standings[0].remaining == 10)
        try house.database.execute("RENAME TABLE limit_counts_away TO limit_counts")
        for host in hosts { host.exchange.round(isFirst: false) }
        #expect(hosts[1].limiter.peek(from: quotas, of: key, at: house.world.now()).standings[0].remaining == 4)
    }

    @Test("A process that takes over tells what the one before it was killed over, and reads everything again")
    func takenOver() throws {
        let house = try House()
        let hosts = try hosts(2, house)
        for host in hosts { try host.exchange.exchange() }
        #expect(hosts[0].limiter.take(6, from: quotas, of: key, at: house.world.now()).isAllowed)
        // Collected and never written.
        #expect(hosts[0].limiter.reports(atMost: 10, at: house.world.now()).count == 1)
        let next = LimitExchange(
            database: house.database, limiter: hosts[0].limiter, world: house.world, log: Log(threshold: .error))
        next.round(isFirst: true)
        hosts[1].exchange.round(isFirst: true)
        #expect(hosts[1].limiter.peek(from: quotas, of: key, at: house.world.now()).standings[0].remaining == 4)
    }

    @Test("Rows that are a day old are removed, and rows that nobody can read are passed over")
    func oldRows() throws {
        let house = try House()
        let hosts = try hosts(1, house)
        let (subject, other) = ([UInt8](repeating: 1, count: 16), [UInt8](repeating: 2, count: 16))
        try house.database.execute(
            "INSERT INTO limit_hosts (host, seen_at) VALUES (\(other), UTC_TIMESTAMP(6) - INTERVAL 1 HOUR)")
        try house.database.execute(
            """
            INSERT INTO limit_counts (subject, host, counts, changed_at)
            VALUES (\(subject), \(other), \([UInt8]([9, 9])), UTC_TIMESTAMP(6)),
                   (\(other), \(other), \([UInt8]([1, 0, 0, 0])), UTC_TIMESTAMP(6) - INTERVAL 26 HOUR)
            """)
        try hosts[0].exchange.exchange()
        #expect(try rows(house) == 1)
        #expect(hosts[0].limiter.take(10, from: quotas, of: key, at: house.world.now()).isAllowed)
    }

    @Test("However many rows are a day old, they are gone after a few rounds")
    func manyOldRows() throws {
        let house = try House()
        let hosts = try hosts(1, house)
        try house.database.execute(
            """
            INSERT INTO limit_counts (subject, host, counts, changed_at)
            SELECT UNHEX(LPAD(HEX(seq), 32, '0')), REPEAT('x', 16), 'x', UTC_TIMESTAMP(6) - INTERVAL 26 HOUR
              FROM seq_1_to_12000
            """)
        for _ in 0..<60 {
            if try rows(house) == 0 { break }
            try hosts[0].exchange.exchange()
        }
        #expect(try rows(house) == 0)
    }
}
