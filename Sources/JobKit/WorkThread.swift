import Glibc
import Synchronization

/// A thread that runs a closure to its end; signals go to other threads.
final class WorkThread: Sendable {
    private let thread: pthread_t

    /// Starts the thread; nil when the system has none to give.
    init?(_ body: @escaping @Sendable () -> Void) {
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        var all = sigset_t()
        var before = sigset_t()
        var made = pthread_t()
        // A new thread inherits the mask of its maker.
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        let result = unsafe pthread_create(&made, nil, runBody, context)
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard result == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            return nil
        }
        thread = made
    }

    /// Waits for the closure's end; call it once.
    func join() {
        pthread_join(thread, nil)
    }

    fileprivate final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

private func runBody(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context = unsafe context { unsafe Unmanaged<WorkThread.Body>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}

/// Tells any number of sleeping threads to stop; once raised it stays raised.
final class StopSignal: Sendable {
    private let raised = Atomic(false)
    private let sleeping: Int32
    private let waking: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        // Without descriptors the threads sleep their full time, and stop no less surely.
        _ = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        sleeping = ends[0]
        waking = ends[1]
    }

    deinit {
        _ = close(sleeping)
        _ = close(waking)
    }

    var isRaised: Bool { raised.load(ordering: .acquiring) }

    func raise() {
        raised.store(true, ordering: .releasing)
        _ = shutdown(waking, Int32(SHUT_RDWR))
    }

    /// Sleeps this long, or until the signal is raised.
    func sleep(for duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var poll = pollfd(fd: sleeping, events: Int16(POLLIN), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
    }
}
