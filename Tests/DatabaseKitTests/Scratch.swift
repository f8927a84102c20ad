import Foundation
import LogKit
import Testing

@testable import DatabaseKit

/// A database of a test's own, dropped when the test lets go of it.
final class Scratch: Sendable {
    let url: DatabaseURL
    let database: Database
    private let name: String
    private let server: Database

    /// Makes the database; `HUB_TEST_DATABASE_URL` says on which server.
    init(connections: Int = 8, _ change: (inout DatabaseSettings) -> Void = { _ in }) throws {
        let environment = ProcessInfo.processInfo.environment
        let text = try #require(environment["HUB_TEST_DATABASE_URL"], "run the tests by Tests/mariadb run swift test")
        server = Database(try DatabaseURL(text), connections: 1)
        name = "hub_" + UUID().uuidString.lowercased().replacing("-", with: "")
        let own = try DatabaseURL(text)
        url = try DatabaseURL(text.replacing("/\(own.name)", with: "/\(name)"))
        var settings = DatabaseSettings()
        settings.connections = connections
        change(&settings)
        database = Database(url, settings: settings, log: Log(threshold: .error))
        try server.execute("CREATE DATABASE \(unescaped: name) CHARACTER SET utf8mb4")
    }

    deinit {
        _ = try? server.execute("DROP DATABASE IF EXISTS \(unescaped: name)")
    }

    /// Runs statements one after another.
    func run(_ statements: SQL...) throws {
        for statement in statements { try database.execute(statement) }
    }

    /// Ends a connection as the server's administrator would.
    func kill(_ connection: Int) throws {
        try server.execute("KILL CONNECTION \(unescaped: String(connection))")
    }

    /// Another set of connections to the same database.
    func another(connections: Int = 1, _ change: (inout DatabaseSettings) -> Void = { _ in }) -> Database {
        var settings = DatabaseSettings()
        settings.connections = connections
        change(&settings)
        return Database(url, settings: settings, log: Log(threshold: .error))
    }
}

extension Querying {
    /// The server's number for the connection that answers.
    func connectionID() throws -> Int {
        try #require(try row("SELECT CONNECTION_ID()")).first()
    }

    /// The one number a statement asks for.
    func number(_ sql: SQL) throws -> Int {
        try #require(try row(sql)).first()
    }
}

/// Runs a body in several threads and waits for all; errors are collected, not lost.
func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) -> [any Error] {
    let errors = Locked<[any Error]>([])
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            do { try body(index) } catch { errors.with { $0.append(error) } }
            group.leave()
        }
    }
    group.wait()
    return errors.with { $0 }
}

extension Scratch {
    /// Whether a statement of this database waits for a table's metadata lock.
    func isWaitingForTable() throws -> Bool {
        // Not through the pool: the thread that asks may be inside a transaction.
        try another().number(
            """
            SELECT COUNT(*) FROM information_schema.processlist
             WHERE db = DATABASE() AND state = 'Waiting for table metadata lock'
            """) > 0
    }
}

/// A condition that never came.
struct TooLate: Error {}

/// Looks again and again until a condition holds, for ten seconds at most.
func waitUntil(_ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(10)
    while try !condition() {
        guard ContinuousClock.now < end else { throw TooLate() }
        Thread.sleep(forTimeInterval: 0.005)
    }
}

/// Where two threads wait for each other once; who comes later passes.
final class Rendezvous: Sendable {
    private let arrived = Locked(0)

    func meet() {
        arrived.with { $0 += 1 }
        while arrived.with({ $0 }) < 2 { Thread.sleep(forTimeInterval: 0.001) }
    }
}
