import TemplateKit
import Testing

struct InheritanceTests {
    private static let layout = """
        <title>{{$title}}Hub{{/title}}</title>
        <main>
          {{$body}}
          {{/body}}
        </main>

        """

    @Test("A page fills the blocks of its layout and keeps the defaults of the others")
    func layouts() throws {
        let page = """
            {{<layout}}
                {{$body}}
                    <p>
                        {{name}}
                    </p>
                {{/body}}
            {{/layout}}

            """
        let expected = """
            <title>Hub</title>
            <main>
              <p>
                  Ada
              </p>
            </main>

            """
        #expect(try strict(page, ["name": "Ada"], ["layout": Self.layout]) == expected)
    }

    @Test("The outermost page wins where several levels fill the same block")
    func levels() throws {
        let partials = [
            "middle": "{{<base}}{{$a}}middle{{/a}}{{$b}}middle{{/b}}{{/base}}", "base": "{{$a}}{{/a}} {{$b}}{{/b}}",
        ]
        #expect(try strict("{{<middle}}{{$a}}page{{/a}}{{/middle}}", [:], partials) == "page middle")
    }

    @Test("A component inside a filled block keeps its own blocks, though the layout has some of that name")
    func components() throws {
        let partials = ["layout": "<{{$title}}{{/title}}>{{$body}}{{/body}}", "card": "({{$title}}none{{/title}})"]
        let page =
            "{{<layout}}{{$title}}T{{/title}}{{$body}}{{<card}}{{$title}}C{{/title}}{{/card}}{{>card}}{{/body}}{{/layout}}"
        #expect(try strict(page, [:], partials) == "<T>(C)(none)")
    }

    @Test("A block that fills itself ends")
    func selfReference() throws {
        let page = "{{<layout}}{{$title}}[{{$title}}inner{{/title}}]{{/title}}{{/layout}}"
        #expect(try strict(page, [:], ["layout": "{{$title}}{{/title}}"]) == "[inner]")
    }

    @Test("A block sees the values of the place it is put into")
    func scope() throws {
        let value: TemplateValue = ["rows": [["n": 1], ["n": 2]]]
        let table = ["table": "{{#rows}}<{{$cell}}{{/cell}}>{{/rows}}"]
        #expect(try strict("{{<table}}{{$cell}}{{n}}{{/cell}}{{/table}}", value, table) == "<1><2>")
    }

    @Test("A block within a line takes over the indentation of its line")
    func inlineBlocks() throws {
        let page = "{{<p}}{{$b}}\n        x\n          y{{/b}}{{/p}}"
        #expect(try strict(page, [:], ["p": "  {{$b}}{{/b}}\n"]) == "  x\n    y\n")
        #expect(try strict("  {{<p}}{{/p}}\n|", [:], ["p": "1\n{{$b}}\n  2\n{{/b}}\n3\n"]) == "  1\n    2\n  3\n|")
    }
}
