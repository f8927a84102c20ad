import CostFixture
import JSONKit
import Testing

@testable import HTTPKit

@Suite struct MultipartBodies {
    private func fields(_ body: String, _ type: String = "multipart/form-data; boundary=X") -> Form? {
        Multipart.fields(of: Array(body.utf8), contentType: type)
    }

    private func part(_ name: String, _ value: String) -> String {
        "--X\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
    }

    @Test("What a browser and curl send is read")
    func ordinary() throws {
        let form = try #require(fields(part("a", "1") + part("b", "line\r\nline") + part("c", "") + "--X--\r\n"))
        #expect(form["a"] == "1" && form["b"] == "line\r\nline" && form["c"] == "")
        #expect(fields("preamble\r\n" + part("a", "1") + "--X--epilogue")?["a"] == "1")
        #expect(fields("--X--")?.pairs.isEmpty == true)
        #expect(
            fields(
                "--a b\r\ncontent-disposition: FORM-DATA; name=a\r\n\r\n1\r\n--a b--",
                "multipart/form-data; charset=x; BOUNDARY=\"a b\"")?["a"] == "1")
    }

    @Test(
        "A hostile or broken body is refused",
        arguments: [
            "", "--X", "--X\r\n", "--X\r\n\r\n\r\n--X--", "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
            "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X",
            "--X\r\nContent-Disposition: form-data\r\n\r\n1\r\n--X--",
            "--X\r\nContent-Disposition: form-data; name=\"a\"; filename=\"x\"\r\n\r\n1\r\n--X--",
            "--X\r\nContent-Disposition: form-data; name=\"a\"; filename*=UTF-8''x\r\n\r\n1\r\n--X--",
            "--X\r\nContent-Type: text/plain\r\n\r\n1\r\n--X--", "--Y\r\n\r\n1\r\n--Y--", "--Xa\r\n\r\n1\r\n--X--",
            "--X\nContent-Disposition: form-data; name=\"a\"\n\n1\n--X--",
        ])
    func hostile(body: String) {
        #expect(fields(body) == nil)
    }

    @Test("Boundaries, parts and encodings beyond the limits are refused")
    func limits() {
        #expect(
            fields(part("a", "1").repeated(201) + "--X--") == nil
                && fields(part("a", "1").repeated(200) + "--X--")?.pairs.count == 200)
        for type in [
            "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
            "multipart/form-data; boundary=" + "x".repeated(71),
        ] {
            #expect(fields("--X--", type) == nil)
        }
        #expect(
            Multipart.fields(
                of: Array("--X\r\nContent-Disposition: form-data; name=a\r\n\r\n".utf8) + [0xff]
                    + Array("\r\n--X--".utf8), contentType: "m; boundary=X") == nil)
    }

    @Test("A megabyte of almost-boundaries is read in linear time")
    func linear() {
        let dashes = "-".repeated(70)
        let growth = growth(from: 1_750) { count in
            "--\(dashes)\r\nContent-Disposition: form-data; name=a\r\n\r\n"
                + ("\r\n--" + "-".repeated(69)).repeated(count) + "\r\n--\(dashes)--"
        } _: {
            _ = fields($0, "m; boundary=\(dashes)")
        }
        #expect(growth < 24)
    }
}

@Suite struct Requests {
    private func request(_ body: String, _ type: String?) -> Request {
        Request(.post, path: .root, headers: type.map { ["content-type": $0] } ?? [:], body: Array(body.utf8))
    }

    private func status(_ body: () throws -> Void) -> Int? {
        do { try body() } catch let problem as Problem { return problem.status.code } catch {}
        return nil
    }

    @Test("A form comes in two media types, anything else is 415, nonsense 400")
    func forms() throws {
        #expect(try request("a=1", "Application/X-WWW-Form-Urlencoded; charset=utf-8").form()["a"] == "1")
        #expect(try request("", nil).form() == .empty)
        #expect(
            status { _ = try request("a=1", nil).form() } == 415
                && status { _ = try request("a=1", "text/plain").form() } == 415)
        #expect(status { _ = try request("a=%", "application/x-www-form-urlencoded").form() } == 400)
        #expect(status { _ = try request("a", "multipart/form-data").form() } == 400)
    }

    @Test("JSON comes as application/json in UTF-8 only")
    func json() throws {
        for type in ["application/json", "application/json;charset=UTF-8", "APPLICATION/JSON ; charset=\"utf-8\""] {
            #expect(try request("{}", type).json() == [:])
        }
        for type in [
            nil, "text/json", "application/json; charset=utf-16", "application/problem+json", "application/jsonx",
        ] {
            #expect(status { _ = try request("{}", type).json() } == 415)
        }
        #expect(
            status { _ = try request("{", "application/json").json() } == 400
                && status { _ = try request("", "application/json").json() } == 400)
        #expect(status { _ = try request("[".repeated(33), "application/json").json() } == 400)
    }

    @Test("A broken query is 400")
    func query() throws {
        #expect(status { _ = try Request(path: .root, query: "a=%").query() } == 400)
        #expect(try Request(path: .root, query: "a=1&a=2").query().all("a") == ["1", "2"])
    }
}

@Suite struct Problems {
    @Test("A problem document has the shape of RFC 9457 and our members")
    func shape() {
        let problem = Problem.invalid([
            .init(field: "setup.bot_token", code: "required", detail: "This is needed."),
            .init(field: "a/b~c", code: "x", detail: "<"),
        ])
        let response = problem.response(requestID: "r1")
        #expect(
            response.status == 422 && response.headers["content-type"] == "application/problem+json"
                && response.headers["cache-control"] == "no-store")
        #expect(
            String(decoding: problem.json(requestID: "r1").bytes, as: UTF8.self)
                == #"{"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"Some fields need another value: setup.bot_token, a/b~c.","code":"validation_failed","request_id":"r1","errors":[{"pointer":"/setup/bot_token","code":"required","detail":"This is needed."},{"pointer":"/a~1b~0c","code":"x","detail":"\u003c"}]}"#
        )
    }

    @Test("An error that nobody meant for people says only its incident number")
    func mute() {
        struct Inner: Error, CustomStringConvertible { let description = "SELECT secret FROM users" }
        let problem = Problem(presenting: Inner(), requestID: "r9")
        #expect(problem.status == 500 && problem.detail.contains("r9") && !problem.detail.contains("SELECT"))
        #expect(Problem(presenting: Problem.notFound, requestID: "r9") == .notFound)
    }

    @Test("405 names what is allowed")
    func allow() {
        #expect(Problem.methodNotAllowed([.post, .get]).response(requestID: "").headers["allow"] == "GET, POST")
    }
}

@Suite struct ConditionalRequests {
    private func ask(_ method: HTTPKit.Method, _ headers: Headers) -> Request {
        Request(method, path: .root, headers: headers)
    }

    @Test("What the caller holds already is 304 without a body, weakly compared")
    func known() throws {
        let answer = Response.json(["a": 1]).tagged("\"7\"")
        for known in ["\"7\"", "W/\"7\"", "*", "\"6\", \"7\"", "\"6\" ,W/\"7\""] {
            let short = try #require(answer.notModified(for: ask(.get, ["if-none-match": known])))
            guard case .bytes(let body) = short.body else { return #expect(Bool(false)) }
            #expect(
                short.status == 304 && body.isEmpty && short.headers["etag"] == "\"7\""
                    && short.headers["content-type"] == nil)
        }
        for other in ["\"8\"", "7", "", "\"77\""] {
            #expect(answer.notModified(for: ask(.get, ["if-none-match": other])) == nil)
        }
        #expect(answer.notModified(for: ask(.post, ["if-none-match": "*"])) == nil)
        #expect(Response.json([:]).notModified(for: ask(.get, ["if-none-match": "*"])) == nil)
    }

    @Test("A change of another version is 412, strongly compared")
    func match() throws {
        for fine: Headers in [[:], ["if-match": "\"7\""], ["if-match": "*"], ["if-match": "\"1\", \"7\""]] {
            try ask(.patch, fine).requireMatch("\"7\"")
        }
        for stale in ["\"8\"", "W/\"7\"", "7", ""] {
            #expect(throws: Problem.self) { try ask(.patch, ["if-match": stale]).requireMatch("\"7\"") }
        }
    }
}

@Suite struct Tables {
    private func line(_ cells: String...) -> String { String(decoding: CSV.line(cells), as: UTF8.self) }

    @Test("Cells are quoted as RFC 4180 says")
    func quoting() {
        #expect(line("a", "b,c", "d\"e", "f\r\ng", "") == "a,\"b,c\",\"d\"\"e\",\"f\r\ng\",\r\n")
    }

    @Test(
        "No cell is a formula",
        arguments: [
            "=1+1", "+1", "-1", "@SUM", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＠x", "=HYPERLINK(\"http://x\",\"y\")",
        ])
    func formulas(cell: String) {
        let written = line(cell)
        #expect(written.hasPrefix("'") || written.hasPrefix("\"'"))
        #expect(!written.contains("\0"))
    }
}

@Suite struct CrossSite {
    @Test(
        "A browser's own words tell a foreign form from our own",
        arguments: [
            ("same-origin", nil, false), ("none", nil, false), ("same-site", nil, true), ("cross-site", nil, true),
            ("", nil, true), ("SAME-ORIGIN", nil, true),
            (nil, "https://hub.example", false), (nil, "https://evil.example", true), (nil, "null", true),
            (nil, "http://hub.example", true), (nil, "https://hub.example:444", true),
            (nil, "https://hub.example.evil.example", true), (nil, nil, false),
            ("cross-site", "https://hub.example", true), ("same-origin", "https://evil.example", false),
        ] as [(String?, String?, Bool)])
    func table(site: String?, origin: String?, isForeign: Bool) {
        var headers = Headers()
        if let site { headers.add("Sec-Fetch-Site", site) }
        if let origin { headers.add("Origin", origin) }
        #expect(
            CSRF.isCrossSite(Request(.post, path: .root, headers: headers), origin: "https://hub.example") == isForeign)
    }
}
