import Foundation
import Glibc
import LogKit
import Testing
import TimeKit

@testable import LimitKit

@Suite("The file of counts")
struct FileTests {
    private let now = Timestamp(seconds: 1_700_000_000)

    private func taken(_ limiter: Limiter) -> Bool {
        !limiter.take(from: [.day(1)], of: LimitSubject("key", [1]), at: now).isAllowed
    }

    @Test("Counts outlive every process, and two that have the file see the same")
    func kept() throws {
        let folder = try Folder()
        #expect(try !taken(folder.limiter()))
        let (one, two) = (try folder.limiter(), try folder.limiter())
        #expect(taken(one) && taken(two) && one.host == two.host)
        let mode = try FileManager.default.attributesOfItem(atPath: folder["limits"])[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test(
        "A file that is damaged, cut or of another shape is begun anew, with a line of log",
        arguments: ["damaged", "cut", "text", "larger", "seed"])
    func begunAnew(damage: String) throws {
        let folder = try Folder()
        #expect(try !taken(folder.limiter()))
        #expect(try taken(folder.limiter()))
        var bytes = try Data(contentsOf: URL(filePath: folder["limits"]))
        switch damage {
        case "damaged": bytes[0] ^= 1
        case "cut": bytes = bytes.prefix(5_000)
        case "text": bytes = Data("not ours".utf8)
        case "larger": bytes += Data(count: 8)
        default: bytes[24] ^= 1
        }
        try bytes.write(to: URL(filePath: folder["limits"]))
        let log = Pipe()
        let limiter = try folder.limiter(log: Log(descriptor: log.fileHandleForWriting.fileDescriptor))
        #expect(!taken(limiter) && taken(limiter))
        let line = String(decoding: log.fileHandleForReading.availableData, as: UTF8.self)
        #expect(line.contains("limits are counted anew"))
    }

    @Test(
        "Whatever stands in the slots, nothing is let through beyond the limit and nothing falls over", arguments: 1...4
    )
    func noise(seed: UInt64) throws {
        var chance = Chance(seed)
        let folder = try Folder()
        var bytes: Data
        do {
            _ = taken(try folder.limiter())
            bytes = try Data(contentsOf: URL(filePath: folder["limits"]))
        }
        for index in 4_096..<bytes.count { bytes[index] = UInt8.random(in: 0...255, using: &chance) }
        try bytes.write(to: URL(filePath: folder["limits"]))
        let limiter = try folder.limiter { now }
        var allowed = 0
        for number in 0..<3_000 {
            let subject = number % 2 == 0 ? LimitSubject("key", [1]) : LimitSubject(address: "1.2.3.4", for: "x")
            let later = now + .seconds(Int64(number))
            if limiter.take(from: [.minute(5), .day(100)], of: subject, at: later).isAllowed { allowed += 1 }
        }
        #expect(allowed <= 200)
        _ = limiter.reports(atMost: 1_000, at: now)
    }

    @Test("Another layout takes the name while the old file is in use, and cuts nobody's")
    func inUse() throws {
        let folder = try Folder()
        let old = try folder.limiter()
        #expect(!taken(old))
        let new = try folder.limiter(subjects: 1_000)
        #expect(new.capacity == 1_024 && old.capacity == 64)
        #expect(!taken(new) && taken(new) && taken(old))
        #expect(try folder.limiter(subjects: 1_000).host == new.host)
    }

    @Test("A file that cannot be had is said so")
    func refused() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(atPath: folder["limits"], withIntermediateDirectories: false)
        #expect(throws: LimitError(.refused, "")) { try folder.limiter() }
        #expect(throws: LimitError(.refused, "")) { try folder.limiter("missing/limits") }
        try FileManager.default.createSymbolicLink(atPath: folder["link"], withDestinationPath: folder["target"])
        #expect(throws: LimitError(.refused, "")) { try folder.limiter("link") }
    }
}
