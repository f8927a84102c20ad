import AdminShell
import Connections
import DatabaseKit
import Domain
import Glibc
import HTTPKit
import JSONKit
import Testing
import TimeKit

@testable import Hub

/// The contract “Integrations API (MVP)”, its answers compared member by member, byte by byte.
@Suite(.timeLimit(.minutes(15))) struct IntegrationsContract {
    static let token = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
    static let other = "654321:ZYX-DEF1234ghIkl-zyx57W2v1u123ew99"

    let door: FrontDoor
    let key: String

    init() throws {
        door = try FrontDoor()
        try door.person("ana@acme.example")
        key = try door.key()
    }

    private func send(
        _ method: HTTPKit.Method, _ path: String, _ json: String? = nil, as key: String? = nil, headers: Headers = [:]
    ) throws -> Response {
        var headers = headers
        headers.add("authorization", "Bearer \(key ?? self.key)")
        return try Visitor(door).send(method, "/api/integrations\(path)", json: json, headers: headers)
    }

    /// Lets a second pass and gives the moment after it, as answers write it.
    private func later() -> String {
        door.clock.pass(.seconds(1))
        return Timestamp(microseconds: door.clock.now.milliseconds * 1_000).rfc3339
    }

    @Test("Connecting answers the seed's whole object, 201 the first time and 200 after, and keeps the row")
    func connect() throws {
        let made = later()
        let first = try send(
            .post, "/telegram/connect/", #"{"token":"\#(Self.token)","extra":{"chat_id":"-1001"}}"#)
        #expect(first.status == 201)
        #expect(
            first.text
                == #"{"status":"ok","ok":true,"message":"Connected","integration":{"provider":"telegram","is_active":true,"extra":{"chat_id":"-1001"},"created_at":"\#(made)","updated_at":"\#(made)"}}"#
        )
        let changed = later()
        let second = try send(.post, "/telegram/connect", #"{"token":"\#(Self.other)","extra":{"chat_id":7}}"#)
        #expect(second.status == 200)
        #expect(
            second.text
                == #"{"status":"ok","ok":true,"message":"Updated","integration":{"provider":"telegram","is_active":true,"extra":{"chat_id":7},"created_at":"\#(made)","updated_at":"\#(changed)"}}"#
        )
        #expect(try door.count("SELECT COUNT(*) AS n FROM connections") == 1)
    }

    @Test("The list is a plain array of the same objects, and knows no other services")
    func list() throws {
        #expect(try send(.get, "/").text == "[]")
        let made = later()
        _ = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)"}"#)
        _ = try send(
            .post, "/sendgrid/connect/",
            #"{"token":"SG.abcdefghijklmnopqrstuv","extra":{"from_email":"a@acme.example","to_email":"b@acme.example"}}"#
        )
        let openrouter = try Visitor(door).send(
            .post, "/api/v1/connections",
            json: #"{"provider":"openrouter","setup":{"api_key":"sk-or-abcdefghijkl"}}"#,
            headers: ["x-api-key": key])
        #expect(openrouter.status == 201)
        let answer = try send(.get, "")
        #expect(answer.status == 200)
        #expect(
            answer.text
                == #"[{"provider":"sendgrid","is_active":true,"extra":{"from_email":"a@acme.example","to_email":"b@acme.example"},"created_at":"\#(made)","updated_at":"\#(made)"},{"provider":"telegram","is_active":true,"extra":{},"created_at":"\#(made)","updated_at":"\#(made)"}]"#
        )
    }

    @Test("Disconnecting is soft: the row stays, inactive, with its extra; connecting again is the same row")
    func disconnect() throws {
        let made = later()
        _ = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)","extra":{"chat_id":"5","tone":[1]}}"#)
        let gone = later()
        let answer = try send(.delete, "/telegram/")
        #expect(answer.status == 200)
        #expect(answer.text == #"{"status":"ok","ok":true,"message":"Disconnected"}"#)
        #expect(
            try send(.get, "/").text
                == #"[{"provider":"telegram","is_active":false,"extra":{"chat_id":"5","tone":[1]},"created_at":"\#(made)","updated_at":"\#(gone)"}]"#
        )
        #expect(try door.count("SELECT COUNT(*) AS n FROM connections WHERE secrets_sealed IS NOT NULL") == 0)
        #expect(try send(.delete, "/telegram").status == 200)
        let back = later()
        let again = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)","extra":{"chat_id":"5"}}"#)
        #expect(again.status == 200)
        #expect(
            again.text
                == #"{"status":"ok","ok":true,"message":"Connected","integration":{"provider":"telegram","is_active":true,"extra":{"chat_id":"5"},"created_at":"\#(made)","updated_at":"\#(back)"}}"#
        )
    }

    @Test("What was never connected cannot be disconnected, and other services are not part of the contract")
    func unknown() throws {
        let never = try send(.delete, "/telegram/")
        #expect(never.status == 404 && never.text.contains(#""code":"not_configured""#))
        for (method, path) in [
            (HTTPKit.Method.post, "/stripe/connect/"), (.delete, "/stripe/"), (.delete, "/%3Cx%3E/"),
        ] {
            let answer = try send(method, path, method == .post ? #"{"token":"x"}"# : nil)
            #expect(answer.status == 404 && answer.text.contains(#""code":"unsupported_provider""#), "\(path)")
        }
        #expect(try send(.get, "/telegram/").status == 405 && send(.get, "/telegram/connect/extra").status == 404)
    }

    @Test(
        "The field guide is enforced, each field named",
        arguments: [
            ("telegram", #"{}"#, ["/token required"]),
            ("telegram", #"{"token":""}"#, ["/token too_short"]),
            ("telegram", #"{"token":"short"}"#, ["/token invalid"]),
            ("telegram", #"{"token":7}"#, ["/token wrong_type"]),
            ("telegram", #"{"token":"123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11","more":1}"#, ["/more unknown_field"]),
            ("telegram", #"{"token":"123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11","extra":[]}"#, ["/extra wrong_type"]),
            (
                "telegram", #"{"token":"123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11","extra":{"chat_id":{}}}"#,
                ["/extra/chat_id wrong_type"]
            ),
            (
                "telegram",
                #"{"token":"123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11","extra":{"refresh_token":"x","my_password":"y"}}"#,
                ["/extra/refresh_token secret_in_extra", "/extra/my_password secret_in_extra"]
            ),
            ("sendgrid", #"{"token":"SG.abcdefghijklmnopqrstuv"}"#, ["/extra/from_email required"]),
            (
                "sendgrid", #"{"token":"SG.abcdefghijklmnopqrstuv","extra":{"from_email":"x","to_email":"y"}}"#,
                ["/extra/from_email invalid", "/extra/to_email invalid"]
            ),
            (
                "whatsapp", #"{"token":"abcdefghijklmnopqrstuvwxyz012345"}"#,
                ["/extra/account_sid required", "/extra/from_whatsapp required"]
            ),
        ])
    func fieldGuide(provider: String, body: String, refusals: [String]) throws {
        let answer = try send(.post, "/\(provider)/connect/", body)
        let json = try JSON(parsing: Array(answer.text.utf8))
        let found = (json["errors"]?.elements ?? []).map {
            "\($0["pointer"]?.text ?? "") \($0["code"]?.text ?? "")"
        }
        #expect(answer.status == 422 && found == refusals, "\(answer.text)")
        #expect(try door.count("SELECT COUNT(*) AS n FROM connections") == 0)
    }

    @Test("A pasted access token of Google Calendar or Instagram is used, and gone after disconnecting")
    func accessTokens() throws {
        let made = later()
        let calendar = try send(.post, "/google_calendar/connect/", #"{"token":"ya29.a0AfB_byC-an-access-token"}"#)
        #expect(calendar.status == 201)
        #expect(
            calendar.text
                == #"{"status":"ok","ok":true,"message":"Connected","integration":{"provider":"google_calendar","is_active":true,"extra":{"calendar_id":"primary"},"created_at":"\#(made)","updated_at":"\#(made)"}}"#
        )
        let missing = try send(.post, "/instagram/connect/", #"{"token":"IGQVJ-an-access-token-of-instagram"}"#)
        #expect(missing.status == 422 && missing.text.contains(#""pointer":"/extra/instagram_scoped_id""#))
        let instagram = try send(
            .post, "/instagram/connect/",
            #"{"token":"IGQVJ-an-access-token-of-instagram","extra":{"instagram_scoped_id":17841400000}}"#)
        #expect(
            instagram.status == 201
                && instagram.text.contains(#""is_active":true,"extra":{"instagram_scoped_id":17841400000}"#))
        func credentials(_ name: String) throws -> Response {
            try Visitor(door).get("/api/v1/connections/\(name)/credentials", headers: ["x-api-key": key])
        }
        #expect(try credentials("google_calendar").text.contains(#""access_token":"ya29.a0AfB_byC-an-access-token""#))
        #expect(try credentials("instagram").text.contains("IGQVJ-an-access-token-of-instagram"))
        #expect(try !send(.get, "/").text.contains("ya29") && !send(.get, "/").text.contains("IGQVJ"))
        // What can be renewed is kept as a sign-in would have it.
        let renewable = try send(
            .post, "/google_calendar/connect/",
            #"{"token":"ya29.another-access-token","extra":{"refresh_token":"1//refresh","client_id":"1234567890.apps.googleusercontent.com","client_secret":"GOCSPX-secret"}}"#
        )
        #expect(renewable.status == 200 && !renewable.text.contains("1//refresh") && !renewable.text.contains("GOCSPX"))
        #expect(try door.count("SELECT COUNT(*) AS n FROM connections WHERE tokens_sealed IS NOT NULL") == 1)
        #expect(try credentials("google_calendar").text.contains("ya29.another-access-token"))
        for provider in ["google_calendar", "instagram"] {
            #expect(try send(.delete, "/\(provider)/").status == 200)
            #expect(try credentials(provider).status == 409)
        }
        #expect(try !send(.get, "/").text.contains(#""is_active":true"#))
    }

    @Test("An answer tells what a test message would still need")
    func neededForTest() throws {
        let telegram = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)"}"#)
        #expect(telegram.text.contains(#""message":"Connected. A test message also needs extra.chat_id.""#))
        let whatsapp = try send(
            .post, "/whatsapp/connect/",
            #"{"token":"abcdefghijklmnopqrstuvwxyz012345","extra":{"account_sid":"AC0123456789abcdef0123456789abcdef","from_whatsapp":"+14155238886"}}"#
        )
        #expect(
            whatsapp.status == 201
                && whatsapp.text.contains(#""message":"Connected. A test message also needs extra.to_whatsapp.""#))
    }

    @Test("Extra may hold fifty members and eight kilobytes, no more")
    func bounds() throws {
        let many = (0...50).map { #""n\#($0)":1"# }.joined(separator: ",")
        for extra in ["{\(many)}", #"{"note":"\#(String(repeating: "x", count: 8_200))"}"#] {
            let answer = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)","extra":\#(extra)}"#)
            #expect(answer.status == 422 && answer.text.contains(#""pointer":"/extra","code":"too_long""#))
        }
    }

    @Test("What is changed elsewhere shows in extra, what was only noted stays, and overwriting replaces all of it")
    func overwriting() throws {
        _ = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)","extra":{"chat_id":5,"note":"mine"}}"#)
        let patched = try Visitor(door).send(
            .patch, "/api/v1/connections/telegram", json: #"{"setup":{"chat_id":"@acme"}}"#, headers: ["x-api-key": key]
        )
        #expect(patched.status == 200 && !patched.text.contains("mine"))
        #expect(try send(.get, "/").text.contains(#""extra":{"chat_id":"@acme","note":"mine"}"#))
        _ = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)","extra":{"other":true}}"#)
        #expect(try send(.get, "/").text.contains(#""extra":{"other":true}"#))
        let credentials = try Visitor(door).get("/api/v1/connections/telegram/credentials", headers: ["x-api-key": key])
        #expect(credentials.text.contains(#""credentials":{"bot_token":"\#(Self.token)"}"#))
    }

    @Test("X-Org-ID picks the organization, writing needs the administrator's right, reading does not")
    func rights() throws {
        try door.person("eve@evil.example", in: "Evil Corp")
        try door.person("mem@acme.example", .member)
        let body = #"{"token":"\#(Self.token)"}"#
        #expect(
            try send(.post, "/telegram/connect/", body, headers: ["x-org-id": door.organization("Evil Corp").text])
                .status == 404)
        #expect(
            try send(.post, "/telegram/connect/", body, headers: ["x-org-id": door.organization().text]).status == 201)
        let reader = try door.key(["connections:read"])
        #expect(try send(.get, "/", as: reader).status == 200)
        #expect(try send(.post, "/telegram/connect/", body, as: reader).status == 403)
        #expect(try send(.delete, "/telegram/", as: reader).status == 403)
        #expect(try send(.get, "/", as: door.key(in: "Evil Corp")).text == "[]")
        let member = try door.signedIn("mem@acme.example")
        let token = try member.token()
        #expect(try member.get("/api/integrations/", headers: ["x-csrf-token": token]).status == 200)
        #expect(try member.send(.delete, "/api/integrations/telegram/", headers: ["x-csrf-token": token]).status == 403)
        #expect(try Visitor(door).get("/api/integrations/").status == 401)
    }

    @Test("The audit log records who connected and disconnected what, with the token redacted")
    func audited() throws {
        _ = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)"}"#)
        _ = later()
        _ = try send(.delete, "/telegram/")
        let rows = try door.database.rows(
            """
            SELECT action, actor_name, object_name, details, organization_id
              FROM audit_events
             WHERE object_kind = 'connection'
             ORDER BY id
             LIMIT 10
            """)
        let actions: [String] = try rows.map { try $0.get("action") }
        #expect(actions == ["connection.connected", "connection.disconnected"])
        let details: String = try rows[0].get("details")
        #expect(details == #"{"provider":"telegram","token":"***ew11"}"#)
        #expect(try rows[1].get("details") == details, "a token that is found later can be told")
        let events = try door.database.rows(
            "SELECT type FROM domain_events WHERE type LIKE 'connection.%' ORDER BY id LIMIT 10")
        #expect(try events.map { try $0.get("type") } == ["connection.connected", "connection.disconnected"])
        // What is active already does not become it once more, and what was dropped does.
        for _ in 0..<2 { _ = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)"}"#) }
        #expect(try door.count("SELECT COUNT(*) AS n FROM domain_events WHERE type LIKE 'connection.%'") == 3)
        #expect(try rows.allSatisfy { try $0.get("organization_id") == door.organization() })
        #expect(try rows[0].get("object_name") == "Telegram “default”" && rows[0].get("actor_name") == "test")
        #expect(!details.contains(Self.token))
    }

    @Test("A token that cannot be read any more is not overwritten by connecting")
    func unreadable() throws {
        _ = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)"}"#)
        try door.database.execute("UPDATE connections SET secrets_sealed = REVERSE(secrets_sealed)")
        #expect(try send(.get, "/").text.contains(#""is_active":false"#))
        let answer = try send(.post, "/telegram/connect/", #"{"token":"\#(Self.other)"}"#)
        #expect(answer.status == 409 && answer.text.contains(#""code":"undecryptable""#))
    }

    @Test("Of many who connect at once all succeed, and there is one connection")
    func parallel() throws {
        let statuses = try inThreads(12) { number in
            try send(.post, "/telegram/connect/", #"{"token":"\#(Self.token)","extra":{"n":\#(number)}}"#).status.code
        }
        #expect(statuses.filter { $0 == 201 }.count == 1 && statuses.filter { $0 == 200 }.count == 11, "\(statuses)")
        #expect(try door.count("SELECT COUNT(*) AS n FROM connections") == 1)
    }

    @Test("Health tells how many migrations are pending")
    func health() throws {
        #expect(try Visitor(door).get("/health/").text == #"{"status":"ok","pending_migrations":0}"#)
        let last = try #require(Schema.migrations.map(\.name).max())
        try door.database.execute("DELETE FROM schema_migrations WHERE name = \(last)")
        // An answer is kept for a second.
        usleep(1_050_000)
        let behind = try Visitor(door).get("/health")
        #expect(behind.status == 503 && behind.text.hasSuffix(#""pending_migrations":1}"#), "\(behind.text)")
    }
}
