import Glibc

/// The inside of a ``Database/transaction(isolation:_:)``: statements sent here happen together or not at all.
///
/// After an error that ended the transaction on the server, or must end it, every further statement throws that same
/// error: sent on, it would be committed by itself. The transaction is of no use once its body has returned.
public final class Transaction: Querying {
    private let connection: Connection
    private var isOver = false
    /// Whether anything was sent that changes what the database holds.
    private(set) var hasWritten = false
    /// The error after which nothing of this transaction may be kept.
    private(set) var ending: DatabaseError?

    init(on connection: Connection) {
        self.connection = connection
    }

    /// Runs a statement and reads all of its rows; bound it with LIMIT.
    public func rows(_ sql: SQL) throws(DatabaseError) -> [Row] {
        if !sql.isSelect { hasWritten = true }
        return try watched { () throws(DatabaseError) in try connection.rows(sql) }
    }

    /// Runs a statement for its effect.
    @discardableResult
    public func execute(_ sql: SQL) throws(DatabaseError) -> Outcome {
        hasWritten = true
        return try watched { () throws(DatabaseError) in try connection.execute(sql) }
    }

    private func watched<Result>(_ body: () throws(DatabaseError) -> Result) throws(DatabaseError) -> Result {
        if let ending { throw ending }
        guard !isOver else { throw DatabaseError(.other, "a transaction was used after its end") }
        do {
            return try body()
        } catch {
            // After 1213 the transaction is gone and the next statement would be committed by itself; after 1205 only
            // the statement is undone and COMMIT would keep the half before it.
            if error.endsTransaction { ending = error }
            throw error
        }
    }

    /// Makes it all happen; an error that the body has swallowed is thrown now.
    func commit() throws(DatabaseError) {
        if let ending { throw ending }
        do {
            try connection.command("COMMIT")
            isOver = true
        } catch {
            if error.losesConnection, !error.nothingWasSent {
                throw DatabaseError(.commitUnknown, error.debugDescription)
            }
            if error.endsTransaction { ending = error }
            throw error
        }
    }

    /// Makes none of it happen; a connection that cannot even do that is not used again.
    func rollBack() {
        guard !isOver else { return }
        isOver = true
        guard !connection.isBroken else { return }
        do {
            try connection.command("ROLLBACK")
        } catch {
            connection.abandon()
        }
    }
}

/// A failed attempt: what ended the transaction, and what the body made of it.
struct TransactionFailure: Error {
    let cause: DatabaseError
    let thrown: any Error
}

/// Decides whether a transaction starts over.
struct TransactionRetry {
    enum Order: Equatable {
        case again(after: Duration)
        case giveUp
    }

    static let attempts = 5
    private var failures = 0
    private var losses = 0
    private var lockWaits = 0

    /// The order after one more failure; `jitter` is from 0 to 1.
    ///
    /// A lost connection is replaced once, and a lock that was waited for in vain is waited for once more: each wait has
    /// already taken seconds. Of two that collided again and again one must wait longer than the other, so
    /// the pause is drawn from a span that doubles.
    mutating func next(after error: DatabaseError, jitter: Double) -> Order {
        failures += 1
        if error.losesConnection { losses += 1 }
        if error.code == .lockTimeout { lockWaits += 1 }
        guard failures < Self.attempts, losses < 2, lockWaits < 2 else { return .giveUp }
        if error.losesConnection { return .again(after: .zero) }
        return .again(after: .milliseconds(5 << failures) * jitter)
    }
}

/// Rests this thread; a signal may end it early.
func sleep(for duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    _ = unsafe nanosleep(&time, nil)
}
