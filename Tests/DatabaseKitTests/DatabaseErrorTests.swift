import Foundation
import Testing

@testable import DatabaseKit

@Suite struct DatabaseErrorTests {
    @Test(
        "Each number becomes the decision it asks for",
        arguments: [
            (1_062, DatabaseError.Code.duplicate), (1_213, .deadlock), (1_020, .deadlock), (1_205, .lockTimeout),
            (1_969, .statementTimeout), (1_317, .statementTimeout), (2_002, .gone), (2_003, .gone), (2_006, .gone),
            (2_013, .gone), (1_927, .gone), (1_053, .gone), (1_040, .gone), (1_047, .gone), (1_290, .readOnly),
            (1_792, .readOnly), (1_021, .readOnly), (1_114, .readOnly), (3, .readOnly), (1_146, .schema),
            (1_054, .schema),
            (1_064, .other), (1_045, .other),
        ])
    func codes(number: Int, code: DatabaseError.Code) {
        let error = DatabaseError(number: number, message: "words", statement: "SELECT ?")
        #expect(error.code == code)
        #expect(error.description == "database error (\(code.rawValue))")
        #expect(error.debugDescription == "database error (\(code.rawValue)) \(number): words\nSELECT ?")
    }

    @Test(
        "A message's values are left out and its names are kept",
        arguments: [
            ("Duplicate entry 'x' for key 'name'", "Duplicate entry '…' for key 'name'"),
            ("Duplicate entry 'a' for key 'b' for key 'name'", "Duplicate entry '…' for key 'name'"),
            (
                "Incorrect datetime value: 'x' for column `d`.`t`.`c` at row 1",
                "Incorrect datetime value: '…' for column `d`.`t`.`c` at row 1"
            ),
            ("Truncated incorrect DOUBLE value: 'x'", "Truncated incorrect DOUBLE value: '…'"),
            ("Data too long for column 'name' at row 1", "Data too long for column 'name' at row 1"),
        ])
    func values(message: String, shown: String) {
        #expect(DatabaseError(number: 1_062, message: message, statement: nil).detail == shown)
    }

    @Test("No statement in the sources skips rows by counting them")
    func noOffset() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let word = try Regex(#"\bOFFSET\b|\bLIMIT\s+[^\s,;]+\s*,"#)
        let files = try #require(
            FileManager.default.enumerator(at: root.appending(path: "Sources"), includingPropertiesForKeys: nil))
        var read = 0
        for case let file as URL in files where ["swift", "sql"].contains(file.pathExtension) {
            read += 1
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(text.firstMatch(of: word) == nil, "\(file.lastPathComponent)")
        }
        #expect(read > 10)
    }
}
