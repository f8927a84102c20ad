import Accounts
import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import Testing
import TimeKit

@testable import Hub

@Suite(.timeLimit(.minutes(15))) struct FirstRun {
    private let wanted = [
        ("organization_name", "Acme Shop"), ("name", "Ana Kovač"), ("email", "Ana@acme.example"),
        ("password", FrontDoor.password),
    ]

    private func setUp(_ visitor: Visitor, _ link: String) throws -> Response {
        let token = try #require(link.split(separator: "=").last)
        return try visitor.submit(link, wanted + [("set_up_token", String(token))], to: "/set-up")
    }

    @Test("The link makes the owner, who is signed in, signs out and signs in again")
    func owner() throws {
        let door = try FrontDoor()
        let link = try #require(try door.accounts.makeSetUpLink())
        let visitor = Visitor(door)
        #expect(try setUp(visitor, link).status == 303 && visitor.get("/").status == 200)
        #expect(try visitor.get("/organization").text.contains("Ana Kovač"))
        #expect(try visitor.submit("/account", [], to: "/sign-out").status == 303)
        #expect(try visitor.get("/").headers["location"] == "/sign-in?next=%2F")
        let back = try visitor.submit(
            "/sign-in", [("email", " ANA@acme.example "), ("password", FrontDoor.password), ("next", "/account")])
        #expect(back.status == 303 && back.headers["location"] == "/account")
        #expect(try visitor.get("/account").status == 200)
    }

    @Test("The link works once, and a wrong or an old one not at all")
    func once() throws {
        let door = try FrontDoor()
        let link = try #require(try door.accounts.makeSetUpLink())
        let old = try #require(try door.accounts.makeSetUpLink())
        #expect(
            try Visitor(door).get("/set-up?token=wrong").status == 404 && Visitor(door).get("/set-up").status == 404)
        let visitors = try (0..<3).map { _ in try opened(link, door) }
        #expect(try send(visitors[0], link).status == 303)
        #expect(try send(visitors[1], link).status == 410 && send(visitors[2], old).status == 410)
        #expect(try Visitor(door).get(link).status == 410 && door.accounts.makeSetUpLink() == nil)
    }

    @Test("The link ends after a day")
    func ends() throws {
        let door = try FrontDoor()
        let link = try #require(try door.accounts.makeSetUpLink())
        let visitor = try opened(link, door)
        door.clock.pass(.hours(24) + .seconds(1))
        #expect(try Visitor(door).get(link).status == 404 && send(visitor, link).status == 404)
    }

    /// A visitor who looks at the form, and what it carries.
    private func opened(_ link: String, _ door: FrontDoor) throws -> (Visitor, [(String, String)]) {
        let visitor = Visitor(door)
        return (visitor, try visitor.hidden(of: link))
    }

    private func send(_ opened: (Visitor, [(String, String)]), _ link: String) throws -> Response {
        let token = String(try #require(link.split(separator: "=").last))
        return try opened.0.send(.post, "/set-up", form: wanted + [("set_up_token", token)] + opened.1)
    }

    @Test("Of eight who use the link at once one becomes the owner")
    func race() throws {
        let door = try FrontDoor()
        let link = try #require(try door.accounts.makeSetUpLink())
        let statuses = try inThreads(8) { number in
            let visitor = Visitor(door)
            let token = try #require(link.split(separator: "=").last)
            let fields = [
                ("organization_name", "O\(number)"), ("name", "N"), ("email", "n\(number)@acme.example"),
                ("password", FrontDoor.password), ("set_up_token", String(token)),
            ]
            return try visitor.submit(link, fields, to: "/set-up").status.code
        }
        // Who comes after the first has finished finds no form to send, and is refused as a stranger's form is.
        #expect(
            statuses.count { $0 == 303 } == 1 && statuses.allSatisfy { [303, 403, 410, 503].contains($0) },
            "\(statuses)")
        #expect(
            try door.count("SELECT COUNT(*) AS n FROM users") == 1
                && door.count("SELECT COUNT(*) AS n FROM organizations") == 1)
    }

    @Test("A refused form names each field, keeps what was typed, and never the password")
    func refused() throws {
        let door = try FrontDoor()
        let link = try #require(try door.accounts.makeSetUpLink())
        let token = String(try #require(link.split(separator: "=").last))
        let answer = try Visitor(door).submit(
            link,
            [
                ("organization_name", "<b>Acme"), ("name", ""), ("email", "no"), ("password", "hunter2hunter2"),
                ("set_up_token", token),
            ], to: "/set-up")
        #expect(
            answer.status == 422 && answer.text.contains("3 fields need another value.")
                && answer.text.contains("&lt;b&gt;Acme") && !answer.text.contains("hunter2"))
    }
}

@Suite(.timeLimit(.minutes(15))) struct Door {
    @Test("An unknown person and a wrong password get the same answer")
    func same() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        func answer(_ email: String) throws -> String {
            let answer = try Visitor(door, from: "203.0.113.\(email.count)").submit(
                "/sign-in", [("email", email), ("password", "wrong wrong wrong")])
            #expect(answer.status == 422)
            return answer.text.replacing(email, with: "").replacing(/value="[^"]{20,}"/, with: "")
        }
        #expect(try answer("ana@acme.example") == answer("nobody@acme.example"))
    }

    @Test("A mistyped e-mail is the only thing named")
    func mistyped() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let answer = try Visitor(door).submit("/sign-in", [("email", "no"), ("password", "x")])
        #expect(
            answer.status == 422 && answer.text.contains("id=\"field-email-error\"")
                && !answer.text.contains("id=\"field-password-error\"") && !answer.text.contains("no such field"))
    }

    @Test(
        "Of 1 000 guesses at one account, by eight at once from many addresses, no more than the free five are judged")
    func account() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let statuses = try guesses(door) { _ in
            "ana@acme.example"
        } from: {
            "203.\($0 / 250).113.\($0 % 250)"
        }
        #expect(statuses.count { $0 == 422 } <= 5 && statuses.allSatisfy { [422, 429, 503].contains($0) })
        let owner = try Visitor(door, from: "198.51.100.1").submit(
            "/sign-in", [("email", "ana@acme.example"), ("password", FrontDoor.password)])
        #expect(owner.status == 429 && owner.headers["retry-after"] != nil)
        door.clock.pass(.minutes(15))
        #expect(try door.signedIn("ana@acme.example").get("/account").status == 200)
    }

    @Test("Of 1 000 guesses from one address at many accounts no more than the free twenty are judged")
    func address() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let statuses = try guesses(door) {
            "n\($0)@acme.example"
        } from: { _ in
            "203.0.113.9"
        }
        #expect(statuses.count { $0 == 422 } <= 20 && statuses.allSatisfy { [422, 429, 503].contains($0) })
    }

    @Test("When too many sign in at once the rest are told so at once, and what was not judged does not count")
    func crowd() throws {
        // One hash at a time, each a twentieth of a second at least, and one lane that waits.
        let door = try FrontDoor(["HUB_SCRYPT_LN": "16", "HUB_SCRYPT_SLOTS": "1", "HUB_LANES": "8"])
        try door.person("ana@acme.example")
        let statuses = try guesses(door, 2) {
            "n\($0)@acme.example"
        } from: {
            "203.0.113.\($0)"
        }
        let judged = statuses.count { $0 == 422 }
        #expect(
            judged >= 2 && statuses.contains(503) && statuses.allSatisfy { [422, 503].contains($0) }, "\(statuses)")
        #expect(try door.count("SELECT CAST(SUM(failures) AS SIGNED) AS n FROM sign_in_failures") == judged)
    }

    private func guesses(
        _ door: FrontDoor, _ count: Int = 125, at email: @escaping @Sendable (Int) -> String,
        from address: @escaping @Sendable (Int) -> String
    ) throws -> [Int] {
        try inThreads(8) { thread in
            let page = Visitor(door)
            let hidden = try page.hidden(of: "/sign-in")
            return try (0..<count).map { number in
                let visitor = Visitor(door, from: address(thread * count + number))
                visitor.cookies = page.cookies
                return try visitor.send(
                    .post, "/sign-in",
                    form: [("email", email(thread * count + number)), ("password", "guess guess guess")] + hidden
                ).status.code
            }
        }.flatMap(\.self)
    }

    @Test("Guesses at the password of the account page are counted like those at the door")
    func inside() throws {
        let door = try FrontDoor()
        try door.person("ana@acme.example")
        let visitor = try door.signedIn("ana@acme.example")
        let statuses = try (0..<8).map { _ in
            try visitor.submit(
                "/account", [("current_password", "wrong"), ("new_password", "another good pass phrase")],
                to: "/account/password"
            ).status.code
        }
        #expect(statuses == [422, 422, 422, 422, 422, 429, 429, 429])
    }

    @Test("After signing in one goes where one wanted, below the mount prefix, and never elsewhere")
    func next() throws {
        let door = try FrontDoor(at: "https://site.example/hub")
        try door.person("ana@acme.example")
        for (next, location) in [
            ("/audit-log?x=1", "/hub/audit-log?x=1"), ("//evil.example", "/hub/"), ("https://evil.example", "/hub/"),
        ] {
            let answer = try Visitor(door).submit(
                "/sign-in", [("email", "ana@acme.example"), ("password", FrontDoor.password), ("next", next)])
            #expect(answer.headers["location"] == location)
        }
        #expect(
            try Visitor(door).get("/audit-log?x=%2F&y").headers["location"]
                == "/hub/sign-in?next=%2Faudit-log%3Fx%3D%252F%26y")
        #expect(try door.signedIn("ana@acme.example").get("/sign-in?next=//evil").headers["location"] == "/hub/")
    }
}
