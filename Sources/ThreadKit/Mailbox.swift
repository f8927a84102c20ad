import Glibc

/// What one thread leaves for another, which waits for it.
///
/// Sendable although the compiler cannot see it: `waiting` and `closed` are touched only while `mutex` is held.
@safe
public final class Mailbox<Element: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let arrival: UnsafeMutablePointer<pthread_cond_t>
    private var waiting: [Element] = []
    private var closed = false

    /// An empty mailbox.
    public init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe arrival = .allocate(capacity: 1)
        unsafe arrival.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        // The wall clock may be set; a wait may not grow with it.
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(arrival, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(arrival)
        unsafe arrival.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// How many things wait.
    public var count: Int {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return waiting.count
    }

    /// Whether nothing more is to be waited for.
    public var isClosed: Bool {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return closed
    }

    /// Leaves something.
    public func put(_ element: Element) { put(contentsOf: CollectionOfOne(element)) }

    /// Leaves several things, in order.
    public func put(contentsOf elements: some Collection<Element>) {
        guard !elements.isEmpty else { return }
        unsafe pthread_mutex_lock(mutex)
        waiting.append(contentsOf: elements)
        unsafe pthread_cond_signal(arrival)
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Takes what is there, at most so many, the oldest first; waits for something no longer than this, and not at all
    /// once it is closed.
    public func take(atMost limit: Int = .max, waiting wait: Duration = .zero) -> [Element] {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        if waiting.isEmpty, !closed, wait > .zero {
            var end = Self.moment(after: wait)
            while waiting.isEmpty, !closed, unsafe pthread_cond_timedwait(arrival, mutex, &end) == 0 {}
        }
        let taken = Array(waiting.prefix(limit))
        waiting.removeFirst(taken.count)
        return taken
    }

    /// Lets nobody wait any more; what is there may still be taken.
    public func close() {
        unsafe pthread_mutex_lock(mutex)
        closed = true
        unsafe pthread_cond_broadcast(arrival)
        unsafe pthread_mutex_unlock(mutex)
    }

    private static func moment(after wait: Duration) -> timespec {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let (seconds, attoseconds) = wait.components
        let nanoseconds = now.tv_nsec + Int(attoseconds / 1_000_000_000)
        return timespec(
            tv_sec: now.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    }
}
