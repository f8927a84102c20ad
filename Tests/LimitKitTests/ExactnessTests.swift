import Foundation
import Glibc
import LogKit
import Testing
import ThreadKit
import TimeKit

@testable import LimitKit

@Suite("Many processes", .serialized)
struct ExactnessTests {
    private static let limit = 1_000

    /// The moments of all units that were handed out, in order.
    private func moments(_ path: String) throws -> [Int64] {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        return stride(from: 0, to: bytes.count - 7, by: 8).map { first in
            (0..<8).reduce(Int64(0)) { $0 | Int64(bytes[first + $1]) << Int64($1 * 8) }
        }.sorted()
    }

    /// The fullest window of a minute.
    private func fullest(_ moments: [Int64]) -> Int {
        var (first, most) = (0, 0)
        for (last, moment) in moments.enumerated() {
            while moments[first] <= moment - 60_000_000 { first += 1 }
            most = max(most, last - first + 1)
        }
        return most
    }

    @Test("Four processes of 32 threads never get more than the limit in any window, and get all of it")
    func exact() throws {
        let folder = try Folder()
        let outputs = (0..<4).map { _ in Pipe() }
        let processes = try outputs.map {
            try folder.start("hammer", folder["limits"], "\(Self.limit)", "32", "6", "50000", folder["out"], output: $0)
        }
        let tried = outputs.reduce(0) { sum, pipe in
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            return sum + (Int(text.trimmingCharacters(in: .newlines)) ?? 0)
        }
        for process in processes { process.waitUntilExit() }
        let moments = try moments(folder["out"])
        #expect(tried >= 200_000 && fullest(moments) == Self.limit)
        // Six seconds are six minutes of its clock; a bucket that counts in full till its last unit has left costs a 61st.
        let minutes = Int((moments.last ?? 0) - (moments.first ?? 0)) / 60_000_000
        #expect(
            minutes >= 4 && moments.count * 10 >= minutes * Self.limit * 9, "\(moments.count) in \(minutes) minutes")
    }

    @Test("Processes killed in the middle leave counts that hold, and nobody waits for them")
    func killed() throws {
        let folder = try Folder()
        var chance = SystemRandomNumberGenerator()
        let end = ContinuousClock.now + .seconds(8)
        var running: [Process] = []
        var kills = 0
        while ContinuousClock.now < end {
            while running.count < 4 {
                running.append(
                    try folder.start(
                        "hammer", folder["limits"], "\(Self.limit)", "16", "60", "0", folder["out"],
                        output: FileHandle.nullDevice))
            }
            usleep(.random(in: 1_000...150_000, using: &chance))
            let victim = running.remove(at: .random(in: 0..<4, using: &chance))
            kill(victim.processIdentifier, SIGKILL)
            victim.waitUntilExit()
            kills += 1
        }
        for process in running {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let moments = try moments(folder["out"])
        #expect(kills >= 10 && fullest(moments) <= Self.limit)
        // What a killed thread had counted and not yet written down is at most one unit each.
        let minutes = Int((moments.last ?? 0) - (moments.first ?? 0)) / 60_000_000
        #expect(
            minutes >= 3 && (moments.count + kills * 16) * 10 >= minutes * Self.limit * 9,
            "\(moments.count) in \(minutes)")
    }

    @Test("A holder that ends inside leaves a lock that the next one gets, and counts that are added up anew")
    func endedInside() throws {
        let folder = try Folder()
        let limiter = try folder.limiter()
        let subject = LimitSubject("key", [1])
        let now = Timestamp(seconds: 1_700_000_000)
        #expect(limiter.take(2, from: [.minute(10)], of: subject, at: now).isAllowed)
        let holder = try WorkerThread(name: "ends inside") {
            let set = limiter.layout.set(0, limiter.file.words)
            _ = set.mutex.take(within: .seconds(1))
            // As if it were killed between the bucket and the sum.
            for way in 0..<LimitSet.ways { set.slot(way).admitted(.minute).total += 7 }
        }
        holder.join()
        #expect(limiter.peek(from: [.minute(10)], of: subject, at: now).standings[0].remaining == 8)
    }

    @Test("A holder that is stopped refuses for others; nobody is let in on counts that cannot be read")
    func stopped() throws {
        let limiter = try Folder().limiter()
        let set = limiter.layout.set(0, limiter.file.words)
        _ = set.mutex.take(within: .seconds(1))
        let asking = Lock<LimitVerdict?>(nil)
        let other = try WorkerThread(name: "asks") {
            let verdict = limiter.take(from: [.minute(1)], of: LimitSubject("key", [1]), at: .now())
            asking.withLock { $0 = verdict }
        }
        other.join()
        set.mutex.release()
        let verdict = try #require(asking.withLock { $0 })
        #expect(!verdict.isAllowed && verdict.retryAfter == .seconds(1))
        #expect(limiter.take(from: [.minute(1)], of: LimitSubject("key", [1]), at: .now()).isAllowed)
    }

    @Test("One process of a host ticks, and another follows within two seconds when it is killed")
    func ticking() throws {
        let folder = try Folder()
        let made = unsafe mkfifo(folder["ticks"], 0o600)
        #expect(made == 0)
        let ticks = try #require(FileHandle(forUpdatingAtPath: folder["ticks"]))
        let processes = try (0..<3).map { _ in
            try folder.start(
                "tick", folder["ticker"], folder["ticks"], input: Pipe(), output: FileHandle.nullDevice)
        }
        var text = ""
        func next() -> Int32? {
            while true {
                if let end = text.firstIndex(of: "\n") {
                    defer { text = String(text[text.index(after: end)...]) }
                    return Int32(text[..<end])
                }
                text += String(decoding: ticks.availableData, as: UTF8.self)
            }
        }
        let first = try #require(next())
        for _ in 0..<2 { #expect(next() == first) }
        kill(first, SIGKILL)
        let killed = ContinuousClock.now
        var second = next()
        while second == first { second = next() }
        #expect(ContinuousClock.now - killed < .seconds(2))
        #expect(processes.contains { $0.processIdentifier == second } && next() == second)
    }
}
