import Glibc

/// Signals that are blocked and taken one at a time, so that no code ever runs inside a handler.
///
/// > The signals in set should be blocked in the calling thread (usually they are blocked in all threads) prior to
/// > calling sigwaitinfo().     sigwaitinfo(2)
struct Signals {
    let numbers: [Int32]

    /// Blocks these in the calling thread and in those it will start, and forgets whatever was said to ignore them.
    init(blocking numbers: [Int32]) {
        self.numbers = numbers
        var set = set
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        for number in numbers { signal(number, SIG_DFL) }
    }

    /// The next signal, or nil when none came within this time.
    func next(within duration: Duration) -> Int32? {
        var set = set
        let (seconds, attoseconds) = duration.components
        var limit = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        let number = unsafe sigtimedwait(&set, nil, &limit)
        return number > 0 ? number : nil
    }

    private var set: sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        return set
    }
}
