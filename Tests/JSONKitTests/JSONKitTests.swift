import CostFixture
import Testing
import TimeKit

@testable import JSONKit

@Suite struct JSONReading {
    private func read(_ text: String) throws(JSONError) -> JSON { try JSON(parsing: Array(text.utf8)) }

    @Test("Members keep the order in which they were written")
    func order() throws {
        let text = #"{"z":1,"a":{"y":2,"b":[true,null]},"m":"3"}"#
        #expect(try String(decoding: read(text).bytes, as: UTF8.self) == text)
    }

    @Test("Two members of the same name are refused")
    func duplicates() {
        #expect(throws: JSONError.duplicateName) { try JSON(parsing: Array(#"{"a": 1, "a": 2}"#.utf8)) }
        for count in [2, 11, 12, 13, 14, 40] {
            let members = (0..<count).map { #""n\#($0)":0"# }
            for twice in [0, count / 2, count - 1] {
                let text = "{" + (members + [members[twice]]).joined(separator: ",") + "}"
                #expect(throws: JSONError.duplicateName) { try JSON(parsing: Array(text.utf8)) }
            }
            #expect(throws: Never.self) { try JSON(parsing: Array("{\(members.joined(separator: ","))}".utf8)) }
        }
    }

    @Test(
        "What RFC 8259 allows is read",
        arguments: [
            ("true", JSON.bool(true)), ("false", false), ("null", nil), ("0", 0), ("-0", 0), ("1", 1),
            ("9223372036854775807", 9_223_372_036_854_775_807),
            ("9223372036854775808", .number(9.223372036854775808e18)),
            ("-9223372036854775808", .integer(.min)), ("1.0", .number(1)), ("1e3", .number(1000)),
            ("1E-2", .number(0.01)),
            ("-1.5e+2", .number(-150)), (" [ 1 , 2 ]\r\n\t", [1, 2]), ("[]", []), ("{}", [:]),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (#""\u00e9\ud83d\ude00\u0000""#, "é😀\0"), ("\"é😀\u{7f}\"", "é😀\u{7f}"), (#"{"":{}}"#, ["": [:]]),
        ] as [(String, JSON)])
    func allowed(text: String, value: JSON) throws {
        #expect(try read(text) == value)
    }

    @Test(
        "What RFC 8259 does not allow is refused",
        arguments: [
            "", " ", "nul", "nulll", "True", "'a'", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity",
            "1e400", "-1e400", "[1,]", "[,1]", "[1 2]", "[", "]", "[1", #"{"a":1,}"#, #"{"a"}"#, #"{"a":}"#, #"{a:1}"#,
            "{1:1}",
            #"{"a":1 "b":2}"#, "{", "}", "[}", "1 2", "[] []", "\u{feff}{}", "// c\n1", "\"a\nb\"", "\"a\u{1f}\"",
            #""\x""#,
            #""\u12""#, #""\u12g4""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800x""#, #"""#, #""\"#,
            #""\u"#,
        ])
    func forbidden(text: String) {
        #expect(throws: JSONError.malformed) { try read(text) }
    }

    @Test("A truth is no number and a number no truth")
    func kinds() throws {
        let pair = try read("[true,1,0,\"1\"]")
        #expect(
            pair == [true, 1, 0, "1"] && pair[0]?.wholeNumber == nil && pair[1]?.truth == nil
                && pair[3]?.wholeNumber == nil)
        #expect(pair[4] == nil && pair[-1] == nil && pair["0"] == nil && pair[0]?[0] == nil)
    }

    @Test("Text that is not UTF-8 is refused, UTF-16 included")
    func encodings() {
        for bytes: [UInt8] in [
            [0x22, 0xff, 0x22], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x5b, 0, 0x31, 0, 0x5d, 0],
            [0x80],
        ] {
            #expect(throws: JSONError.malformed) { try JSON(parsing: bytes) }
        }
    }

    @Test("32 levels are read and 33 refused, whatever stands in strings")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(throws: Never.self) { try read(nested(32)) }
        #expect(throws: JSONError.tooDeep) { try read(nested(33)) }
        #expect(throws: JSONError.tooDeep) { try read(String(repeating: "{\"a\":", count: 33)) }
        #expect(throws: JSONError.tooDeep) { try read(String(repeating: "[", count: 1_000_000)) }
        #expect(try read("[\"" + String(repeating: "[", count: 500) + "\"]")[0]?.text?.utf8.count == 500)
        #expect(throws: Never.self) { try read("[" + String(repeating: "[],", count: 100) + "[]]") }
    }

    @Test(
        "Half a megabyte of small values is read in linear time",
        arguments: ["1,", "{},", "\"\",", "\"\\u0041\",", "1e5,"])
    func hostile(unit: String) {
        let growth = growth(from: 64_000) { size in
            Array(("[" + String(repeating: unit, count: size / unit.utf8.count) + "1]").utf8)
        } _: {
            _ = try? JSON(parsing: $0)
        }
        #expect(growth < 24)
    }

    @Test("Random bytes never bring the reader down, and what it takes it writes back alike")
    func random() throws {
        let alphabet = Array(#"{}[]":,\u0123456789eE+-.truefalsn "#.utf8) + [0xc3, 0xa9, 0xff, 0x0a]
        var taken = 0
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...12)).map { _ in alphabet.randomElement() ?? 0x20 }
            guard let value = try? JSON(parsing: bytes) else { continue }
            taken += 1
            #expect(try JSON(parsing: value.bytes) == value)
        }
        #expect(taken > 0)
    }
}

@Suite struct JSONWriting {
    private func text(_ value: JSON) -> String { String(decoding: value.bytes, as: UTF8.self) }

    @Test("Text may stand inside HTML and holds no raw control character")
    func escapes() {
        #expect(text("</script><!--") == #""\u003c/script>\u003c!--""#)
        #expect(text("\"\\\n\r\t\0\u{1f}\u{7f}é") == #""\"\\\n\r\t\u0000\u001f\u007fé""#)
        #expect(text(["<": "<"]) == #"{"\u003c":"\u003c"}"#)
    }

    @Test("Numbers are written so that they are read back")
    func numbers() throws {
        for number in [0.1, -0.0, 1e21, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3] {
            #expect(try JSON(parsing: JSON.number(number).bytes) == .number(number))
        }
        #expect(text(.number(.nan)) == "null" && text(.number(.infinity)) == "null")
        #expect(text(.integer(.min)) == "-9223372036854775808")
    }

    @Test("Nothing is null, a moment is RFC 3339")
    func optional() {
        #expect(
            text([JSON(String?.none), JSON(Timestamp?.none), JSON(Int?.none), JSON(Int?.some(3))])
                == "[null,null,null,3]")
        #expect(text(JSON(Timestamp(microseconds: 1_500))) == #""1970-01-01T00:00:00.001Z""#)
        #expect(text(JSON(UInt64?.some(.max))) == "9223372036854775807")
    }
}
