import Testing

@testable import JSONKit

/// Cases as the test suite of JSON Schema 2020-12 has them, and schemas that mean harm.
@Suite struct SchemaRuleTests {
    private static func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    private static func fits(_ value: String, _ schema: String) throws -> Bool {
        try SchemaRule(parse(schema)).faults(in: parse(value)).isEmpty
    }

    @Test(
        "A value fits a schema exactly when the standard says so",
        arguments: [
            (#"{"type":"integer"}"#, ["1", "1.0", "-3"], ["1.1", "\"1\"", "true", "null"]),
            (#"{"type":"number"}"#, ["1", "1.5"], ["\"1\"", "{}"]),
            (#"{"type":["string","null"]}"#, ["\"a\"", "null"], ["0", "[]"]),
            (#"{"type":"boolean"}"#, ["true", "false"], ["0", "\"false\""]),
            (#"{"const":1}"#, ["1", "1.0"], ["true", "2"]), (#"{"const":0}"#, ["0", "-0.0"], ["false", "\"\""]),
            (#"{"const":{"a":1,"b":[2]}}"#, [#"{"b":[2.0],"a":1}"#], [#"{"a":1}"#, #"{"a":1,"b":[2],"c":3}"#]),
            (#"{"enum":["a",null,[1]]}"#, ["\"a\"", "null", "[1]"], ["\"b\"", "[1,1]"]),
            (#"{"minLength":2,"maxLength":3}"#, ["\"ab\"", "\"äöü\"", "7"], ["\"a\"", "\"abcd\""]),
            (#"{"maxLength":2}"#, ["\"\u{1f4a9}\u{1f4a9}\""], ["\"\u{1f4a9}\u{1f4a9}\u{1f4a9}\""]),
            (#"{"minimum":1.1}"#, ["1.1", "2", "\"x\""], ["0.6", "-1"]),
            (#"{"exclusiveMinimum":1,"exclusiveMaximum":3}"#, ["2", "2.9"], ["1", "3"]),
            (#"{"multipleOf":0.0001}"#, ["0.0075", "0.3"], ["0.00751"]), (#"{"multipleOf":2}"#, ["4", "0"], ["7"]),
            (#"{"items":{"type":"integer"}}"#, ["[1,2]", "[]", "{}"], ["[1,\"x\"]"]),
            (
                #"{"prefixItems":[{"type":"integer"}],"items":{"type":"string"}}"#, ["[1,\"a\"]", "[]"],
                ["[1,2]", "[\"a\"]"]
            ),
            (#"{"minItems":1,"maxItems":2,"uniqueItems":true}"#, ["[1]", "[1,2]"], ["[]", "[1,2,3]", "[1,1]"]),
            (#"{"contains":{"minimum":5}}"#, ["[1,6]", "3"], ["[1,2]", "[]"]),
            (
                #"{"required":["a"],"properties":{"a":{"type":"string"}}}"#, [#"{"a":"x","b":1}"#, "[]"],
                ["{}", #"{"a":1}"#]
            ),
            (#"{"properties":{"a":{}},"additionalProperties":false}"#, [#"{"a":1}"#, "{}"], [#"{"a":1,"b":2}"#]),
            (#"{"additionalProperties":{"type":"integer"}}"#, [#"{"x":1}"#], [#"{"x":"y"}"#]),
            (#"{"propertyNames":{"maxLength":2}}"#, [#"{"ab":1}"#], [#"{"abc":1}"#]),
            (#"{"minProperties":1,"maxProperties":1}"#, [#"{"a":1}"#, "3"], ["{}", #"{"a":1,"b":2}"#]),
            (#"{"anyOf":[{"type":"string"},{"minimum":2}]}"#, ["\"x\"", "3"], ["1"]),
            (#"{"allOf":[{"minimum":2},{"maximum":3}]}"#, ["2"], ["1", "4"]),
            (#"{"oneOf":[{"type":"integer"},{"minimum":2}]}"#, ["1", "2.5"], ["3", "1.5"]),
            (#"{"not":{"type":"integer"}}"#, ["\"x\""], ["1"]), ("true", ["1", "{}"], []), ("false", [], ["1"]),
            (
                ##"{"$defs":{"node":{"properties":{"next":{"$ref":"#/$defs/node"}},"additionalProperties":false}},"$ref":"#/$defs/node"}"##,
                [#"{"next":{"next":{}}}"#], [#"{"next":{"prev":{}}}"#]
            ),
            (
                ##"{"properties":{"foo":{"$ref":"#"}},"additionalProperties":false}"##, [#"{"foo":{"foo":false}}"#],
                [#"{"foo":{"bar":1}}"#]
            ),
            (##"{"$defs":{"a~b/c":{"type":"integer"}},"$ref":"#/$defs/a~0b~1c"}"##, ["1"], ["\"1\""]),
        ] as [(String, [String], [String])])
    func judges(schema: String, good: [String], bad: [String]) throws {
        for value in good { #expect(try Self.fits(value, schema), "\(value) fits \(schema)") }
        for value in bad { #expect(try !Self.fits(value, schema), "\(value) breaks \(schema)") }
    }

    @Test("A fault says where it is and what would be right")
    func places() throws {
        let rule = try SchemaRule(
            Self.parse(#"{"properties":{"items":{"items":{"required":["sku"],"properties":{"n":{"minimum":1}}}}}}"#))
        let faults = rule.faults(in: try Self.parse(#"{"items":[{"sku":"a","n":1},{"n":0}]}"#))
        #expect(Set(faults.map(\.place)) == ["items.1.sku", "items.1.n"])
        #expect(faults.allSatisfy { $0.detail.hasSuffix(".") })
    }

    @Test(
        "A schema that could not be kept to is refused, and the place is named",
        arguments: [
            (#"{"type":"text"}"#, "/type"), (#"{"pattern":"^(a+)+$"}"#, "/pattern"),
            (#"{"minLength":-1}"#, "/minLength"),
            (#"{"minLength":1.5}"#, "/minLength"), (#"{"enum":[]}"#, "/enum"), (#"{"required":[1]}"#, "/required"),
            (#"{"properties":{"a/b":{"type":1}}}"#, "/properties/a~1b/type"), (#"{"multipleOf":0}"#, "/multipleOf"),
            (##"{"$ref":"https://example.com/x"}"##, "/$ref"), (##"{"$ref":"#/$defs/none"}"##, "/$ref"), (#"[]"#, ""),
            (#"{"allOf":[{"typo":1}]}"#, "/allOf/0/typo"), (#"{"items":3}"#, "/items"),
            (#"{"uniqueItems":1}"#, "/uniqueItems"),
        ])
    func refused(schema: String, pointer: String) throws {
        let json = try Self.parse(schema)
        do {
            _ = try SchemaRule(json)
            Issue.record("\(schema) was taken")
        } catch {
            #expect(error.pointer == pointer && error.detail.hasSuffix("."))
        }
    }

    @Test("A schema that nests deeper than 32 levels is refused")
    func deep() throws {
        let nested = (0..<40).reduce(JSON.object([])) { inner, _ in .object([JSON.Member("not", inner)]) }
        #expect(throws: SchemaRule.Mistake.self) { try SchemaRule(nested) }
    }

    @Test(
        "A schema that goes round in circles, or multiplies its work, is broken off, and what it judges counts as broken",
        arguments: [
            ##"{"$ref":"#"}"##, ##"{"not":{"$ref":"#"}}"##, ##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}"##,
            ##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##,
            ##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]},"b":{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}"##,
        ])
    func circles(schema: String) throws {
        let rule = try SchemaRule(Self.parse(schema))
        #expect(rule.faults(in: ["a": [1, 2, 3]]).contains { $0.detail == "This takes too long to judge." })
    }

    @Test("Of many faults no more are told than were asked for")
    func bounded() throws {
        let rule = try SchemaRule(["items": ["type": "string"]])
        #expect(rule.faults(in: .array((0..<5_000).map { .integer($0) })).count == 20)
        #expect(rule.faults(in: .array((0..<5_000).map { .integer($0) }), atMost: 3).count == 3)
    }

    @Test("Large values are judged in time that grows with their size alone")
    func large() throws {
        let names = (0..<2_000).map { "n\($0)" }
        let rule = try SchemaRule([
            "properties": .object(names.map { JSON.Member($0, ["type": "integer"]) }), "additionalProperties": false,
            "required": .array(names.map(JSON.string)),
        ])
        let value = JSON.object(names.map { JSON.Member($0, 1) })
        let begun = ContinuousClock.now
        for _ in 0..<20 { #expect(rule.faults(in: value).isEmpty) }
        #expect(ContinuousClock.now - begun < .seconds(10))
    }
}
