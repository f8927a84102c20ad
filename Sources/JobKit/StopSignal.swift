import Glibc
import Synchronization

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
