import LogKit
import TimeKit

/// Brings a database's schema to what this program knows, step by step.
///
/// Any number of migrators may run at once: one holds the server's named lock, the others wait and find nothing left to
/// do. The lock ends with its connection, so it is checked before each step. A step is noted after it has run; a program
/// that dies in between runs the step again, which each is written for.
public struct Migrator: Sendable {
    private let url: DatabaseURL
    private let settings: DatabaseSettings
    private let steps: [Step]
    private let log: Log

    private struct Step {
        let migration: Migration
        let digest: [UInt8]
    }

    /// How long one of several migrators waits for its turn.
    private static let patience = 600

    /// Prepares these steps, in the order of their names; `digest` is a cryptographic hash of at most 64 bytes.
    ///
    /// A name that is given twice, or is not four digits and words, is refused.
    public init(
        _ url: DatabaseURL, _ migrations: [Migration], log: Log = Log(), digest: (String) -> [UInt8]
    ) throws(MigrationError) {
        let sorted = migrations.sorted { $0.name < $1.name }
        for (index, migration) in sorted.enumerated() {
            guard migration.isWellNamed else {
                throw MigrationError("\(migration.name).sql must be named by four digits and words: 0001_words.sql")
            }
            guard index == 0 || sorted[index - 1].name.prefix(4) != migration.name.prefix(4) else {
                throw MigrationError("\(migration.name).sql has the number of \(sorted[index - 1].name).sql")
            }
        }
        steps = sorted.map { Step(migration: $0, digest: digest($0.sql)) }
        self.url = url
        self.log = log
        var settings = DatabaseSettings()
        // A step may rebuild a large table, and a migrator may wait long for its turn.
        settings.statementTimeout = .zero
        settings.silenceTimeout = .hours(24)
        // Behind an ALTER that waits for a table, every SELECT of that table waits too.
        settings.tableLockTimeout = .seconds(5)
        self.settings = settings
    }

    /// What the schema is to this program, asked over a connection of its own; changes nothing.
    public func state() throws(DatabaseError) -> SchemaState {
        let connection = try Connection(url, DatabaseSettings())
        return try state { (sql) throws(DatabaseError) in try connection.rows(sql) }
    }

    /// The same, asked by way of a database that is open already.
    public func state(in querying: some Querying) throws(DatabaseError) -> SchemaState {
        try state { (sql) throws(DatabaseError) in try querying.rows(sql) }
    }

    /// Applies what is missing and answers with the names of the steps it applied.
    ///
    /// A schema with steps this program does not know, or that were changed since, is refused and left alone.
    public func migrate() throws(MigrationError) -> [String] {
        let connection: Connection
        let state: SchemaState
        do {
            connection = try Connection(url, settings)
            try lock(connection)
            try connection.command(Self.historyTable)
            state = try self.state { (sql) throws(DatabaseError) in try connection.rows(sql) }
        } catch {
            throw MigrationError(cause: error, "the schema could not be examined: \(error.description)")
        }
        switch state {
        case .current: return []
        case .unknown, .changed: throw MigrationError(state.complaint ?? "")
        case .behind(let names): return try apply(steps.filter { names.contains($0.migration.name) }, on: connection)
        }
    }

    private func apply(_ steps: [Step], on connection: Connection) throws(MigrationError) -> [String] {
        var applied: [String] = []
        for step in steps {
            let name = step.migration.name
            do {
                try apply(step, on: connection)
            } catch {
                throw MigrationError(name: name, applied: applied, cause: error, error.description)
            }
            applied.append(name)
            log.info("Migration applied", ["migration": "\(name)"])
        }
        return applied
    }

    private func apply(_ step: Step, on connection: Connection) throws(DatabaseError) {
        for attempt in 1... {
            try checkLock(connection)
            do {
                try connection.command(step.migration.sql)
                break
            } catch  where error.code == .lockTimeout && attempt < 12 {
                log.warning("A migration waits for a table in use", ["migration": "\(step.migration.name)"])
                sleep(for: .milliseconds(.random(in: 200...800)))
            }
        }
        _ = try connection.execute(
            """
            INSERT INTO schema_migrations (name, digest, applied_at)
            VALUES (\(step.migration.name), \(step.digest), UTC_TIMESTAMP(6))
            """)
    }

    private func state(_ rows: (SQL) throws(DatabaseError) -> [Row]) throws(DatabaseError) -> SchemaState {
        var applied: [String: [UInt8]] = [:]
        do {
            for row in try rows("SELECT name, digest FROM schema_migrations") {
                applied[try row.get("name")] = try row.get("digest", as: [UInt8].self)
            }
        } catch  where error.code == .schema {
            // There is no history yet.
        }
        return .comparing(applied: applied, known: steps.map { ($0.migration.name, $0.digest) })
    }

    /// The server compares the names of locks letter by letter, so the name is always made by the server itself.
    private func lock(_ connection: Connection) throws(DatabaseError) {
        let row = try connection.rows("SELECT GET_LOCK(CONCAT(DATABASE(), '.migrate'), \(Self.patience)) AS got").first
        guard try row?.get("got", as: Int?.self) == 1 else {
            throw DatabaseError(.lockTimeout, "another migrator held the lock for \(Self.patience) seconds")
        }
    }

    private func checkLock(_ connection: Connection) throws(DatabaseError) {
        let row = try connection.rows(
            "SELECT IS_USED_LOCK(CONCAT(DATABASE(), '.migrate')) = CONNECTION_ID() AS held"
        ).first
        guard try row?.get("held", as: Int?.self) == 1 else {
            throw DatabaseError(.gone, "the migration lock was lost")
        }
    }

    private static let historyTable = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            name       VARCHAR(100) CHARACTER SET ascii COLLATE ascii_nopad_bin NOT NULL PRIMARY KEY,
            digest     VARBINARY(64) NOT NULL,
            applied_at DATETIME(6) NOT NULL
        ) ENGINE = InnoDB
        """
}
