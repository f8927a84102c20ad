import AddressKit
import ClientKit
import Foundation
import Glibc
import LogKit
import Testing
import ThreadKit

/// What loopback tests call with: the operator allows 127.0.0.0/8.
func client(origins: OriginMap = OriginMap(), authorities: String? = nil) -> Client {
    let loopback = [Network("127.0.0.0/8")].compactMap { $0 }
    return Client(
        policy: AddressPolicy(allowing: loopback), origins: origins, version: "1.2.3", authorities: authorities)
}

/// The error of a call that must fail.
func failure(_ client: Client = client(), _ request: OutboundRequest) -> ClientError? {
    do throws(ClientError) {
        let response = try client.send(request)
        Issue.record("answered with status \(response.status)")
        return nil
    } catch {
        return error
    }
}

let empty = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

@Suite("A call")
struct CallTests {
    @Test(
        "Status, header fields in order, body, peer and timing come back",
        arguments: [200, 201, 301, 404, 429, 500, 503])
    func answers(status: Int) throws {
        let server = Server.answering { _ in
            "HTTP/1.1 \(status) Whatever\r\nX-One: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 5\r\n"
                + "Location: /elsewhere\r\n\r\nhello"
        }
        let response = try client().send(OutboundRequest(method: .get, url: server.url + "/a?b=c"))
        #expect(response.status == status)
        #expect(response.headers["x-ONE"] == "1")
        #expect(response.headers.all("Set-Cookie") == ["a=1", "b=2"])
        #expect(response.headers.map(\.name).first == "X-One")
        #expect(response.body == Array("hello".utf8))
        #expect(response.peer == "127.0.0.1:\(server.port)")
        #expect(response.timing.total > .zero && response.timing.tls == .zero)
        #expect(server.requests.count == 1)
    }

    @Test("A request says what was asked and nothing more")
    func bareRequest() throws {
        let server = Server.answering { _ in empty }
        _ = try client().send(OutboundRequest(method: .get, url: server.url + "/a%20b/../c?q=1#fragment"))
        #expect(
            server.requests == [
                "GET /c?q=1 HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nUser-Agent: hub/1.2.3\r\nAccept: */*\r\n"
                    + "Accept-Encoding: identity\r\n\r\n"
            ])
    }

    @Test("A body goes out with its length, its own type, and without waiting for permission", arguments: [3, 200_000])
    func bodies(count: Int) throws {
        let server = Server.answering { _ in empty }
        let body = String(repeating: "x", count: count)
        for method in [OutboundRequest.Method.post, .put, .patch, .delete] {
            _ = try client().send(
                OutboundRequest(
                    method: method, url: server.url, headers: [("Content-Type", "text/plain"), ("X-Empty", "")],
                    body: Array(body.utf8)))
        }
        _ = try client().send(OutboundRequest(method: .post, url: server.url))
        for (request, method) in zip(server.requests, ["POST", "PUT", "PATCH", "DELETE"]) {
            #expect(request.hasPrefix("\(method) / HTTP/1.1\r\n"))
            #expect(request.contains("\r\nContent-Type: text/plain\r\n") && request.contains("\r\nX-Empty:\r\n"))
            #expect(request.contains("\r\nContent-Length: \(count)\r\n") && !request.contains("Expect"))
            #expect(request.hasSuffix("\r\n\r\n" + body))
        }
        #expect(server.requests.last?.contains("\r\nContent-Length: 0\r\n") == true)
        #expect(server.requests.last?.contains("Content-Type") == false)
    }

    @Test("HEAD reads no body, whatever length is announced")
    func head() throws {
        let server = Server.answering { _ in "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" }
        let response = try client().send(OutboundRequest(method: .head, url: server.url))
        #expect(response.status == 200 && response.body.isEmpty)
    }

    @Test("Interim answers and folded lines are read as one header")
    func interim() throws {
        let server = Server.answering { _ in
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\nContent-Length: 0\r\n\r\n"
        }
        let response = try client().send(OutboundRequest(method: .get, url: server.url))
        #expect(response.status == 200)
        #expect(response.headers["Link"] == nil)
        #expect(response.headers["X-Long"] == "a b")
    }

    @Test("A packed answer is neither asked for nor unpacked")
    func packed() throws {
        let server = Server.answering { _ in
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\u{1f}abc"
        }
        let response = try client().send(OutboundRequest(method: .get, url: server.url))
        #expect(response.body == [0x1f] + Array("abc".utf8))
        #expect(server.requests.allSatisfy { $0.contains("\r\nAccept-Encoding: identity\r\n") })
    }

    @Test("A server of one byte at a time is left at the deadline")
    func slow() {
        let server = Server { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while connection.write("x"), !connection.waitForEnd(milliseconds: 50) {}
        }
        let started = ContinuousClock.now
        let error = failure(client(), OutboundRequest(method: .get, url: server.url, deadline: .milliseconds(500)))
        #expect(error?.code == .timedOut)
        #expect(ContinuousClock.now - started < .seconds(3))
    }

    @Test("A server that accepts and stays silent is left at the deadline")
    func silent() {
        let server = Server { connection in
            _ = connection.readHead()
            connection.waitForEnd()
        }
        let error = failure(client(), OutboundRequest(method: .get, url: server.url, deadline: .milliseconds(300)))
        #expect(error?.code == .timedOut)
    }

    @Test(
        "A body beyond the limit is an error, one at the limit is not",
        arguments: ["Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n", ""])
    func bodyLimit(framing: String) throws {
        let body = String(repeating: "x", count: 1_000)
        let server = Server.answering { _ in
            "HTTP/1.1 200 OK\r\n\(framing)Connection: close\r\n\r\n"
                + (framing.contains("chunked") ? "3e8\r\n\(body)\r\n0\r\n\r\n" : body)
        }
        let fits = try client().send(OutboundRequest(method: .get, url: server.url, responseLimit: 1_000))
        #expect(fits.body.count == 1_000)
        #expect(
            failure(client(), OutboundRequest(method: .get, url: server.url, responseLimit: 999))?.code == .tooLarge)
    }

    @Test("An endless body is left as soon as it is too large")
    func endless() {
        let server = Server { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while connection.write("4000\r\n" + String(repeating: "x", count: 0x4000) + "\r\n") {}
        }
        #expect(failure(client(), OutboundRequest(method: .get, url: server.url))?.code == .tooLarge)
    }

    @Test("A header beyond the limit is an error: one long line, many lines, endless interim answers")
    func headerLimit() {
        let long = Server.answering { _ in "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 1 << 20))\r\n\r\n" }
        let many = Server.answering { _ in "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 20_000) + "\r\n"
        }
        let interim = Server.answering { _ in
            String(repeating: "HTTP/1.1 102 Processing\r\nX: y\r\n\r\n", count: 20_000)
        }
        for server in [long, many, interim] {
            #expect(failure(client(), OutboundRequest(method: .get, url: server.url))?.code == .tooLarge)
        }
    }

    @Test(
        "What is no answer is said to be none",
        arguments: [
            "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "SSH-2.0-OpenSSH_9.2\r\n", "<html>hello</html>",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ])
    func garbage(answer: String) {
        let server = Server.answering { _ in answer }
        #expect(failure(client(), OutboundRequest(method: .get, url: server.url))?.code == .badResponse)
    }

    @Test("A closed port is unreachable, an unknown name unresolvable")
    func nobody() {
        #expect(
            failure(client(), OutboundRequest(method: .get, url: "http://127.0.0.1:\(closedPort)/"))?.code
                == .unreachable)
        #expect(
            failure(client(), OutboundRequest(method: .get, url: "http://no-such-host.invalid/"))?.code == .unresolvable
        )
    }

    @Test(
        "A header that could begin another line, or frames the message, is refused before anything is sent",
        arguments: [
            ("X-A", "b\r\nX-C: d"), ("X-A", "b\nX-C: d"), ("X-A", "b\rc"), ("X-A", "b\0c"), ("X-A", "b\u{7f}"),
            ("X-A", "\u{1}"),
            ("X A", "b"), ("X-A:", "b"), ("", "b"), ("X\r\nY", "b"), ("Ä", "b"), ("Host", "evil"), ("host", "evil"),
            ("Content-Length", "3"), ("Transfer-Encoding", "chunked"), ("Connection", "close"),
            ("Expect", "100-continue"),
            ("Upgrade", "h2c"), ("TE", "trailers"),
        ])
    func injection(name: String, value: String) {
        let server = Server.answering { _ in empty }
        let error = failure(client(), OutboundRequest(method: .get, url: server.url, headers: [(name, value)]))
        #expect(error?.code == .badHeader)
        #expect(server.requests.isEmpty)
    }

    @Test("Neither the request nor any error prints a secret")
    func secrecy() {
        var request = OutboundRequest(
            method: .post, url: "http://127.0.0.1:\(closedPort)/bot53CR3T/send?token=53CR3T", body: Array("53CR3T".utf8)
        )
        request.addHeader("Authorization", Secret("Bearer 53CR3T"))
        var dumped = ""
        dump(request, to: &dumped)
        let error = failure(client(), request)
        let bad = failure(client(), OutboundRequest(method: .get, url: "http://u:53CR3T@h/53CR3T"))
        request.headers.append(("X-53CR3T", "53CR3T\n"))
        let texts = [
            dumped, "\(request)", String(reflecting: request), error?.description, error?.debugDescription,
            error?.sentence,
            bad?.debugDescription, failure(client(), request)?.description,
        ]
        #expect(texts.compactMap { $0 }.count == 8)
        #expect(!texts.contains { $0?.contains("53CR3T") == true })
        #expect(error?.target == "http://127.0.0.1")
    }

    @Test("Sixteen threads call at once, and each gets its own answer")
    func threads() {
        let server = Server { connection in
            while case let head = connection.readHead(), !head.isEmpty {
                let path = head.split(separator: " ")[1]
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
            }
        }
        let shared = client()
        let right = Lock(0)
        DispatchQueue.concurrentPerform(iterations: 16) { lane in
            for turn in 0..<20 {
                let path = "/\(lane)/\(turn)"
                let response = try? shared.send(OutboundRequest(method: .get, url: server.url + path))
                if response?.body == Array(path.utf8) { right.withLock { $0 += 1 } }
            }
        }
        #expect(right.withLock { $0 } == 320)
    }

    @Test("A connection is used again, unless the server closed it")
    func reuse() throws {
        let connections = Lock(0)
        let server = Server { connection in
            connections.withLock { $0 += 1 }
            for _ in 0..<3 {
                guard !connection.readHead().isEmpty else { return }
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let shared = client()
        for _ in 0..<6 { #expect(try shared.send(OutboundRequest(method: .get, url: server.url)).status == 200) }
        #expect(connections.withLock { $0 } == 2)
    }

    @Test("Proxies named by the environment are ignored")
    func proxies() async {
        await #expect(processExitsWith: .success) {
            let proxy = Server.answering { _ in "HTTP/1.1 200 Proxied\r\nContent-Length: 0\r\n\r\n" }
            for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
                unsafe setenv(name, proxy.url, 1)
            }
            let server = Server.answering { _ in empty }
            guard try client().send(OutboundRequest(method: .get, url: server.url)).status == 204 else { exit(1) }
            guard proxy.requests.isEmpty, server.requests.count == 1 else { exit(2) }
            exit(0)
        }
    }
}
