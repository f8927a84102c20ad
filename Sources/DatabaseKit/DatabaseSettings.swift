import TimeKit

/// How a database is spoken to; the defaults are for serving requests.
public struct DatabaseSettings: Sendable {
    /// The most connections held at once, at least 1.
    public var connections = 8
    /// How long a caller waits for a connection to become free before ``DatabaseError/Code/busy``.
    public var borrowDeadline: Duration = .seconds(2)
    /// How long making a connection may take, in whole seconds.
    public var connectTimeout: Duration = .seconds(3)
    /// How long the server may stay silent before the connection is given up, in whole seconds.
    ///
    /// Longer than any statement may take; the client library would wait for ever.
    public var silenceTimeout: Duration = .seconds(20)
    /// The longest a statement may run before ``DatabaseError/Code/statementTimeout``; zero for no limit.
    public var statementTimeout: Duration = .seconds(5)
    /// The longest a statement waits for a row's lock, in whole seconds.
    public var rowLockTimeout: Duration = .seconds(5)
    /// The longest a statement waits for a table's lock, in whole seconds; the server's own default is a day.
    public var tableLockTimeout: Duration = .seconds(10)
    /// How long a transaction may sit without a statement before the server ends it, in whole seconds.
    public var idleTransactionTimeout: Duration = .seconds(30)
    /// A connection unused for longer is asked whether it lives before it is lent.
    public var restBeforePing: Duration = .seconds(30)

    /// The defaults.
    public init() {}

    /// One statement with all session settings, so that a connection is ready after one round trip.
    ///
    /// `tx_isolation` is the spelling that 10.11 and 11.8 both know. No server default is relied on: a bare server
    /// speaks latin1 in its own time zone and lets a statement wait a day for a table.
    var sessionStatement: String {
        """
        SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, tx_isolation = 'REPEATABLE-READ',
            sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,\
        NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY',
            innodb_lock_wait_timeout = \(rowLockTimeout.components.seconds),
            lock_wait_timeout = \(tableLockTimeout.components.seconds),
            max_statement_time = \(Double(statementTimeout.milliseconds) / 1_000),
            idle_transaction_timeout = \(idleTransactionTimeout.components.seconds)
        """
    }
}
