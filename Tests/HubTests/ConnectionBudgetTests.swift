import Testing

@testable import Hub

@Suite struct ConnectionBudgetTests {
    @Test(
        "A host that may want more than the server grants is warned, and one that reloads within its means is not",
        arguments: [
            (4, 151, 16_382, [String]()),
            (8, 151, 16_382, ["max_prepared_stmt_count"]),
            (9, 151, 1_000_000, ["during a reload requests"]),
            (20, 151, 1_000_000, ["under load requests"]),
        ])
    func warned(workers: Int, granted: Int, statements: Int, words: [String]) {
        let budget = ConnectionBudget(
            workers: workers, connectionsEach: 8, granted: granted, statements: statements)
        let found = budget.warnings
        #expect(found.count == words.count && zip(found, words).allSatisfy { $0.contains($1) }, "\(found)")
    }

    @Test("The server is asked what it grants")
    func asked() throws {
        let door = try FrontDoor()
        let budget = try ConnectionBudget(door.built.configuration, door.database)
        #expect(budget.granted > 0 && budget.statements > 0 && budget.connections == (2 + 1) * 8)
    }
}
