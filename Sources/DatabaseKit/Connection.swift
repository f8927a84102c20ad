import Glibc
import Synchronization
import ThreadKit

/// One connection and its prepared statements, used by one thread at a time.
///
/// The lock is never waited for in practice, since the pool lends a connection to one caller; it makes sharing safe to
/// state, and a transaction that is wrongly used from two threads slow rather than wrong.
final class Connection: Sendable {
    private let session: Lock<Session>
    private let broken = Atomic(false)
    private let settings: DatabaseSettings
    /// The server's number for this connection.
    let serverThread: UInt

    /// Connects; every setting of the session is made before this returns.
    init(_ url: DatabaseURL, _ settings: DatabaseSettings) throws(DatabaseError) {
        let session = Session(handle: try Handle.connect(url, settings))
        serverThread = session.handle.serverThread
        self.session = Lock(session)
        self.settings = settings
    }

    /// Whether the connection was lost and must not be used again.
    var isBroken: Bool { broken.load(ordering: .relaxed) }

    /// Never uses this connection again, whatever its state.
    func abandon() {
        broken.store(true, ordering: .relaxed)
    }

    /// Runs a statement and reads all rows.
    func rows(_ sql: SQL) throws(DatabaseError) -> [Row] {
        try use { (session) throws(DatabaseError) in
            var rows: [Row] = []
            _ = try session.run(sql) { columns, cells in rows.append(Row(columns: columns, cells: cells)) }
            return rows
        }
    }

    /// Runs a statement for its effect.
    func execute(_ sql: SQL) throws(DatabaseError) -> Outcome {
        try use { (session) throws(DatabaseError) in try session.run(sql) { _, _ in } }
    }

    /// Runs a statement in the text protocol, without values.
    func command(_ text: String) throws(DatabaseError) {
        try use { (session) throws(DatabaseError) in try session.handle.command(text) }
    }

    /// Whether the connection can be lent, judged by its socket and, after a rest, by asking the server.
    func isAlive(at now: ContinuousClock.Instant) -> Bool {
        session.withLock { session in
            let rested = now - session.lastUsed
            switch session.handle.sign() {
            case .closed: return false
            case .quiet where rested < settings.restBeforePing: return true
            // Over TLS a few words of the protocol may lie there, so the server is asked.
            case .quiet, .saysSomething: return session.handle.ping()
            }
        }
    }

    private func use<Result: Sendable>(
        _ body: (inout Session) throws(DatabaseError) -> Result
    ) throws(DatabaseError) -> Result {
        do {
            return try session.withLock { (session) throws(DatabaseError) in
                defer { session.lastUsed = .now }
                return try body(&session)
            }
        } catch {
            if error.losesConnection { abandon() }
            throw error
        }
    }
}

/// What belongs to one connection.
private struct Session: ~Copyable {
    private var statements = StatementCache()
    private var parameters = Parameters()
    let handle: Handle
    var lastUsed = ContinuousClock.now

    init(handle: consuming Handle) {
        self.handle = handle
    }

    mutating func run(
        _ sql: SQL, row: (Columns, [SQLValue]) -> Void
    ) throws(DatabaseError) -> Outcome {
        let statement: Statement
        if let known = statements[sql.text] {
            statement = known
        } else {
            statement = try prepare(sql.text)
            statements[sql.text] = statement
        }
        do {
            return try statement.run(sql.values, &parameters, row: row)
        } catch {
            statements[sql.text] = nil
            throw error
        }
    }

    /// Prepares a statement. When the server has no room for another one, this connection first gives back its own.
    private mutating func prepare(_ text: String) throws(DatabaseError) -> Statement {
        do throws(DatabaseError) {
            return try Statement(text, on: handle)
        } catch {
            guard error.isFullOfStatements, statements.letGo() else { throw error.beforeEffect }
        }
        do throws(DatabaseError) {
            return try Statement(text, on: handle)
        } catch {
            throw error.beforeEffect
        }
    }
}

/// The statements prepared on a connection, by their text.
struct StatementCache {
    private var statements: [String: Statement] = [:]

    /// The server allows 16 382 over all connections (`max_prepared_stmt_count`).
    static let limit = 256

    /// Lets all statements go; false when there was none.
    mutating func letGo() -> Bool {
        defer { statements.removeAll() }
        return !statements.isEmpty
    }

    /// At the limit all are let go: a program has fewer statements of its own, so only a stray one is prepared again.
    subscript(text: String) -> Statement? {
        get { statements[text] }
        set {
            if newValue != nil, statements.count >= Self.limit { statements.removeAll(keepingCapacity: true) }
            statements[text] = newValue
        }
    }
}
