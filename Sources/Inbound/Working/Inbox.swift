import DatabaseKit
import Domain
import LogKit
import Synchronization
import ThreadKit
import TimeKit

/// Publishes what came in, for as long as it runs.
///
/// Any number of them on any number of hosts may run: what one works on it has claimed by a lease, and what it held when it
/// died is due again once that ends.
public final class Inbox: Sendable {
    private let room: Inbound
    private let rest: @Sendable (Duration) -> Void
    private let ring: @Sendable () -> Void
    private let isStopping = Atomic(false)
    private let thread = Lock<WorkerThread?>(nil)

    /// How long nothing is looked for while nobody rings.
    private static let look = Duration.milliseconds(500)

    /// An inbox.
    ///
    /// - Parameters:
    ///   - rest: waits until somebody rings, or this long.
    ///   - ring: ends that wait, from any thread.
    public init(_ room: Inbound, rest: @escaping @Sendable (Duration) -> Void, ring: @escaping @Sendable () -> Void) {
        self.room = room
        self.rest = rest
        self.ring = ring
    }

    /// Starts its thread and returns.
    ///
    /// - Throws: ``ThreadError``.
    public func start() throws {
        let started = try WorkerThread(name: "inbox") { self.run() }
        thread.withLock { $0 = started }
    }

    /// Claims nothing more; ``wait()`` tells when what it has at hand is done.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        ring()
    }

    /// Returns when its thread has ended.
    public func wait() {
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
    }

    private func run() {
        let working = Working(room)
        while !isStopping.load(ordering: .acquiring) {
            do {
                // As many as one claim takes: there may be more.
                if try working.run() < Working.batch { rest(Self.look) }
            } catch {
                room.log.warning("what came in cannot be published", ["error": .init(String(reflecting: error))])
                rest(.seconds(1))
            }
        }
    }
}
