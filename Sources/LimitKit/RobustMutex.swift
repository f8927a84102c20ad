import Glibc
import ThreadKit

/// A mutex in shared memory that outlives its holder: who comes after a killed one is told so, and mends what it left.
///
/// > If a mutex is initialized with the PTHREAD_MUTEX_ROBUST attribute and its owner dies without unlocking it, any future
/// > attempts to call pthread_mutex_lock(3) on this mutex will succeed and return EOWNERDEAD to indicate that the
/// > original owner no longer exists and the mutex is in an inconsistent state.     pthread_mutexattr_setrobust(3)
@safe struct RobustMutex {
    /// The room that is kept for one, whatever the machine: 64 bytes.
    static let words = 8

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    /// What became of asking for it.
    enum Outcome {
        /// The caller holds it.
        case taken
        /// The caller holds it, and its last holder was killed inside: what it guards may be half done.
        case inherited
        /// Somebody else holds it.
        case busy
    }

    /// The mutex at a place, made by ``make()`` before.
    init(at place: UnsafeMutablePointer<UInt64>) {
        unsafe precondition(MemoryLayout<pthread_mutex_t>.size <= Self.words * 8, "a mutex has no room in its place")
        unsafe mutex = UnsafeMutableRawPointer(place).assumingMemoryBound(to: pthread_mutex_t.self)
    }

    /// Makes it anew, whatever it was. To be called while nobody can hold it.
    func make() {
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        defer { unsafe pthread_mutexattr_destroy(&attributes) }
        unsafe pthread_mutexattr_setpshared(&attributes, Int32(PTHREAD_PROCESS_SHARED))
        unsafe pthread_mutexattr_setrobust(&attributes, Int32(PTHREAD_MUTEX_ROBUST))
        unsafe pthread_mutex_init(mutex, &attributes)
    }

    /// Takes it if it is free.
    func takeIfFree() -> Outcome { outcome(unsafe pthread_mutex_trylock(mutex)) }

    /// Takes it, waiting for it no longer than so long.
    ///
    /// It asks again and again: it is held for less than a microsecond, unless its holder has lost the processor.
    /// `pthread_mutex_timedlock` would wait by a clock that can be set, and ThreadSanitizer does not see that it was taken
    /// when it says EOWNERDEAD.
    func take(within patience: Duration) -> Outcome {
        let first = takeIfFree()
        guard case .busy = first else { return first }
        let deadline = ContinuousClock.now + patience
        var attempts = 0
        repeat {
            attempts += 1
            if attempts < 32 { sched_yield() } else { WorkerThread.rest(for: .microseconds(min(attempts * 4, 1_000))) }
            let next = takeIfFree()
            guard case .busy = next else { return next }
        } while ContinuousClock.now < deadline
        return .busy
    }

    /// Lets go of it.
    func release() { unsafe pthread_mutex_unlock(mutex) }

    private func outcome(_ status: Int32) -> Outcome {
        switch status {
        case 0: return .taken
        case EOWNERDEAD:
            // From here on it is as any other: what it guards is mended by the caller before anybody sees it.
            unsafe pthread_mutex_consistent(mutex)
            return .inherited
        default: return .busy
        }
    }
}
