import Glibc
import LogKit

/// The database: a few connections shared by all threads of a process.
///
/// Connections are made when first needed, so a program starts, and answers 503, while the server is away. A connection
/// is lent for one statement or one transaction. A statement outside a transaction that could not be sent at all, since
/// the connection had died while idle, is sent once more on a new one; anything else is reported.
///
/// Inside ``transaction(isolation:_:)`` the thread must use the ``Transaction`` it was given: using the database itself
/// there would take a second connection, and is refused.
public final class Database: Sendable, Querying {
    private let pool: Pool
    private let log: Log

    /// Describes a database; nothing is connected yet.
    public init(_ url: DatabaseURL, settings: DatabaseSettings = DatabaseSettings(), log: Log = Log()) {
        pool = Pool(url, settings)
        self.log = log
    }

    /// A database with this many connections and otherwise the usual settings.
    public convenience init(_ url: DatabaseURL, connections: Int, log: Log = Log()) {
        var settings = DatabaseSettings()
        settings.connections = connections
        self.init(url, settings: settings, log: log)
    }

    /// Runs a statement and reads all of its rows; bound it with LIMIT.
    public func rows(_ sql: SQL) throws(DatabaseError) -> [Row] {
        let rows = try once(isRead: sql.isSelect) { (connection) throws(DatabaseError) in try connection.rows(sql) }
        if !sql.isSelect { pool.noteChange() }
        return rows
    }

    /// Runs a statement for its effect.
    @discardableResult
    public func execute(_ sql: SQL) throws(DatabaseError) -> Outcome {
        let outcome = try once(isRead: false) { (connection) throws(DatabaseError) in try connection.execute(sql) }
        if outcome.affectedRows > 0 { pool.noteChange() }
        return outcome
    }

    /// How many statements a connection keeps prepared at most, which count against the server's
    /// `max_prepared_stmt_count`.
    public static let statementsPerConnection = StatementCache.limit

    /// How many connections are open.
    public var connectionCount: Int { pool.count }

    /// How many connections were lost or could not be made so far: when it stays the same, nothing has told that the
    /// server went away.
    public var losses: Int { pool.losses }

    /// How much a transaction sees of others.
    public enum Isolation: Sendable {
        /// One picture of the data from its first read on; the server's and our usual one.
        ///
        /// It does not keep two transactions from both reading a row and then both writing it: read with `FOR UPDATE`
        /// what will be written.
        case repeatableRead
        /// Each statement sees what is committed by then; locks fewer gaps, for queues and counters.
        case readCommitted

        var statement: String? {
            switch self {
            case .repeatableRead: nil
            case .readCommitted: "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
            }
        }
    }

    /// Runs statements that all happen or none.
    ///
    /// The body runs again from its start, at most five times in all, when the server sacrificed the transaction to
    /// another one (1213, 1020), and once more when a lock was waited for in vain (1205) or the connection was lost
    /// before COMMIT was sent. So it must do nothing but use the transaction: no call to the outside, no sleep, nothing that must not
    /// happen twice. An error thrown by the body rolls everything back and is passed on. When the connection is lost
    /// after COMMIT was sent the error is ``DatabaseError/Code/commitUnknown``.
    @discardableResult
    public func transaction<Result>(
        isolation: Isolation = .repeatableRead, _ body: (Transaction) throws -> Result
    ) throws -> Result {
        var retry = TransactionRetry()
        while true {
            do {
                return try pool.inTransaction { try attempt(isolation, body) }
            } catch let failure as TransactionFailure {
                switch retry.next(after: failure.cause, jitter: .random(in: 0...1)) {
                case .giveUp: throw failure.thrown
                case .again(let pause):
                    log.debug("A transaction starts over", ["reason": "\(failure.cause.code.rawValue)"])
                    sleep(for: pause)
                }
            }
        }
    }

    private func attempt<Result>(_ isolation: Isolation, _ body: (Transaction) throws -> Result) throws -> Result {
        let connection = try begin(isolation)
        defer { pool.giveBack(connection) }
        let transaction = Transaction(on: connection)
        do {
            let result = try body(transaction)
            try commit(transaction)
            return result
        } catch {
            transaction.rollBack()
            if let cause = transaction.ending { throw TransactionFailure(cause: cause, thrown: error) }
            throw error
        }
    }

    /// A commit that is refused has left nothing; one whose answer is lost may have happened.
    private func commit(_ transaction: Transaction) throws(DatabaseError) {
        do {
            try transaction.commit()
        } catch {
            if error.code == .commitUnknown, transaction.hasWritten { pool.noteChange() }
            throw error
        }
        if transaction.hasWritten { pool.noteChange() }
    }

    private func begin(_ isolation: Isolation) throws(DatabaseError) -> Connection {
        var (connection, isFresh) = try pool.borrow(inTransaction: true)
        while true {
            do {
                if let statement = isolation.statement { try connection.command(statement) }
                try connection.command("START TRANSACTION")
                return connection
            } catch {
                // Nothing has been done yet, so a lost connection may be replaced whatever was sent.
                guard error.losesConnection, !isFresh else {
                    connection.abandon()
                    pool.giveBack(connection)
                    throw error
                }
                connection = try pool.replace(connection)
                isFresh = true
            }
        }
    }

    private func once<Result>(
        isRead: Bool, _ body: (Connection) throws(DatabaseError) -> Result
    ) throws(DatabaseError) -> Result {
        var (connection, isFresh) = try pool.borrow()
        while true {
            do {
                let result = try body(connection)
                pool.giveBack(connection)
                return result
            } catch {
                guard error.nothingWasSent, !isFresh else {
                    // Sent, and the answer lost: it may have happened.
                    if !isRead, error.losesConnection, !error.nothingWasSent { pool.noteChange() }
                    pool.giveBack(connection)
                    throw error
                }
                connection = try pool.replace(connection)
                isFresh = true
            }
        }
    }
}

extension Database {
    /// Runs a body, and tells beside its outcome whether anything it sent from this thread may stay in the database.
    ///
    /// What was rolled back or refused does not stay; a COMMIT or a statement whose answer was lost may. Not to be called
    /// again from inside the body.
    public func noticingChanges<Success>(
        _ body: () throws -> Success
    ) -> (outcome: Result<Success, any Error>, mayStay: Bool) {
        pool.beginNoticing()
        let outcome = Result { try body() }
        return (outcome, pool.endNoticing())
    }
}
