import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import Testing

@testable import Hub

/// What every address of the JSON interface promises, whoever performs it.
@Suite(.timeLimit(.minutes(15))) struct JSONInterface {
    private func opened() throws -> (door: FrontDoor, headers: Headers) {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        return (door, ["x-api-key": try door.key()])
    }

    private func json(_ answer: Response) throws -> JSON { try JSON(parsing: Array(answer.text.utf8)) }

    @Test("A cursor is taken as it was given, by the organization it was given to, and no other")
    func cursors() throws {
        let (door, headers) = try opened()
        try door.person("eve@evil.example", in: "Evil Corp")
        for name in ["A", "B"] {
            let answer = try Visitor(door).send(
                .post, "/api/v1/workspaces", json: "{\"name\":\"\(name)\"}", headers: headers)
            #expect(answer.status == 201)
        }
        let first = try json(Visitor(door).get("/api/v1/workspaces?limit=1", headers: headers))
        let cursor = try #require(first["next_cursor"]?.text)
        #expect(try Visitor(door).get("/api/v1/workspaces?cursor=\(cursor)", headers: headers).status == 200)
        let middle = cursor.index(cursor.startIndex, offsetBy: 5)
        let forged = cursor.replacingCharacters(in: middle...middle, with: cursor[middle] == "A" ? "B" : "A")
        let id = try #require(first["data"]?[0]?["id"]?.text)
        let bare = Base64URL.encode(try #require(Identifier<Workspace>(id)).bytes)
        for wrong in [forged, String(cursor.dropLast()), cursor + "A", bare, "x", "~", "%00"] {
            let answer = try Visitor(door).get("/api/v1/workspaces?cursor=\(wrong)", headers: headers)
            #expect([400, 422].contains(answer.status.code), "\(wrong)")
        }
        let theirs: Headers = ["x-api-key": try door.key(in: "Evil Corp")]
        #expect(try Visitor(door).get("/api/v1/workspaces?cursor=\(cursor)", headers: theirs).status == 422)
    }

    @Test("A parameter that is sent twice is 400, unless it may be repeated")
    func duplicates() throws {
        let (door, headers) = try opened()
        for (query, status) in [
            ("limit=1&limit=1", 400), ("cursor=x&cursor=y", 400), ("status=error&status=error", 400),
            ("provider=slack&provider=telegram", 200), ("colour=red", 422),
        ] {
            let answer = try Visitor(door).get("/api/v1/connections?\(query)", headers: headers)
            #expect(answer.status.code == status, "\(query) → \(answer.text)")
        }
    }

    @Test("A change is taken as JSON or as a merge patch, a new thing as JSON alone")
    func mediaTypes() throws {
        let (door, headers) = try opened()
        func send(_ method: HTTPKit.Method, _ path: String, _ type: String) throws -> Int {
            let site = door.built.house.shell.site
            var headers = headers
            headers["content-type"] = type
            return door.built.house.respond(
                to: Request(
                    method, path: try #require(Path(path)), mount: site.mount, headers: headers,
                    body: Array(#"{"name":"\#(UUID().uuidString)"}"#.utf8))
            ).status.code
        }
        for (type, patched, posted) in [
            ("application/json", 200, 201), ("application/json; charset=UTF-8", 200, 201),
            ("application/merge-patch+json", 200, 415), ("application/json; charset=latin1", 415, 415),
            ("text/json", 415, 415), ("application/x-www-form-urlencoded", 415, 415), ("", 415, 415),
        ] {
            #expect(try send(.patch, "/api/v1/organization", type) == patched, "\(type)")
            #expect(try send(.post, "/api/v1/workspaces", type) == posted, "\(type)")
        }
    }

    @Test("Who sends a member that is not described changes nothing, whatever it is called")
    func massAssignment() throws {
        let (door, headers) = try opened()
        let evil = try door.organization()
        for member in ["id", "organization_id", "org_id", "created_at", "version", "role", "__proto__"] {
            let answer = try Visitor(door).send(
                .post, "/api/v1/workspaces", json: #"{"name":"X","\#(member)":"\#(evil)"}"#, headers: headers)
            #expect(answer.status == 422 && answer.text.contains(#""pointer":"/\#(member)""#), "\(member)")
        }
        #expect(try door.count("SELECT COUNT(*) AS n FROM workspaces WHERE name = 'X'") == 0)
    }

    @Test("Thirty-two requests with one Idempotency-Key have one effect, in quotes or not")
    func oneEffect() throws {
        let (door, headers) = try opened()
        let statuses = try inThreads(32) { number -> (Int, String) in
            var headers = headers
            headers["idempotency-key"] = number.isMultiple(of: 2) ? "once" : "\"once\""
            let answer = try Visitor(door).send(
                .post, "/api/v1/workspaces", json: #"{"name":"Once"}"#, headers: headers)
            return (answer.status.code, answer.text)
        }
        #expect(statuses.allSatisfy { $0.0 == 201 || ($0.0 == 409 && $0.1.contains("request_in_progress")) })
        #expect(Set(statuses.filter { $0.0 == 201 }.map(\.1)).count == 1)
        #expect(try door.count("SELECT COUNT(*) AS n FROM workspaces WHERE name = 'Once'") == 1)
        for key in ["", "\"open", "a b"] {
            var headers = headers
            headers["idempotency-key"] = key
            let answer = try Visitor(door).send(.post, "/api/v1/workspaces", json: #"{"name":"No"}"#, headers: headers)
            #expect(answer.status == 400 && answer.text.contains("invalid_idempotency_key"))
        }
    }
}

/// Scripts of other sites in browsers.
@Suite(.timeLimit(.minutes(15))) struct CrossOriginRequests {
    private static let origin = "https://app.example"
    private let asking: Headers = [
        "origin": origin, "access-control-request-method": "PATCH", "access-control-request-headers": "x-api-key",
    ]

    private func names(_ answer: Response) -> [String] {
        var names: [String] = []
        answer.headers.forEach { name, _ in if name.hasPrefix("access-control-") { names.append(name) } }
        return names
    }

    @Test("Unless a setting lists an origin no answer says anything about sharing")
    func off() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        var headers = asking
        headers["x-api-key"] = try door.key()
        for method in [HTTPKit.Method.get, .options] {
            let answer = try Visitor(door).send(method, "/api/v1/organization", headers: headers)
            #expect(names(answer).isEmpty && answer.headers["vary"] == nil)
        }
    }

    @Test("A listed origin may ask and read, for itself alone, and cookies are never let through")
    func listed() throws {
        let door = try FrontDoor(["HUB_CORS_ORIGINS": "\(Self.origin), http://127.0.0.1:3000"])
        try door.person("ana@acme.example")
        let preflight = try Visitor(door).send(.options, "/api/v1/organization", headers: asking)
        #expect(preflight.status == 204 && preflight.headers["access-control-allow-origin"] == Self.origin)
        #expect(preflight.headers["access-control-allow-methods"]?.contains("PATCH") == true)
        #expect(preflight.headers["access-control-allow-headers"]?.contains("X-API-Key") == true)
        let key = try door.key()
        for (headers, status) in [(["x-api-key": key], 200), ([:], 401), (["x-api-key": "sk_no"], 401)]
            as [(Headers, Int)]
        {
            var headers = headers
            headers["origin"] = Self.origin
            let answer = try Visitor(door).get("/api/v1/organization", headers: headers)
            #expect(answer.status.code == status && answer.headers["access-control-allow-origin"] == Self.origin)
            #expect(answer.headers["vary"] == "Origin" && answer.headers["access-control-allow-credentials"] == nil)
            #expect(answer.headers["access-control-expose-headers"]?.contains("X-Request-Id") == true)
        }
        #expect(try Visitor(door).get("/sign-in", headers: ["origin": Self.origin]).headers["vary"] == nil)
    }

    @Test("An origin that only looks like a listed one is told nothing")
    func others() throws {
        let door = try FrontDoor(["HUB_CORS_ORIGINS": Self.origin])
        for origin in [
            "https://app.example.evil.example", "https://evil.example", "http://app.example",
            "https://app.example:8443",
            "https://APP.example", "null", "*", "", "https://app.example/", "https://app.example, https://evil.example",
        ] {
            var headers = asking
            headers["origin"] = origin
            for method in [HTTPKit.Method.get, .options] {
                let answer = try Visitor(door).send(method, "/api/v1/organization", headers: headers)
                #expect(names(answer).isEmpty && answer.headers["vary"] == "Origin", "\(origin)")
            }
        }
    }

    @Test(
        "A setting that is no list of origins is refused",
        arguments: ["*", "app.example", "https://app.example/x", "null"])
    func setting(text: String) {
        #expect(CrossOrigin(listed: text) == nil)
    }
}
