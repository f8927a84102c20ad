import APIKeys
import Accounts
import AdminShell
import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import TemplateKit
import Testing

@testable import Hub

/// What holds for every route of every room, read from the samples that each room gives of its routes.
@Suite(.timeLimit(.minutes(15))) struct EveryRoute {
    private static let scriptPlaces: Set<String> = [
        "api", "functions", "oauth", "health", "metrics", "inbound", ".well-known",
    ]

    /// Whether scripts call an address; one below `/api` is for people.
    static func isScript(_ path: String) -> Bool {
        let steps = path.split(separator: "/").map(String.init)
        if steps.count > 1, steps[0] == "oauth", ["authorize", "consent", "device"].contains(steps[1]) { return false }
        return !path.hasPrefix("/api/docs") && scriptPlaces.contains(steps.first ?? "")
    }

    private func isScript(_ path: String) -> Bool { Self.isScript(path) }

    @Test("Every page's sample renders, strictly")
    func samples() throws {
        let library = try FrontDoor().built.configuration.library()
        try library.check()
        for page in House.pages { #expect(throws: Never.self, "\(page)") { try library.renderSample(of: page) } }
    }

    @Test("A stranger is shown the door on pages and gets 401 from the interface for scripts, except where it is open")
    func strangers() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        for (path, method, access) in door.walk where access != .open {
            let answer = try Visitor(door).send(method, path)
            if isScript(path) {
                #expect(answer.status == 401 && answer.headers["www-authenticate"] != nil, "\(method) \(path)")
                #expect(answer.headers["content-type"] == "application/problem+json")
            } else {
                #expect(
                    answer.status == 303 && answer.headers["location"]?.hasPrefix("/sign-in") == true,
                    "\(method) \(path)")
            }
        }
    }

    @Test("Each role gets through exactly the routes whose right it holds", arguments: Role.allCases)
    func roles(role: Role) throws {
        let door = try FrontDoor()
        try door.person("a@acme.example", role)
        let cookies = try door.signedIn("a@acme.example").cookies
        for (path, method, access) in door.walk {
            guard case .right(let right) = access else { continue }
            let visitor = Visitor(door)
            visitor.cookies = cookies
            let token = try visitor.token()
            let answer = try visitor.send(
                method, path, form: isScript(path) || method.isSafe ? nil : [("csrf_token", token)],
                headers: ["x-csrf-token": token])
            let isRefused = answer.status == 403 && (!isScript(path) || answer.text.contains("insufficient_scope"))
            #expect(isRefused == !role.allows(right), "\(role) \(method) \(path) → \(answer.status.code)")
            #expect(answer.status.code < 500, "\(role) \(method) \(path) → \(answer.status.code)")
            // Asking whether a key opens something is a POST, since a key stands in no address; it writes nothing.
            if role == .support, !method.isSafe, method != .options, path != APIKeyRoute.verify.path,
                // What one has allowed an app is one's own to take back.
                !path.hasPrefix("/api/v1/app-consents")
            {
                #expect(answer.status == 403, "support writes \(path)")
            }
        }
    }

    @Test("A key gets through exactly the routes that its scopes cover")
    func keys() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        for scopes in [["connections:read"], ["organization:*"], ["api_keys:write", "audit:read"], ["users:read"]] {
            let key = try door.key(scopes)
            for (path, method, access) in door.walk where isScript(path) {
                guard case .right(let right) = access else { continue }
                let answer = try Visitor(door).send(method, path, headers: ["authorization": "Bearer \(key)"])
                let isCovered = scopes.compactMap { Scope($0) }.contains { $0.covers(right) }
                #expect((answer.status == 403) == !isCovered, "\(scopes) \(method) \(path) → \(answer.status.code)")
                #expect(answer.status.code < 500)
            }
        }
    }

    @Test("A key opens no page, and a page's cookie opens no script route without the form token")
    func doorsApart() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let (key, visitor) = (try door.key(), try door.signedIn("ana@acme.example"))
        let token = try visitor.token()
        for (path, method, access) in door.walk where access != .open {
            if isScript(path) {
                #expect(try visitor.send(method, path).status == 401, "\(method) \(path)")
                #expect(
                    try visitor.send(method, path, headers: ["x-csrf-token": token, "sec-fetch-site": "cross-site"])
                        .status == 401)
                #expect(
                    try visitor.send(method, path, headers: ["x-csrf-token": token, "origin": "https://evil.example"])
                        .status == 401)
            } else {
                #expect(
                    try Visitor(door).send(method, path, headers: ["authorization": "Bearer \(key)"]).status == 303,
                    "\(method) \(path)")
            }
        }
    }

    @Test("No form is taken without its token, with somebody else's, or from another site")
    func forms() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        try door.person("bob@acme.example", .admin)
        let (visitor, other) = (try door.signedIn("ana@acme.example"), try door.signedIn("bob@acme.example"))
        let (token, foreign) = (try visitor.token(), try other.token())
        for (path, method, _) in door.walk where !isScript(path) && !method.isSafe {
            for (fields, headers) in [
                ([], [:]), ([("csrf_token", "")], [:]), ([("csrf_token", foreign)], [:]),
                ([("csrf_token", String(token.dropLast()))], [:]),
                ([("csrf_token", token)], ["sec-fetch-site": "cross-site"]),
                ([("csrf_token", token)], ["sec-fetch-site": "same-site"]),
                ([("csrf_token", token)], ["origin": "https://evil.example"]),
                ([("csrf_token", token)], ["origin": "null"]),
            ] as [([(String, String)], Headers)] {
                #expect(
                    try visitor.send(method, path, form: fields, headers: headers).status == 403,
                    "\(path) \(fields) \(headers)")
            }
        }
        #expect(try visitor.get("/account").status == 200)
        // A stranger's form is held together by a cookie of its own; without the cookie the token proves nothing.
        let stranger = Visitor(door)
        let hidden = try stranger.hidden(of: "/sign-in")
        let fields = [("email", "ana@acme.example"), ("password", FrontDoor.password)] + hidden
        #expect(try Visitor(door).send(.post, "/sign-in", form: fields).status == 403)
        let thief = Visitor(door)
        _ = try thief.get("/sign-in")
        #expect(
            try thief.send(.post, "/sign-in", form: fields).status == 403
                && stranger.send(.post, "/sign-in", form: fields).status == 303)
    }

    @Test("An id that is not there, or that another organization has, is 404 for those who may look")
    func foreignIDs() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        try door.person("eve@evil.example", in: "Evil Corp")
        let (key, visitor) = (try door.key(), try door.signedIn("ana@acme.example"))
        for (path, method, access) in door.walk
        where path.contains(/[0-9a-f]{8}-[0-9a-f]{4}-7/) && access != .open && method == .get {
            var answer =
                try isScript(path) ? Visitor(door).send(method, path, headers: ["x-api-key": key]) : visitor.get(path)
            // The address of a button, opened by hand, leads back to the page that it stood on.
            if answer.status == 303, let page = answer.headers["location"] { answer = try visitor.get(page) }
            #expect(answer.status == 404, "\(method) \(path) → \(answer.status.code)")
        }
        let theirs: Identifier<Workspace> = try #require(
            try door.database.row("SELECT id FROM workspaces WHERE organization_id = \(door.organization("Evil Corp"))")
        ).get("id")
        for method in [HTTPKit.Method.get, .patch] {
            #expect(
                try Visitor(door).send(
                    method, "/api/v1/workspaces/\(theirs)", json: method == .get ? nil : #"{"name":"x"}"#,
                    headers: ["x-api-key": key]
                ).status == 404)
        }
        #expect(
            try visitor.submit("/organization", [("name", "x")], to: "/organization/workspaces/\(theirs)/name").status
                == 404)
        #expect(
            try visitor.submit(
                "/account", [("organization_id", door.organization("Evil Corp").text)], to: "/organization/switch"
            ).status == 404)
    }

    @Test(
        "A method without a rule is 405 and names those that have one, OPTIONS tells the same, HEAD is GET without its body"
    )
    func methods() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let visitor = try door.signedIn("ana@acme.example")
        for (path, access) in door.built.house.rooms.flatMap(\.samples) {
            let allowed = Set(access.methods).union([.options]).union(access[.get] == nil ? [] : [.head])
            let names = allowed.map(\.name).sorted().joined(separator: ", ")
            for method in HTTPKit.Method.allCases where !allowed.contains(method) {
                let answer = try visitor.send(method, path)
                #expect(answer.status == 405 && answer.headers["allow"] == names, "\(method) \(path)")
            }
            // Where OPTIONS has a rule of its own, it is somebody else who answers.
            if access[.options] == nil {
                let options = try visitor.send(.options, path)
                #expect(options.status == 204 && options.headers["allow"] == names)
            }
            if access[.get] != nil, !isScript(path) {
                #expect(try visitor.send(.head, path).status == visitor.get(path).status)
            }
        }
    }

    @Test("Each address belongs to one room alone, and the signposts lead to that one")
    func signposts() throws {
        let posts = try FrontDoor().built.house.signposts
        for sample in posts.rooms.flatMap(\.samples) {
            let path = try #require(Path(sample.path))
            let owners = posts.rooms.compactMap { $0.match(path) }
            #expect(owners.count == 1 && owners.first?.access == sample.access, "\(sample.path)")
            #expect(posts.match(path)?.template(of: path) == owners.first?.template(of: path), "\(sample.path)")
        }
    }

    @Test("An address that nobody has is a page for people and a problem document for scripts")
    func unknown() throws {
        let door = try FrontDoor()
        for path in ["/nothing", "/account/sessions/:id/end", "/api-keys/nothing", "/%3Cscript%3E"] {
            let answer = try Visitor(door).get(path)
            #expect(
                answer.status == 404 && answer.headers["content-type"] == "text/html; charset=utf-8"
                    && answer.text.contains("There is nothing") && !answer.text.contains("<script>"), "\(path)")
        }
        for path in ["/api/v1/nothing", "/api", "/oauth/x", "/functions/v1/x", "/.well-known/x"] {
            let answer = try Visitor(door).get(path)
            #expect(
                answer.status == 404 && answer.headers["content-type"] == "application/problem+json"
                    && answer.text.contains(#""code":"not_found""#), "\(path)")
        }
    }

    @Test(
        "Every answer carries the headers that keep browsers and caches from mischief, once each, and its request's id")
    func headers() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let visitor = try door.signedIn("ana@acme.example")
        let cookies = visitor.cookies
        let key = try door.key()
        var answers: [(String, Response)] = [
            ("404", try visitor.get("/nothing")), ("404 for scripts", try visitor.get("/api/nothing")),
        ]
        for (path, method, _) in door.walk {
            visitor.cookies = cookies
            answers.append(("\(method) \(path)", try visitor.send(method, path)))
            answers.append(("stranger \(method) \(path)", try Visitor(door).send(method, path)))
            if isScript(path) {
                answers.append(
                    ("script \(method) \(path)", try Visitor(door).send(method, path, headers: ["x-api-key": key])))
            }
        }
        for (name, answer) in answers {
            for header in [
                "x-content-type-options", "x-frame-options", "content-security-policy", "referrer-policy",
                "x-request-id", "cross-origin-resource-policy",
            ] {
                #expect(answer.headers.all(header).count == 1, "\(name): \(header)")
            }
            #expect(
                answer.headers["x-request-id"] == "0123456789abcdef"
                    && answer.headers["content-security-policy"]?.contains("unsafe") == false)
            #expect(answer.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
            // What is the same for all may be kept, as long as it is asked whether it is still right.
            if name.contains("/openapi.json") {
                #expect(answer.status != 200 || answer.headers.all("cache-control") == ["public, no-cache"], "\(name)")
            } else if !name.contains("/health") {
                #expect(answer.headers.all("cache-control") == ["no-store"], "\(name)")
            }
            answer.headers.forEach { #expect(!$1.contains(/[\r\n]/), "\(name): \($0)") }
        }
    }
}
