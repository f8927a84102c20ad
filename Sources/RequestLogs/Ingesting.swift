import CipherKit
import DatabaseKit
import Domain
import LogKit
import SpoolKit
import Synchronization
import ThreadKit
import TimeKit

/// Takes what the processes of this host have written into the database, for as long as it runs.
///
/// Any number of processes may do it on a host; each file is in the hands of one. What keeps a request from being lost or
/// taken in twice is not that, but the database: the place up to which a file was read is moved on in the transaction of the
/// rows, and only from where it was.
public final class Ingesting: Sendable {
    private let reader: Lock<SpoolReader>
    private let log: Log
    private let stopping = Atomic(false)
    private let thread = Lock<WorkerThread?>(nil)

    /// How long it rests when everything is taken in.
    private static let rest = Duration.milliseconds(200)
    /// How long it rests when the database is away.
    private static let patience = Duration.seconds(1)

    /// Of a host's spool into the room's database.
    public init(_ spool: RequestSpool, into room: RequestLogs) {
        log = room.log
        reader = Lock(SpoolReader(spool, room))
    }

    /// Starts its thread and returns.
    ///
    /// - Throws: `ThreadError` when there is no room for a thread.
    public func start() throws {
        let started = try WorkerThread(name: "request log") { self.run() }
        thread.withLock { $0 = started }
    }

    /// Asks it to leave after the batch in hand; ``wait()`` tells when it has.
    public func stop() { stopping.store(true, ordering: .releasing) }

    /// Returns when the thread has ended.
    public func wait() {
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        started?.join()
    }

    /// Takes one batch in, and tells whether there is more.
    ///
    /// - Throws: `DatabaseError` when the database is away.
    @discardableResult
    public func runOnce() throws -> Bool {
        try reader.withLock { reader in try reader.pass() }
    }

    private func run() {
        var isAway = false
        while !stopping.load(ordering: .acquiring) {
            do {
                let isMore = try runOnce()
                if isAway { log.info("the request log goes on") }
                isAway = false
                if !isMore { rest(Self.rest) }
            } catch {
                // Said once for each time that it is away, however long that lasts.
                if !isAway {
                    log.warning(
                        "the request log waits in its files",
                        ["error": .init((error as? DatabaseError)?.description ?? "\(type(of: error))")])
                }
                isAway = true
                rest(Self.patience)
            }
        }
    }

    private func rest(_ duration: Duration) {
        let end = ContinuousClock.now + duration
        while !stopping.load(ordering: .acquiring), .now < end { WorkerThread.rest(for: .milliseconds(50)) }
    }
}
