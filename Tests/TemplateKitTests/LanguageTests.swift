import TemplateKit
import Testing

/// Our own cases of the language, so that it is proved without the published ones.
struct LanguageTests {
    @Test("Two braces escape what HTML would read, three braces and an ampersand do not")
    func escaping() throws {
        let value: TemplateValue = ["it": "<a href=\"x\" title='y'>&amp; é"]
        let escaped = "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp; é"
        #expect(try strict("[{{it}}]", value) == "[\(escaped)]")
        #expect(
            try strict("[{{{it}}}][{{& it }}]", value)
                == "[<a href=\"x\" title='y'>&amp; é][<a href=\"x\" title='y'>&amp; é]")
    }

    @Test("What a value holds is never read as a template")
    func injection() throws {
        #expect(try strict("{{a}}{{{a}}}", ["a": "{{b}}", "b": "no"]) == "{{b}}{{b}}")
    }

    @Test("Numbers and truths are written plainly, null writes nothing")
    func scalars() throws {
        let value: TemplateValue = ["whole": -42, "part": 1.25, "yes": true, "no": false, "nothing": nil]
        #expect(try strict("{{whole}} {{part}} {{yes}} {{no}} [{{nothing}}]", value) == "-42 1.25 true false []")
    }

    @Test("A section repeats for a list, enters an object, and is skipped for nothing")
    func sections() throws {
        #expect(try strict("{{#rows}}<{{.}}>{{/rows}}", ["rows": [1, "b", true]]) == "<1><b><true>")
        #expect(try strict("{{#who}}{{name}}{{/who}}", ["who": ["name": "Ada"]]) == "Ada")
        #expect(try strict("{{#grid}}{{#.}}{{.}},{{/.}};{{/grid}}", ["grid": [[1, 2], [3]]]) == "1,2,;3,;")
        for nothing: TemplateValue in [nil, false, 0, 0.0, "", []] {
            #expect(try strict("[{{#it}}yes{{/it}}{{^it}}no{{/it}}]", ["it": nothing]) == "[no]")
        }
        for something: TemplateValue in [true, -1, 0.5, " ", [nil], [:]] {
            #expect(try strict("[{{#it}}yes{{/it}}{{^it}}no{{/it}}]", ["it": something]) == "[yes]")
        }
    }

    @Test("A name is found in the innermost value that has it, and its later parts only there")
    func scopes() throws {
        let value: TemplateValue = ["a": "outer", "b": ["a": "inner"], "c": ["d": ["e": "deep"]]]
        #expect(try strict("{{a}} {{#b}}{{a}} {{c.d.e}}{{/b}}", value) == "outer inner deep")
        #expect(try lenient("[{{#x}}{{y.z}}{{/x}}]", ["x": ["y": [:]], "y": ["z": "no"]]) == "[]")
    }

    @Test("A line with nothing but a tag vanishes, whatever its line ending")
    func standaloneLines() throws {
        #expect(try strict("a\n  {{#it}}\nb\n  {{/it}}\t\nc", ["it": true]) == "a\nb\nc")
        #expect(try strict("a\r\n{{! gone }}\r\nb", [:]) == "a\r\nb")
        #expect(try strict("  {{! gone,\n over lines }}\n|", [:]) == "|")
        #expect(try strict(" {{it}}\n", ["it": "x"]) == " x\n")
        #expect(try strict("{{#it}}{{/it}}\n", ["it": true]) == "\n")
    }

    @Test("Delimiters change for the rest of a file, and for no other file")
    func delimiters() throws {
        #expect(try strict("{{=<% %>=}}<%it%> {{it}} <%={{ }}=%>{{it}}", ["it": 1]) == "1 {{it}} 1")
        #expect(try strict("{{>p}}{{it}}", ["it": 1], ["p": "{{=| |=}}|it|"]) == "11")
        #expect(try strict("{{=[ ]=}}[{it}][&it]", ["it": "<"]) == "<<")
    }

    @Test("A partial alone on its line is indented line by line, what its values hold is not")
    func partialIndentation() throws {
        let value: TemplateValue = ["it": "1\n2", "on": true]
        let rows = ["rows": "{{#on}}\n<\n{{{it}}}\n{{/on}}\n>\n", "outer": "(\n\t{{>rows}}\n)\n"]
        #expect(try strict("a\n  {{>rows}}\nb", value, rows) == "a\n  <\n  1\n2\n  >\nb")
        #expect(try strict("  {{>outer}}\n", value, rows) == "  (\n  \t<\n  \t1\n2\n  \t>\n  )\n")
        #expect(try strict("  [{{>rows}}]\n", value, rows) == "  [<\n1\n2\n>\n]\n")
        #expect(try strict("  {{>end}}\nafter", value, ["end": "x"]) == "  xafter")
    }

    @Test("A byte order mark is passed over")
    func byteOrderMark() throws {
        #expect(try strict("\u{FEFF}{{! gone }}\nx") == "x")
    }

    @Test("The data names a partial or parent by an asterisk")
    func dynamicNames() throws {
        let value: TemplateValue = ["items": [["kind": "one"], ["kind": "two"]], "none": nil]
        let partials = ["one": "1", "two": "2{{$x}}{{/x}}"]
        #expect(try strict("{{#items}}{{>*kind}}{{/items}}{{>*none}}", value, partials) == "12")
        #expect(try strict("{{#items}}{{<* kind}}{{$x}}!{{/x}}{{/*kind}}{{/items}}", value, partials) == "12!")
    }
}
