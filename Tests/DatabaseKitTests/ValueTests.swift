import Testing
import TimeKit

@testable import DatabaseKit

@Suite struct ValueTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch(connections: 2)
        try scratch.run(
            """
            CREATE TABLE things (
                id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
                tiny TINYINT NULL, big BIGINT NULL, huge BIGINT UNSIGNED NULL, small SMALLINT UNSIGNED NULL,
                ratio DOUBLE NULL, share FLOAT NULL, price DECIMAL(10, 2) NULL,
                name VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL,
                code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_nopad_bin NULL,
                body LONGTEXT CHARACTER SET utf8mb4 NULL, document JSON NULL, kind ENUM('one', 'two') NULL,
                digest BINARY(32) NULL, blob_ LONGBLOB NULL, flag BOOL NULL,
                at DATETIME(6) NULL, day DATE NULL, clock TIME NULL
            ) ENGINE = InnoDB
            """)
    }

    private func back<Value: Bindable & Readable>(_ column: String, _ value: Value) throws -> Value {
        let database = scratch.database
        let made = try database.execute("INSERT INTO things (\(unescaped: column)) VALUES (\(value))")
        #expect(made.affectedRows == 1)
        let row = try database.row("SELECT \(unescaped: column) AS found FROM things WHERE id = \(made.insertedID)")
        return try #require(row).get("found")
    }

    @Test("Whole numbers keep their value at both ends of their range")
    func integers() throws {
        #expect(try back("tiny", Int8.min) == .min)
        #expect(try back("big", Int64.min) == .min)
        #expect(try back("big", Int64.max) == .max)
        #expect(try back("huge", UInt64.max) == .max)
        #expect(try back("small", UInt16.max) == .max)
        #expect(try back("big", Int?.none) == nil)
        #expect(try back("flag", true) == true)
        #expect(try back("flag", false) == false)
    }

    @Test("Floating-point numbers and decimals come back")
    func fractions() throws {
        #expect(try back("ratio", 0.1) == 0.1)
        #expect(try back("ratio", -Double.greatestFiniteMagnitude) == -.greatestFiniteMagnitude)
        #expect(try back("share", 0.5) == 0.5)
        #expect(try back("price", "12345678.90") == "12345678.90")
    }

    @Test("Sums, which are decimals, are read as whole numbers")
    func sums() throws {
        try scratch.run("INSERT INTO things (big) VALUES (40), (2)")
        #expect(try scratch.database.number("SELECT SUM(big) FROM things") == 42)
        #expect(try scratch.database.number("SELECT COUNT(*) FROM things") == 2)
        let row = try #require(try scratch.database.row("SELECT AVG(big) AS mean, SUM(small) AS nothing FROM things"))
        #expect(try row.get("mean") == 21.0)
        #expect(try row.get("nothing", as: Int?.self) == nil)
    }

    @Test("Text keeps emoji, accents, quotes and nulls on a server that speaks latin1 by default")
    func text() throws {
        for text in ["", "🦊 héllo ß 漢字", "'; DROP TABLE things; --", "a\0b\\n\"", String(repeating: "é", count: 200)] {
            #expect(try back("name", text) == text)
        }
        #expect(try back("document", #"{"a": "🦊"}"#) == #"{"a": "🦊"}"#)
        #expect(try back("kind", "two") == "two")
    }

    @Test("An identifier in ascii_nopad_bin equals itself only: no other case, no trailing space, no number")
    func identifiers() throws {
        try scratch.run("INSERT INTO things (code) VALUES ('AbC')")
        for (other, found) in [("AbC", 1), ("abc", 0), ("AbC ", 0), ("AbC\0", 0), ("0", 0)] {
            #expect(try scratch.database.number("SELECT COUNT(*) FROM things WHERE code = \(other)") == found)
        }
    }

    @Test("Bytes come back as they were, all 256 of them")
    func bytes() throws {
        let all = (0...255).map { UInt8($0) }
        #expect(try back("blob_", all) == all)
        #expect(try back("blob_", [UInt8]()) == [])
        #expect(try back("digest", Array(all[224...])) == Array(all[224...]))
    }

    @Test("A megabyte of bytes and of text comes back, beside short cells, more than once")
    func large() throws {
        let bytes = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let text = String(repeating: "0123456789abcdé", count: 65_536)
        for name in ["first", "second"] {
            try scratch.run("INSERT INTO things (name, blob_, body) VALUES (\(name), \(bytes), \(text))")
        }
        for _ in 0..<2 {
            let rows = try scratch.database.rows("SELECT name, blob_, body, id FROM things ORDER BY id")
            #expect(try rows.map { try $0.get("name") } == ["first", "second"])
            #expect(try rows.map { try $0.get("id") } == [1, 2])
            for row in rows {
                #expect(try row.get("blob_") == bytes)
                #expect(try row.get("body") == text)
            }
        }
    }

    @Test("Moments keep their microseconds, before 1970 and after 2038")
    func moments() throws {
        for text in ["1969-07-20T20:17:40Z", "2040-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T12:00:00Z"] {
            let moment = try #require(Timestamp(rfc3339: text)) + .microseconds(123_456)
            #expect(try back("at", moment) == moment)
        }
        #expect(try back("at", Timestamp?.none) == nil)
        let day = try #require(Timestamp(rfc3339: "2026-11-21T00:00:00Z"))
        #expect(try back("day", day) == day)
        #expect(throws: DatabaseError(testing: .other)) {
            _ = try back("at", Timestamp(seconds: 300_000_000_000))
        }
    }

    @Test("The server's clock is read in UTC")
    func serverClock() throws {
        let row = try #require(try scratch.database.row("SELECT NOW(6) AS here, UTC_TIMESTAMP(6) AS there"))
        #expect(try row.get("here", as: Timestamp.self) == row.get("there", as: Timestamp.self))
        #expect(abs(try (row.get("here", as: Timestamp.self) - .now()).milliseconds) < 5_000)
    }

    enum Kind: String, Bindable, Readable { case one, two }

    @Test("A raw-representable type is bound and read by declaring it")
    func rawValues() throws {
        #expect(try back("kind", Kind.two) == .two)
        try scratch.run("INSERT INTO things (code) VALUES ('three')")
        let row = try #require(try scratch.database.row("SELECT code FROM things WHERE code IS NOT NULL"))
        #expect(throws: DatabaseError(testing: .decoding)) { _ = try row.get("code", as: Kind.self) }
    }

    @Test("Reading a column that is missing, NULL or of another type is an error that names it")
    func decoding() throws {
        let row = try #require(
            try scratch.database.row("SELECT 'x' AS word, 300 AS number, NULL AS none, x'00' AS raw_"))
        for (column, read) in [
            ("wrod", { _ = try row.get("wrod", as: String.self) }), ("word", { _ = try row.get("word", as: Int.self) }),
            ("number", { _ = try row.get("number", as: Int8.self) }),
            ("number", { _ = try row.get("number", as: String.self) }),
            ("none", { _ = try row.get("none", as: String.self) }),
            ("raw_", { _ = try row.get("raw_", as: String.self) }),
            ("word", { _ = try row.get("word", as: [UInt8].self) }),
            ("number", { _ = try row.get("number", as: Bool.self) }),
        ] as [(String, () throws -> Void)] {
            let error = #expect(throws: DatabaseError.self) { try read() }
            #expect(error?.code == .decoding)
            #expect(error?.debugDescription.contains(column) == true)
        }
        #expect(try row.get("none", as: String?.self) == nil)
    }

    @Test("A column whose type changed between two runs of a statement is read as what it is now")
    func changedColumn() throws {
        let database = scratch.another()
        try scratch.run("CREATE TABLE moving (cell INT NOT NULL)", "INSERT INTO moving VALUES (7)")
        #expect(try database.row("SELECT cell FROM moving")?.get("cell") == 7)
        try scratch.run("ALTER TABLE moving MODIFY cell VARCHAR(2000) NOT NULL")
        #expect(try database.row("SELECT cell FROM moving")?.get("cell") == "7")
    }

    @Test("A statement that names no columns fails once when one is added, and the connection is not used again")
    func addedColumn() throws {
        let database = scratch.another()
        try scratch.run("CREATE TABLE moving (cell INT NOT NULL)", "INSERT INTO moving VALUES (7)")
        #expect(try database.row("SELECT * FROM moving")?.names == ["cell"])
        try scratch.run("ALTER TABLE moving ADD COLUMN more INT NOT NULL DEFAULT 3")
        #expect(throws: DatabaseError(testing: .other)) { _ = try database.rows("SELECT * FROM moving") }
        #expect(try database.row("SELECT * FROM moving")?.get("more") == 3)
    }
}

extension DatabaseError {
    /// An error of this code, for comparing: errors are equal by code.
    init(testing code: Code) {
        self.init(code, "")
    }
}
