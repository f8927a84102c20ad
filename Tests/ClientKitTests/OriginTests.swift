import ClientKit
import Foundation
import Testing

@Suite("Origins and redirects")
struct OriginTests {
    func map(_ entries: [String: String]) throws -> OriginMap {
        try OriginMap(json: [UInt8](JSONEncoder().encode(entries)))
    }

    @Test("A mapped origin is called elsewhere, with its own Host, path and query, and without the policy")
    func mapped() throws {
        let server = Server.answering { _ in empty }
        let origins = try map(["https://api.telegram.org": server.url, "http://x.example:8080": server.url])
        let client = Client(origins: origins, version: "1")
        _ = try client.send(OutboundRequest(method: .get, url: "https://API.telegram.org:443/bot1/getMe?a=b"))
        _ = try client.send(OutboundRequest(method: .get, url: "http://x.example:8080/"))
        #expect(server.requests.first?.hasPrefix("GET /bot1/getMe?a=b HTTP/1.1\r\nHost: api.telegram.org\r\n") == true)
        #expect(server.requests.last?.contains("\r\nHost: x.example:8080\r\n") == true)
        let error = failure(client, OutboundRequest(method: .get, url: server.url))
        #expect(error?.code == .refusedAddress)
    }

    @Test("A closed stand-in is said to be unreachable, since the operator named it")
    func closed() throws {
        let client = Client(origins: try map(["https://a.example": "http://127.0.0.1:\(closedPort)"]), version: "1")
        let error = failure(client, OutboundRequest(method: .get, url: "https://a.example/"))
        #expect(error?.tenantCode == .unreachable && error?.target == "https://a.example")
    }

    @Test(
        "A map that cannot be read names the entry at fault",
        arguments: [
            ("{\"https://a.example/path\": \"http://b\"}", "https://a.example/path"),
            ("{\"https://a.example?x\": \"http://b\"}", "https://a.example?x"),
            ("{\"a.example\": \"http://b\"}", "a.example"), ("{\"https://a\": \"http://u@b\"}", "https://a"),
            ("{\"https://a\": \"ftp://b\"}", "https://a"), ("{\"https://a\": \"smtp://b:25\"}", "https://a"),
            ("{\"https://a\": 5}", "https://a"), ("{\"https://a\": null}", "https://a"),
            ("{\"https://a\": \"http://b\", \"https://A:443\": \"http://c\"}", "https://a"), ("[]", nil), ("", nil),
            ("{", nil),
        ])
    func badMap(json: String, entry: String?) {
        do throws(OriginMapError) {
            _ = try OriginMap(json: Array(json.utf8))
            Issue.record("was read")
        } catch {
            #expect(error.entry == entry)
            #expect(entry.map { error.description.contains($0) } ?? true)
        }
    }

    @Test("A map is read from a file")
    func file() throws {
        let path = NSTemporaryDirectory() + "hub-origins-\(getpid()).json"
        try Data("{\"https://a.example\": \"http://127.0.0.1:9001\"}".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let map = try OriginMap(path: path)
        #expect(map.targets.map { "\($0) \($1)" } == ["https://a.example http://127.0.0.1:9001"])
        #expect(throws: OriginMapError.self) { try OriginMap(path: path + ".none") }
    }

    /// A stand-in for https://a.example and https://b.example that answers by path.
    func standIn(_ answers: [String: String]) throws -> (Server, Client) {
        let server = Server.answering { request in
            let line = request.split(separator: " ")
            return answers[String(line[1])] ?? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        }
        return (
            server,
            Client(origins: try map(["https://a.example": server.url, "https://b.example": server.url]), version: "1")
        )
    }

    func redirect(_ status: Int, to location: String) -> String {
        "HTTP/1.1 \(status) Moved\r\nLocation: \(location)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    }

    @Test("Redirects are followed only when asked, and at another origin no credential goes along")
    func followed() throws {
        let (server, client) = try standIn([
            "/one": redirect(302, to: "two"), "/two": redirect(307, to: "https://b.example/three?q"),
        ])
        var request = OutboundRequest(
            method: .get, url: "https://a.example/one",
            headers: [("Authorization", "Bearer x"), ("X-Key", "y"), ("Accept", "a/b")])
        #expect(try client.send(request).status == 302)
        request.followsRedirects = true
        #expect(try client.send(request).body == Array("ok".utf8))
        #expect(server.requests.map { $0.contains("Bearer x") && $0.contains("X-Key") } == [true, true, true, false])
        #expect(server.requests.last?.contains("Host: b.example\r\n") == true)
        #expect(server.requests.allSatisfy { $0.contains("Accept: a/b\r\n") })
    }

    @Test("After 303 a body is not sent again, after 308 it is")
    func methods() throws {
        let (server, client) = try standIn(["/see": redirect(303, to: "/end"), "/move": redirect(308, to: "/end")])
        for path in ["see", "move"] {
            _ = try client.send(
                OutboundRequest(
                    method: .post, url: "https://a.example/\(path)", headers: [("Content-Type", "text/plain")],
                    body: Array("abc".utf8), followsRedirects: true))
        }
        #expect(server.requests.map { String($0.prefix { $0 != " " }) } == ["POST", "GET", "POST", "POST"])
        #expect(server.requests.map { $0.hasSuffix("abc") } == [true, false, true, true])
        #expect(!server.requests[1].contains("Content-Type"))
    }

    @Test(
        "A redirect to plain http, to nowhere, or without end is an error",
        arguments: ["http://a.example/", "ftp://a.example/", "https://u:p@a.example/", "https://", "/loop"])
    func refused(location: String) throws {
        let (_, client) = try standIn(["/loop": redirect(302, to: location)])
        let error = failure(
            client, OutboundRequest(method: .get, url: "https://a.example/loop", followsRedirects: true))
        #expect(error?.code == .badResponse)
    }

    @Test("A redirect inside is refused like a call inside")
    func inside() throws {
        let (_, client) = try standIn(["/in": redirect(302, to: "https://127.0.0.1:\(closedPort)/")])
        let error = failure(client, OutboundRequest(method: .get, url: "https://a.example/in", followsRedirects: true))
        #expect(error?.code == .refusedAddress)
    }
}
