import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import Testing
import TimeKit

@testable import Hub

@Suite(.timeLimit(.minutes(15))) struct Sessions {
    private func house() throws -> FrontDoor {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        return door
    }

    @Test("A cookie that was there before signing in is not the session afterwards, and an earlier session ends")
    func fixation() throws {
        let door = try house()
        let visitor = Visitor(door)
        visitor.cookies["hub_session"] = "planted"
        _ = try visitor.submit("/sign-in", [("email", "ana@acme.example"), ("password", FrontDoor.password)])
        let first = try #require(visitor.cookies["hub_session"])
        #expect(first != "planted" && first.utf8.count == 43)
        _ = try visitor.send(
            .post, "/sign-in",
            form: [("email", "ana@acme.example"), ("password", FrontDoor.password), ("csrf_token", visitor.token())])
        #expect(visitor.cookies["hub_session"] != first)
        visitor.cookies["hub_session"] = first
        #expect(try visitor.get("/account").status == 303)
    }

    @Test("The database holds the digest of a session's cookie, not the cookie")
    func hashed() throws {
        let door = try house()
        let token = try #require(try door.signedIn("ana@acme.example").cookies["hub_session"])
        let row = try #require(try door.database.row("SELECT token_hash FROM sessions"))
        #expect(try row.get("token_hash") == SHA256.digest(token.utf8))
    }

    @Test("A session ends after half an hour of rest, and after half a day whatever happens")
    func expiry() throws {
        let door = try house()
        let resting = try door.signedIn("ana@acme.example")
        door.clock.pass(.minutes(29))
        #expect(try resting.get("/account").status == 200)
        door.clock.pass(.minutes(29))
        #expect(try resting.get("/account").status == 200)
        door.clock.pass(.minutes(31))
        #expect(try resting.get("/account").status == 303)
        let busy = try door.signedIn("ana@acme.example")
        for _ in 0..<35 {
            door.clock.pass(.minutes(20))
            #expect(try busy.get("/account").status == 200)
        }
        door.clock.pass(.minutes(20))
        #expect(try busy.get("/account").status == 303)
    }

    @Test("Cookies carry the prefix, path and flags that scheme and mount allow")
    func attributes() throws {
        for (url, name, path, isSecure) in [
            ("https://site.example", "__Host-hub_session", "/", true),
            ("https://site.example/hub", "__Secure-hub_session", "/hub", true),
            ("http://127.0.0.1:8080/hub", "hub_session", "/hub", false),
        ] {
            let door = try FrontDoor(at: url)
            try door.person("ana@acme.example")
            let visitor = Visitor(door)
            let answer = try visitor.submit(
                "/sign-in", [("email", "ana@acme.example"), ("password", FrontDoor.password)])
            let cookie = try #require(answer.headers.all("set-cookie").first { $0.hasPrefix(name + "=") })
            #expect(
                cookie.contains("; Path=\(path); HttpOnly; SameSite=Lax; Max-Age=43200")
                    && cookie.hasSuffix("; Secure") == isSecure)
            let removal = try visitor.submit("/account", [], to: "/sign-out").headers.all("set-cookie").first {
                $0.hasPrefix(name + "=;")
            }
            #expect(removal?.contains("Max-Age=0") == true && removal?.contains("Path=\(path)") == true)
        }
    }

    @Test("Another password ends the other sessions and not this one")
    func passwordChange() throws {
        let door = try house()
        let (here, there) = (try door.signedIn("ana@acme.example"), try door.signedIn("ana@acme.example"))
        let new = "another good pass phrase"
        #expect(
            try here.submit(
                "/account", [("current_password", FrontDoor.password), ("new_password", new)], to: "/account/password"
            ).status == 303)
        #expect(try here.get("/account").status == 200 && there.get("/account").status == 303)
        #expect(
            try Visitor(door).submit("/sign-in", [("email", "ana@acme.example"), ("password", FrontDoor.password)])
                .status == 422)
        #expect(try Visitor(door).submit("/sign-in", [("email", "ana@acme.example"), ("password", new)]).status == 303)
        #expect(try door.count("SELECT COUNT(*) AS n FROM audit_events WHERE action = 'user.password_changed'") == 1)
    }

    @Test("One ends one's own sessions, never those of somebody else")
    func ending() throws {
        let door = try house()
        try door.person("bob@acme.example", .admin)
        let (ana, other, bob) = (
            try door.signedIn("ana@acme.example"), try door.signedIn("ana@acme.example"),
            try door.signedIn("bob@acme.example")
        )
        for row in try door.database.rows("SELECT s.id, u.email FROM sessions s JOIN users u ON u.id = s.user_id") {
            let id: Identifier<Session> = try row.get("id")
            let isOwn = try row.get("email", as: String.self) == "bob@acme.example"
            if !isOwn { #expect(try bob.submit("/account", [], to: "/account/sessions/\(id)/end").status == 404) }
        }
        #expect(try ana.submit("/account", [], to: "/account/sessions/end-others").status == 303)
        #expect(
            try ana.get("/account").status == 200 && other.get("/account").status == 303
                && bob.get("/account").status == 200)
    }

    @Test("The theme is remembered, and only one of three")
    func theme() throws {
        let visitor = try house().signedIn("ana@acme.example")
        #expect(try visitor.submit("/account", [("theme", "dark")], to: "/account/theme").status == 303)
        #expect(try visitor.get("/account").text.contains("data-theme=\"dark\""))
        #expect(try visitor.submit("/account", [("theme", "\"><script>")], to: "/account/theme").status == 422)
    }

    @Test("A disabled account is out at once, and does not come in again")
    func disabled() throws {
        let door = try house()
        let visitor = try door.signedIn("ana@acme.example")
        try door.database.execute("UPDATE users SET disabled_at = UTC_TIMESTAMP(6)")
        #expect(try visitor.get("/account").status == 303)
        #expect(
            try Visitor(door).submit("/sign-in", [("email", "ana@acme.example"), ("password", FrontDoor.password)])
                .status == 422)
    }

    @Test("A browser of 255 strange graphemes signs in all the same")
    func agent() throws {
        let door = try house()
        let visitor = Visitor(door)
        let hidden = try visitor.hidden(of: "/sign-in")
        let answer = try visitor.send(
            .post, "/sign-in", form: [("email", "ana@acme.example"), ("password", FrontDoor.password)] + hidden,
            headers: ["user-agent": String(repeating: "👩‍👩‍👧‍👧", count: 300)])
        #expect(answer.status == 303)
    }
}
