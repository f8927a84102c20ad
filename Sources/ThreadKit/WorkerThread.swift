internal import CLinux
import Glibc
import Synchronization

/// A thread of its own with a small stack, for a lane.
///
/// It takes no asynchronous signal: those are the main thread's. A thread nobody joins is left to itself.
public final class WorkerThread: Sendable {
    private let thread: pthread_t
    private let life: Life
    private let joined = Atomic<Bool>(false)

    /// When a thread that is woken gets its turn (sched(7)).
    public enum Scheduling: Sendable {
        /// At once, interrupting another if it has waited long enough.
        case normal
        /// Once whoever wakes it has done what it is at, `SCHED_BATCH`; its share of the processor is the same.
        case batch
    }

    /// What thread and handle both know.
    private final class Life: Sendable {
        let name: String
        let scheduling: Scheduling
        let body: @Sendable () -> Void
        let isOver = Atomic<Bool>(false)

        init(name: String, scheduling: Scheduling, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.scheduling = scheduling
            self.body = body
        }
    }

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: shown by `ps -L` and debuggers; the kernel keeps 15 bytes.
    ///   - stackSize: bytes, at least 64 KiB; 512 KiB unless told otherwise.
    ///   - scheduling: when it gets its turn; where the system forbids another it is normal.
    /// - Throws: ``ThreadError`` when the kernel has no room for another thread.
    public init(
        name: String, stackSize: Int = 512 * 1_024, scheduling: Scheduling = .normal,
        _ body: @escaping @Sendable () -> Void
    ) throws(ThreadError) {
        life = Life(name: name, scheduling: scheduling, body: body)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, max(stackSize, 64 * 1_024))
        // A thread inherits the mask of who starts it.
        var blocked = Self.asynchronousSignals
        var before = sigset_t()
        unsafe pthread_sigmask(SIG_SETMASK, &blocked, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        let kept = unsafe Unmanaged.passRetained(life)
        var started: pthread_t = 0
        let problem = unsafe pthread_create(&started, &attributes, { unsafe threadBody($0) }, kept.toOpaque())
        guard problem == 0 else {
            unsafe kept.release()
            throw ThreadError(name: name, number: problem)
        }
        thread = started
    }

    deinit {
        if !joined.load(ordering: .acquiring) { pthread_detach(thread) }
    }

    /// Whether its body has returned.
    public var isOver: Bool { life.isOver.load(ordering: .acquiring) }

    /// Lets the calling thread rest.
    public static func rest(_ duration: Duration) {
        let (seconds, attoseconds) = max(duration, .zero).components
        var pause = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        unsafe nanosleep(&pause, nil)
    }

    /// Waits for the thread's end, no longer than until the deadline, and tells whether it came.
    @discardableResult
    public func join(before deadline: ContinuousClock.Instant) -> Bool {
        while !isOver {
            guard ContinuousClock.now < deadline else { return false }
            Self.rest(for: .milliseconds(5))
        }
        join()
        return true
    }

    /// Waits for the thread's end, however long it takes.
    public func join() {
        if !joined.exchange(true, ordering: .acquiringAndReleasing) { pthread_join(thread, nil) }
    }

    /// Lets the calling thread rest so long at most: between two looks at what another host is doing, say.
    public static func rest(for duration: Duration) {
        let (seconds, attoseconds) = max(.zero, duration).components
        var pause = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        unsafe nanosleep(&pause, nil)
    }

    /// Every signal but those by which a fault of this very thread is told: they must reach the backtrace.
    private static var asynchronousSignals: sigset_t {
        var set = sigset_t()
        unsafe sigfillset(&set)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { unsafe sigdelset(&set, fault) }
        return set
    }

    /// Where each thread begins: a function elsewhere than in `main.swift`, so that no actor's isolation is expected.
    fileprivate static func live(_ opaque: UnsafeMutableRawPointer) {
        let life = unsafe Unmanaged<Life>.fromOpaque(opaque).takeRetainedValue()
        unsafe c_name_thread(life.name)
        if life.scheduling == .batch { c_schedule_as_batch() }
        life.body()
        life.isOver.store(true, ordering: .releasing)
    }
}

/// A C function cannot be a method.
private func threadBody(_ opaque: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let opaque = unsafe opaque { unsafe WorkerThread.live(opaque) }
    return nil
}

/// The kernel has no room for another thread.
public struct ThreadError: Error, CustomStringConvertible {
    let name: String
    let number: Int32

    /// One sentence.
    public var description: String { "cannot start the thread \(name): \(unsafe String(cString: strerror(number)))" }
}
