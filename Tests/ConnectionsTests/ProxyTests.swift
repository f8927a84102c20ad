import AdminShell
import ClientKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Synchronization
import Testing
import ThreadKit
import TimeKit

@testable import Connections

/// A body that is there, read as one that is still to come.
private final class Bytes: IncomingBody.Source {
    private let rest: Lock<[UInt8]>
    let isAbandoned: Bool

    init(_ bytes: [UInt8], isAbandoned: Bool = false) {
        rest = Lock(bytes)
        self.isAbandoned = isAbandoned
    }

    func read(atMost count: Int) throws(Problem) -> [UInt8] {
        rest.withLock { rest in
            let taken = Array(rest.prefix(count))
            rest.removeFirst(taken.count)
            return taken
        }
    }
}

/// An office whose connections are called through the proxy.
private struct Desk {
    let office: Office
    var door: Door

    init(
        limits: ProxyLimits = ProxyLimits(), overlay: [String] = [],
        _ answer: @escaping @Sendable (String) -> String? = { _ in StandIn.json(200, #"{"ok":true}"#) }
    ) throws {
        office = try Office(answer)
        let room = try Office.room(
            office.house, office.ring, calling: office.service,
            overlay: overlay.map { ("overlay.json", Array($0.utf8)) },
            limits: limits)
        door = try Door(office.house, room.routes, templates: Connections.templates)
    }

    /// Makes a connection and gives its id.
    func connect(_ provider: String, _ setup: String, name: String = "default") throws -> String {
        let response = try door.send(
            .post, "/api/v1/connections", as: office.admin,
            json: #"{"provider":"\#(provider)","name":"\#(name)","setup":\#(setup)}"#)
        try #require(response.status == 201)
        return try #require(try JSON(parsing: Array(response.text().utf8))["id"]?.text)
    }

    func call(
        _ method: HTTPKit.Method, _ connection: String, _ rest: String, query: String = "", headers: Headers = [:],
        body: [UInt8] = [], length: Int?? = nil, as principal: Principal? = nil
    ) throws -> Response {
        let path = try #require(
            Path("/api/v1/connections/\(connection)/proxy\(rest)", passing: Connections.passThrough))
        // So that the lines of the audit log stand in the order in which they were written.
        office.house.pass(.milliseconds(1))
        let incoming = IncomingBody(length: length ?? body.count, from: Bytes(body))
        return door.send(
            Request(method, path: path, mount: "/hub", query: query, headers: headers, incoming: incoming),
            as: principal ?? office.admin)
    }

    func sendgrid() throws -> String {
        try connect("sendgrid", #"{"api_key":"\#(Desk.key)","from_email":"a@b.example"}"#)
    }
    static let key = "SG.abcdefghijklmnop"

    /// What the audit log says of the calls so far.
    func called() throws -> [JSON] {
        try office.house.database.rows(
            "SELECT details FROM audit_events WHERE action = 'connection.called' ORDER BY id LIMIT 100"
        ).map { try JSON(parsing: Array($0.get("details", as: String.self).utf8)) }
    }

    func code(_ response: Response) throws -> String {
        "\(response.status.code) \(try JSON(parsing: Array(response.text().utf8))["code"]?.text ?? "")"
    }

    /// A provider of tests; `proxy` is its member.
    static func provider(_ proxy: String, hosts: String = #"["proxied.example.com"]"#, fields: String = "") -> String {
        """
        {"key":"proxied","name":"Proxied","kind":"api_key","category":"Test","tile":{"letters":"P","color":"blue"},
         "summary":"-","guide":[],"hosts":\(hosts),
         "fields":[{"name":"key","label":"Key","kind":"secret","required":true}\(fields)],
         "proxy":\(proxy),
         "test":{"kind":"http","method":"GET","url":"https://proxied.example.com/","success":{"status":[200]},
                 "access":"x","metadata":[]}}
        """
    }
}

@Suite(.timeLimit(.minutes(15))) struct ProxyTests {
    // MARK: There

    @Test(
        "A call reaches the service with the credentials and nothing that was meant for the hub, compared to the letter"
    )
    func sent() throws {
        let desk = try Desk()
        _ = try desk.sendgrid()
        let headers: [(String, String)] = [
            ("accept", "application/json"), ("accept-encoding", "gzip, br"), ("content-type", "text/plain"),
            ("content-type", "text/plain"), ("content-length", "5"), ("if-none-match", "\"1\""),
            ("idempotency-key", "k-1"), ("x-custom", "kept"), ("user-agent", "caller/1"),
            ("authorization", "Bearer sk_hub"), ("x-api-key", "sk_hub"), ("x-org-id", "1"), ("cookie", "hub_session=1"),
            ("x-csrf-token", "t"), ("host", "hub.example"), ("connection", "keep-alive, X-Hop"), ("x-hop", "1"),
            ("keep-alive", "5"), ("te", "trailers"), ("trailer", "x"), ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"), ("proxy-authorization", "Basic x"), ("expect", "100-continue"), ("via", "1.1 old"),
            ("forwarded", "for=1"), ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-host", "hub.example"),
            ("x-real-ip", "1.2.3.4"), ("origin", "https://hub.example"), ("referer", "https://hub.example/secret"),
            ("sec-fetch-site", "same-origin"), ("x-http-method-override", "DELETE"), ("x-request-id", "r"),
        ]
        var sent = Headers()
        for (name, value) in headers { sent.add(name, value) }
        let answer = try desk.call(.put, "sendgrid", "/v3/x", query: "a=1", headers: sent, body: Array("hello".utf8))
        #expect(answer.status == 200)
        #expect(
            desk.office.service.requests == [
                "PUT /v3/x?a=1 HTTP/1.1\r\nHost: api.sendgrid.com\r\naccept: application/json\r\n"
                    + "accept-encoding: gzip, br\r\ncontent-type: text/plain\r\nif-none-match: \"1\"\r\n"
                    + "idempotency-key: k-1\r\nx-custom: kept\r\nuser-agent: caller/1\r\nvia: 1.1 hub\r\n"
                    + "authorization: Bearer \(Desk.key)\r\nContent-Length: 5\r\n\r\nhello"
            ])
    }

    @Test("An answer comes back without the provider's cookies, credentials and orders to browsers, to the letter")
    func returned() throws {
        let desk = try Desk { _ in
            "HTTP/1.1 203 Fine\r\nContent-Type: text/html\r\nContent-Length: 19\r\nETag: \"7\"\r\nX-RateLimit-Left: 3\r\n"
                + "Link: <https://api.sendgrid.com/n?k=\(Desk.key)>; rel=next\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n"
                + "Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
                + "WWW-Authenticate: Basic realm=x\r\nAuthorization: x\r\nStatus: 500 No\r\nX-Accel-Redirect: /etc/passwd\r\n"
                + "X-Accel-Buffering: no\r\nX-Sendfile: /etc/passwd\r\nContent-Security-Policy: default-src *\r\n"
                + "Content-Security-Policy-Report-Only: x\r\nAccess-Control-Allow-Origin: *\r\n"
                + "Strict-Transport-Security: max-age=1\r\nX-Frame-Options: ALLOWALL\r\nX-Content-Type-Options: none\r\n"
                + "Referrer-Policy: unsafe-url\r\nCross-Origin-Opener-Policy: unsafe-none\r\nClear-Site-Data: \"*\"\r\n"
                + "Service-Worker-Allowed: /\r\nRefresh: 0; url=https://evil.example\r\nServer: nginx\r\nAge: 5\r\n"
                + "Date: Sat, 21 Nov 2026 00:00:00 GMT\r\nCache-Control: public, max-age=9\r\nExpires: 0\r\nAlt-Svc: x\r\n"
                + "X-Request-Id: theirs\r\nVia: 1.1 varnish\r\nNEL: {}\r\nBad Name: 1\r\n\r\n<script>1</script>\n"
        }
        _ = try desk.sendgrid()
        let answer = try desk.call(.get, "sendgrid", "/")
        var lines: [String] = []
        answer.headers.forEach { lines.append("\($0): \($1)") }
        #expect(
            lines == [
                "content-type: text/html", "content-length: 19", "etag: \"7\"", "x-ratelimit-left: 3",
                "link: <https://api.sendgrid.com/n?k=•••>; rel=next", "via: 1.1 hub", "cache-control: no-store",
            ])
        #expect(try answer.status == 203 && answer.text() == "<script>1</script>\n")
    }

    @Test("Path and query arrive byte for byte below the base")
    func bytes() throws {
        let desk = try Desk()
        _ = try desk.connect("openrouter", #"{"api_key":"sk-or-v1-0123456789abcdef"}"#)
        for (rest, query) in [
            ("", ""), ("/", ""), ("/a%2Fb//c%20d/", "q=%2f%2F+%20&x&=&&y=a=b;c,[d]{e}|'\"<>^`"),
            ("/~u/$-_.+!*'(),:@&=;", "?"),
            ("/%e2%82%ac/...", "%"),
        ] {
            #expect(try desk.call(.get, "openrouter", rest, query: query).status == 200)
            let line = desk.office.service.requests.last?.prefix { $0 != "\r\n" }
            #expect(line == "GET /api/v1\(rest)\(query.isEmpty ? "" : "?\(query)") HTTP/1.1")
        }
        let count = desk.office.service.requests.count
        for (rest, query) in [
            ("/a/../b", ""), ("/%2e%2E/b", ""), ("/.%2e", ""), ("/a/.", ""), ("/a b", ""), ("/a\\b", ""), ("/a", "b c"),
            ("/a#b", ""), ("/é", ""), ("/a", "é"), ("/a\u{7f}", ""),
        ] {
            #expect(try desk.code(desk.call(.get, "openrouter", rest, query: query)) == "400 malformed_path")
        }
        #expect(desk.office.service.requests.count == count)
    }

    @Test("Each kind of credential stands where the service wants it")
    func authentication() throws {
        let key = "k+/ 1"
        for (auth, target, line) in [
            (#"{"kind":"header","name":"X-Key","value":"T {key}"}"#, "/p?a=1", "x-key: T k+/ 1"),
            (#"{"kind":"basic","user":"{key}"}"#, "/p?a=1", "authorization: Basic aysvIDE6"),
            (#"{"kind":"query","name":"api key","value":"{key}"}"#, "/p?a=1&api%20key=k%2B%2F%201", "via: 1.1 hub"),
            (#"{"kind":"path","prefix":"/k{key}"}"#, "/kk%2B%2F%201/p?a=1", "via: 1.1 hub"),
            (#"{"kind":"none"}"#, "/p?a=1", "via: 1.1 hub"),
            (
                #"[{"kind":"bearer","token":"{none}"},{"kind":"bearer","token":"{key}"}]"#, "/p?a=1",
                "authorization: Bearer \(key)"
            ),
        ] {
            let proxy =
                #"{"base":"https://proxied.example.com/v1","auth":\#(auth),"headers":{"Api-Version":"2","Accept":"x/y"}}"#
            let more = #",{"name":"none","label":"None","kind":"secret","required":false}"#
            let desk = try Desk(overlay: [Desk.provider(proxy, fields: more)])
            _ = try desk.connect("proxied", #"{"key":"\#(key)"}"#)
            let sent: Headers = ["accept": "own/one", "x-key": "forged", "authorization": "forged"]
            #expect(try desk.call(.get, "proxied", "/p", query: "a=1", headers: sent).status == 200)
            let request = try #require(desk.office.service.requests.last)
            #expect(request.hasPrefix("GET /v1\(target) HTTP/1.1\r\n"), "\(request)")
            #expect(request.contains("\r\n\(line)\r\n") && request.contains("\r\naccept: own/one\r\n"), "\(request)")
            #expect(request.contains("\r\napi-version: 2\r\n") && !request.contains("x/y"))
            #expect(!request.contains("forged") || !auth.contains("header") && request.contains("x-key: forged"))
        }
    }

    @Test("Calls to AWS are signed for the service and region of the host")
    func aws() throws {
        let desk = try Desk()
        _ = try desk.connect(
            "aws",
            #"{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY","region":"eu-central-1"}"#
        )
        let regional: Headers = ["x-hub-proxy-host": "sts.eu-central-1.amazonaws.com"]
        #expect(try desk.call(.post, "aws", "/", headers: regional, body: Array("Action=X".utf8)).status == 200)
        let sts = try #require(desk.office.service.requests.last)
        #expect(sts.contains("Host: sts.eu-central-1.amazonaws.com\r\n"))
        #expect(sts.contains("/eu-central-1/sts/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, "))
        let s3: Headers = ["x-hub-proxy-host": "s3.eu-central-1.amazonaws.com", "content-type": "a/b"]
        let large = [UInt8](repeating: 1, count: ProxyBody.kept + 1)
        #expect(try desk.call(.put, "aws", "/bucket/a%2Fb", headers: s3, body: large).status == 200)
        let put = try #require(desk.office.service.requests.last)
        #expect(put.contains("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n") && put.contains("/eu-central-1/s3/aws4_"))
        #expect(try desk.code(desk.call(.post, "aws", "/", headers: regional, body: large)) == "413 body_too_large")
    }

    @Test(
        "A host of AWS names its service and region",
        arguments: [
            ("sts.amazonaws.com", "sts us-east-1"), ("iam.amazonaws.com", "iam us-east-1"),
            ("dynamodb.eu-west-1.amazonaws.com", "dynamodb eu-west-1"),
            ("b.s3.us-west-2.amazonaws.com", "s3 us-west-2"),
            ("s3.dualstack.eu-central-1.amazonaws.com", "s3 eu-central-1"), ("s3.amazonaws.com", "s3 us-east-1"),
            ("abc.execute-api.ap-southeast-2.amazonaws.com", "execute-api ap-southeast-2"),
            ("email.us-gov-west-1.amazonaws.com", "ses us-gov-west-1"),
            ("sqs.cn-north-1.amazonaws.com.cn", "sqs cn-north-1"),
        ])
    func awsHosts(host: String, place: String) {
        #expect(
            AWSRequest.place(of: host) == (
                String(place.split(separator: " ")[0]), String(place.split(separator: " ")[1])
            ))
    }

    // MARK: Where to

    @Test("Only hosts that the provider file names are called, and only over https")
    func hosts() throws {
        let hosts = #"["proxied.example.com","other.example.com","*.example.net"]"#
        let fields = #",{"name":"shop","label":"Shop","kind":"text","required":true,"pattern":"[a-z0-9-]+"}"#
        let proxy = #"{"base":"https://{shop}.example.net/admin","auth":{"kind":"bearer","token":"{key}"}}"#
        let desk = try Desk(overlay: [Desk.provider(proxy, hosts: hosts, fields: fields)])
        _ = try desk.connect("proxied", #"{"key":"k","shop":"shop-1"}"#)
        #expect(try desk.call(.get, "proxied", "/a").status == 200)
        #expect(
            desk.office.service.requests.last?.hasPrefix("GET /admin/a HTTP/1.1\r\nHost: shop-1.example.net\r\n")
                == true)
        #expect(try desk.call(.get, "proxied", "/a", headers: ["x-hub-proxy-host": "Other.example.com"]).status == 200)
        #expect(desk.office.service.requests.last?.hasPrefix("GET /a HTTP/1.1\r\nHost: other.example.com\r\n") == true)
        let count = desk.office.service.requests.count
        for host in [
            "evil.example", "example.net", "xexample.net", "other.example.com.evil.example", "other.example.com:8443",
            "other.example.com/", "u@other.example.com", "127.0.0.1", "[::1]", "", "other.example.com#.example.net",
            "evil.example/.example.net", "evil.example?.example.net", "a b.example.net", "other.example.com.",
        ] {
            #expect(
                try desk.code(desk.call(.get, "proxied", "/a", headers: ["x-hub-proxy-host": host]))
                    == "403 host_not_allowed", "\(host)")
        }
        #expect(desk.office.service.requests.count == count)
    }

    @Test("A whole address of the set-up is called with its path, over https alone")
    func chosen() throws {
        let fields =
            #",{"name":"address","label":"Address","kind":"url","required":true,"hosts":["*"],"pattern":"https://[^\\s?#]+"}"#
        let proxy = #"{"base":"{address}/api","auth":{"kind":"header","name":"X-N8N-API-KEY","value":"{key}"}}"#
        let desk = try Desk(
            overlay: [Desk.provider(proxy, hosts: #"["proxied.example.com","{address}"]"#, fields: fields)])
        _ = try desk.connect("proxied", #"{"key":"k","address":"https://own.example.org/n8n/"}"#)
        #expect(try desk.call(.get, "proxied", "/a").status == 200)
        #expect(
            desk.office.service.requests.last?.hasPrefix("GET /n8n/api/a HTTP/1.1\r\nHost: own.example.org") == true)
        _ = try desk.connect("proxied", #"{"key":"k","address":"https://127.0.0.1"}"#, name: "inside")
        #expect(try desk.code(desk.call(.get, "proxied:inside", "/a")) == "403 host_not_allowed")
    }

    // MARK: Once more

    private func signedIn() throws -> SignedIn {
        try SignedIn(
            SignedIn.provider(
                more: #","proxy":{"base":"https://auth.example","auth":{"kind":"bearer","token":"{access_token}"}}"#))
    }

    private func call(
        _ method: HTTPKit.Method, _ desk: SignedIn, body: [UInt8] = []
    ) throws -> Response {
        let path = try #require(Path("/api/v1/connections/acme/proxy/me", passing: Connections.passThrough))
        let incoming = IncomingBody(length: body.count, from: Bytes(body))
        return desk.door.send(Request(method, path: path, mount: "/hub", incoming: incoming), as: desk.admin)
    }

    @Test("A token that is refused is renewed once and the call repeated with its body; a second refusal is the answer")
    func renewal() throws {
        let desk = try signedIn()
        _ = try desk.connect()
        desk.service.set { $0.access = [] }
        let answer = try call(.post, desk, body: Array("body".utf8))
        #expect(try answer.status == 200 && answer.text().contains("ana@acme.example"))
        #expect(desk.service.state.withLock { $0.calls } == ["read", "refresh", "read"])
        let posts = desk.service.standIn.requests.filter { $0.hasPrefix("POST /me") }
        #expect(posts.count == 2 && posts.allSatisfy { $0.hasSuffix("\r\n\r\nbody") })
        #expect(posts[0].contains("Bearer access-0\r\n") && posts[1].contains("Bearer access-1\r\n"))
        desk.house.pass(.minutes(2))
        let service = desk.service
        service.set { state in
            state.access = []
            state.after = { service.set { $0.access = [] } }
        }
        #expect(try call(.get, desk).status == 401)
        #expect(desk.service.state.withLock { $0.calls.suffix(3) } == ["read", "refresh", "read"])
    }

    @Test("A call whose body was sent on while it was read is not repeated")
    func notRepeated() throws {
        let desk = try signedIn()
        _ = try desk.connect()
        desk.service.set { $0.access = [] }
        #expect(try call(.post, desk, body: [UInt8](repeating: 1, count: ProxyBody.kept + 1)).status == 401)
        #expect(desk.service.state.withLock { $0.calls } == ["read"])
    }

    @Test("A grant that has ended says that somebody must sign in again")
    func ended() throws {
        let desk = try signedIn()
        _ = try desk.connect()
        desk.service.set { state in
            state.access = []
            state.refreshTokens = []
        }
        let answer = try call(.get, desk)
        #expect(try answer.status == 409 && answer.text().contains("needs_reauth"))
    }

    @Test("A key that is refused is not asked for again: the refusal is the answer")
    func nothingNewer() throws {
        let desk = try Desk { _ in StandIn.json(401, #"{"e":1}"#) }
        _ = try desk.sendgrid()
        let answer = try desk.call(.get, "sendgrid", "/")
        #expect(try answer.status == 401 && answer.text() == #"{"e":1}"# && desk.office.service.requests.count == 1)
    }

    @Test("A service that asks to wait gets its time, as far as the caller has it")
    func patience() throws {
        let count = Atomic<Int>(0)
        let desk = try Desk { request in
            let number = count.add(1, ordering: .relaxed).newValue
            let status = request.contains("/503") ? 503 : 429
            let wait =
                request.contains("/long")
                ? "9999" : request.contains("/date") ? "Fri, 15 Jan 2027 08:00:00 GMT" : "0.05"
            let header = request.contains("/mute") ? "" : "Retry-After: \(wait)\r\n"
            return number == 1 || request.contains("/always")
                ? "HTTP/1.1 \(status) Later\r\n\(header)Content-Length: 0\r\nConnection: close\r\n\r\n"
                : StandIn.json(200, "{}")
        }
        _ = try desk.sendgrid()
        for (method, rest, status, tries) in [
            (.get, "/429", 200, 2), (.post, "/429", 200, 2), (.get, "/503", 200, 2), (.put, "/503", 200, 2),
            (.post, "/503", 503, 1), (.get, "/429/long", 429, 1), (.get, "/429/mute", 429, 1),
            (.get, "/429/date", 200, 2),
            (.get, "/429/always", 429, 4),
        ] as [(HTTPKit.Method, String, Int, Int)] {
            count.store(0, ordering: .relaxed)
            #expect(try desk.call(method, "sendgrid", rest).status.code == status, "\(method) \(rest)")
            #expect(count.load(ordering: .relaxed) == tries, "\(method) \(rest)")
        }
    }

    // MARK: Who may, and what is not there

    @Test("Reading needs the right to read, changing the right to write, and GET that one where GET changes things")
    func rights() throws {
        let desk = try Desk()
        _ = try desk.sendgrid()
        _ = try desk.connect("telegram", #"{"bot_token":"\#(Office.token)"}"#)
        let member = try desk.office.house.person(.member, in: desk.office.organization)
        // QUERY is passed on nowhere.
        for method in HTTPKit.Method.allCases where method != .query {
            let isFine = try desk.call(method, "sendgrid", "/", as: member).status == 200
            #expect(isFine == method.isSafe, "\(method)")
        }
        #expect(try desk.code(desk.call(.get, "telegram", "/sendMessage", as: member)) == "403 insufficient_scope")
        #expect(try desk.call(.get, "telegram", "/getMe").status == 200)
        let strange = try desk.office.house.organization("Other")
        let other = try desk.office.house.person(.owner, in: strange)
        #expect(try desk.call(.get, "sendgrid", "/", as: other).status == 404)
    }

    @Test("Where GET starts something, or hands out credentials, it needs the right to write")
    func unsafeGets() throws {
        let desk = try Desk()
        let catalogue = desk.office.room.catalogue
        #expect(
            Set(catalogue.providers.filter { $0.proxy?.isGetUnsafe == true }.map(\.key)) == [
                "aws", "custom_webhook", "facebook", "instagram", "slack", "telegram", "twilio", "whatsapp", "zapier",
            ])
        _ = try desk.connect(
            "aws",
            #"{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}"#)
        let iam: Headers = ["x-hub-proxy-host": "iam.amazonaws.com"]
        for role in [Role.member, .support] {
            let reader = try desk.office.house.person(role, in: desk.office.organization)
            let answer = try desk.call(.get, "aws", "/", query: "Action=CreateAccessKey", headers: iam, as: reader)
            #expect(try desk.code(answer) == "403 insufficient_scope")
        }
        #expect(desk.office.service.requests.isEmpty)
    }

    @Test("What is not idempotent reaches the service once, though a kept connection is closed just as it arrives")
    func sentOnce() throws {
        var desk = try Desk()
        let service = StandIn(breaksOffKept: true) { _ in "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}" }
        let room = try Office.room(desk.office.house, desk.office.ring, calling: service)
        desk.door = try Door(desk.office.house, room.routes, templates: Connections.templates)
        _ = try desk.sendgrid()
        for (method, times) in [(HTTPKit.Method.put, 2), (.post, 1), (.patch, 1)] {
            #expect(try desk.call(.get, "sendgrid", "/first").text() == "{}")
            #expect(try desk.call(method, "sendgrid", "/then", body: Array("body".utf8)).text() == "{}")
            let sent = service.requests.count { $0.hasPrefix("\(method.name) /then ") }
            #expect(sent == times, "\(method)")
        }
    }

    @Test("A connection that cannot be used says why")
    func unusable() throws {
        let desk = try Desk()
        let id = try desk.sendgrid()
        let smtp = #"{"host":"mail.example.com","port":"587","from_email":"a@b.example"}"#
        _ = try desk.connect("smtp", smtp)
        #expect(try desk.code(desk.call(.get, "smtp", "/")) == "409 not_proxied")
        #expect(
            try desk.door.send(.patch, "/api/v1/connections/\(id)", as: desk.office.admin, json: #"{"enabled":false}"#)
                .status == 200)
        #expect(try desk.code(desk.call(.get, id, "/")) == "409 connection_disabled")
        #expect(
            try desk.door.send(.patch, "/api/v1/connections/\(id)", as: desk.office.admin, json: #"{"enabled":true}"#)
                .status == 200)
        #expect(try desk.door.send(.post, "/api/v1/connections/\(id)/disconnect", as: desk.office.admin).status == 200)
        #expect(try desk.code(desk.call(.get, id, "/")) == "409 not_connected")
        try desk.office.overwriteSealed(id, with: [1, 2, 3])
        #expect(try desk.code(desk.call(.get, id, "/")) == "409 undecryptable")
        #expect(desk.office.service.requests.isEmpty)
    }

    @Test("A service that is away, silent, or breaks off is a problem of its own kind")
    func away() throws {
        var limits = ProxyLimits()
        limits.idle = .milliseconds(150)
        let silence = DispatchSemaphore(value: 0)
        let desk = try Desk(limits: limits) { request in
            if request.contains("/silent") { silence.wait() }
            if request.contains("/short") {
                return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf"
            }
            return nil
        }
        defer { silence.signal() }
        _ = try desk.sendgrid()
        #expect(try desk.code(desk.call(.get, "sendgrid", "/gone")) == "502 provider_unreachable")
        #expect(try desk.code(desk.call(.get, "sendgrid", "/silent")) == "504 provider_timeout")
        let short = try desk.call(.get, "sendgrid", "/short")
        #expect(short.status == 200)
        #expect(throws: ClientError.self) { try short.text() }
        let statuses = try desk.called().map { "\($0["status"]?.wholeNumber ?? 0) \($0["error"]?.text ?? "-")" }
        #expect(statuses == ["502 provider_unreachable", "504 provider_timeout", "200 broke_off"])
    }

    @Test("A large answer is refused, and nothing of it is taken that is not wanted")
    func tooLarge() throws {
        var limits = ProxyLimits()
        limits.answerBytes = 100
        let desk = try Desk(limits: limits) { _ in StandIn.json(200, String(repeating: "x", count: 101)) }
        _ = try desk.sendgrid()
        #expect(try desk.code(desk.call(.get, "sendgrid", "/")) == "502 answer_too_large")
    }

    @Test("No more calls are passed on at once than there are places, and an answer gives its place back")
    func places() throws {
        var limits = ProxyLimits()
        limits.atOnce = 2
        let desk = try Desk(limits: limits)
        _ = try desk.sendgrid()
        var held = [try desk.call(.get, "sendgrid", "/"), try desk.call(.get, "sendgrid", "/")]
        let refused = try desk.call(.get, "sendgrid", "/")
        #expect(try desk.code(refused) == "503 busy" && refused.headers["retry-after"] == "1")
        held.removeLast()
        #expect(try desk.call(.get, "sendgrid", "/").status == 200, "an answer that is dropped holds no place")
        _ = try held[0].text()
        held = []
        for _ in 0..<5 { #expect(try desk.call(.head, "sendgrid", "/").status == 200) }
    }

    @Test("Every call stands in the audit log: method, host, path without secrets, status")
    func audited() throws {
        let desk = try Desk()
        _ = try desk.connect("telegram", #"{"bot_token":"\#(Office.token)"}"#)
        _ = try desk.call(.post, "telegram", "/sendMessage", query: "text=private", body: Array("{}".utf8))
        let read = try desk.call(.get, "telegram", "/file/\(Office.token)/x")
        #expect(try desk.called().count == 1, "what reads is noted once it was read")
        _ = try read.text()
        _ = try desk.call(.get, "telegram", "/a", headers: ["x-hub-proxy-host": "evil.example"])
        #expect(
            try desk.called() == [
                ["method": "POST", "host": "api.telegram.org", "path": "/bot{bot_token}/sendMessage", "status": 200],
                ["method": "GET", "host": "api.telegram.org", "path": "/bot{bot_token}/file/•••/x", "status": 200],
                [
                    "method": "GET", "host": "evil.example", "path": "/bot{bot_token}/a", "status": 403,
                    "error": "host_not_allowed",
                ],
            ])
        let all = try desk.office.house.database.rows("SELECT details, object_name FROM audit_events LIMIT 100")
        for row in all {
            let details: String = try row.get("details")
            #expect(!details.contains(Office.token) && !details.contains("private"))
        }
    }

    @Test("The room's own function gives what the route gives")
    func function() throws {
        let desk = try Desk()
        _ = try desk.sendgrid()
        let room = try Office.room(desk.office.house, desk.office.ring, calling: desk.office.service)
        let answer = try room.request(
            "sendgrid:default", .get, "/v3/a?b=c", headers: ["x-one": "1"],
            by: desk.office.house.commandLine(desk.office.organization), log: .init(threshold: .error))
        var body: [UInt8] = []
        try answer.forEachPiece { body += $0 }
        #expect(answer.status == 200 && String(decoding: body, as: UTF8.self) == #"{"ok":true}"#)
        #expect(desk.office.service.requests.last?.hasPrefix("GET /v3/a?b=c HTTP/1.1\r\n") == true)
        #expect(try desk.called().count == 1)
    }

    @Test(
        "A mistake in the member proxy is told with its place",
        arguments: [
            (#"{"base":"http://proxied.example.com","auth":{"kind":"none"}}"#, "begins with https://"),
            (#"{"base":"https://evil.example","auth":{"kind":"none"}}"#, "stand among hosts"),
            (#"{"base":"https://{key}.evil.example","auth":{"kind":"none"}}"#, "a hole in a host"),
            (#"{"base":"{key}","auth":{"kind":"none"}}"#, "must be a field with hosts"),
            (#"{"base":"https://proxied.example.com/","auth":{"kind":"none"}}"#, "no slash at its end"),
            (#"{"base":"https://proxied.example.com?a","auth":{"kind":"none"}}"#, "no query"),
            (#"{"base":"https://proxied.example.com/{no}","auth":{"kind":"none"}}"#, "there is no field no"),
            (#"{"base":"https://proxied.example.com"}"#, "there must be an object at /proxy/auth"),
            (#"{"base":"https://proxied.example.com","auth":{"kind":"magic"}}"#, "kind is none, bearer"),
            (#"{"base":"https://proxied.example.com","auth":{"kind":"bearer","name":"x"}}"#, "no member name"),
            (
                #"{"base":"https://proxied.example.com","auth":{"kind":"bearer","token":"{access_token}"}}"#,
                "no field access_token"
            ),
            (
                #"{"base":"https://proxied.example.com","auth":{"kind":"header","name":"Host","value":"x"}}"#,
                "no name of a header"
            ),
            (#"{"base":"https://proxied.example.com","auth":[]}"#, "at least one way"),
            (#"{"base":"https://proxied.example.com","auth":{"kind":"aws"}}"#, "needs a field access_key_id"),
            (#"{"base":"https://proxied.example.com","auth":{"kind":"path","prefix":"x"}}"#, "begins with a slash"),
            (
                #"{"base":"https://proxied.example.com","auth":{"kind":"none"},"headers":{"A\nB":"x"}}"#,
                "no name of a header"
            ),
            (#"{"base":"https://proxied.example.com","auth":{"kind":"none"},"more":1}"#, "no member more"),
        ])
    func files(proxy: String, sentence: String) {
        let error = #expect(throws: ProviderFileError.self) {
            try ProviderCatalogue(overlay: [("p.json", Array(Desk.provider(proxy).utf8))])
        }
        #expect(error?.sentence.contains(sentence) == true, "\(error?.sentence ?? "")")
        #expect((error?.place.line ?? 0) >= 4)
    }
}
