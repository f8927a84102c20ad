import CostFixture
import Testing

@testable import HTTPKit

@Suite struct Paths {
    @Test(
        "A path is decoded once and taken apart",
        arguments: [
            ("/", []), ("/a", ["a"]), ("/a/", ["a"]), ("/a/b%20c", ["a", "b c"]), ("/%61", ["a"]), ("/a+b", ["a+b"]),
            ("/%2525", ["%25"]),
            ("/%c3%a9", ["é"]), ("/...", ["..."]), ("/.a", [".a"]), ("/a:b", ["a:b"]), ("/%3Aid", [":id"]),
            ("/a%0d%0ab", ["a\r\nb"]),
        ] as [(String, [String])])
    func segments(raw: String, segments: [String]) throws {
        #expect(try #require(Path(raw)).segments == segments)
    }

    @Test(
        "A path that could mean something else further on is refused",
        arguments: [
            "", "a", "//", "/a//b", "/a//", "//a", "/.", "/..", "/a/../b", "/a/./b", "/%2e%2e/a", "/%2e", "/.%2e",
            "/a%2fb", "/a%2Fb", "/%2f",
            "/a%00", "/a%", "/a%2", "/a%g1", "/a%-1", "/%ff", "/%c0%ae", "/%ed%a0%80", "/\0",
        ])
    func refused(raw: String) {
        #expect(Path(raw) == nil)
    }

    @Test("UUIDs become :id in the pattern, in either case, and nothing else does")
    func patterns() throws {
        let id = "0199c0de-AAAA-7000-8000-0123456789ab"
        let path = try #require(Path("/connections/\(id)/test"))
        #expect(path.pattern == "connections/:id/test" && path.identifiers == [id.lowercased()])
        for other in [
            "0199c0deaaaa70008000-0123456789ab", "0199c0de-aaaa-7000-8000-0123456789a",
            "0199c0de-aaaa-7000-8000-0123456789ag", "-".repeated(36), "0".repeated(36),
        ] {
            #expect(try #require(Path("/a/\(other)")).identifiers.isEmpty)
        }
        #expect(path[0] == "connections" && path[7].isEmpty && path[-1].isEmpty)
    }

    @Test(
        "A segment that says :id itself is not taken for an id",
        arguments: ["/account/sessions/:id/end", "/account/sessions/%3aid/end"])
    func literalPlaceholder(raw: String) throws {
        let path = try #require(Path(raw))
        #expect(!path.pattern.split(separator: "/").contains(":id") && path.identifiers.isEmpty)
    }

    @Test("A pattern has as many :id as the path has ids, whatever is asked for")
    func agreement() {
        let parts = [
            "a", ":id", "%3Aid", "%3aid", ":ID", "0199c0de-aaaa-7000-8000-0123456789ab",
            "%30199c0de-aaaa-7000-8000-0123456789ab", "b%20c",
        ]
        for _ in 0..<2_000 {
            guard
                let path = Path(
                    "/" + (0..<Int.random(in: 0...6)).map { _ in parts.randomElement() ?? "" }.joined(separator: "/"))
            else { continue }
            #expect(path.pattern.split(separator: "/").count { $0 == ":id" } == path.identifiers.count)
        }
    }
}

@Suite struct PercentCoding {
    @Test("Every text survives encoding and decoding")
    func roundTrip() {
        for text in ["", "a b&c=d+e%", "é😀", "/?#[]@!$&'()*+,;=", "\u{1}\u{7f}", "~-._"] {
            #expect(
                Percent.decode(Percent.encode(text)) == text
                    && Percent.decode(Percent.encode(text), plusIsSpace: true) == text)
        }
        #expect(Percent.encode("a b/é~") == "a%20b%2F%C3%A9~")
        #expect(
            Percent.decode("a+b") == "a+b" && Percent.decode("a+b", plusIsSpace: true) == "a b"
                && Percent.decode("%2b", plusIsSpace: true) == "+")
    }

    @Test(
        "Broken escapes, NUL and foreign encodings are refused",
        arguments: ["%", "%1", "%zz", "a%0", "%00", "\0", "%ff", "%c3", "%c0%af", "%e2%82"])
    func broken(text: String) {
        #expect(
            Percent.decode(text) == nil && Form(urlencoded: "a=" + text) == nil && Form(urlencoded: text + "=a") == nil)
    }
}

@Suite struct Forms {
    @Test("Pairs keep their order, repetition and empty values")
    func pairs() throws {
        let form = try #require(Form(urlencoded: "a=1&b=&a=2&c&=x&&d=e=f&%61=3+4"))
        #expect(form.names == ["a", "b", "c", "", "d"] && form.all("a") == ["1", "2", "3 4"])
        #expect(form["b"] == "" && form["c"] == "" && form["d"] == "e=f" && form["z"] == nil)
        #expect(try #require(Form(urlencoded: form.urlencoded)) == form)
    }

    @Test("1 000 pairs are read and 1 001 refused")
    func limit() {
        #expect(Form(urlencoded: "a=1&".repeated(1_000))?.pairs.count == 1_000)
        #expect(Form(urlencoded: "a=1&".repeated(1_001)) == nil)
    }
}

@Suite struct CookieReading {
    @Test("A cookie is found among others, and only by its whole name")
    func find() {
        let header = "a=1; __Host-hub=x=y==;b=;  c=\"q\"; =z; d"
        #expect(Cookies.value(of: "a", in: header) == "1" && Cookies.value(of: "__Host-hub", in: header) == "x=y==")
        #expect(
            Cookies.value(of: "hub", in: header) == nil && Cookies.value(of: "b", in: header) == ""
                && Cookies.value(of: "d", in: header) == nil)
        #expect(Cookies.value(of: "A", in: header) == nil)
    }

    @Test("Of two cookies of a name the first counts, over several headers too")
    func first() {
        var headers: Headers = ["Cookie": "a=1; a=2"]
        headers.add("cookie", "a=3; b=4")
        let request = Request(path: .root, headers: headers)
        #expect(request.cookie("a") == "1" && request.cookie("b") == "4" && request.cookie("c") == nil)
    }

    @Test("A cookie is always HttpOnly and SameSite=Lax")
    func setting() {
        #expect(
            SetCookie(name: "a", value: "b", path: "/hub", isSecure: true, maxAge: .seconds(60)).header
                == "a=b; Path=/hub; HttpOnly; SameSite=Lax; Max-Age=60; Secure")
        #expect(
            SetCookie(name: "a", value: "", path: "/", isSecure: false, maxAge: .zero).header
                == "a=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
        #expect(
            SetCookie(name: "a", value: "b", path: "/", isSecure: false).header == "a=b; Path=/; HttpOnly; SameSite=Lax"
        )
    }

    @Test("Sixteen thousand bytes of cookies are searched in linear time")
    func hostile() {
        let growth = growth(from: 1_000) {
            "=;".repeated($0)
        } _: {
            _ = Cookies.value(of: "a", in: $0)
        }
        #expect(growth < 24)
    }
}

extension String {
    func repeated(_ count: Int) -> String { String(repeating: self, count: count) }
}

extension Path {
    static var root: Path { Path("/") ?? { preconditionFailure("/ is a path") }() }
}
