import ClientKit
import Testing

@Suite("URLs")
struct URLTests {
    @Test(
        "Every way to write a URL leads to one canonical form",
        arguments: [
            ("https://example.com", "https://example.com/"),
            ("HTTPS://EXAMPLE.com:443/A?B#c", "https://example.com:443/A?B"),
            ("http://example.com:8080/a/./b/../c", "http://example.com:8080/a/c"),
            ("https://example.com./x", "https://example.com./x"),
            ("https://bücher.example/ü", "https://xn--bcher-kva.example/%c3%bc"),
            ("https://BÜCHER.example", "https://xn--bcher-kva.example/"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example/"),
            ("http://127.1/", "http://127.0.0.1/"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://0x7f000001/", "http://127.0.0.1/"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://017700000001/", "http://127.0.0.1/"),
            ("http://0177.0.0.01/", "http://127.0.0.1/"),
            ("http://[::1]:80/", "http://[::1]:80/"),
            ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]/"),
            ("http://[::FFFF:7f00:1]/", "http://[::ffff:7f00:1]/"),
            ("http://%31%32%37.0.0.1/", "http://127.0.0.1/"),
            ("http://example.com?q=1", "http://example.com/?q=1"),
            ("http://example.com:65535/", "http://example.com:65535/"),
            ("http://example.com/@b", "http://example.com/@b"),
            ("http://example.com/%00", "http://example.com/%00"),
        ])
    func forms(text: String, canonical: String) throws {
        #expect(try OutboundURL(text).text == canonical)
    }

    @Test(
        "What must not be called is refused",
        arguments: [
            "", " ", "example.com", "//example.com/", "/path", "http:", "http://", "http:///", "https://:443/",
            "https://?q",
            "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "smtp://example.com", "dict://h/",
            "javascript:alert(1)", "ldap://h/", "data:,x", "ws://example.com/", "unix:///run/x",
            "https://user@example.com/", "https://user:pw@example.com/", "https://:pw@example.com/",
            "https://@example.com/",
            "https://a@b@example.com/", "http://127.0.0.1\\@example.com/", "http://example.com\\.evil.org/",
            "http://example.com\r\nHost: x/", "http://exa mple.com/", "http://example.com/a b\n",
            "http://example.com/\t",
            "http://example.com\0.evil.org/", "http://example.com:0/", "http://example.com:65536/",
            "http://example.com:-1/",
            "http://example.com:8o/", "http://example.com:80:80/", "http://[::1/", "http://::1/",
            "http://[fe80::1%25eth0]/",
            "http://[fe80::1%eth0]/", "http://[v1.x]/", "http://[127.0.0.1]/", "http://exa<mple.com/",
            "http://exa%00mple.com/",
            "http://\u{202e}example.com/", "https://" + String(repeating: "a", count: 9_000),
        ])
    func refused(text: String) {
        #expect(throws: ClientError.self) { try OutboundURL(text) }
        #expect(failure(client(), OutboundRequest(method: .get, url: text))?.code == .badURL)
    }

    @Test(
        "Without the operator's word nothing inside is called, however it is written",
        arguments: [
            "127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "0", "0.0.0.0", "localhost",
            "LOCALHOST",
            "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "10.0.0.1", "169.254.169.254", "192.168.1.1",
            "172.16.0.1",
            "100.64.0.1", "[fd00:ec2::254]", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1",
            "255.255.255.255",
        ])
    func inside(host: String) {
        let server = Server.answering { _ in empty }
        let error = failure(Client(version: "1"), OutboundRequest(method: .get, url: "http://\(host):\(server.port)/"))
        #expect(error?.code == .refusedAddress)
        #expect(error?.tenantSentence.contains("estination not allowed") == true)
        #expect(server.requests.isEmpty)
    }

    @Test("To tenants a refused address, a closed port and an open port that speaks otherwise look the same")
    func oracle() throws {
        let other = Server.answering { _ in "SSH-2.0-OpenSSH_9.2\r\n" }
        let refused = try #require(
            failure(client(), OutboundRequest(method: .get, url: "http://10.0.0.1:\(closedPort)/")))
        let closed = try #require(
            failure(client(), OutboundRequest(method: .get, url: "http://127.0.0.1:\(closedPort)/")))
        let open = try #require(failure(client(), OutboundRequest(method: .get, url: other.url)))
        #expect([refused.code, closed.code, open.code] == [.refusedAddress, .unreachable, .badResponse])
        #expect(Set([refused, closed, open].map(\.tenantCode)) == [.refusedAddress])
        #expect(Set([refused, closed, open].map(\.tenantSentence)).count == 1)
    }

    @Test("A connection opened for a mapped origin does not serve a call to its address")
    func keptConnection() throws {
        let server = Server { connection in
            while !connection.readHead().isEmpty { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
        }
        let map = try OriginMap(json: Array("{\"https://api.example.com\": \"\(server.url)\"}".utf8))
        let guarded = Client(origins: map, version: "1")
        #expect(try guarded.send(OutboundRequest(method: .get, url: "https://api.example.com/")).status == 200)
        #expect(failure(guarded, OutboundRequest(method: .get, url: server.url))?.code == .refusedAddress)
    }
}
