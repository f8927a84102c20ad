import Foundation
import Glibc
import Synchronization
import Testing
import ThreadKit

@testable import ProcessKit

@Suite("Shared memory")
struct SharedMemoryTests {
    @Test("What one mapping writes another reads")
    func twoMappings() throws {
        let page = try SharedPage(words: 10)
        let other = try SharedPage(inherited: dup(page.descriptor))
        page[9] = 42
        #expect(other[9] == 42 && other.count == 10 && page[0] == 0)
        #expect(other.add(3, to: 9) == 45 && page[9] == 45)
    }

    @Test("A page kept in a file outlives its holders")
    func file() throws {
        let house = try House()
        let path = house.folder.appending(path: "page").path
        try SharedPage(file: path, words: 4)[2] = 7
        #expect(try SharedPage(file: path, words: 2).count == 2)
        #expect(try SharedPage(file: path, words: 4)[2] == 7)
        #expect(throws: ProcessError(.refused, "")) { try SharedPage(file: house.folder.path, words: 4) }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("Counting from many threads loses nothing")
    func counting() throws {
        let heartbeat = try Heartbeat(layout: .init(slots: 1, lanes: 1, counters: 2), supervisor: 1)
        let threads = try (0..<8).map { number in
            try WorkerThread(name: "count \(number)") {
                for _ in 0..<10_000 { heartbeat.counter(1).advance() }
            }
        }
        for thread in threads { #expect(thread.join(before: ContinuousClock.now + .seconds(20))) }
        #expect(heartbeat.counter(1).value == 80_000 && heartbeat.counter(0).value == 0)
    }

    @Test("A descriptor that is no heartbeat page is refused")
    func noPage() throws {
        #expect(throws: ProcessError(.notInherited, "")) { try Heartbeat(inherited: -1) }
        let page = try SharedPage(words: 100)
        #expect(throws: ProcessError(.notInherited, "")) { try Heartbeat(inherited: dup(page.descriptor)) }
        let cut = try SharedPage(words: 100)
        let heartbeat = try Heartbeat(layout: .init(slots: 4, lanes: 4, counters: 4), supervisor: 1)
        for word in 0..<8 { cut[word] = heartbeat.page[word] }
        #expect(throws: ProcessError(.notInherited, "")) { try Heartbeat(inherited: dup(cut.descriptor)) }
    }

    @Test("A slot tells state, requests and last words, and is empty once cleared")
    func slot() throws {
        let heartbeat = try Heartbeat(layout: .init(slots: 3, lanes: 2, counters: 0), supervisor: 1)
        let slot = HeartbeatSlot(heartbeat: heartbeat, number: 1)
        heartbeat.prepare(1, role: "worker", generation: 5, at: .now())
        #expect(slot.pulse.state == .starting && slot.pulse.generation == 5 && slot.pulse.role == "worker")
        heartbeat.prepare(0, role: "überlange Rolle", generation: 5, at: .now())
        #expect(heartbeat.pulse(0).role == "überlan")
        heartbeat.clear(0)
        slot.ready()
        slot.lane(1).began(request: 1 << 100 | 3)
        #expect(slot.pulse.busy.map(\.id) == [1 << 100 | 3] && slot.pulse.busy.first?.lane == 1)
        slot.lane(1).ended()
        slot.leave(lastWords: String(repeating: "ü", count: 200))
        #expect(heartbeat.lastWords(1) == String(repeating: "ü", count: 128))
        #expect(slot.pulse.busy.isEmpty && slot.pulse.served == 1 && heartbeat.pulses().map(\.slot) == [1])
        heartbeat.clear(1)
        #expect(heartbeat.pulses().isEmpty && heartbeat.lastWords(1) == nil)
    }
}

@Suite("Slot limiter", .serialized)
struct SlotLimiterTests {
    @Test("Threads of one process hold no more slots than there are")
    func threads() throws {
        let house = try House()
        let limiter = try SlotLimiter(file: house.folder.appending(path: "limit").path, slots: 2)
        let holders = try Heartbeat(layout: .init(slots: 1, lanes: 1, counters: 3), supervisor: 1)
        let threads = try (0..<6).map { number in
            try WorkerThread(name: "hold \(number)") {
                for _ in 0..<20 {
                    _ = try? limiter.withSlot(deadline: .now() + .seconds(20)) {
                        let now = holders.counter(0).advance()
                        if now > 2 { holders.counter(1).advance() }
                        sched_yield()
                        holders.page.add(.max, to: holders.counter(0).word)
                        holders.counter(2).advance()
                    }
                }
            }
        }
        for thread in threads { #expect(thread.join(before: ContinuousClock.now + .seconds(30))) }
        #expect(holders.counter(1).value == 0 && holders.counter(2).value == 120)
    }

    @Test("Processes share the slots; the deadline is kept, and a killed holder's slot is free at once")
    func processes() throws {
        let house = try House()
        let path = house.folder.appending(path: "limit").path
        let limiter = try SlotLimiter(file: path, slots: 2)
        let holders = try (0..<2).map { _ in try hold(path, in: house) }
        let began = Date.now
        #expect(throws: SlotLimiter.Busy()) { try limiter.withSlot(deadline: .now() + .milliseconds(100)) {} }
        #expect((0.09...5).contains(Date.now.timeIntervalSince(began)))
        kill(holders[0].processIdentifier, SIGKILL)
        #expect(try limiter.withSlot(deadline: .now() + .seconds(10)) { 7 } == 7)
    }

    private func hold(_ path: String, in house: House) throws -> Process {
        let output = Pipe()
        let process = try house.run(House.fixture, ["limit", path, "2"], input: Pipe(), output: output)
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "held\n")
        return process
    }

    private final class Counts: Sendable {
        let served = Atomic<Int>(0)
        let refused = Atomic<Int>(0)
    }

    @Test("Who would be one too many to wait is turned away at once, and the others wait on")
    func waiters() throws {
        let house = try House()
        let limiter = try SlotLimiter(file: house.folder.appending(path: "limit").path, slots: 1, waiters: 2)
        let counts = Counts()
        let threads = try limiter.withSlot(deadline: .now()) {
            let threads = try (0..<8).map { number in
                try WorkerThread(name: "wait \(number)") {
                    do {
                        try limiter.withSlot(deadline: .now() + .seconds(20)) {
                            _ = counts.served.add(1, ordering: .relaxed)
                        }
                    } catch {
                        counts.refused.add(1, ordering: .relaxed)
                    }
                }
            }
            let end = Date.now + 10
            while counts.refused.load(ordering: .relaxed) < 6, Date.now < end { usleep(1_000) }
            #expect(counts.refused.load(ordering: .relaxed) == 6 && counts.served.load(ordering: .relaxed) == 0)
            return threads
        }
        for thread in threads { #expect(thread.join(before: ContinuousClock.now + .seconds(20))) }
        #expect(counts.refused.load(ordering: .relaxed) == 6 && counts.served.load(ordering: .relaxed) == 2)
    }

    @Test("A limiter has between 1 and 64 slots", arguments: [0, -1, 65])
    func bounds(slots: Int) {
        #expect(throws: ProcessError(.badSetting, "")) { try SlotLimiter(file: "/tmp/never", slots: slots) }
    }
}
