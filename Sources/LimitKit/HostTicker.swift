import LogKit
import Synchronization
import ThreadKit

/// Does something once a second in one process of a host, however many there are.
///
/// The process that does it holds a lock in a mapped file, and the kernel passes the lock on when that process ends in
/// whatever way, so another follows within an interval. A lock rather than a lease: a slow database makes one process wait
/// and does not call up the next. What is done should bear being cut off and being done twice.
public final class HostTicker: Sendable {
    private let file: MappedFile
    private let interval: Duration
    private let isStopping = Atomic<Bool>(false)
    private let isHolder = Atomic<Bool>(false)
    private let body: @Sendable (_ isFirst: Bool) -> Void
    private let thread = Lock<WorkerThread?>(nil)

    private static let mark: UInt64 = 0x6875_6274_6963_6b31

    /// A ticker on a file of its own, which is made when missing; it rests until ``start()``.
    ///
    /// - Parameters:
    ///   - path: one file for each thing that is done.
    ///   - interval: the time between two beginnings; what takes longer is followed at once.
    ///   - body: what is done, on a thread of its own; told whether it is this process's first time.
    /// - Throws: ``LimitError`` when the file cannot be had.
    public init(
        file path: String, every interval: Duration = .seconds(1), log: Log,
        _ body: @escaping @Sendable (_ isFirst: Bool) -> Void
    ) throws(LimitError) {
        file = try MappedFile(
            path: path,
            shape: .init(
                words: 8 + RobustMutex.words, isKnown: { $0[0] == Self.mark }, begin: { $0[0] = Self.mark },
                mend: { Self.mutex($0).make() }), log: log)
        self.interval = interval
        self.body = body
    }

    private static func mutex(_ words: MappedFile.Words) -> RobustMutex { unsafe RobustMutex(at: words.base + 8) }

    /// Whether this process is the one.
    public var isClaimed: Bool { isHolder.load(ordering: .acquiring) }

    /// Begins; to be called once.
    ///
    /// - Throws: `ThreadError` when the kernel has no room for another thread.
    public func start() throws(ThreadError) {
        let started = try WorkerThread(name: "host ticker") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Ends after what is being done, if it is done before the deadline.
    public func stop(before deadline: ContinuousClock.Instant) {
        isStopping.store(true, ordering: .releasing)
        let running = thread.withLock { running -> WorkerThread? in
            defer { running = nil }
            return running
        }
        running?.join(before: deadline)
    }

    private func run() {
        let mutex = Self.mutex(file.words)
        var isFirst = true
        while !isStopping.load(ordering: .acquiring) {
            let begun = ContinuousClock.now
            if isClaimed || claim(mutex) {
                body(isFirst)
                isFirst = false
            }
            rest(until: begun + interval)
        }
        guard isClaimed else { return }
        isHolder.store(false, ordering: .releasing)
        mutex.release()
    }

    private func claim(_ mutex: RobustMutex) -> Bool {
        if case .busy = mutex.takeIfFree() { return false }
        isHolder.store(true, ordering: .releasing)
        return true
    }

    /// Rests in short pieces, so that it can be stopped.
    private func rest(until next: ContinuousClock.Instant) {
        while !isStopping.load(ordering: .acquiring) {
            let left = next - ContinuousClock.now
            guard left > .zero else { return }
            WorkerThread.rest(for: min(left, .milliseconds(100)))
        }
    }
}
