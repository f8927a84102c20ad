import Testing

@testable import DatabaseKit

@Suite struct TransactionTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch { $0.rowLockTimeout = .seconds(1) }
        try scratch.run(
            "CREATE TABLE accounts (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL) ENGINE = InnoDB",
            "INSERT INTO accounts VALUES (1, 100), (2, 100), (3, 100)",
            "CREATE TABLE notes (text VARCHAR(50) NOT NULL, UNIQUE KEY one_of_each (text)) ENGINE = InnoDB")
    }

    private func amount(_ id: Int) throws -> Int {
        try scratch.database.number("SELECT amount FROM accounts WHERE id = \(id)")
    }

    private func notes() throws -> [String] {
        try scratch.database.rows("SELECT text FROM notes ORDER BY text").map { try $0.first() }
    }

    struct Refused: Error {}

    @Test("An error of the body undoes everything and is passed on")
    func undone() throws {
        #expect(throws: Refused.self) {
            try scratch.database.transaction { transaction in
                try transaction.execute("UPDATE accounts SET amount = 0")
                throw Refused()
            }
        }
        #expect(try amount(1) == 100)
    }

    @Test("A guarded update that changes nothing still counts the row it found")
    func foundRows() throws {
        #expect(try scratch.database.execute("UPDATE accounts SET amount = 100 WHERE id = 1").affectedRows == 1)
        #expect(try scratch.database.execute("UPDATE accounts SET amount = 100 WHERE id = 9").affectedRows == 0)
        #expect(try scratch.database.execute("DELETE FROM accounts WHERE id < 3").affectedRows == 2)
    }

    @Test("A duplicate names its key, says nothing of its value, and leaves the transaction open")
    func duplicate() throws {
        try scratch.database.transaction { transaction in
            try transaction.execute("INSERT INTO notes VALUES ('it''s for key ''x''')")
            let error = #expect(throws: DatabaseError.self) {
                try transaction.execute("INSERT INTO notes VALUES (\("it's for key 'x'"))")
            }
            #expect(error?.code == .duplicate)
            #expect(error?.constraint == "one_of_each")
            #expect(error?.debugDescription.contains("it's") == false)
            #expect(error?.debugDescription.contains("INSERT INTO notes VALUES (?)") == true)
            try transaction.execute("INSERT INTO notes VALUES ('more')")
        }
        #expect(try notes() == ["it's for key 'x'", "more"])
    }

    @Test(
        "A deadlock at any statement starts the whole transaction over, and nothing of the first try is kept",
        arguments: 0...2)
    func deadlock(extra: Int) throws {
        let rendezvous = Rendezvous()
        let tries = Locked(0)
        let errors = inThreads(2) { [scratch] index in
            try scratch.database.transaction { transaction in
                if index == 0 { tries.with { $0 += 1 } }
                let (mine, theirs) = index == 0 ? (1, 2) : (2, 1)
                // The server sacrifices the lighter of two, so the other one writes more.
                let weight = index == 0 ? extra : 20
                try transaction.execute("UPDATE accounts SET amount = amount + 1 WHERE id = \(mine)")
                for number in 0..<weight {
                    try transaction.execute("INSERT INTO notes VALUES (\("\(index)-\(number)"))")
                }
                rendezvous.meet()
                try transaction.execute("UPDATE accounts SET amount = amount + 1 WHERE id = \(theirs)")
            }
        }
        #expect(errors.isEmpty)
        #expect(tries.with { $0 } == 2)
        #expect(try amount(1) == 102)
        #expect(try amount(2) == 102)
        #expect(try notes().count == 20 + extra)
    }

    @Test("After a deadlock that the body swallows, nothing more is sent and nothing is committed")
    func swallowed() throws {
        let rendezvous = Rendezvous()
        let refusals = Locked(0)
        let errors = inThreads(2) { [scratch] index in
            try scratch.database.transaction { transaction in
                try transaction.execute("UPDATE accounts SET amount = amount + 1 WHERE id = \(index + 1)")
                if index == 1 {
                    for number in 0..<20 { try transaction.execute("INSERT INTO notes VALUES (\("\(number)"))") }
                }
                rendezvous.meet()
                do {
                    try transaction.execute("UPDATE accounts SET amount = amount + 1 WHERE id = \(2 - index)")
                } catch {
                    #expect(throws: DatabaseError(testing: .deadlock)) {
                        try transaction.execute("INSERT INTO notes VALUES ('alone')")
                    }
                    refusals.with { $0 += 1 }
                }
            }
        }
        #expect(errors.isEmpty)
        #expect(refusals.with { $0 } == 1)
        #expect(try !notes().contains("alone"))
        #expect(try amount(1) == 102 && amount(2) == 102)
    }

    @Test("A lock waited for in vain rolls back what came before it")
    func lockTimeout() throws {
        let tries = Locked(0)
        try scratch.another().transaction { holder in
            try holder.execute("UPDATE accounts SET amount = 7 WHERE id = 2")
            let errors = inThreads(1) { [scratch] _ in
                try scratch.database.transaction { transaction in
                    tries.with { $0 += 1 }
                    try transaction.execute("UPDATE accounts SET amount = 0 WHERE id = 1")
                    try transaction.execute("UPDATE accounts SET amount = 0 WHERE id = 2")
                }
            }
            #expect(errors.map { $0 as? DatabaseError } == [DatabaseError(testing: .lockTimeout)])
        }
        #expect(tries.with { $0 } == 2)
        #expect(try amount(1) == 100)
        #expect(try amount(2) == 7)
    }

    @Test(
        "A connection ended inside a transaction is reported to its body, not replaced, and the body starts over",
        arguments: 0...2)
    func killed(before statement: Int) throws {
        var tries = 0
        try scratch.database.transaction { transaction in
            tries += 1
            let connection = try transaction.connectionID()
            for number in 0...2 {
                if tries == 1, number == statement {
                    try scratch.kill(connection)
                    #expect(throws: DatabaseError(testing: .gone)) { _ = try transaction.connectionID() }
                }
                try transaction.execute("UPDATE accounts SET amount = amount + 1 WHERE id = \(number + 1)")
            }
        }
        #expect(tries == 2)
        #expect(try [amount(1), amount(2), amount(3)] == [101, 101, 101])
    }

    @Test("A connection that is ended at every try is given up after the second")
    func killedAgain() throws {
        var tries = 0
        #expect(throws: DatabaseError(testing: .gone)) {
            try scratch.database.transaction { transaction in
                tries += 1
                try scratch.kill(transaction.connectionID())
                try transaction.execute("UPDATE accounts SET amount = 0")
            }
        }
        #expect(tries == 2)
        #expect(try amount(1) == 100)
    }

    @Test("Using the database inside a transaction is refused at once, and the transaction lives on")
    func nested() throws {
        try scratch.database.transaction { transaction in
            #expect(throws: DatabaseError(testing: .other)) { _ = try scratch.database.rows("SELECT 1") }
            #expect(throws: DatabaseError(testing: .other)) { try scratch.database.transaction { _ in } }
            try transaction.execute("UPDATE accounts SET amount = 1 WHERE id = 1")
        }
        #expect(try amount(1) == 1)
    }

    @Test(
        "It is noticed what may stay of a thread's work: what was committed, and nothing that was rolled back or read")
    func noticing() throws {
        let database = scratch.database
        func stays(_ body: () throws -> Void) -> Bool { database.noticingChanges(body).mayStay }
        #expect(!stays { _ = try database.rows("SELECT amount FROM accounts") })
        #expect(!stays { try database.execute("DELETE FROM accounts WHERE id = 9") })
        #expect(!stays { try database.execute("INSERT INTO accounts VALUES (1, 1)") }, "a duplicate")
        #expect(
            !stays {
                try database.transaction { transaction in
                    try transaction.execute("UPDATE accounts SET amount = 0")
                    throw Refused()
                }
            })
        #expect(!stays { try database.transaction { _ = try $0.rows("SELECT id FROM accounts FOR UPDATE") } })
        #expect(!stays { _ = inThreads(1) { _ in try database.execute("INSERT INTO notes VALUES ('theirs')") } })
        #expect(stays { try database.execute("INSERT INTO notes VALUES ('mine')") })
        #expect(stays { _ = try database.rows("INSERT INTO notes VALUES ('told') RETURNING text") })
        #expect(
            stays {
                try database.transaction { try $0.execute("INSERT INTO notes VALUES ('kept')") }
                throw Refused()
            })
        #expect(stays { try database.transaction { _ = try $0.rows("INSERT INTO notes VALUES ('r') RETURNING text") } })
    }

    @Test("Everything is deleted in batches, or until there is no more time")
    func deleting() throws {
        for number in 0..<25 { try scratch.database.execute("INSERT INTO notes VALUES (\("n\(number)"))") }
        var batches = 0
        let some = try scratch.database.deleteAll("DELETE FROM notes WHERE text <> \("n3")", atOnce: 10) {
            batches += 1
            return false
        }
        #expect(try some == 10 && batches == 1 && notes().count == 15)
        #expect(try scratch.database.deleteAll("DELETE FROM notes WHERE text <> \("n3")", atOnce: 10) == 14)
        #expect(try notes() == ["n3"])
    }

    @Test("A transaction cannot be used after its end")
    func leaked() throws {
        var leaked: Transaction?
        try scratch.database.transaction { leaked = $0 }
        #expect(throws: DatabaseError(testing: .other)) { _ = try leaked?.rows("SELECT 1") }
    }

    @Test("Read-modify-write with FOR UPDATE loses nothing among eight threads")
    func counting() throws {
        let errors = inThreads(8) { [scratch] _ in
            for _ in 0..<50 {
                try scratch.database.transaction { transaction in
                    let amount = try transaction.number("SELECT amount FROM accounts WHERE id = 1 FOR UPDATE")
                    try transaction.execute("UPDATE accounts SET amount = \(amount + 1) WHERE id = 1")
                }
            }
        }
        #expect(errors.isEmpty)
        #expect(try amount(1) == 500)
    }

    @Test("READ COMMITTED sees what was committed meanwhile, REPEATABLE READ does not")
    func isolation() throws {
        for (isolation, expected) in [(Database.Isolation.repeatableRead, 100), (.readCommitted, 5)] {
            try scratch.run("UPDATE accounts SET amount = 100 WHERE id = 1")
            let other = scratch.another()
            try scratch.database.transaction(isolation: isolation) { transaction in
                _ = try transaction.number("SELECT amount FROM accounts WHERE id = 1")
                try other.execute("UPDATE accounts SET amount = 5 WHERE id = 1")
                #expect(try transaction.number("SELECT amount FROM accounts WHERE id = 1") == expected)
            }
        }
    }

    @Test("A lost connection and a lock waited for in vain are each tried once more")
    func fewRetries() {
        for code in [1_205, 2_013] {
            var retry = TransactionRetry()
            let error = DatabaseError(number: code, message: "", statement: nil)
            #expect(retry.next(after: error, jitter: 1) != .giveUp)
            #expect(retry.next(after: error, jitter: 1) == .giveUp)
        }
    }

    @Test("The pause before another try grows, and the fifth failure is the last")
    func retries() {
        var retry = TransactionRetry()
        let deadlock = DatabaseError(testing: .deadlock)
        #expect(
            (1...5).map { _ in retry.next(after: deadlock, jitter: 1) } == [
                .again(after: .milliseconds(10)), .again(after: .milliseconds(20)), .again(after: .milliseconds(40)),
                .again(after: .milliseconds(80)), .giveUp,
            ])
    }
}
