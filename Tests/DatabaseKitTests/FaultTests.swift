import Foundation
import Glibc
import LogKit
import Testing

@testable import DatabaseKit

@Suite struct FaultTests {
    let server: OwnServer

    init() throws { server = try OwnServer() }

    private func database(_ change: (inout DatabaseSettings) -> Void = { _ in }) throws -> Database {
        var settings = DatabaseSettings()
        settings.connections = 4
        change(&settings)
        return Database(server.url, settings: settings, log: Log(threshold: .error))
    }

    @Test(
        "The server ends and comes back under load: 503 meanwhile and at once, no answer taken back",
        arguments: [SIGTERM, SIGKILL])
    func restart(by signal: Int32) throws {
        let database = try database()
        try database.execute("CREATE TABLE kept (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB")
        let load = Load()
        let threads = startThreads(8) { index in
            load.write(to: database, from: index * 1_000_000)
        }
        try waitUntil { load.successes > 200 }
        try server.end(by: signal)
        try waitUntil { load.refusals > 50 }
        let before = load.successes
        try server.start()
        let up = try waitForSocket()
        try waitUntil { load.successes > before }
        let recovery = ContinuousClock.now - up
        try waitUntil { load.successes > before + 200 }
        load.stop()
        threads.wait()
        #expect(recovery < .seconds(2))
        #expect(load.unexpected == [])
        #expect(load.longestRefusal < .seconds(2))
        let kept = Set(try database.rows("SELECT id FROM kept").map { try $0.first(as: Int.self) })
        #expect(load.acknowledged.isSubset(of: kept))
    }

    /// When the server first takes a connection again.
    private func waitForSocket() throws -> ContinuousClock.Instant {
        let probe = try database { $0.connections = 1 }
        try waitUntil { (try? probe.rows("SELECT 1")) != nil }
        return .now
    }

    @Test("A server that stands still costs no more than the timeouts, and is used again when it moves")
    func frozen() throws {
        let database = try database { $0.silenceTimeout = .seconds(1) }
        #expect(try database.number("SELECT 1") == 1)
        try server.freeze()
        let start = ContinuousClock.now
        #expect(throws: DatabaseError(testing: .gone)) { _ = try database.rows("SELECT 1") }
        #expect(throws: DatabaseError(testing: .gone)) { _ = try database.rows("SELECT 1") }
        let took = ContinuousClock.now - start
        try server.signal(SIGCONT)
        #expect(took < .seconds(8))
        try waitUntil { (try? database.rows("SELECT 1")) != nil }
    }

    @Test("A server that takes no writes says so, still reads, and is written to again when it does")
    func readOnly() throws {
        let administrator = try database()
        try administrator.execute("CREATE USER plain@localhost IDENTIFIED BY 'plain'")
        try administrator.execute("GRANT SELECT, INSERT ON hub_test.* TO plain@localhost")
        try administrator.execute("CREATE TABLE things (id INT NOT NULL) ENGINE = InnoDB")
        let socket = try #require(server.url.socket)
        let plain = Database(try DatabaseURL("mysql://plain:plain@/hub_test?socket=\(socket)"), connections: 1)
        try administrator.execute("SET GLOBAL read_only = 1")
        let error = #expect(throws: DatabaseError.self) { try plain.execute("INSERT INTO things VALUES (1)") }
        #expect(error?.code == .readOnly)
        #expect(error?.isAway == true)
        #expect(try plain.number("SELECT COUNT(*) FROM things") == 0)
        try administrator.execute("SET GLOBAL read_only = 0")
        try plain.execute("INSERT INTO things VALUES (1)")
    }

    @Test("A line cut at COMMIT leaves the outcome unknown, whichever way it went, and the body is not run again")
    func commitUnknown() throws {
        let administrator = try database()
        try administrator.execute("CREATE TABLE things (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB")
        let socket = try #require(server.url.socket)
        let proxy = try CuttingProxy(to: socket)
        defer { proxy.stop() }
        let database = Database(
            try DatabaseURL(server.urlText.replacing(socket, with: proxy.path)), connections: 1,
            log: Log(threshold: .error))
        for (id, cut, happened) in [(1, CuttingProxy.Cut.beforeTheServer, 0), (2, .beforeTheClient, 1)] {
            var tries = 0
            let (outcome, mayStay) = database.noticingChanges {
                try database.transaction { transaction in
                    tries += 1
                    try transaction.execute("INSERT INTO things VALUES (\(id))")
                    proxy.arm(cut)
                }
            }
            let error = #expect(throws: DatabaseError.self) { try outcome.get() }
            #expect(error?.code == .commitUnknown && mayStay)
            #expect(error?.isAway == false)
            #expect(tries == 1)
            #expect(try administrator.number("SELECT COUNT(*) FROM things WHERE id = \(id)") == happened)
        }
        #expect(try database.number("SELECT 1") == 1)
    }

    @Test("A server that keeps no more prepared statements gets back those of the connection, which prepares on")
    func fullOfStatements() throws {
        let administrator = try database { $0.connections = 1 }
        try administrator.execute("SET GLOBAL max_prepared_stmt_count = 20")
        let database = try database { $0.connections = 1 }
        for number in 0..<100 { #expect(try database.number("SELECT \(unescaped: String(number))") == number) }
        try administrator.execute("SET GLOBAL max_prepared_stmt_count = 0")
        let error = #expect(throws: DatabaseError.self) { _ = try database.rows("SELECT 'new'") }
        #expect(error?.isAway == true)
        // What was prepared was given back, so it is wanted anew too.
        #expect(throws: DatabaseError.self) { _ = try database.rows("SELECT 99") }
    }
}

/// Threads that write numbers as fast as they can, and what became of it.
private final class Load: Sendable {
    private struct State {
        var acknowledged: Set<Int> = []
        var refusals = 0
        var unexpected: [String] = []
        var longestRefusal: Duration = .zero
        var isOver = false
    }

    private let state = Locked(State())

    var successes: Int { state.with { $0.acknowledged.count } }
    var refusals: Int { state.with { $0.refusals } }
    var acknowledged: Set<Int> { state.with { $0.acknowledged } }
    var unexpected: [String] { state.with { $0.unexpected } }
    var longestRefusal: Duration { state.with { $0.longestRefusal } }

    func stop() {
        state.with { $0.isOver = true }
    }

    func write(to database: Database, from first: Int) {
        var id = first
        while !state.with({ $0.isOver }) {
            id += 1
            let start = ContinuousClock.now
            do throws(DatabaseError) {
                try database.execute("INSERT INTO kept VALUES (\(id))")
                state.with { _ = $0.acknowledged.insert(id) }
            } catch {
                let took = ContinuousClock.now - start
                state.with { state in
                    state.refusals += 1
                    state.longestRefusal = max(state.longestRefusal, took)
                    if error.code != .gone { state.unexpected.append(error.debugDescription) }
                }
            }
        }
    }
}

/// Starts threads and answers with a group to wait for.
private func startThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> DispatchGroup {
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            body(index)
            group.leave()
        }
    }
    return group
}
