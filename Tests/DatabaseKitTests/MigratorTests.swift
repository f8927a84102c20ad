import LogKit
import Testing

@testable import DatabaseKit

@Suite struct MigratorTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Not a hash, but as good as one here: the text itself, shortened.
    private func migrator(_ migrations: [Migration]) throws -> Migrator {
        try Migrator(scratch.url, migrations, log: Log(threshold: .error)) { Array($0.utf8.suffix(64)) }
    }

    private let steps = [
        Migration(
            name: "0001_houses",
            sql: """
                -- Houses: where people live.
                -- A second line of comment.
                CREATE TABLE IF NOT EXISTS houses (id BIGINT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
                """),
        Migration(name: "0002_names", sql: "ALTER TABLE houses ADD COLUMN IF NOT EXISTS name VARCHAR(50) NOT NULL;\n"),
        Migration(name: "0003_index", sql: "CREATE INDEX IF NOT EXISTS name ON houses (name)"),
    ]

    private func columns() throws -> [String] {
        try scratch.database.rows(
            """
            SELECT column_name AS name FROM information_schema.columns
             WHERE table_schema = DATABASE() AND table_name = 'houses' ORDER BY ordinal_position
            """
        ).map { try $0.get("name") }
    }

    @Test("An empty database is behind, migrates in order of the names, and is current")
    func fresh() throws {
        let migrator = try migrator(steps.reversed())
        #expect(try migrator.state() == .behind(["0001_houses", "0002_names", "0003_index"]))
        #expect(try migrator.migrate() == ["0001_houses", "0002_names", "0003_index"])
        #expect(try migrator.state() == .current && migrator.state(in: scratch.database) == .current)
        #expect(try migrator.migrate() == [])
        #expect(try columns() == ["id", "name"])
    }

    @Test("Eight migrators at once apply each step once")
    func atOnce() throws {
        let applied = Locked<[String]>([])
        let errors = inThreads(8) { [steps] _ in
            let names = try migrator(steps).migrate()
            applied.with { $0 += names }
        }
        #expect(errors.isEmpty)
        #expect(applied.with { $0 } == ["0001_houses", "0002_names", "0003_index"])
    }

    @Test("A step that ran but was not noted, as when the program died, runs again and gives the same schema")
    func rerun() throws {
        for forgotten in ["0001_houses", "0002_names", "0003_index"] {
            _ = try migrator(steps).migrate()
            try scratch.run("DELETE FROM schema_migrations WHERE name >= \(forgotten)")
            #expect(try migrator(steps).migrate().first == forgotten)
            #expect(try columns() == ["id", "name"])
        }
    }

    @Test("A schema from a newer program is refused and left alone")
    func newer() throws {
        _ = try migrator(steps).migrate()
        let old = try migrator(Array(steps[..<1]))
        #expect(try old.state() == .unknown(["0002_names", "0003_index"]))
        let error = #expect(throws: MigrationError.self) { _ = try old.migrate() }
        #expect(error?.description.contains("newer program (0002_names, 0003_index)") == true)
    }

    @Test("A step that was changed after it was applied is refused by name")
    func changed() throws {
        _ = try migrator(steps).migrate()
        let other = try migrator([steps[0], Migration(name: "0002_names", sql: "SELECT 1"), steps[2]])
        #expect(try other.state() == .changed(["0002_names"]))
        let error = #expect(throws: MigrationError.self) { _ = try other.migrate() }
        #expect(error?.description.contains("0002_names") == true)
    }

    @Test("A failing step is named, those before it stand, and those after it do not run")
    func failing() throws {
        let broken = Migration(name: "0002_names", sql: "ALTER TABLE cottages ADD COLUMN name INT")
        let error = #expect(throws: MigrationError.self) {
            _ = try migrator([steps[0], broken, steps[2]]).migrate()
        }
        #expect(error?.name == "0002_names")
        #expect(error?.applied == ["0001_houses"])
        #expect(error?.cause?.code == .schema)
        #expect(error?.description.contains("1 before it were applied and stand") == true)
        #expect(try migrator(steps).migrate() == ["0002_names", "0003_index"])
    }

    @Test("Two statements in one step are refused by the server")
    func twoStatements() throws {
        let two = Migration(
            name: "0001_two", sql: "CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY)")
        #expect(throws: MigrationError.self) { _ = try migrator([two]).migrate() }
        #expect(try scratch.database.rows("SHOW TABLES LIKE 'a'").isEmpty)
    }

    @Test("A migrator whose connection is ended stops before its next step")
    func lostLock() throws {
        let ending = Migration(name: "0002_end", sql: "KILL CONNECTION CONNECTION_ID()")
        let error = #expect(throws: MigrationError.self) { _ = try migrator([steps[0], ending, steps[2]]).migrate() }
        #expect(error?.name == "0002_end")
        #expect(error?.applied == ["0001_houses"])
        #expect(try migrator([steps[0], steps[2]].filter { $0.name < "0002" }).state() == .current)
    }

    @Test("A step waits for a table in use and then goes on")
    func tableInUse() throws {
        _ = try migrator(Array(steps[..<1])).migrate()
        let rendezvous = Rendezvous()
        let errors = inThreads(2) { [scratch, steps] index in
            if index == 0 {
                try scratch.database.transaction { transaction in
                    _ = try transaction.rows("SELECT id FROM houses")
                    rendezvous.meet()
                    // Held until the migrator is seen waiting for the table.
                    try waitUntil { try scratch.isWaitingForTable() }
                }
            } else {
                rendezvous.meet()
                _ = try migrator(steps).migrate()
            }
        }
        #expect(errors.isEmpty)
        #expect(try columns() == ["id", "name"])
    }

    @Test(
        "A name without number, or with another's number, is refused",
        arguments: ["1_x", "0001x", "0001_X", "0001_two"])
    func names(name: String) throws {
        #expect(throws: MigrationError.self) {
            _ = try migrator([Migration(name: "0001_one", sql: "SELECT 1"), Migration(name: name, sql: "SELECT 1")])
        }
    }
}
