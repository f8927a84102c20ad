import TemplateKit
import Testing

struct LibraryTests {
    private func bytes(_ sources: [String: String]) -> [String: [UInt8]] { sources.mapValues { Array($0.utf8) } }

    @Test("A template is named after its folder and file, without the ending")
    func names() throws {
        let sources = bytes(["list.html": "", "row.mustache": "", "plain": "", "a.b.html": ""])
        #expect(try TemplateLibrary(sources).names == ["a.b", "list", "plain", "row"])
        #expect(
            try TemplateLibrary(sources, folder: "keys").names == ["keys/a.b", "keys/list", "keys/plain", "keys/row"])
    }

    @Test("An error names the file with its folder and ending")
    func files() {
        let broken = bytes(["list.html": "\n{{#a}}"])
        #expect(
            failure { try TemplateLibrary(broken, folder: "connections") }
                == "connections/list.html:2:1: \"a\" is never closed")
    }

    @Test("Libraries join, and two that bring the same template are refused with both named")
    func joining() throws {
        let one = try TemplateLibrary(bytes(["list.html": "{{>keys/list}}"]), folder: "connections")
        let other = try TemplateLibrary(bytes(["list.mustache": "keys"]), folder: "keys")
        let joined = try TemplateLibrary(joining: [one, other])
        #expect(try joined.render("connections/list", .null) == Array("keys".utf8))
        let third = try TemplateLibrary(bytes(["keys/list.html": ""]))
        #expect(
            failure { try TemplateLibrary(joining: [joined, third]) }
                == "keys/list.html: brings the template \"keys/list\", and so does keys/list.mustache")
        #expect(
            failure { try TemplateLibrary(bytes(["a.html": "", "a.mustache": ""])) }
                == "a.mustache: brings the template \"a\", and so does a.html")
    }

    @Test("A site's own files replace templates and add new ones; the first library stays as it was")
    func overlay() throws {
        let house = try TemplateLibrary(bytes(["layout.html": "house", "page.html": "{{>layout}}"]))
        let site = try house.overlaid(by: bytes(["layout.html": "{{>mark}} site", "mark.html": "*"]))
        #expect(try site.render("page", .null) == Array("* site".utf8))
        #expect(try house.render("page", .null) == Array("house".utf8))
        #expect(failure { try house.overlaid(by: bytes(["x.html": "{{"])) }.hasPrefix("x.html:1:1: "))
    }

    @Test("An unknown template is an error, leniently too")
    func unknown() throws {
        let empty = try TemplateLibrary([:])
        #expect(failure { try empty.render("a/b", .null) } == "a/b: no template has this name")
        #expect(failure { try empty.renderLeniently("a/b", .null) } == "a/b: no template has this name")
    }

    @Test("The check passes a library whose templates fit together")
    func check() throws {
        let sources = [
            "layout.html": "{{$title}}{{/title}}{{>nav}}", "nav.html": "{{#on}}{{$extra}}{{/extra}}{{/on}}",
            "page.html": "{{<layout}}\n{{$title}}{{/title}} {{$extra}}{{>page}}{{/extra}}{{/layout}}",
            "any.html": "{{<*kind}}{{$whatever}}{{/whatever}}{{/*kind}}",
        ]
        try TemplateLibrary(bytes(sources)).check()
    }

    @Test(
        "The check finds what no page need reach: absent templates, blocks without a place, text that is lost",
        arguments: [
            ("{{#never}}\n{{>gone}}{{/never}}", "page:2:1: unknown template \"gone\""),
            ("{{<gone}}{{/gone}}", "page:1:1: unknown template \"gone\""),
            ("{{$a}}{{<gone}}{{/gone}}{{/a}}", "page:1:7: unknown template \"gone\""),
            ("{{<base}}{{$x}}{{>gone}}{{/x}}{{/base}}", "page:1:16: unknown template \"gone\""),
            ("{{<base}}{{$titel}}{{/titel}}{{/base}}", "page:1:10: \"base\" has no block \"titel\""),
            ("{{<base}}\n text {{$x}}{{/x}}{{/base}}", "page:2:1: text inside a parent must stand in a block"),
        ])
    func findings(template: String, expected: String) throws {
        let made = try library(["page": template, "base": "{{$x}}{{/x}}"])
        #expect(failure { try made.check() } == expected)
    }
}
