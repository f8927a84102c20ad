import TemplateKit
import Testing

struct SyntaxTests {
    @Test(
        "A broken template is refused at file, line and column",
        arguments: [
            ("a\n {{#rows}}", "page:2:2: \"rows\" is never closed"),
            ("{{#rows}}\n{{/row}}", "page:2:1: \"/row\" cannot close \"rows\" of line 1"),
            ("x{{/rows}}", "page:1:2: \"/rows\" closes nothing"),
            ("{{#a}}{{^b}}{{/a}}{{/b}}", "page:1:13: \"/a\" cannot close \"b\" of line 1"),
            ("ab {{name", "page:1:4: this tag is never closed, \"}}\" is missing"),
            ("{{{name}}", "page:1:1: this tag is never closed, \"}}}\" is missing"),
            ("{{! note", "page:1:1: this tag is never closed, \"}}\" is missing"),
            ("{{=<% %>}}", "page:1:1: this tag is never closed, \"=}}\" is missing"),
            ("{{= <% =}}", "page:1:1: new delimiters are two words without \"=\", with a blank between"),
            ("{{= a b c =}}", "page:1:1: new delimiters are two words without \"=\", with a blank between"),
            ("{{}}", "page:1:1: a tag without a name"),
            ("{{# }}{{/ }}", "page:1:1: a tag without a name"),
            ("{{>*}}", "page:1:1: a tag without a name"),
            ("{{first name}}", "page:1:1: \"first name\" has a blank in a name"),
            ("{{a\n{{b}}", "page:1:1: \"a\n{{b\" has a blank in a name"),
            ("{{ #rows}}{{/rows}}", "page:1:1: \"#\" must follow the opening delimiter at once"),
            ("{{a..b}}", "page:1:1: \"a..b\" has an empty part between its dots"),
            ("{{.a}}", "page:1:1: \".a\" has an empty part between its dots"),
            ("{{<p}}{{$a}}{{/a}}{{$a}}{{/a}}{{/p}}", "page:1:19: block \"a\" is given twice"),
            ("{{<p}}\n{{name}}{{/p}}", "page:2:1: only blocks may stand inside a parent"),
            ("{{<p}}{{#a}}{{$b}}{{/b}}{{/a}}{{/p}}", "page:1:7: only blocks may stand inside a parent"),
        ])
    func refusal(template: String, expected: String) {
        #expect(failure { try library(["page": template]) } == expected)
    }

    @Test("Bytes that are not UTF-8, and files that are too long, are refused")
    func bytes() {
        #expect(failure { try TemplateLibrary(["page": [0x61, 0xFF]]) } == "page: is not valid UTF-8")
        let long = [UInt8](repeating: 0x61, count: (1 << 20) + 1)
        #expect(failure { try TemplateLibrary(["page": long]) } == "page: is longer than 1048576 bytes")
    }

    @Test("Tags that stand in each other too deeply are refused")
    func depth() throws {
        let nested = { String(repeating: "{{#a}}", count: $0) + "x" + String(repeating: "{{/a}}", count: $0) }
        #expect(try strict(nested(64), ["a": true]) == "x")
        #expect(
            failure { try strict(nested(65), ["a": true]) } == "page:1:385: more than 64 tags stand in each other here")
    }
}
