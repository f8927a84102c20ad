import Domain
import Foundation
import HTTPKit
import TemplateKit
import Testing
import TimeKit

@testable import AdminShell

func place(_ url: String) -> Site? {
    Site(publicURL: url, name: "Hub", assets: .init(css: "c", script: "s", icon: "i"))
}

@Suite struct Sites {
    @Test(
        "A public URL is taken apart, its scheme's own port and trailing slashes dropped",
        arguments: [
            ("https://a.example", "https://a.example", ""), ("https://A.example/", "https://a.example", ""),
            ("https://a.example/hub", "https://a.example", "/hub"),
            ("http://127.0.0.1:8080/x/y/", "http://127.0.0.1:8080", "/x/y"),
            ("https://a.example:443/hub", "https://a.example", "/hub"), ("http://a.example:80", "http://a.example", ""),
            ("http://a.example:443", "http://a.example:443", ""), ("https://[::1]:8443", "https://[::1]:8443", ""),
        ])
    func taken(url: String, origin: String, mount: String) throws {
        let site = try #require(place(url))
        #expect(site.origin == origin && site.mount == mount && site.isSecure == url.hasPrefix("https"))
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "a.example", "ftp://a.example", "https://", "https:///hub", "https://u:p@a.example",
            "https://a.example?x", "https://a.example/#x", "https://a.example//hub", "https://a.example/../x",
            "https://a example", "javascript://a",
        ])
    func refused(url: String) {
        #expect(place(url) == nil)
    }

    @Test("Cookies carry the strongest prefix that mount and scheme allow, and go to the mount alone")
    func cookies() throws {
        let cases = [
            ("https://a.example", "__Host-s=v; Path=/; HttpOnly; SameSite=Lax; Secure"),
            ("https://a.example/hub", "__Secure-s=v; Path=/hub; HttpOnly; SameSite=Lax; Secure"),
            ("http://a.example", "s=v; Path=/; HttpOnly; SameSite=Lax"),
            ("http://a.example/hub", "s=v; Path=/hub; HttpOnly; SameSite=Lax"),
        ]
        for (url, header) in cases { #expect(try #require(place(url)).cookie("s", "v").header == header) }
    }
}

@Suite struct Flashes {
    private let key = "k1"

    private func value(_ flash: Flash, key: String) throws -> String {
        let header = flash.cookie(on: try #require(place("http://a.example")), key: key).header
        return String(try #require(header.split(separator: ";").first).dropFirst("hub_flash=".count))
    }

    @Test("A sentence comes back from its cookie, and only with the browser's own key")
    func signed() throws {
        let flash = Flash(tone: .warn, text: "“Ana” <b>;\r\n é😀")
        let cookie = try value(flash, key: key)
        #expect(Flash(cookie: cookie, key: key) == flash && Flash(cookie: cookie, key: "k2") == nil)
        #expect(cookie.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3b && $0 != 0x2c })
    }

    @Test("Nobody else puts words there: any change, another tone, no signature")
    func forged() throws {
        let cookie = try value(Flash(tone: .good, text: "Saved."), key: key)
        for place in cookie.indices {
            var forged = cookie
            forged.replaceSubrange(place...place, with: cookie[place] == "A" ? "B" : "A")
            #expect(Flash(cookie: forged, key: key) == nil)
        }
        for forged in ["", ".", "..", "good.U2F2ZWQu", "good.U2F2ZWQu.", cookie + ".", "bad" + cookie.dropFirst(4)] {
            #expect(Flash(cookie: forged, key: key) == nil)
        }
    }

    @Test("Without a key there is no signature to trust")
    func keyless() throws {
        #expect(Flash(cookie: try value(Flash(tone: .good, text: "x"), key: ""), key: "") == nil)
    }

    @Test("An endless sentence is cut between characters and still read")
    func long() throws {
        let cookie = try value(Flash(tone: .good, text: String(repeating: "é😀", count: 5_000)), key: key)
        #expect(cookie.utf8.count < 2_500 && Flash(cookie: cookie, key: key)?.text.hasPrefix("é😀é") == true)
    }
}

@Suite struct FormViews {
    private let fields = [
        FormField("name", "Name", initial: ["first"]),
        FormField("password", "Password", .password("current-password"), initial: ["never"]),
        FormField("token", "Token", .secret, isStored: true),
        FormField("kind", "Kind", .select([.init("a", "A"), .init("b", "B")]), initial: ["b"]),
        FormField("on", "On", .checkbox),
        FormField("scopes", "Scopes", .choices(isMultiple: true, [.init("r", "R"), .init("w", "W")])),
        FormField("note", "Note", .lines(rows: 3)),
    ]

    private func drawn(_ view: FormView) throws -> String {
        let library = try TemplateLibrary(
            ShellTemplates.sources.merging(["page.html": Array("{{>form-errors}}{{#fields}}{{>field}}{{/fields}}".utf8)]
            ) { $1 })
        return String(decoding: try library.render("page", .object(view.members)), as: UTF8.self)
    }

    private let typed = Form(pairs: [
        ("name", "\"><script>"), ("password", "hunter2"), ("token", "s3cret"), ("kind", "a"), ("on", "true"),
        ("scopes", "w"), ("note", "</textarea>"),
    ])

    @Test("A refused form keeps what was typed, secrets never")
    func kept() throws {
        let problem = Problem.invalid([
            .init(field: "name", code: "x", detail: "No <b>."), .init(field: "elsewhere", code: "x", detail: "Odd."),
        ])
        let page = try drawn(FormView(fields, typed: typed, problem: problem))
        #expect(!page.contains("hunter2") && !page.contains("s3cret") && !page.contains("never"))
        #expect(
            page.contains("value=\"&quot;&gt;&lt;script&gt;\"") && page.contains("&lt;/textarea&gt;")
                && !page.contains("<script>") && !page.contains("No <b>"))
        #expect(
            page.contains("<option value=\"a\" selected>") && page.contains("value=\"w\" checked")
                && page.contains("value=\"true\" checked"))
        #expect(
            page.contains("2 fields need another value.") && page.contains("elsewhere: Odd.")
                && page.contains("id=\"field-name-error\""))
    }

    @Test("A form that is shown first has its initial values, and no secret among them")
    func fresh() throws {
        let page = try drawn(FormView(fields))
        #expect(
            page.contains("value=\"first\"") && page.contains("<option value=\"b\" selected>")
                && !page.contains("never") && !page.contains("form-errors"))
    }

    @Test(
        "Exactly one field takes the focus: the first faulty one, else the first; in a quiet form none but a faulty one"
    )
    func focus() throws {
        func focused(_ list: TemplateValue) -> Int {
            "\(list)".components(separatedBy: "\"focused\": ").dropFirst().count {
                $0.contains("true") && $0.prefix(40).contains("true")
            }
        }
        let problem = Problem.invalid([
            .init(field: "note", code: "x", detail: "No."), .init(field: "kind", code: "x", detail: "No."),
        ])
        for view in [FormView(fields), FormView(fields, typed: typed, problem: problem)] {
            #expect(try drawn(view).components(separatedBy: " autofocus").count == 2)
        }
        #expect(try drawn(FormView(fields, typed: typed, problem: problem)).contains("id=\"field-kind\" name=\"kind\""))
    }
}

@Suite struct Words {
    @Test(
        "Relative times say what public/hub.js says",
        arguments: [
            (0, "just now"), (44, "just now"), (45, "1 min ago"), (59, "1 min ago"), (60, "1 min ago"),
            (119, "1 min ago"), (3599, "59 min ago"), (3600, "1 h ago"), (7199, "1 h ago"),
            (86399, "23 h ago"), (86400, "yesterday"), (172799, "yesterday"), (172800, "2 days ago"),
            (2591999, "29 days ago"), (2592000, "1 month ago"), (5184000, "2 months ago"),
            (31535999, "12 months ago"), (31536000, "1 year ago"), (63072000, "2 years ago"), (-1, "now"), (-44, "now"),
            (-45, "in 1 min"), (-60, "in 1 min"), (-3600, "in 1 h"), (-86400, "tomorrow"),
            (-172800, "in 2 days"), (-2592000, "in 1 month"), (-31536000, "in 1 year"), (-63072000, "in 2 years"),
        ] as [(Int64, String)])
    func relative(seconds: Int64, words: String) {
        #expect(Timestamp(seconds: 1_000_000_000 - seconds).relative(to: Timestamp(seconds: 1_000_000_000)) == words)
    }

    @Test("The script still counts by the units that this table was made from")
    func script() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../public/hub.js")
        let script = try String(contentsOf: path, encoding: .utf8)
        #expect(script.contains(#"[["year", 31536000], ["month", 2592000], ["day", 86400], ["h", 3600], ["min", 60]]"#))
        #expect(script.contains(#"if (size < 45) return seconds < 0 ? "now" : "just now";"#))
    }

    @Test("The ends of time are told without a trap")
    func ends() {
        let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
        #expect(
            first.relative(to: last).hasSuffix("years ago") && last.relative(to: first).hasPrefix("in ")
                && !first.exact.isEmpty)
    }

    @Test("Moments, durations and initials")
    func others() {
        #expect(Timestamp(seconds: 1_795_260_245).exact == "21 November 2026, 11:24:05 UTC")
        #expect(Duration.milliseconds(214).words == "214 ms" && Duration.milliseconds(1_250).words == "1.2 s")
        #expect(
            initials(of: "Acme Shop Ltd") == "AS" && initials(of: "ana") == "AN" && initials(of: "") == ""
                && initials(of: " ") == " ")
    }
}
