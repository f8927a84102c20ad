import Glibc

/// A value that one thread at a time may touch, behind a mutex of POSIX.
///
/// Not `Synchronization.Mutex`: on Linux ThreadSanitizer does not see that lock and reports a race for all that stands
/// behind it, so that a real race would drown. Where nothing but a number is shared, an `Atomic` is simpler.
///
/// Where only the turn counts, the value is a `Bool` that nobody looks at: `Void` has no bytes, and ThreadSanitizer takes
/// what stands at its address for it.
///
/// Sendable although the compiler cannot see it: `value` is touched by ``withLock(_:)`` alone, while `mutex` is held.
@safe
public final class Lock<Value: ~Copyable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    /// A lock around a value, which nobody else may hold on to.
    public init(_ value: consuming sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Lends the value to a closure while no other thread has it. Not to be called again from inside the closure.
    public func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
