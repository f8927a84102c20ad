import Glibc
import ThreadKit

/// Lends a bounded number of connections, the one used last first, so that the rest may fall idle.
///
/// Who comes when all are lent waits in a queue, first come first served, until its deadline. All decisions are made in
/// ``Roster`` under one lock; connecting, pinging and waiting happen outside of it.
final class Pool: Sendable {
    private let roster: Lock<Roster>
    private let url: DatabaseURL
    private let settings: DatabaseSettings

    init(_ url: DatabaseURL, _ settings: DatabaseSettings) {
        self.url = url
        self.settings = settings
        roster = Lock(Roster(limit: max(1, settings.connections)))
    }

    /// A connection that was alive a moment ago; give it back with ``giveBack(_:)``.
    ///
    /// `isFresh` says that it has just been made: an error on it is not the fault of a long rest.
    func borrow(inTransaction: Bool = false) throws(DatabaseError) -> (connection: Connection, isFresh: Bool) {
        let thread: UInt? = inTransaction ? nil : UInt(pthread_self())
        switch try roster.withLock({ roster throws(DatabaseError) in try roster.lend(to: thread) }) {
        case .use(let connection): return try revive(connection)
        case .connect: return (try connect(), true)
        case .wait(let waiter):
            switch try wait(waiter) {
            case .connection(let connection): return try revive(connection)
            case .place: return (try connect(), true)
            }
        }
    }

    /// Takes a connection back; a broken one is closed and its place freed.
    func giveBack(_ connection: Connection) {
        let woken = roster.withLock { roster in
            guard connection.isBroken else { return roster.take(back: connection) }
            roster.losses += 1
            return roster.freePlace()
        }
        woken?.wake()
    }

    /// Runs what this thread does in a transaction; until then it may borrow for that alone.
    func inTransaction<Result>(_ body: () throws -> Result) throws -> Result {
        let thread = UInt(pthread_self())
        try roster.withLock { roster throws(DatabaseError) in try roster.enter(thread) }
        defer { roster.withLock { $0.leave(thread) } }
        return try body()
    }

    /// Replaces a lost connection in the same place.
    func replace(_ connection: Connection) throws(DatabaseError) -> Connection {
        connection.abandon()
        roster.withLock { $0.losses += 1 }
        return try connect()
    }

    /// How many connections are held, lent or idle.
    var count: Int { roster.withLock { $0.held } }

    /// How many connections were lost or refused.
    var losses: Int { roster.withLock { $0.losses } }

    /// From now on what this thread changes is noticed.
    func beginNoticing() {
        let thread = UInt(pthread_self())
        roster.withLock { $0.changes[thread] = false }
    }

    /// Something that this thread sent may stay.
    func noteChange() {
        let thread = UInt(pthread_self())
        roster.withLock { roster in
            if roster.changes[thread] != nil { roster.changes[thread] = true }
        }
    }

    /// Whether anything may stay of what this thread sent.
    func endNoticing() -> Bool {
        let thread = UInt(pthread_self())
        return roster.withLock { $0.changes.removeValue(forKey: thread) ?? false }
    }

    private func revive(_ connection: Connection) throws(DatabaseError) -> (connection: Connection, isFresh: Bool) {
        if connection.isAlive(at: .now) { return (connection, false) }
        roster.withLock { $0.losses += 1 }
        return (try connect(), true)
    }

    /// Makes a connection for a place that is already held, and frees the place when that fails.
    private func connect() throws(DatabaseError) -> Connection {
        do {
            try roster.withLock { roster throws(DatabaseError) in try roster.askRefusal(at: .now) }
            return try Connection(url, settings)
        } catch {
            let woken = roster.withLock { roster in
                roster.remember(error, at: .now, jitter: .random(in: 0.5...1))
                return roster.freePlace()
            }
            woken?.wake()
            throw error
        }
    }

    private func wait(_ waiter: Waiter) throws(DatabaseError) -> Waiter.Grant {
        let isWoken = waiter.wait(atMost: settings.borrowDeadline)
        let grant = roster.withLock { $0.end(of: waiter) }
        guard let grant else {
            throw DatabaseError(.busy, "no connection became free within \(settings.borrowDeadline)")
        }
        // Granted in the very moment the deadline passed: the wake-up is on its way through the sockets.
        if !isWoken { _ = waiter.wait(atMost: .seconds(1)) }
        roster.withLock { $0.keep(waiter) }
        return grant
    }
}

/// Who has what: the pool's decisions as a value, without clock, socket or thread.
struct Roster {
    enum Order {
        case use(Connection)
        case connect
        case wait(Waiter)
    }

    /// Connections lent, idle or being made.
    private(set) var held = 0
    /// Connections lost or refused so far.
    var losses = 0
    /// The threads whose changes are noticed, and whether there was one.
    var changes: [UInt: Bool] = [:]
    private var threadsInTransaction: Set<UInt> = []
    private let limit: Int
    private var idle: [Connection] = []
    private var queue: [Waiter] = []
    private var grants: [ObjectIdentifier: Waiter.Grant] = [:]
    private var spareWaiters: [Waiter] = []
    private var refusal: (error: DatabaseError, until: ContinuousClock.Instant)?

    init(limit: Int) {
        self.limit = limit
    }

    /// Notes that a thread begins a transaction; it may not have one already.
    mutating func enter(_ thread: UInt) throws(DatabaseError) {
        guard threadsInTransaction.insert(thread).inserted else { throw Self.nested }
    }

    /// Notes that a thread's transaction is over.
    mutating func leave(_ thread: UInt) {
        threadsInTransaction.remove(thread)
    }

    /// Decides what a caller gets; the thread is nil when it borrows for the transaction it has entered.
    ///
    /// A thread inside a transaction may not take a second connection: when every thread did so, all would wait for
    /// each other. It is refused at once, so that the mistake shows in the first test and not under load.
    mutating func lend(to thread: UInt?) throws(DatabaseError) -> Order {
        if let thread, threadsInTransaction.contains(thread) { throw Self.nested }
        if let connection = idle.popLast() { return .use(connection) }
        if held < limit {
            held += 1
            return .connect
        }
        guard let waiter = spareWaiters.popLast() ?? Waiter() else {
            throw DatabaseError(.busy, "no descriptor is left to wait with")
        }
        queue.append(waiter)
        return .wait(waiter)
    }

    /// Passes a connection on to the first who waits, or keeps it; whoever is returned must be woken.
    mutating func take(back connection: Connection) -> Waiter? {
        if let waiter = grantFirst(.connection(connection)) { return waiter }
        idle.append(connection)
        return nil
    }

    /// Passes the right to connect on to the first who waits, or gives it up; whoever is returned must be woken.
    mutating func freePlace() -> Waiter? {
        if let waiter = grantFirst(.place) { return waiter }
        held -= 1
        return nil
    }

    /// What was granted to a waiter, who waits no longer; nil when nothing was.
    mutating func end(of waiter: Waiter) -> Waiter.Grant? {
        if let grant = grants.removeValue(forKey: ObjectIdentifier(waiter)) { return grant }
        queue.removeAll { $0 === waiter }
        return nil
    }

    /// Keeps a waiter for the next who has to wait.
    mutating func keep(_ waiter: Waiter) {
        spareWaiters.append(waiter)
    }

    /// Throws the last refusal while it is fresh.
    ///
    /// After the server has refused, all who come within a moment are told so at once: a server that is starting is not
    /// stormed, and nobody queues for an answer that is known.
    mutating func askRefusal(at now: ContinuousClock.Instant) throws(DatabaseError) {
        guard let refusal, now < refusal.until else { return }
        throw refusal.error
    }

    /// Remembers that the server refused, for at most a fifth of a second.
    mutating func remember(_ error: DatabaseError, at now: ContinuousClock.Instant, jitter: Double) {
        losses += 1
        if let refusal, now < refusal.until { return }
        refusal = (error, now + .milliseconds(200) * jitter)
    }

    private static var nested: DatabaseError {
        DatabaseError(.other, "the database was used inside a transaction; use the transaction itself")
    }

    private mutating func grantFirst(_ grant: Waiter.Grant) -> Waiter? {
        guard !queue.isEmpty else { return nil }
        let waiter = queue.removeFirst()
        grants[ObjectIdentifier(waiter)] = grant
        return waiter
    }
}

/// One who waits for a connection.
///
/// The standard library's `Mutex` has no condition to wait for with a deadline; a pair of sockets has, is safe to
/// share, and needs no pointer.
final class Waiter: Sendable {
    /// What was waited for.
    enum Grant {
        case connection(Connection)
        case place
    }

    private let reading: Int32
    private let writing: Int32

    /// Nil when the process has no descriptor left.
    init?() {
        var ends: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        guard unsafe socketpair(AF_UNIX, Int32(kind), 0, &ends) == 0 else { return nil }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        _ = close(reading)
        _ = close(writing)
    }

    /// Ends the wait.
    func wake() {
        var byte: UInt8 = 1
        _ = unsafe write(writing, &byte, 1)
    }

    /// Sleeps until woken; false when the time passed first.
    func wait(atMost duration: Duration) -> Bool {
        let end = ContinuousClock.now + duration
        while true {
            var byte: UInt8 = 0
            if unsafe read(reading, &byte, 1) == 1 { return true }
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero else { return false }
            let (seconds, attoseconds) = left.components
            var poll = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
            _ = unsafe Glibc.poll(&poll, 1, Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000 + 1))
        }
    }
}
