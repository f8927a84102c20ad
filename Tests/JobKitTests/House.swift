import DatabaseKit
import Foundation
import LogKit
import Testing
import TimeKit

@testable import JobKit

/// A database with the queue's table, a clock that a test moves by hand, and a queue that reads it.
final class House: Sendable {
    let database: Database
    let queue: JobQueue
    private let clock = Locked(Timestamp(seconds: 1_800_000_000))
    private let name: String
    private let server: Database

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        let text = try #require(environment["HUB_TEST_DATABASE_URL"], "run the tests by Tests/mariadb run swift test")
        let url = try DatabaseURL(text)
        server = Database(url, connections: 1)
        name = "hub_" + UUID().uuidString.lowercased().replacing("-", with: "")
        database = Database(
            try DatabaseURL(text.replacing("/\(url.name)", with: "/\(name)")), connections: 8,
            log: Log(threshold: .error))
        queue = JobQueue(database) { [clock] in clock.with { $0 } }
        try server.execute("CREATE DATABASE \(unescaped: name) CHARACTER SET utf8mb4")
        let migration = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "sql/0012_jobs.sql")
        try database.execute("\(unescaped: String(contentsOf: migration, encoding: .utf8))")
    }

    deinit {
        _ = try? server.execute("DROP DATABASE IF EXISTS \(unescaped: name)")
    }

    var now: Timestamp { clock.with { $0 } }

    func pass(_ time: Duration) {
        clock.with { $0 = $0 + time }
    }

    func runner(_ handlers: JobHandler..., threads: Int = 2) -> JobRunner {
        JobRunner(
            queue, handlers, threads: threads, rest: .milliseconds(5), log: Log(threshold: .error, descriptor: -1),
            now: { [clock] in clock.with { $0 } })
    }

    /// One column of all jobs, in their order.
    func column<Value: Readable>(_ name: String, as type: Value.Type = Value.self) throws -> [Value] {
        try database.rows("SELECT \(unescaped: name) FROM jobs ORDER BY id").map { try $0.first() }
    }
}

/// What a handler of a test throws.
struct Broken: Error, CustomStringConvertible {
    var description: String { "it is broken" }
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
