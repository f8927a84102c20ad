import Glibc
import Testing
import ThreadKit

@Test("Eight threads that count behind a lock lose no count")
func counting() throws {
    let count = Lock(0)
    let threads = try (0..<8).map { number in
        try WorkerThread(name: "count \(number)") {
            for _ in 0..<10_000 { count.withLock { $0 += 1 } }
        }
    }
    for thread in threads { thread.join() }
    #expect(count.withLock { $0 } == 80_000)
}

@Test("An error thrown behind a lock lets go of it")
func throwing() {
    struct Stop: Error, Equatable {}
    let lock = Lock("kept")
    #expect(throws: Stop()) { try lock.withLock { _ throws(Stop) in throw Stop() } }
    #expect(lock.withLock { $0 } == "kept")
}

@Test("Waiting for a thread ends at the deadline")
func waiting() throws {
    let gate = Lock(())
    let thread = try gate.withLock { _ in
        let thread = try WorkerThread(name: "late") { gate.withLock { _ in } }
        #expect(!thread.join(before: .now + .milliseconds(20)))
        return thread
    }
    thread.join()
    #expect(thread.isOver)
}

@Test(
    "A thread interrupts whoever wakes it unless it was made to wait",
    arguments: [(WorkerThread.Scheduling.normal, Int32(0)), (.batch, 3)])
func scheduling(_ scheduling: WorkerThread.Scheduling, policy: Int32) throws {
    let seen = Lock<Int32>(-1)
    let thread = try WorkerThread(name: "turn", scheduling: scheduling) {
        seen.withLock { $0 = sched_getscheduler(0) }
    }
    thread.join()
    #expect(seen.withLock { $0 } == policy)
}
