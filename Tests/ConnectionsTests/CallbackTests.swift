import DatabaseKit
import Domain
import Foundation
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Connections

@Suite struct CallbackTests {
    private let there: SigningInOffice

    init() throws { there = try SigningInOffice() }

    @Test("A callback without state, with one that is unknown, or with two is refused, and nobody calls the service")
    func unknown() throws {
        let unknown = String(repeating: "A", count: 43)
        for (query, words) in [
            ([("code", "c")], "does not say which sign-in"), ([("code", "c"), ("state", "")], "does not say which"),
            ([("code", "c"), ("state", unknown)], "unknown or ended long ago"),
            ([("code", "c"), ("state", "short")], "unknown or ended long ago"),
            ([("code", "c"), ("state", unknown), ("state", unknown)], "state more than once"),
        ] {
            let back = try there.comeBack(query)
            #expect(back.status == 303 && back.headers["location"] == "/hub/connections")
            #expect(flash(back).contains(words), "\(query)")
        }
        #expect(there.office.service.requests.isEmpty)
    }

    @Test("A state is used once, whether it connected or not")
    func replayed() throws {
        let id = try there.connection()
        for query in [[("code", "c")], [("error", "access_denied")]] {
            let state = try there.begin(id).state
            _ = try there.comeBack(query + [("state", state)])
            let calls = there.office.service.requests.count
            let again = try there.comeBack([("code", "c"), ("state", state)])
            #expect(flash(again).contains("was used already") && there.office.service.requests.count == calls)
        }
    }

    @Test("Of many callbacks at once with one state exactly one exchanges its code")
    func atOnce() throws {
        let id = try there.connection()
        let state = try there.begin(id).state
        let locations = Lock<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 12) { _ in
            let back = try? there.comeBack([("code", "c"), ("state", state)])
            locations.withLock { $0.append(back?.headers["location"] ?? "none") }
        }
        #expect(locations.withLock { $0.count { $0.hasSuffix(id) } } == 1)
        #expect(there.office.service.requests.count { $0.hasPrefix("POST /token ") } == 1)
    }

    @Test("A state ends after ten minutes, and is forgotten a day later")
    func expired() throws {
        let id = try there.connection()
        let (inTime, late) = (try there.begin(id).state, try there.begin(id).state)
        there.office.house.pass(.minutes(9))
        #expect(flash(try there.comeBack([("code", "c"), ("state", inTime)])).contains("connected"))
        there.office.house.pass(.minutes(2))
        #expect(flash(try there.comeBack([("code", "c"), ("state", late)])).contains("longer than ten minutes"))
        there.office.house.pass(.days(2))
        try there.office.room.purge()
        #expect(flash(try there.comeBack([("code", "c"), ("state", late)])).contains("unknown"))
    }

    @Test("A state in another person's session, in another session of the same person, or at no session ends nothing")
    func otherOwner() throws {
        let id = try there.connection()
        let state = try there.begin(id).state
        let house = there.office.house
        let other = try house.person(.admin, in: there.office.organization, email: "bo@acme.example")
        let user = try #require(there.office.admin.browser?.user)
        let again = house.principal(user, "ana@acme.example", .admin, in: there.office.organization)
        for principal in [other, again] {
            let back = try there.comeBack([("code", "c"), ("state", state)], as: principal)
            #expect(flash(back).contains("begun in another session"))
        }
        let stranger = try there.office.door.send(
            .get, "/connections/callback/google", as: nil, query: "code=c&state=\(state)")
        #expect(stranger.status == 303 && stranger.headers["location"] == "/hub/connections")
        #expect(try there.tokens(id) == nil && there.office.service.requests.isEmpty)
        // Whoever began it can still end it: the others did not use it up.
        #expect(flash(try there.comeBack([("code", "c"), ("state", state)])).contains("connected"))
    }

    @Test("Somebody who may no longer change connections ends no sign-in")
    func demoted() throws {
        let id = try there.connection()
        let state = try there.begin(id).state
        let browser = try #require(there.office.admin.browser)
        let demoted = Principal(
            actor: there.office.admin.actor,
            memberships: [.init(organization: there.office.organization, name: "Acme Shop", role: .member)],
            browser: browser)
        let back = try there.comeBack([("code", "c"), ("state", state)], as: demoted)
        #expect(flash(back).contains("connections:write"))
        #expect(try there.tokens(id) == nil)
    }

    @Test("A code that comes to another service's address with this state goes nowhere, and the state is used up")
    func mixedUp() throws {
        let id = try there.connection()
        let state = try there.begin(id).state
        let back = try there.comeBack([("code", "c"), ("state", state)], to: "slack")
        #expect(flash(back).contains("address of another service") && there.office.service.requests.isEmpty)
        #expect(try there.audited("connection.authorization_failed")?["error"] == "wrong_provider")
        #expect(flash(try there.comeBack([("code", "c"), ("state", state)])).contains("was used already"))
    }

    @Test("An issuer that is not the service's own is refused, in answers with a code and with an error")
    func issuer() throws {
        let id = try there.connection()
        for extra in [("code", "c"), ("error", "access_denied")] {
            let back = try there.comeBack([extra, ("iss", "https://evil.example"), ("state", there.begin(id).state)])
            #expect(flash(back).contains("does not come from Google"))
        }
        #expect(there.office.service.requests.isEmpty)
        let right = [("code", "c"), ("iss", "https://accounts.google.com"), ("state", try there.begin(id).state)]
        #expect(flash(try there.comeBack(right)).contains("connected"))
    }

    @Test("Of a service that names no issuer beforehand, one that is not at the server where people sign in is refused")
    func unknownIssuer() throws {
        let id = try there.connection(
            "slack", setup: #"{"client_id":"1234567.1234567","client_secret":"0123456789abcdef0123456789abcdef"}"#)
        there.service.answer("/api/", 200, #"{"ok":true,"access_token":"xoxb-1","scope":"chat:write"}"#)
        func answer(_ issuer: String, _ extra: (String, String) = ("code", "c")) throws -> String {
            flash(try there.comeBack([extra, ("iss", issuer), ("state", there.begin(id).state)], to: "slack"))
        }
        for issuer in [
            "https://accounts.google.com", "https://evil.example/slack.com", "https://slack.com.evil.example",
            "https://slack.com@evil.example", "http://slack.com", "https://slack.com:8443", "slack.com", "//slack.com",
        ] {
            #expect(try answer(issuer).contains("does not come from Slack"), "\(issuer)")
            #expect(try answer(issuer, ("error", "access_denied")).contains("does not come from Slack"), "\(issuer)")
        }
        #expect(try there.office.service.requests.isEmpty && there.tokens(id) == nil)
        for issuer in ["https://slack.com", "https://slack.com/oauth/v2"] {
            #expect(try answer(issuer).contains("connected"), "\(issuer)")
        }
    }

    @Test("Where the set-up has a place for the issuer, and none in it, people are told of it")
    func issuerToEnter() throws {
        let own = #"""
            {"client_id":"c","client_secret":"s","authorize_url":"https://login.own.example/authorize",
             "token_url":"https://login.own.example/token","test_url":"https://login.own.example/me"}
            """#
        let id = try there.connection("custom_oauth2", setup: own)
        let query = [("code", "c"), ("iss", "https://issuer.own.example"), ("state", try there.begin(id).state)]
        let back = try there.comeBack(query, to: "custom_oauth2/\(id)")
        #expect(flash(back).hasSuffix("If its issuer is at another address, enter it."))
    }

    @Test("What the service says of a refusal is bounded, without control characters, and escaped on the page")
    func errors() throws {
        let id = try there.connection()
        let script = "<script>alert(1)</script>" + String(repeating: "x", count: 5_000) + "\u{7}"
        let denied = try there.comeBack([
            ("error", "access_denied"), ("error_description", script), ("state", there.begin(id).state),
        ])
        #expect(flash(denied).hasPrefix("Access denied at Google. It said: “<script>") && flash(denied).count <= 300)
        let page = try there.office.door.send(.get, "/connections/\(id)", as: there.office.admin).text()
        #expect(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert(1)"))
        let other = try there.comeBack([("error", "server_error\n\u{1b}"), ("state", there.begin(id).state)])
        #expect(flash(other) == "Google ended the sign-in (server_error  ). Start again.")
        let scope = try there.comeBack([("error", "invalid_scope"), ("state", there.begin(id).state)])
        #expect(flash(scope).hasPrefix("Insufficient scope: Google does not grant"))
        let nothing = try there.comeBack([("state", there.begin(id).state)])
        #expect(flash(nothing) == "Google sent no code back. Start again.")
    }

    @Test(
        "The service's own answer to the code is told by what it means",
        arguments: [
            (400, #"{"error":"invalid_grant"}"#, "invalid_grant", "Invalid grant:"),
            (401, #"{"error":"invalid_client"}"#, "invalid_client", "does not know this client"),
            (400, #"{"error":"invalid_scope"}"#, "insufficient_scope", "Insufficient scope:"),
            (429, #"{}"#, "unreachable", "called less often (429)"), (503, "<html>", "unreachable", "trouble"),
            (
                400,
                #"{"error":{"message":"This authorization code has been used.","type":"OAuthException","code":100}}"#,
                "invalid_grant", "authorization code has been used"
            ),
            (
                400, #"{"status":"BAD_AUTH_CODE","message":"missing or unknown auth code"}"#, "invalid_grant",
                "Invalid grant"
            ),
            (302, "", "provider_error", "refused (302)"),
        ])
    func exchangeErrors(status: Int, answer: String, code: String, words: String) throws {
        let id = try there.connection()
        there.service.answer("/token", status, answer)
        #expect(flash(try there.signIn(id)).contains(words))
        #expect(try there.audited("connection.authorization_failed")?["error"] == .string(code))
        let body = try there.office.json(.get, "connections/\(id)").body
        #expect(body["status"] == "disconnected" && body["status_detail"]?.text?.contains(words) == true)
    }

    @Test("What a service repeats of code, verifier or secret is left out")
    func concealed() throws {
        let id = try there.connection()
        let words = "bad \(SigningInOffice.code) for \(SigningInOffice.clientSecret)"
        there.service.answer("/token", 400, #"{"error":"invalid_grant","error_description":"\#(words)"}"#)
        #expect(flash(try there.signIn(id)).contains("“bad ••• for •••”"))
    }

    @Test("No transaction is open while the service is called (A2-17)")
    func noTransaction() throws {
        let office = there.office
        let open = Lock<[Int]>([])
        let service = StandIn { request in
            let count = try? office.house.database.row(
                """
                SELECT COUNT(*) AS count
                  FROM information_schema.innodb_trx t
                  JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
                 WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()
                """)?.get("count", as: Int.self)
            open.withLock { $0.append(count ?? -1) }
            return StandIn.json(200, request.hasPrefix("POST /token") ? SigningInOffice.googleTokens : "{}")
        }
        let room = try Office.room(office.house, office.ring, calling: service)
        let door = try Door(office.house, room.routes, templates: Connections.templates)
        let state = try there.begin(there.connection()).state
        _ = try door.send(.get, "/connections/callback/google", as: office.admin, query: "code=c&state=\(state)")
        #expect(open.withLock { $0 } == [0, 0])
    }

    @Test("A HEAD request, such as a link checker sends, uses nothing up; the address of no service says where to go")
    func others() throws {
        let id = try there.connection()
        let state = try there.begin(id).state
        let head = try there.office.door.send(
            .head, "/connections/callback/google", as: there.office.admin, query: "code=c&state=\(state)")
        #expect(head.status == 303 && flash(head).isEmpty)
        #expect(flash(try there.comeBack([("code", "c"), ("state", state)])).contains("connected"))
        for path in ["/connections/callback", "/api/v1/connections/callback"] {
            #expect(try there.office.door.send(.get, path, as: there.office.admin, query: "code=c").status == 404)
        }
    }

    // MARK: Scripts

    @Test("A script ends the sign-in that it began, and no other script and no browser does")
    func scripts() throws {
        let house = there.office.house
        func script(_ name: String) throws -> Principal {
            Principal(
                actor: .init(kind: .apiKey, id: Identifier<APIKey>(house.world).bytes, name: name),
                memberships: there.office.admin.memberships, limits: [.write(.connections), .read(.connections)])
        }
        let (mine, other) = (try script("ci"), try script("ci"))
        let id = try there.connection()
        let state = try there.begin(id, as: mine).state
        let body = #"{"code":"c","state":"\#(state)"}"#
        for principal in [other, there.office.admin] {
            let (response, refusal) = try there.office.json(.post, "connections/\(id)/exchange", body, as: principal)
            #expect(response.status == 400 && refusal["code"] == "state_of_another_session")
        }
        #expect(flash(try there.comeBack([("code", "c"), ("state", state)])).contains("another session"))
        let second = try there.connection(name: "second")
        #expect(
            try there.office.json(.post, "connections/\(second)/exchange", body, as: mine).body["code"]
                == "state_unknown")
        let (done, answer) = try there.office.json(.post, "connections/\(id)/exchange", body, as: mine)
        #expect(done.status == 200 && answer["status"] == "connected")
        #expect(try there.office.json(.post, "connections/\(id)/exchange", body, as: mine).body["code"] == "state_used")
        #expect(
            try refusals(there.office.json(.post, "connections/\(id)/exchange", "{}", as: mine).body)
                == ["/code required", "/state required"])
    }
}
