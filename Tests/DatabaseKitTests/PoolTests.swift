import Foundation
import Glibc
import Testing

@testable import DatabaseKit

@Suite struct PoolTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test("Every connection is set up by one statement as the rules ask")
    func session() throws {
        let row = try #require(
            try scratch.database.row(
                """
                SELECT @@character_set_client AS client, @@character_set_connection AS connection,
                       @@character_set_results AS results, @@time_zone AS zone, @@sql_mode AS mode,
                       @@tx_isolation AS isolation, @@innodb_lock_wait_timeout AS row_lock,
                       @@lock_wait_timeout AS table_lock, @@max_statement_time AS statement_time,
                       @@idle_transaction_timeout AS idle, @@autocommit AS autocommit
                """))
        for name in ["client", "connection", "results"] { #expect(try row.get(name) == "utf8mb4") }
        #expect(try row.get("zone") == "+00:00")
        #expect(
            try Set(row.get("mode", as: String.self).split(separator: ",").map(String.init)) == [
                "STRICT_ALL_TABLES", "ERROR_FOR_DIVISION_BY_ZERO", "NO_ENGINE_SUBSTITUTION", "NO_ZERO_DATE",
                "NO_ZERO_IN_DATE", "ONLY_FULL_GROUP_BY",
            ])
        #expect(try row.get("isolation") == "REPEATABLE-READ")
        #expect(try row.get("row_lock") == 5)
        #expect(try row.get("table_lock") == 10)
        #expect(try row.get("statement_time") == 5.0)
        #expect(try row.get("idle") == 30)
        #expect(try row.get("autocommit") == 1)
    }

    @Test("Thirty-two threads share eight connections, and never more")
    func shared() throws {
        try scratch.run("CREATE TABLE hits (thread INT NOT NULL, number INT NOT NULL) ENGINE = InnoDB")
        let errors = inThreads(32) { [scratch] index in
            for number in 0..<50 {
                let made = try scratch.database.execute("INSERT INTO hits VALUES (\(index), \(number))")
                #expect(made.affectedRows == 1)
                #expect(try scratch.database.number("SELECT \(index * 1_000 + number)") == index * 1_000 + number)
            }
        }
        #expect(errors.isEmpty)
        #expect(scratch.database.connectionCount == 8)
        #expect(try scratch.database.number("SELECT COUNT(DISTINCT thread, number) FROM hits") == 1_600)
    }

    @Test("Who finds every connection lent is told busy at the deadline, and the next one is served")
    func busy() throws {
        let database = scratch.another(connections: 1) { $0.borrowDeadline = .milliseconds(50) }
        try database.transaction { _ in
            let errors = inThreads(3) { _ in _ = try database.rows("SELECT 1") }
            #expect(errors.map { $0 as? DatabaseError } == Array(repeating: DatabaseError(testing: .busy), count: 3))
        }
        #expect(try database.number("SELECT 1") == 1)
    }

    @Test("An idle connection that was ended is replaced without anyone noticing")
    func killedWhileIdle() throws {
        let database = scratch.another()
        for _ in 0..<20 {
            let old = try database.connectionID()
            try scratch.kill(old)
            #expect(try database.connectionID() != old)
        }
        try scratch.kill(database.connectionID())
        #expect(try database.transaction { try $0.number("SELECT 1") } == 1)
    }

    @Test("A connection that rested is asked before use, and one that the server let go is replaced")
    func rested() throws {
        let database = scratch.another { $0.restBeforePing = .zero }
        let old = try database.connectionID()
        #expect(try database.connectionID() == old)
        let impatient = scratch.another()
        try impatient.execute("SET SESSION wait_timeout = 1")
        let first = try impatient.connectionID()
        try waitUntil {
            try scratch.database.number("SELECT COUNT(*) FROM information_schema.processlist WHERE id = \(first)") == 0
        }
        #expect(try impatient.connectionID() != first)
    }

    @Test("A connection ended in the middle of a statement is reported and not tried again")
    func killedWhileBusy() throws {
        let database = scratch.another { $0.statementTimeout = .seconds(30) }
        let connection = try database.connectionID()
        let errors = inThreads(2) { [scratch] index in
            if index == 0 {
                _ = try database.rows("SELECT SLEEP(20)")
            } else {
                try waitUntil {
                    try scratch.database.number(
                        """
                        SELECT COUNT(*) FROM information_schema.processlist
                         WHERE id = \(connection) AND state = 'User sleep'
                        """) == 1
                }
                try scratch.kill(connection)
            }
        }
        #expect(errors.map { $0 as? DatabaseError } == [DatabaseError(testing: .gone)])
        #expect(try database.number("SELECT 1") == 1)
    }

    @Test("A statement that runs too long is stopped by the server and its connection lives on")
    func tooLong() throws {
        let database = scratch.another { $0.statementTimeout = .milliseconds(100) }
        let connection = try database.connectionID()
        let error = #expect(throws: DatabaseError.self) {
            _ = try database.rows(
                """
                WITH RECURSIVE numbers (number) AS (
                    SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 1000
                )
                SELECT COUNT(*) FROM numbers AS a, numbers AS b, numbers AS c WHERE a.number + b.number + c.number > 1
                """)
        }
        #expect(error?.code == .statementTimeout, "\(error?.debugDescription ?? "")")
        #expect(error?.isAway == true)
        #expect(try database.connectionID() == connection)
    }

    @Test("A server that is not there is reported as gone within a moment, again and again, and holds no place")
    func refused() throws {
        let database = Database(try DatabaseURL("mysql://hub@/hub?socket=/nonexistent/mariadb.sock"), connections: 2)
        let start = ContinuousClock.now
        for _ in 0..<50 {
            #expect(throws: DatabaseError(testing: .gone)) { _ = try database.rows("SELECT 1") }
        }
        #expect(throws: DatabaseError(testing: .gone)) { try database.transaction { _ in } }
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(database.connectionCount == 0)
    }

    @Test("More statements than the cache holds still run")
    func manyStatements() throws {
        let database = scratch.another()
        for number in 0..<(StatementCache.limit * 2 + 10) {
            #expect(try database.number("SELECT \(unescaped: String(number))") == number)
        }
        let row = try #require(try database.row("SHOW SESSION STATUS LIKE 'Com_stmt_close'"))
        #expect(try Int(row.get("Value", as: String.self)) ?? 0 >= StatementCache.limit)
    }

    @Test("A value cannot become part of a statement")
    func injection() throws {
        try scratch.run("CREATE TABLE users (name VARCHAR(100) NOT NULL)", "INSERT INTO users VALUES ('a'), ('b')")
        for hostile in [
            "' OR '1'='1", "'; DROP TABLE users; --", "\\' OR 1=1 -- ", "?", "a\0' OR 1=1", "\u{bf}' OR 1=1 #",
        ] {
            #expect(try scratch.database.rows("SELECT name FROM users WHERE name = \(hostile)").isEmpty)
            #expect(
                try scratch.database.rows("SELECT name FROM users WHERE name IN (\(list: [hostile, "a"]))").count == 1)
        }
        #expect(try scratch.database.rows("SELECT name FROM users WHERE name IN (\(list: [String]()))").isEmpty)
        let part: SQL = "AND name = \("b")"
        #expect(try scratch.database.rows("SELECT name FROM users WHERE name <> \("a") \(part)").count == 1)
        #expect(try scratch.database.number("SELECT COUNT(*) FROM users") == 2)
    }

    @Test("The socket is closed when a program is executed")
    func closeOnExec() throws {
        _ = try scratch.database.rows("SELECT 1")
        let path = try #require(scratch.url.socket)
        var found = 0
        for descriptor in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap({ Int32($0) })
        where peer(of: descriptor) == path {
            // Another test may be connecting in this very moment.
            try waitUntil { peer(of: descriptor) != path || fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0 }
            found += 1
        }
        #expect(found > 0)
    }

    /// The path a unix socket is connected to.
    private func peer(of descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let found = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getpeername(descriptor, address, &length) == 0
            }
        }
        guard found, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
        return unsafe withUnsafeBytes(of: address.sun_path) { path in
            unsafe String(decoding: path.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
