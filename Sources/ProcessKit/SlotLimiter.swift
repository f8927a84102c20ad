import Glibc
import Synchronization
import ThreadKit

/// Lets at most so many holders in at a time, counted over all processes and threads of a host.
///
/// Each slot is one byte of a file under a record lock. The kernel drops a process's locks when it ends in whatever way,
/// so a crash frees its slots. Within a process a bit per slot counts the threads, since record locks do not.
///
/// > As well as being removed by an explicit F_UNLCK, record locks are automatically released when the process
/// > terminates. If a process closes any file descriptor referring to a file, then all of the process's locks on that
/// > file are released.     fcntl_locking(2)
///
/// Hence: one limiter per file and process, and nobody else opens that file.
public final class SlotLimiter: Sendable {
    /// No slot came free before the deadline, or too many waited for one already.
    public struct Busy: Error, Equatable, CustomStringConvertible {
        /// One sentence.
        public var description: String { "all slots are taken" }
    }

    private let descriptor: Int32
    private let slots: Int
    private let waiters: Int
    private let held = Lock<UInt64>(0)
    private let waiting = Atomic<Int>(0)

    /// A limiter of 1 to 64 slots on a file, which is created empty with mode 0600 when missing.
    ///
    /// - Parameter waiters: how many threads of this process may wait for a slot at a time; whoever comes beyond them is
    ///   turned away at once.
    public init(file path: String, slots: Int, waiters: Int = .max) throws(ProcessError) {
        guard (1...64).contains(slots) else {
            throw ProcessError(.badSetting, "a limiter has 1 to 64 slots, not \(slots)")
        }
        descriptor = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .kernel("cannot open the limiter's file \(path)", errno) }
        self.slots = slots
        self.waiters = waiters
    }

    deinit { close(descriptor) }

    /// Runs a closure while holding a slot; waits for one no longer than until the deadline.
    ///
    /// - Throws: ``Busy`` when all slots stayed taken or too many wait, or what the closure throws.
    public func withSlot<Result>(deadline: MonotonicTime, _ body: () throws -> Result) throws -> Result {
        let slot = try take(before: deadline)
        defer { release(slot) }
        return try body()
    }

    /// Asks again every few milliseconds: a record lock can be awaited with no deadline or not at all.
    private func take(before deadline: MonotonicTime) throws(Busy) -> Int {
        if let slot = takeFree() { return slot }
        let before = waiting.add(1, ordering: .relaxed).oldValue
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard before < waiters else { throw Busy() }
        while true {
            if let slot = takeFree() { return slot }
            guard MonotonicTime.now() < deadline else { throw Busy() }
            var pause = timespec(tv_sec: 0, tv_nsec: 5_000_000)
            unsafe nanosleep(&pause, nil)
        }
    }

    private func takeFree() -> Int? {
        held.withLock { held in
            for slot in 0..<slots where held & (1 << UInt64(slot)) == 0 && lock(slot, F_WRLCK) {
                held |= 1 << UInt64(slot)
                return slot
            }
            return nil
        }
    }

    private func release(_ slot: Int) {
        held.withLock { held in
            _ = lock(slot, F_UNLCK)
            held &= ~(1 << UInt64(slot))
        }
    }

    private func lock(_ slot: Int, _ kind: Int32) -> Bool {
        var record = flock()
        record.l_type = Int16(kind)
        record.l_whence = Int16(SEEK_SET)
        record.l_start = slot
        record.l_len = 1
        return unsafe fcntl(descriptor, F_SETLK, &record) == 0
    }
}
