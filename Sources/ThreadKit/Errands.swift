import Synchronization

/// Something that a thread of its own does each second for as long as the process lives, and once more at the end.
public final class Errands: Sendable {
    private let isEnding = Atomic<Bool>(false)
    private let thread = Lock<WorkerThread?>(nil)

    /// Begins.
    ///
    /// - Parameters:
    ///   - name: as for ``WorkerThread``.
    ///   - run: told whether this is the last time.
    /// - Throws: ``ThreadError`` when the kernel has no room for another thread.
    public init(name: String, _ run: @escaping @Sendable (_ isLast: Bool) -> Void) throws(ThreadError) {
        let started = try WorkerThread(name: name) { [self] in
            while !isEnding.load(ordering: .acquiring) {
                run(false)
                pause()
            }
            run(true)
        }
        thread.withLock { $0 = started }
    }

    /// Has it run a last time, and waits for that, no longer than until the deadline; tells whether it was done by then.
    @discardableResult
    public func finish(before deadline: ContinuousClock.Instant) -> Bool {
        isEnding.store(true, ordering: .releasing)
        return thread.withLock { $0 }?.join(before: deadline) ?? true
    }

    /// A second, or less when the end comes.
    private func pause() {
        for _ in 0..<20 where !isEnding.load(ordering: .acquiring) { WorkerThread.rest(for: .milliseconds(50)) }
    }
}
