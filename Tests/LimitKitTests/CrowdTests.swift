import Foundation
import LogKit
import Testing
import TimeKit

@testable import LimitKit

@Suite("More subjects than slots")
struct CrowdTests {
    private let clock = SetClock()
    private let quotas = [Quota.minute(10), .day(1_000)]

    private func key(_ number: Int) -> LimitSubject {
        LimitSubject("key", (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
    }

    private func address(_ number: Int) -> LimitSubject {
        LimitSubject(address: "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)", for: "sign-in")
    }

    @Test("A million strangers who are only looked at take no room")
    func strangers() throws {
        let folder = try Folder()
        let limiter = try folder.limiter { [clock] in clock.now }
        let size = try Data(contentsOf: URL(filePath: folder["limits"])).count
        for number in 0..<1_000_000 { _ = limiter.peek(from: quotas, of: key(number), at: clock.now) }
        let set = limiter.layout.set(0, limiter.file.words)
        #expect((0..<LimitSet.ways).allSatisfy { !set.isUsed($0) })
        #expect(try Data(contentsOf: URL(filePath: folder["limits"])).count == size)
    }

    @Test("Whoever has a slot keeps it, however many addresses come")
    func classes() throws {
        let limiter = try Folder().limiter { [clock] in clock.now }
        for number in 0..<48 { #expect(limiter.take(10, from: quotas, of: key(number), at: clock.now).isAllowed) }
        for number in 0..<10_000 { _ = limiter.take(from: quotas, of: address(number), at: clock.now) }
        for number in 0..<48 { #expect(!limiter.take(from: quotas, of: key(number), at: clock.now).isAllowed) }
    }

    @Test("Coming with many others does not make one's own counts forgotten")
    func pressing() throws {
        let limiter = try Folder().limiter { [clock] in clock.now }
        // One that has used its minute up, and others that press upon its set with ever new subjects.
        #expect(limiter.take(10, from: quotas, of: key(0), at: clock.now).isAllowed)
        var allowed = 0
        for round in 1...400 {
            for number in 0..<47 { _ = limiter.take(from: quotas, of: key(round * 47 + number), at: clock.now) }
            if limiter.take(from: quotas, of: key(0), at: clock.now).isAllowed { allowed += 1 }
        }
        #expect(allowed == 0)
    }

    @Test("All together get no more than the slots have, however many subjects they come with")
    func together() throws {
        let limiter = try Folder().limiter { [clock] in clock.now }
        var allowed = 0
        for number in 0..<20_000 where limiter.take(from: quotas, of: address(number % 5_000), at: clock.now).isAllowed
        {
            allowed += 1
        }
        #expect(allowed == 16 * 10)
    }

    @Test("A slot that counts nowhere any more is used again, and without any counts")
    func idle() throws {
        let limiter = try Folder().limiter { [clock] in clock.now }
        for number in 0..<48 {
            #expect(limiter.take(10, from: [.minute(10)], of: key(number), at: clock.now).isAllowed)
        }
        clock.now = clock.now + .seconds(63)
        for number in 100..<148 {
            let verdict = limiter.take(from: quotas, of: key(number), at: clock.now)
            #expect(verdict.standings.map(\.remaining) == [9, 999])
        }
    }

    @Test("A crowd is complained of once a minute")
    func complaint() throws {
        let log = Pipe()
        let limiter = try Folder().limiter(log: Log(descriptor: log.fileHandleForWriting.fileDescriptor)) { [clock] in
            clock.now
        }
        for number in 0..<500 { _ = limiter.take(from: quotas, of: key(number), at: clock.now) }
        clock.now = clock.now + .seconds(61)
        for number in 500..<1_000 { _ = limiter.take(from: quotas, of: key(number), at: clock.now) }
        let lines = String(decoding: log.fileHandleForReading.availableData, as: UTF8.self)
        #expect(lines.split(separator: "\n").count == 2 && lines.contains("HUB_LIMIT_SUBJECTS"))
    }

    @Test("Of 20 000 subjects on half as many slots again each has its own")
    func spread() throws {
        let limiter = try Folder().limiter(subjects: 40_000) { [clock] in clock.now }
        for number in 0..<20_000 { _ = limiter.take(from: quotas, of: key(number), at: clock.now) }
        let alone = (0..<20_000).count {
            limiter.peek(from: quotas, of: key($0), at: clock.now).standings.map(\.remaining) == [9, 999]
        }
        #expect(alone > 19_950)
    }
}
