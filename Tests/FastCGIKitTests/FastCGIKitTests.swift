import HTTPKit
import Synchronization
import Testing

@testable import FastCGIKit

@Suite(.timeLimit(.minutes(15))) struct Reading {
    /// Says what was read.
    private static func echo(_ request: Request) -> Response {
        var lines = [
            request.method.name, request.mount, "/" + request.path.segments.joined(separator: "/"),
            request.rawQuery, request.remoteAddress,
            "\(request.isSecure)", request.id, String(decoding: request.body, as: UTF8.self),
        ]
        request.headers.forEach { lines.append("\($0)=\($1)") }
        return .text(lines.joined(separator: "|"))
    }

    @Test("A request is read with all that matters, and nothing of the gateway's own parameters becomes a header")
    func whole() throws {
        let worker = try Worker(respond: Self.echo)
        defer { worker.end() }
        let answer = try Gateway(worker).ask(
            Gateway.request(
                "POST", "/hub/a%20b/?x=1&y=%20",
                [
                    ("SCRIPT_NAME", "/hub"), ("REMOTE_ADDR", "203.0.113.9"), ("HTTPS", "on"),
                    ("REQUEST_ID", "0123456789abcdef"),
                    ("CONTENT_TYPE", "text/plain"), ("HTTP_X_API_KEY", "k"), ("HTTP_PROXY", "http://evil"),
                    ("HTTP_COOKIE", "a=1"),
                    ("SERVER_PROTOCOL", "HTTP/1.1"), ("QUERY_STRING", "ignored=1"), ("HTTP_", "empty"),
                    ("DOCUMENT_URI", "/z"),
                ], body: Array("hello".utf8)))
        #expect(
            answer.text
                == "POST|/hub|/a b|x=1&y=%20|203.0.113.9|true|0123456789abcdef|hello|content-type=text/plain|x-api-key=k|cookie=a=1"
        )
        #expect(answer.isWhole && answer.head["content-length"] == ["\(answer.body.count)"] && answer.status == 200)
    }

    @Test("A request that is cut at any byte is read as the same")
    func split() throws {
        let worker = try Worker()
        defer { worker.end() }
        let bytes = Gateway.request(
            "POST", "/split", [("HTTP_LONG", String(repeating: "x", count: 200))], body: Array("body".utf8), padding: 3)
        for cut in 0...bytes.count {
            let gateway = try Gateway(worker)
            try gateway.send(Array(bytes[..<cut]))
            try gateway.waitUntilRead()
            let answer = try gateway.ask(Array(bytes[cut...]))
            #expect(answer.text == "split 4" && answer.isWhole, "cut at \(cut)")
        }
    }

    @Test("Bytes that come one at a time are read as the same")
    func drops() throws {
        let worker = try Worker()
        defer { worker.end() }
        let gateway = try Gateway(worker)
        for byte in Gateway.request("POST", "/drop", body: Array("body".utf8), padding: 1) { try gateway.send([byte]) }
        #expect(try gateway.answer().text == "drop 4")
    }

    @Test("Two requests sent at once on one connection, bodies and all, both get their answer")
    func pipelined() throws {
        let worker = try Worker()
        defer { worker.end() }
        let gateway = try Gateway(worker)
        for _ in 0..<20 {
            #expect(try gateway.ask(Gateway.request("POST", "/one", body: Array("1".utf8))).text == "one 1")
            #expect(try gateway.ask(Gateway.request("GET", "/two")).text == "two 0")
        }
    }

    @Test("Parameters beyond the limits are 431, an address 414, and the connection goes on")
    func limits() throws {
        let worker = try Worker()
        defer { worker.end() }
        let gateway = try Gateway(worker)
        func status(_ parameters: [(String, String)], target: String = "/a") throws -> Int {
            try gateway.ask(Gateway.request("GET", target, parameters)).status
        }
        let long = String(repeating: "v", count: 16_000)
        #expect(
            try status((0..<196).map { ("HTTP_H\($0)", "v") }) == 200
                && status((0..<197).map { ("HTTP_H\($0)", "v") }) == 431)
        #expect(try status([("HTTP_A", long)]) == 200 && status([("HTTP_A", long + long)]) == 431)
        #expect(try status((0..<5).map { ("HTTP_H\($0)", long) }) == 431)
        #expect(try status([], target: "/" + String(repeating: "a", count: 8_000)) == 200)
        #expect(try status([], target: "/" + String(repeating: "a", count: 8_192)) == 414)
        #expect(try gateway.ask(Gateway.request()).text == "a 0")
    }

    @Test(
        "An address or a method that makes no sense is refused and costs no connection",
        arguments: [
            ("GET", "/a//b", 400), ("GET", "/%2e%2e/", 400), ("GET", "/a%00", 400), ("GET", "", 200), ("GET", "a", 400),
            ("BREW", "/a", 501), ("get", "/a", 501), ("", "/a", 501),
            ("GET", "/a%ff", 400), ("GET", "/\u{e9}", 200),
        ])
    func nonsense(method: String, target: String, status: Int) throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        let answer = try gateway.ask(Gateway.request(method, target))
        #expect(answer.status == status && answer.isWhole)
        #expect(try gateway.ask(Gateway.request()).text == "a 0")
    }

    @Test(
        "Only what stands below the mount prefix is ours",
        arguments: [
            ("/hub", 200), ("/hub/", 200), ("/hub/a", 200), ("/hubble", 404), ("/other", 404), ("/HUB/a", 404),
            ("/hub?x", 200), ("/hub\u{301}", 404),
        ])
    func mount(target: String, status: Int) throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        #expect(try Gateway(worker).ask(Gateway.request("GET", target, [("SCRIPT_NAME", "/hub")])).status == status)
    }

    @Test("A refusal carries the request's own id")
    func refusedID() throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        let answer = try Gateway(worker).ask(Gateway.request("GET", "//", [("REQUEST_ID", "0123456789abcdef")]))
        #expect(answer.text.contains("\"request_id\":\"0123456789abcdef\""))
    }

    @Test(
        "A request id that is none is replaced",
        arguments: ["", "short", "with space", "new\nline", String(repeating: "a", count: 65), "{\"a\":1}xx"])
    func identifiers(given: String) throws {
        let worker = try Worker(lanes: 1) { .text($0.id) }
        defer { worker.end() }
        let id = try Gateway(worker).ask(Gateway.request("GET", "/", [("REQUEST_ID", given)])).text
        #expect(id != given && id.utf8.count == 32)
    }
}

@Suite(.timeLimit(.minutes(15))) struct Bodies {
    private static var small: Limits {
        var limits = Limits()
        limits.bodyBytes = 1_000
        return limits
    }

    @Test("A body that is too large is 413, unread, and the same kept connection then takes another request")
    func tooLarge() throws {
        let worker = try Worker(lanes: 1, limits: Self.small)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        for size in [1_001, 8_000, 40_000, 1_000_000] {
            try gateway.send(Gateway.request("POST", "/big", body: [UInt8](repeating: 0x61, count: size)))
            let answer = try gateway.answer()
            #expect(answer.status == 413 && answer.isWhole, "\(size)")
            #expect(try gateway.ask(Gateway.request("POST", "/next", body: [1, 2])).text == "next 2", "after \(size)")
        }
    }

    @Test("A request refused for its address leaves its body behind without harm")
    func refusedWithBody() throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        #expect(
            try gateway.ask(Gateway.request("POST", "//", body: [UInt8](repeating: 7, count: 100_000))).status == 400)
        #expect(try gateway.ask(Gateway.request("POST", "/next", body: [1])).text == "next 1")
    }

    @Test(
        "A length that is no number, or more than comes, is 400",
        arguments: ["-1", "+1", "1.0", "0x1", "9999999999999999999", " 1", "5"])
    func lies(length: String) throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        let answer = try gateway.ask(Gateway.request("POST", "/a", body: [1, 2, 3], length: length))
        #expect(answer.status == 400 && answer.isWhole)
        #expect(try gateway.ask(Gateway.request("POST", "/next", body: [1])).text == "next 1")
    }

    @Test("Of a body that is longer than announced only what was announced is read")
    func longer() throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        #expect(
            try gateway.ask(Gateway.request("POST", "/a", body: [UInt8](repeating: 1, count: 50_000), length: "2")).text
                == "a 2")
        #expect(try gateway.ask(Gateway.request("POST", "/next", body: [1])).text == "next 1")
    }

    @Test("HEAD gets the head of GET and no body")
    func head() throws {
        let worker = try Worker(lanes: 1)
        defer { worker.end() }
        let gateway = try Gateway(worker)
        let (get, head) = (
            try gateway.ask(Gateway.request("GET", "/a")), try gateway.ask(Gateway.request("HEAD", "/a"))
        )
        #expect(head.head == get.head && head.body.isEmpty && head.isWhole && head.head["content-length"] == ["3"])
    }
}
