import DatabaseKit
import Foundation
import LogKit
import ProcessKit
import Testing
import ThreadKit

@testable import Hub

@Suite(.timeLimit(.minutes(15))) struct ReadinessTests {
    /// A clock of the machine that moves when told.
    private final class MachineClock: Sendable {
        private let time = Lock<UInt64>(1_000_000)

        var now: MonotonicTime { MonotonicTime(milliseconds: time.withLock { $0 }) }
        func pass(milliseconds: UInt64) { time.withLock { $0 += milliseconds } }
    }

    /// How many statements the server has carried out over the one connection, this question among them.
    private func statements(_ database: Database) throws -> Int {
        let row = try #require(try database.row("SHOW SESSION STATUS LIKE 'Com_stmt_execute'"))
        return try #require(Int(row.get("Value", as: String.self)))
    }

    @Test("However often readiness is asked for, the database is asked once a second, and no connection is made for it")
    func kept() throws {
        let door = try FrontDoor(["HUB_DATABASE_CONNECTIONS": "1"])
        let clock = MachineClock()
        let readiness = Readiness(
            door.database, try Schema.migrator(door.built.configuration.databaseURL, log: Log(threshold: .error)),
            clock: { clock.now })
        #expect(try readiness.schemaState() == .current)
        let before = try statements(door.database)
        for _ in 0..<100 { #expect(try readiness.schemaState() == .current) }
        #expect(try statements(door.database) == before + 1)
        clock.pass(milliseconds: 1_000)
        for _ in 0..<100 { #expect(try readiness.schemaState() == .current) }
        #expect(try statements(door.database) == before + 3 && door.database.connectionCount == 1)
    }

    @Test("A lost connection ends what was known, and failures are not kept")
    func lost() throws {
        let door = try FrontDoor(["HUB_DATABASE_CONNECTIONS": "1"])
        let url = door.built.configuration.databaseURL
        let clock = MachineClock()
        let readiness = Readiness(
            door.database, try Schema.migrator(url, log: Log(threshold: .error)), clock: { clock.now })
        #expect(try readiness.schemaState() == .current)
        try door.database.execute("RENAME TABLE schema_migrations TO elsewhere")
        #expect(try readiness.schemaState() == .current)
        let id: Int = try #require(try door.database.row("SELECT CONNECTION_ID() AS id")).get("id")
        try Database(url, connections: 1).execute("KILL CONNECTION \(unescaped: String(id))")
        let (losses, end) = (door.database.losses, Date.now + 10)
        while door.database.losses == losses, Date.now < end { _ = try? door.database.row("SELECT 1") }
        #expect(try readiness.schemaState() != .current)
    }
}
