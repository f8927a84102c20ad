import DatabaseKit
import Testing

@testable import Hub

@Suite(.timeLimit(.minutes(15))) struct BootTests {
    @Test("A process does not boot on a schema of a newer program; one that is behind or away is waited for")
    func boot() throws {
        let door = try FrontDoor()
        let configuration = door.built.configuration
        try Schema.requireKnown(configuration)
        try door.database.execute("DELETE FROM schema_migrations WHERE name LIKE '0001%'")
        try Schema.requireKnown(configuration)
        try door.database.execute(
            "INSERT INTO schema_migrations (name, digest, applied_at) VALUES ('9999_later', 'x', UTC_TIMESTAMP(6))")
        let refused = #expect(throws: CommandError.self) { try Schema.requireKnown(configuration) }
        #expect(refused?.description.contains("newer program (9999_later)") == true)
        try door.database.execute("DELETE FROM schema_migrations WHERE name = '9999_later'")
        try door.database.execute("UPDATE schema_migrations SET digest = 'x' WHERE name LIKE '0002%'")
        #expect(throws: CommandError.self) { try Schema.requireKnown(configuration) }
        let away = try FrontDoor(["HUB_DATABASE_URL": "mysql://nobody@localhost/nothing?socket=/nowhere/mariadb.sock"])
        try Schema.requireKnown(away.built.configuration)
    }
}
