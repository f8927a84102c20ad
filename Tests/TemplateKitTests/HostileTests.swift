import TemplateKit
import Testing

/// A repeatable source of randomness (xorshift), so that a failure can be met again.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

struct HostileTests {
    private static let words = [
        "{{", "}}", "{{{", "}}}", "{{#a}}", "{{/a}}", "{{^a}}", "{{/b}}", "{{#b}}", "{{<p}}", "{{/p}}", "{{$x}}",
        "{{/x}}", "{{>p}}", "{{>page}}", "{{>*n}}", "{{a}}", "{{a.b}}", "{{.}}", "{{#.}}", "{{/.}}", "{{=| |=}}",
        "|={{ }}=|", "{{=", "=}}", "|", "{{! ", "\n", "\r\n", "  ", "\t", " ", "x", "é", "\u{1F600}", "\0", "*", ".",
        "{", "}", "#", "/", "\u{FEFF}", "&",
    ]
    private static let value: TemplateValue = [
        "a": [["b": "<"], 1, nil, ["a": []]], "b": ["a": true, "b": "&"], "n": "p", "x": "y",
    ]

    @Test("Random templates end in a page or an error", arguments: 1...8 as ClosedRange<UInt64>)
    func randomWords(seed: UInt64) {
        var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
        var rendered = 0
        for _ in 0..<3000 {
            let draw = { (most: Int) in
                (0..<Int.random(in: 0...most, using: &dice)).compactMap { _ in Self.words.randomElement(using: &dice) }
                    .joined()
            }
            guard let made = try? library(["page": draw(14), "p": draw(8)]) else { continue }
            try? made.check()
            if (try? made.renderLeniently("page", Self.value)) != nil { rendered += 1 }
            _ = try? made.render("page", Self.value)
        }
        #expect(rendered > 0)
    }

    @Test("Random bytes end in a page or an error")
    func randomBytes() {
        var dice = Dice(state: 42)
        let alphabet = Array("{}#/^$<>=!&*. \nab".utf8) + [0xC3, 0xA9, 0xFF, 0x00]
        for _ in 0..<20000 {
            let count = Int.random(in: 0...40, using: &dice)
            let bytes = (0..<count).compactMap { _ in alphabet.randomElement(using: &dice) }
            _ = try? TemplateLibrary(["page": bytes]).renderLeniently("page", Self.value)
        }
    }

    @Test("Every beginning of a page is rendered or refused")
    func truncation() {
        let whole = Array("{{<p}}\n {{$x}}{{#a}}é{{{b}}}{{/a}}{{/x}}\n{{/p}}{{=<% %>=}}<%! c %><%>*n%>".utf8)
        for count in whole.indices {
            _ = try? TemplateLibrary(["page": Array(whole[..<count]), "p": []]).renderLeniently("page", Self.value)
        }
    }

    @Test(
        "A template that includes itself ends with an error",
        arguments: [
            "{{>page}}", "{{#on}}{{>page}}{{/on}}", "{{<page}}{{/page}}", "{{<page}}{{$x}}{{/x}}{{/page}}",
            " {{>page}}\n",
            "{{$x}}{{<page}}{{$x}}{{>page}}{{/x}}{{/page}}{{/x}}", "{{>*me}}",
        ])
    func recursion(template: String) {
        let value: TemplateValue = ["on": true, "me": "page"]
        #expect(failure { try strict(template, value) }.hasSuffix("templates include each other 64 times here"))
        #expect(failure { try lenient(template, value) }.hasSuffix("templates include each other 64 times here"))
    }

    @Test("A tree as deep as the limit renders through a partial that includes itself")
    func tree() throws {
        var tree: TemplateValue = ["name": "leaf", "children": []]
        for _ in 0..<62 { tree = ["name": "n", "children": [tree]] }
        let node = ["node": "{{name}}{{#children}}<{{>node}}>{{/children}}"]
        #expect(try strict("{{>node}}", tree, node).contains("<leaf>"))
    }

    @Test("Tags in tags in partials end with an error before the stack does")
    func depth() {
        let template = String(repeating: "{{#on}}", count: 60) + "{{>page}}" + String(repeating: "{{/on}}", count: 60)
        #expect(failure { try strict(template, ["on": true]) } == "page: more than 256 tags stand in each other")
    }

    @Test("A template that would write or work without end is stopped", arguments: ["{{{text}}}", ""])
    func bomb(inner: String) throws {
        let text = String(repeating: "lol", count: 40000)
        let value: TemplateValue = ["l": .list(Array(repeating: 1, count: 20)), "text": .init(text)]
        let template = String(repeating: "{{#l}}", count: 12) + inner + String(repeating: "{{/l}}", count: 12)
        #expect(failure { try strict(template, value) } == "page: the page grows too large")
    }
}
