import Testing
import TimeKit

@testable import LimitKit

@Suite("Reports between hosts")
struct ReportTests {
    private let clock = SetClock()
    private let key = LimitSubject("key", [1])
    private let quotas = [Quota.minute(10), .hour(100), .day(1_000)]

    private func hosts(_ count: Int) throws -> [Limiter] {
        let folder = try Folder()
        return try (0..<count).map { try folder.limiter("host \($0)") { [clock] in clock.now } }
    }

    private func tell(_ one: Limiter, _ other: Limiter) {
        for report in one.reports(atMost: 100, at: clock.now) {
            #expect(other.adopt([report.counts], of: report.subject, at: clock.now) == 0)
        }
        one.reported(isDone: true)
    }

    @Test("What one host admitted counts on the other, once, however often it is told")
    func once() throws {
        let hosts = try hosts(2)
        #expect(hosts[0].host != hosts[1].host)
        #expect(hosts[0].take(6, from: quotas, of: key, at: clock.now).isAllowed)
        let reports = hosts[0].reports(atMost: 100, at: clock.now)
        for _ in 0..<3 { for report in reports { hosts[1].adopt([report.counts], of: report.subject, at: clock.now) } }
        let verdict = hosts[1].take(4, from: quotas, of: key, at: clock.now)
        #expect(verdict.isAllowed && verdict.standings.map(\.remaining) == [0, 90, 990])
        tell(hosts[1], hosts[0])
        #expect(!hosts[0].take(from: quotas, of: key, at: clock.now).isAllowed)
        clock.now = clock.now + .seconds(62)
        #expect(hosts[0].take(from: quotas, of: key, at: clock.now).standings.map(\.remaining) == [9, 89, 989])
    }

    @Test("Only what changed is told, and told again when it was not written down")
    func changes() throws {
        let hosts = try hosts(1)
        #expect(hosts[0].reports(atMost: 10, at: clock.now).isEmpty)
        for number in UInt8(1)...5 { _ = hosts[0].take(from: quotas, of: LimitSubject("key", [number]), at: clock.now) }
        let first = hosts[0].reports(atMost: 3, at: clock.now)
        hosts[0].reported(isDone: false)
        let again = hosts[0].reports(atMost: 10, at: clock.now)
        hosts[0].reported(isDone: true)
        #expect(first.count == 3 && Set(again.map(\.subject)).count == 5)
        #expect(hosts[0].reports(atMost: 10, at: clock.now).isEmpty)
        #expect(!hosts[0].take(11, from: quotas, of: key, at: clock.now).isAllowed)
        #expect(hosts[0].reports(atMost: 10, at: clock.now).isEmpty)
        hosts[0].forget(key)
        #expect(hosts[0].reports(atMost: 10, at: clock.now).map(\.subject) == [key])
    }

    @Test("A host whose file is lost finds its counts again as those of another")
    func lost() throws {
        let hosts = try hosts(2)
        #expect(hosts[0].take(10, from: quotas, of: key, at: clock.now).isAllowed)
        tell(hosts[0], hosts[1])
        #expect(!hosts[1].take(from: quotas, of: key, at: clock.now).isAllowed)
    }

    @Test("Hosts whose clocks differ count what they are told as no older than it is")
    func clocks() throws {
        let hosts = try hosts(2)
        #expect(hosts[0].take(10, from: quotas, of: key, at: clock.now + .seconds(3)).isAllowed)
        tell(hosts[0], hosts[1])
        #expect(!hosts[1].take(from: quotas, of: key, at: clock.now + .seconds(59)).isAllowed)
        // Its clock goes back by a day while counts lie there.
        clock.now = clock.now - .days(1)
        #expect(!hosts[1].take(from: quotas, of: key, at: clock.now).isAllowed)
    }

    @Test("A full report is short enough, and reads as it was written")
    func longest() throws {
        let limiter = try hosts(1)[0]
        for _ in 0..<3_000 {
            _ = limiter.take(9_000, from: [.minute(.max), .hour(.max), .day(.max)], of: key, at: clock.now)
            clock.now = clock.now + .seconds(Int64.random(in: 0...60))
        }
        for _ in 0..<120 {
            _ = limiter.take(1_000_000, from: [.minute(.max), .hour(.max), .day(.max)], of: key, at: clock.now)
            clock.now = clock.now + .milliseconds(500)
        }
        let report = try #require(limiter.reports(atMost: 1, at: clock.now).first)
        let counts = try #require(LimitCounts(report.counts))
        #expect(report.counts.count <= LimitReport.longest && counts.packed == report.counts)
        #expect(counts.buckets.map(\.count).allSatisfy { $0 > 30 })
    }

    @Test("Bytes that are no report are refused and change nothing", arguments: 1...3)
    func noise(seed: UInt64) throws {
        var chance = Chance(seed)
        let limiter = try hosts(1)[0]
        #expect(limiter.take(3, from: quotas, of: key, at: clock.now).isAllowed)
        let good = try #require(limiter.reports(atMost: 1, at: clock.now).first).counts
        for length in 0..<good.count { #expect(LimitCounts(Array(good.prefix(length))) == nil) }
        #expect(LimitCounts(good + [0]) == nil && LimitCounts([UInt8](repeating: 1, count: 2_000)) == nil)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...40, using: &chance)).map { _ in
                UInt8.random(in: 0...255, using: &chance)
            }
            if Bool.random(using: &chance), !bytes.isEmpty { bytes[0] = 1 }
            let refused = limiter.adopt([bytes], of: LimitSubject("key", [2]), at: clock.now)
            #expect(refused == (LimitCounts(bytes) == nil ? 1 : 0))
        }
        #expect(limiter.peek(from: quotas, of: key, at: clock.now).standings[0].remaining == 7)
    }
}
