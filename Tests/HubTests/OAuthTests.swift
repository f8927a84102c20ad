import AdminShell
import CipherKit
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import LogKit
import Testing
import TimeKit

@testable import Hub

/// Apps in the whole house: from a person's browser to the interface, the request log and the end of it all.
@Suite(.timeLimit(.minutes(15))) struct AppsInTheHouse {
    private static let callback = "https://app.example/callback"
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    private let door: FrontDoor
    private let ana: Visitor
    private let app: JSON

    init() throws {
        door = try FrontDoor(at: "https://site.example/hub")
        try door.person("ana@acme.example")
        ana = try door.signedIn("ana@acme.example")
        let answer = try Visitor(door).send(
            .post, "/api/v1/oauth-apps",
            json: """
                {"name": "Nightly export", "redirect_uris": ["\(Self.callback)"], "confidential": true,
                 "scopes": ["connections:read", "audit:read"]}
                """, headers: ["authorization": "Bearer \(try door.key())"])
        app = try JSON(parsing: Array(answer.text.utf8))
        try #require(answer.status == 201, "\(answer.text)")
    }

    private func text(_ name: String, of value: JSON) throws -> String { try #require(value[name]?.text, "\(value)") }

    private func post(
        _ path: String, _ form: [(String, String)], at house: Hub.House? = nil
    ) throws -> (answer: Response, body: JSON) {
        let proof = [
            ("client_id", try text("client_id", of: app)), ("client_secret", try text("client_secret", of: app)),
        ]
        let answer = try Visitor(door, at: house).send(.post, "/oauth" + path, form: form + proof)
        return (answer, answer.text.isEmpty ? .null : try JSON(parsing: Array(answer.text.utf8)))
    }

    private func authorize(_ visitor: Visitor, _ more: [(String, String)] = []) throws -> Response {
        let query = Form(
            [
                ("response_type", "code"), ("client_id", try text("client_id", of: app)),
                ("redirect_uri", Self.callback),
                ("state", "st4te"), ("scope", "connections:read"), ("code_challenge", Self.challenge),
                ("code_challenge_method", "S256"),
            ] + more
        ).urlencoded
        return try visitor.get("/oauth/authorize?\(query)")
    }

    /// The tokens that an app gets once Ana has said yes on the page.
    private func tokens() throws -> JSON {
        let sent = try authorize(ana)
        var location = try #require(sent.headers["location"])
        if location.hasPrefix("/hub/oauth/consent") {
            let page = String(location.dropFirst("/hub".count))
            let request = try #require(page.split(separator: "request=").last.map(String.init))
            let left = try ana.submit(page, [("request", request), ("decision", "allow")], to: "/oauth/consent")
            let refresh = try #require(left.headers["refresh"], "\(left.text)")
            location = String(refresh.dropFirst("0; url=".count))
        }
        let query = try #require(location.split(separator: "?").last.flatMap { Form(urlencoded: $0) })
        #expect(query["iss"] == "https://site.example/hub" && query["state"] == "st4te")
        let code = try #require(query["code"], "\(location)")
        return try post(
            "/token",
            [
                ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Self.callback),
                ("code_verifier", Self.verifier),
            ]
        ).body
    }

    private func ask(_ token: String, _ target: String = "/api/v1/connections", more: Headers = [:]) throws -> Response
    {
        var headers = more
        headers["authorization"] = "Bearer \(token)"
        return try Visitor(door).get(target, headers: headers)
    }

    @Test("A person consents on the page, the app asks in their name, and no token travels any other way")
    func whole() throws {
        let token = try text("access_token", of: tokens())
        let answer = try ask(token)
        #expect(answer.status == 200 && answer.headers["ratelimit"] != nil)
        #expect(try ask(token, "/api/v1/connections?access_token=\(token)").status == 400)
        #expect(try ask(token, more: ["x-api-key": token]).status == 400)
        let narrow = try ask(token, "/api/v1/audit-log")
        #expect(narrow.status == 403)
        #expect(
            narrow.headers["www-authenticate"]?.contains(#"error="insufficient_scope", scope="audit:read""#) == true)
        #expect(try Visitor(door).get("/connections", headers: ["authorization": "Bearer \(token)"]).status == 303)
    }

    @Test("Who is not let in is told where it is told who gives tokens (RFC 9728 §5.1)")
    func challenge() throws {
        for answer in [try Visitor(door).get("/api/v1/connections"), try ask("hub_at_nonsense")] {
            #expect(answer.status == 401)
            #expect(
                answer.headers["www-authenticate"]?.hasSuffix(
                    #"resource_metadata="https://site.example/.well-known/oauth-protected-resource/hub""#) == true)
        }
    }

    @Test("Pages of the protocol are pages without a referrer, and its endpoints take scripts of every site")
    func faces() throws {
        let page = try Visitor(door).get("/oauth/authorize?client_id=nobody")
        #expect(page.status == 400 && page.headers["content-type"]?.hasPrefix("text/html") == true)
        #expect(page.headers.all("referrer-policy") == ["no-referrer"] && page.headers["x-frame-options"] == "DENY")
        #expect(page.headers["access-control-allow-origin"] == nil)
        let preflight = try Visitor(door).send(
            .options, "/oauth/token",
            headers: ["origin": "https://spa.example", "access-control-request-method": "POST"])
        #expect(preflight.status == 204 && preflight.headers["access-control-allow-origin"] == "*")
        #expect(preflight.headers["access-control-allow-credentials"] == nil)
        let refused = try post("/token", [("grant_type", "password")])
        #expect(
            refused.body["error"] == "unsupported_grant_type" && refused.answer.headers["cache-control"] == "no-store")
    }

    @Test("With another password everything that apps may do for a person ends at once")
    func password() throws {
        let given = try tokens()
        let token = try text("access_token", of: given)
        #expect(try ask(token).status == 200)
        let changed = try ana.submit(
            "/account", [("current_password", FrontDoor.password), ("new_password", "another horse battery staple")],
            to: "/account/password")
        #expect(changed.status == 303, "\(changed.text)")
        #expect(try ask(token).status == 401)
        let refused = try post(
            "/token", [("grant_type", "refresh_token"), ("refresh_token", try text("refresh_token", of: given))])
        #expect(refused.body["error"] == "invalid_grant")
    }

    @Test("A used refresh token gives the same pair over a whole rotation of the master key")
    func rotated() throws {
        let given = try tokens()
        let form = [("grant_type", "refresh_token"), ("refresh_token", try text("refresh_token", of: given))]
        let pair = try post("/token", form).body
        let path = door.built.configuration.keyringPath
        let (added, id) = try KeyRing.load(path: path).adding()
        let promoted = try added.promoting(id)
        for ring in [added, promoted] {
            try ring.write(to: path)
            let again = try post("/token", form, at: door.anotherProcess().house).body
            #expect(again["refresh_token"] == pair["refresh_token"] && again["access_token"] == pair["access_token"])
        }
        _ = try Rewrapping(
            door.database, ring: promoted, world: .real, by: Actor(kind: .commandLine, name: "root"), rest: { _ in }
        ).run()
        try promoted.removing(#require(promoted.former.first)).write(to: path)
        let again = try post("/token", form, at: door.anotherProcess().house).body
        #expect(again["refresh_token"] == pair["refresh_token"] && again["access_token"] == pair["access_token"])
    }

    @Test("nginx's gate lets tokens in beside keys, and both open only what they are for")
    func gate() throws {
        let token = try text("access_token", of: tokens())
        let gate = Gate(gatekeeper: door.built.rooms.gatekeeper, oauthServer: door.built.rooms.oauthServer)
        var question = GateQuestion()
        question.scope = "connections:read"
        for (credential, expected) in [
            (token, "X-Hub-App-Id: \(try text("id", of: app))"), (try door.key(), "X-Hub-Key-Id: "),
        ] {
            question.credential = .sent(.init(credential))
            let answer = String(decoding: gate.answer(question), as: UTF8.self)
            #expect(answer.hasPrefix("Status: 204") && answer.contains(expected), "\(answer)")
        }
        question.credential = .sent(.init(String(token.dropLast()) + "x"))
        #expect(String(decoding: gate.answer(question), as: UTF8.self).hasPrefix("Status: 401"))
    }
}
