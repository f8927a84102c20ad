import TemplateKit
import Testing

struct StrictnessTests {
    @Test(
        "A page that disagrees with its data fails at file, line and column",
        arguments: [
            ("<b>\n  {{titel}}", "page:2:3: unknown name \"titel\""),
            ("é{{{titel}}}", "page:1:2: unknown name \"titel\""),
            ("{{#titel}}{{/titel}}", "page:1:1: unknown name \"titel\""),
            ("{{^titel}}{{/titel}}", "page:1:1: unknown name \"titel\""),
            ("{{who.age}}", "page:1:1: unknown name \"who.age\""),
            ("{{#who}}\n{{age}}{{/who}}", "page:2:1: unknown name \"age\""),
            ("{{title.length}}", "page:1:1: \"title\" is text, not an object, and has no \"length\""),
            ("{{who.name.first}}", "page:1:1: \"who.name\" is text, not an object, and has no \"first\""),
            ("{{rows.count}}", "page:1:1: \"rows\" is a list, not an object, and has no \"count\""),
            ("{{rows}}", "page:1:1: \"rows\" is a list and cannot be written out"),
            ("{{who}}", "page:1:1: \"who\" is an object and cannot be written out"),
            ("{{.}}", "page:1:1: \".\" is an object and cannot be written out"),
            ("\n {{>row}}", "page:2:2: unknown template \"row\""),
            ("{{<row}}{{/row}}", "page:1:1: unknown template \"row\""),
            ("{{>*title}}", "page:1:1: what \"title\" holds is no template's name"),
            ("{{>*titel}}", "page:1:1: unknown name \"titel\""),
            ("{{>part}}", "part:2:5: unknown name \"titel\""),
            ("{{<parent}}{{$x}}\n{{titel}}{{/x}}{{/parent}}", "page:2:1: unknown name \"titel\""),
            ("{{<parent}}{{$x}}{{/x}}{{/parent}}{{titel}}", "page:1:35: unknown name \"titel\""),
        ])
    func disagreement(template: String, expected: String) {
        let value: TemplateValue = ["title": "T", "who": ["name": "Ada"], "rows": [1]]
        let partials = ["part": "\n    {{titel}}", "parent": "{{$x}}{{/x}}"]
        #expect(failure { try strict(template, value, partials) } == expected)
        #expect(throws: Never.self) { try lenient(template, value, partials) }
    }

    @Test("Null is known, and so is everything beneath it")
    func null() throws {
        #expect(try strict("[{{a}}{{a.b.c}}{{#a}}x{{/a}}{{^a.b}}none{{/a.b}}]", ["a": nil]) == "[none]")
    }

    @Test("An error tells names of the template and nothing of the data")
    func silence() throws {
        for template in ["{{>*secret}}", "{{secret.x}}", "{{#secret}}{{y}}{{/secret}}", "{{box}}"] {
            let value: TemplateValue = ["secret": "hunter2", "box": ["hunter2"]]
            let error = try #require(throws: TemplateError.self) { try strict(template, value) }
            #expect(!"\(error) \(String(reflecting: error))".contains("hunter2"))
        }
    }

    @Test("What the base has is seen beneath the page, and the page hides it")
    func base() throws {
        let pages = try library(["page": "{{site}} {{name}}"])
        let page = try pages.render("page", ["name": "page"], over: ["site": "Hub", "name": "base"])
        #expect(String(decoding: page, as: UTF8.self) == "Hub page")
    }

    @Test("A page renders with its own template and its sample")
    func pages() throws {
        struct Greeting: Page {
            static let template = "greetings/hello"
            static let sample = Greeting(name: "Ada", note: "first")
            let name: String
            let note: String?
            var view: TemplateValue { ["name": .init(name), "note": .init(note)] }
        }
        let pages = try TemplateLibrary(
            ["hello.html": Array("{{name}}{{#note}}, {{.}}{{/note}}".utf8)], folder: "greetings")
        #expect(try pages.render(Greeting.sample) == Array("Ada, first".utf8))
        #expect(try pages.render(Greeting(name: "Bob", note: nil)) == Array("Bob".utf8))
    }
}
