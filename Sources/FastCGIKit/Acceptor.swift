internal import CFastCGI
import Synchronization
import ThreadKit

#if canImport(Glibc)
import Glibc
#endif

/// Hands the connections of a listening socket to the lanes of one worker, one lane waiting at a time.
///
/// One waiting lane a process means that a new connection wakes as many threads as there are workers, not lanes. A lane
/// that waits leaves at once when the worker drains, without a signal, which would cut short other lanes' reads.
public final class Acceptor: Sendable {
    private let listening: Int32
    private let drain: (reading: Int32, writing: Int32)
    private let waiter: Int32
    /// Whose turn it is to wait; the value counts for nothing.
    private let turn = Lock(false)
    private let draining = Atomic<Bool>(false)

    /// Waits on a listening socket that is set not to block.
    public init(listening: Int32) {
        self.listening = listening
        var ends: [Int32] = [-1, -1]
        unsafe pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        drain = (ends[0], ends[1])
        waiter = c_fcgi_waiter(listening, drain.reading)
    }

    deinit {
        close(waiter)
        close(drain.reading)
        close(drain.writing)
    }

    /// Tells every lane that waits, now or later, to leave.
    public func beginDraining() {
        draining.store(true, ordering: .releasing)
        var byte: UInt8 = 1
        unsafe write(drain.writing, &byte, 1)
    }

    /// Whether ``beginDraining()`` was called.
    public var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// The next connection, or nil once the worker drains.
    func next() -> Int32? {
        turn.withLock { _ in
            while !isDraining {
                let connection = accept(listening, nil, nil)
                if connection >= 0 { return connection }
                if errno == EMFILE || errno == ENFILE { usleep(10_000) }
                c_fcgi_wait(waiter)
            }
            return nil
        }
    }
}
