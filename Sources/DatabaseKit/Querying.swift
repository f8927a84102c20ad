/// What statements can be sent to: the database itself, or a transaction.
///
/// A store takes `some Querying` where it may be part of a larger transaction.
public protocol Querying {
    /// Runs a statement and reads all of its rows; bound it with LIMIT.
    func rows(_ sql: SQL) throws(DatabaseError) -> [Row]
    /// Runs a statement for its effect.
    @discardableResult
    func execute(_ sql: SQL) throws(DatabaseError) -> Outcome
}

extension Querying {
    /// Runs a statement and reads its first row, nil when there is none.
    public func row(_ sql: SQL) throws(DatabaseError) -> Row? {
        try rows(sql).first
    }
}

/// What a statement did.
public struct Outcome: Hashable, Sendable {
    /// Rows inserted or deleted, and for UPDATE the rows *found* by its WHERE, whether or not their values changed.
    ///
    /// Connections ask for `CLIENT_FOUND_ROWS`, so `affectedRows == 1` means that the guard of a guarded UPDATE held.
    /// `INSERT … ON DUPLICATE KEY UPDATE` counts 1 for a new row, 2 for a changed one and 1 for one left as it was.
    public let affectedRows: Int
    /// The AUTO_INCREMENT value this statement made, 0 when it made none.
    public let insertedID: UInt64
}
