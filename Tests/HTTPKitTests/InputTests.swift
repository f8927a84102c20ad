import JSONKit
import LogKit
import Testing

@testable import HTTPKit

@Suite struct Inputs {
    private func form(_ text: String) throws -> Input { Input(try #require(Form(urlencoded: text))) }
    private func json(_ text: String) throws -> Input { try Input(JSON(parsing: Array(text.utf8))) }
    private func codes(_ input: Input) -> [String] { (input.problem?.errors ?? []).map { "\($0.field) \($0.code)" } }

    @Test("A form and a JSON body with the same fields read the same")
    func alike() throws {
        for var input in [
            try form("name=+Ana+&age=7&ok=on&tags=a&tags=+b+&setup.token=x"),
            try json(#"{"name":"Ana","age":7,"ok":true,"tags":["a","b"],"setup":{"token":"x"}}"#),
        ] {
            #expect(input.text("name") == "Ana" && input.number("age", 1...9) == 7 && input.truth("ok") == true)
            #expect(
                input.texts("tags") == ["a", "b"] && input.text("setup.token") == "x"
                    && input.names(below: "setup") == ["token"])
            #expect(
                input.isComplete && input.isGiven("name") && !input.isGiven("nothing") && input.isGiven("setup.token"))
        }
    }

    @Test("Every kind of refusal has its code, and all are told at once")
    func refusals() throws {
        var input = try json(
            #"{"short":"a","long":"abcd","number":"7","big":99,"truth":1,"texts":"a","mixed":["a",1],"many":["a","b"],"text":7,"word":"x","extra":1,"deep":{"known":"y","other":1}}"#
        )
        _ = input.text("missing")
        _ = input.text("short", 2...3)
        _ = input.text("long", 2...3)
        _ = input.number("number", 0...9)
        _ = input.number("big", 0...9)
        _ = input.truth("truth")
        _ = input.texts("texts")
        _ = input.texts("mixed")
        _ = input.texts("many", atMost: 1)
        _ = input.text("text")
        _ = input.parsed("word", orSay: "No.") { Int($0) }
        _ = input.text("deep.known")
        #expect(
            codes(input) == [
                "missing required", "short too_short", "long too_long", "number wrong_type", "big out_of_range",
                "truth wrong_type", "texts wrong_type",
                "mixed wrong_type", "many too_many", "text wrong_type", "word invalid", "extra unknown_field",
                "deep.other unknown_field",
            ])
        #expect(input.problem?.errors.last?.pointer == "/deep/other" && !input.isComplete)
    }

    @Test("A field sent twice is a malformed request, one of a wrong value is not")
    func duplicateStatus() throws {
        for (text, status, code) in [
            ("a=1&a=2", 400, "duplicate_field"), ("a=1&a=1", 400, "duplicate_field"), ("a=", 422, "validation_failed"),
            ("a=1&b=1&b=2", 422, "validation_failed"),
        ] {
            var input = try form(text)
            _ = input.text("a")
            #expect(input.problem?.status.code == status && input.problem?.code == code, "\(text)")
        }
    }

    @Test("A number is a number however JSON writes it, and neither a text nor a truth is one")
    func numbers() throws {
        for (text, read) in [("5", 5), ("5.0", 5), ("5e0", 5)] as [(String, Int64)] {
            var input = try json("{\"n\":\(text)}")
            #expect(input.number("n", 0...9) == read && input.isComplete)
        }
        for text in ["\"5\"", "true", "5.5", "[5]", "1e400", "9007199254740993.5"] {
            guard var input = try? json("{\"n\":\(text)}") else { continue }
            #expect(input.number("n", 0...9) == nil && !input.isComplete, "\(text)")
        }
        for (text, truth) in [("1", "n wrong_type"), ("\"true\"", "n wrong_type"), ("0", "n wrong_type")] {
            var input = try json("{\"n\":\(text)}")
            #expect(input.truth("n") == nil && codes(input) == [truth])
        }
    }

    @Test("A field sent twice in a form is refused, and the form's own hidden fields are no unknown ones")
    func duplicates() throws {
        var input = try form("a=1&a=2&csrf_token=x&form_nonce=y&c=3")
        _ = input.text("a")
        #expect(codes(input) == ["a duplicate", "c unknown_field"])
    }

    @Test("Empty in a form and null in JSON mean not given")
    func absent() throws {
        for var input in [try form("a=+&b="), try json(#"{"a":null,"b":null}"#)] {
            #expect(input.optionalText("a") == nil && input.number("b", 0...1) == nil && input.isComplete)
            #expect(input.text("a") == nil && codes(input) == ["a required"])
        }
    }

    @Test("A secret keeps its spaces, is bounded, and is not echoed")
    func secrets() throws {
        var input = try form("p=++x+&q=" + "y".repeated(4_097))
        #expect(input.secret("p")?.reveal { $0 } == "  x ")
        #expect(
            input.secret("q")?.reveal { $0 } == nil && codes(input) == ["q too_long"]
                && input.problem?.detail.contains("yyy") == false)
    }

    @Test("Length counts code points, as the database does, so that one endless grapheme is too long")
    func graphemes() throws {
        let zalgo = "a" + "\u{301}".repeated(300)
        var input = Input(Form(pairs: [("name", zalgo), ("family", "👩‍👩‍👧‍👧".repeated(100)), ("fine", "é".repeated(100))]))
        _ = input.text("name", 1...100)
        _ = input.text("family", 1...100)
        #expect(input.text("fine", 1...100) != nil && codes(input) == ["name too_long", "family too_long"])
    }

    @Test("Blanks alone are no text in JSON either")
    func blanks() throws {
        var input = try json(#"{"name":"  \t"}"#)
        #expect(input.text("name") == nil && codes(input) == ["name too_short"])
    }

    @Test("A body that is no object is 400")
    func noObject() {
        for text in ["[]", "1", "null", "\"a\""] { #expect(throws: Problem.self) { try json(text) } }
    }

    @Test("Thousands of unknown fields are refused briefly")
    func flood() throws {
        let members = (0..<50_000).map { "\"\("k".repeated(10))\($0)\":1" }.joined(separator: ",")
        let input = try json("{\(members)}")
        let problem = try #require(input.problem)
        #expect(problem.errors.count <= 50 && problem.json(requestID: "").bytes.count < 20_000)
    }

    @Test("An unknown field of endless name is named by its beginning")
    func endlessName() throws {
        let problem = try #require(try json("{\"\("k".repeated(500_000))\":1}").problem)
        #expect(problem.json(requestID: "").bytes.count < 5_000)
    }
}
