import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing

@testable import Connections

@Suite struct PageTests {
    let office: Office

    init() throws { office = try Office() }

    private func post(_ path: String, _ form: [(String, String)]) throws -> Response {
        office.house.pass(.milliseconds(1))
        return try office.door.send(.post, path, as: office.admin, form: form)
    }

    @Test("Each page's sample fills its template")
    func samples() throws { try office.door.check(Connections.pages) }

    @Test("A service is connected by its form and tried at once")
    func connecting() throws {
        let answer = try post(
            "/connections/new/telegram",
            [
                ("setup.bot_token", " \(Office.token)\r\n"), ("setup.chat_id", ""), ("name", "alerts"),
                ("workspace_id", ""),
            ])
        #expect(answer.status == 303)
        let path = try #require(answer.headers["location"]?.dropFirst("/hub".count))
        let page = try office.door.send(.get, String(path), as: office.admin).text()
        #expect(page.contains("Bot @acme_bot") && page.contains("Connected"))
        #expect(!page.contains(Office.token))
        #expect(office.service.requests.first?.hasPrefix("GET /bot\(Office.token)/getMe ") == true)
        #expect(try Set(office.house.auditedActions()) == ["connection.created", "connection.tested"])
    }

    @Test("A refused form comes back with what was typed, secrets excepted, each fault beside its field")
    func refused() throws {
        let answer = try post(
            "/connections/new/telegram",
            [
                ("setup.bot_token", "wrong-secret-value"), ("setup.chat_id", "a <b>"), ("name", "Big"),
                ("workspace_id", ""),
            ])
        #expect(answer.status == 422)
        let page = try answer.text()
        #expect(page.contains("value=\"a &lt;b&gt;\"") && page.contains("value=\"Big\""))
        #expect(!page.contains("wrong-secret-value"))
        for field in ["field-setup-bot-token-error", "field-setup-chat-id-error", "field-name-error"] {
            #expect(page.contains("id=\"\(field)\""))
        }
        _ = try office.telegram("alerts")
        let taken = try post("/connections/new/telegram", [("setup.bot_token", Office.token), ("name", "alerts")])
        #expect(taken.status == 409)
        #expect(try taken.text().contains("id=\"field-name-error\""))
    }

    @Test("Editing keeps the secret that is not typed again, and takes away what is left empty")
    func editing() throws {
        let id = try office.telegram("alerts")
        _ = try office.json(.patch, "connections/\(id)", #"{"setup":{"chat_id":"42"}}"#)
        let page = try office.door.send(.get, "/connections/\(id)/edit", as: office.admin).text()
        #expect(page.contains("value=\"42\"") && page.contains("Leave empty to keep the stored one."))
        #expect(!page.contains(Office.token))
        let saved = try post(
            "/connections/\(id)/edit",
            [("setup.bot_token", ""), ("setup.chat_id", ""), ("name", "news"), ("workspace_id", "")])
        #expect(saved.status == 303)
        #expect(
            try office.json(.get, "connections/telegram:news/credentials").body["credentials"]
                == ["bot_token": .string(Office.token)])
    }

    @Test("Emptying the name is refused, and does not make a connection the default one")
    func emptyName() throws {
        let first = try office.telegram()
        let id = try office.telegram("alerts")
        let answer = try post("/connections/\(id)/edit", [("setup.bot_token", ""), ("name", ""), ("workspace_id", "")])
        #expect(answer.status == 422)
        #expect(try office.json(.get, "connections/telegram").body["id"] == .string(first))
    }

    @Test("Of two people with the form open, the second learns of the first before replacing their values")
    func twoEditors() throws {
        let id = try office.telegram("alerts")
        func save(_ chat: String, _ version: String) throws -> Response {
            try post(
                "/connections/\(id)/edit",
                [("version", version), ("setup.bot_token", ""), ("setup.chat_id", chat), ("name", "alerts")])
        }
        #expect(try save("1", "1").status == 303)
        let late = try save("2", "1")
        #expect(late.status == 409)
        let page = try late.text()
        #expect(page.contains("Somebody else changed this connection") && page.contains("value=\"2\""))
        let version = try #require(page.firstMatch(of: /name="version" value="(\d+)"/)).output.1
        #expect(try office.json(.get, "connections/\(id)").body["setup"]?["chat_id"] == "1")
        #expect(try save("2", String(version)).status == 303)
        #expect(try office.json(.get, "connections/\(id)").body["setup"]?["chat_id"] == "2")
    }

    @Test("A list's links keep its filter, the one to the beginning too")
    func links() throws {
        for name in ["a", "b", "c"] { _ = try office.telegram(name) }
        let first = try office.door.send(
            .get, "/connections", as: office.admin, query: "provider=telegram&search=&limit=1"
        ).text()
        let next = try #require(first.firstMatch(of: /href="\/hub\/connections\?([^"]*cursor=[^"]*)"/)).output.1
        let query = next.replacing("&amp;", with: "&")
        #expect(query.hasPrefix("provider=telegram&limit=1&cursor="))
        let second = try office.door.send(.get, "/connections", as: office.admin, query: String(query)).text()
        #expect(second.contains("href=\"/hub/connections?provider=telegram&amp;limit=1\""))
    }

    @Test("What cannot be undone wants the name typed")
    func confirming() throws {
        let id = try office.telegram("alerts")
        for verb in ["disconnect", "remove"] {
            let path = "/connections/\(id)/\(verb)"
            #expect(try office.door.send(.get, path, as: office.admin).text().contains("Type “alerts” to go on"))
            #expect(try post(path, [("confirm_name", "alert")]).status == 422)
            #expect(try post(path, []).status == 422)
        }
        #expect(try office.sealed(id) != nil)
        #expect(try post("/connections/\(id)/disconnect", [("confirm_name", "alerts")]).status == 303)
        #expect(try office.sealed(id) == nil)
        #expect(try post("/connections/\(id)/remove", [("confirm_name", "alerts")]).status == 303)
        #expect(try office.door.send(.get, "/connections/\(id)", as: office.admin).status == 404)
    }

    @Test("The page of a default connection says why it cannot be removed")
    func keptDefault() throws {
        let id = try office.telegram()
        let page = try office.door.send(.get, "/connections/\(id)", as: office.admin).text()
        #expect(page.contains("The connection named default cannot be removed."))
        #expect(try post("/connections/\(id)/remove", [("confirm_name", "default")]).status == 409)
    }

    @Test("A sign-in with the hub's own client can be ended on its page, and what happens then is said as it is")
    func endingSignIn() throws {
        let there = try SigningInOffice(
            variables: ["GOOGLE_CLIENT_ID": "of-the-hub", "GOOGLE_CLIENT_SECRET": "secret-of-the-hub"])
        let id = try there.connection(setup: "{}")
        func page(_ path: String) throws -> String {
            try there.office.door.send(.get, "/connections/\(id)\(path)", as: there.office.admin).text()
        }
        #expect(try !page("").contains("/connections/\(id)/disconnect"))
        _ = try there.comeBack([("code", "c"), ("state", there.begin(id).state)])
        #expect(try page("").contains("/connections/\(id)/disconnect"))
        let confirm = try page("/disconnect")
        #expect(confirm.contains("The hub asks Google to end the access there too"))
        #expect(confirm.contains("sign in again to connect it") && !confirm.contains("the secrets"))
        _ = try there.office.door.send(
            .post, "/connections/\(id)/disconnect", as: there.office.admin, form: [("confirm_name", "default")])
        #expect(try page("").contains("It was disconnected. Sign in again to connect it."))
    }

    @Test("Shopify's page says that its app is uninstalled, and a service without a way that it has none")
    func endingAtTheService() throws {
        let office = office
        let granted = Tokens(access: "a", refresh: nil)
        for (key, setUp, words) in [
            ("shopify", ["shop": "acme", "client_id": "c"], "Shopify uninstalls the app from the shop"),
            ("microsoft", ["client_id": "c"], "has no way to end the access from here"),
        ] {
            let id = Identifier<Connection>(office.house.world)
            let scope = try office.house.scope(of: office.admin)
            try office.house.database.transaction { transaction in
                try office.room.store(scope).insert(
                    id, provider: key, name: "x", workspace: nil,
                    setup: SetUp(open: setUp, secrets: [:]).openJSON, sealedSecrets: nil, in: transaction)
                try office.room.store(scope).storeGrant(
                    id,
                    sealedTokens: office.room.vault.seal(
                        granted.bytes, at: Tokens.place(id), for: scope.organization, in: transaction),
                    times: GrantTimes(expiresAt: nil, refreshDueAt: nil, endsAt: nil), requested: [], granted: nil,
                    metadata: "{}", status: .connected, detail: nil, grantKey: nil, in: transaction)
            }
            for verb in ["disconnect", "remove"] {
                let page = try office.door.send(.get, "/connections/\(id)/\(verb)", as: office.admin).text()
                #expect(page.contains(words), "\(verb) \(key)")
            }
        }
    }

    @Test("However many calls are passed on, the rest of what happened stays in sight, in words")
    func calls() throws {
        let id = try office.telegram("alerts")
        let scope = try office.house.scope(of: office.admin)
        let view = try office.room.find(.named(provider: "telegram", name: "alerts"), scope)
        for action in ["connection.connected", "connection.imported"] {
            try office.room.audit.record(action, office.room.object(view), by: scope, in: office.house.database)
        }
        for number in 0..<20 {
            office.house.pass(.milliseconds(1))
            try office.room.audit.record(
                "connection.called", office.room.object(view),
                details: [
                    "method": "GET", "host": "api.telegram.org", "path": "/call-\(number)",
                    "status": .integer(number == 19 ? 503 : 200),
                ], by: scope, in: office.house.database)
        }
        let page = try office.door.send(.get, "/connections/\(id)", as: office.admin).text()
        #expect(page.contains(">Created<") && page.contains("Taken over from a former system"))
        #expect(page.contains("Connected with a token") && !page.contains(">connection."))
        #expect(page.contains("GET api.telegram.org/call-19</span>") && page.contains("answered 503"))
        #expect(page.contains("/call-15<") && !page.contains("/call-14<"))
    }

    @Test("Whoever only reads is offered nothing that writes")
    func reading() throws {
        let id = try office.telegram("alerts")
        let member = try office.house.person(.member, in: office.organization)
        let page = try office.door.send(.get, "/connections/\(id)", as: member).text()
        #expect(!page.contains("=\"/hub/connections/\(id)/"))
        #expect(try office.door.send(.get, "/connections/new", as: member).status == 403)
    }

    @Test("No answer but that of the credentials holds a secret, in plain, hex or base64")
    func sentinel() throws {
        let secret = "4242424242:Sentinel-Sentinel-Sentinel-42"
        let office = try Office { _ in
            StandIn.json(200, #"{"ok":true,"result":{"first_name":"\#(secret)","username":"\#(secret)"}}"#)
        }
        let id = try office.telegram("alerts", token: secret)
        var answers: [Response] = []
        answers.append(try office.json(.post, "connections/\(id)/test", "{}").response)
        answers.append(try office.json(.patch, "connections/\(id)", #"{"setup":{"chat_id":"1"}}"#).response)
        office.house.pass(.seconds(2))
        answers.append(try office.door.send(.post, "/connections/\(id)/test", as: office.admin, form: []))
        let form = [("setup.bot_token", secret), ("setup.chat_id", "no chat"), ("name", "alerts")]
        answers.append(try office.door.send(.post, "/connections/new/telegram", as: office.admin, form: form))
        answers.append(try office.door.send(.post, "/connections/\(id)/edit", as: office.admin, form: form))
        for path in ["connections", "connections/\(id)", "connections/\(id)/status", "providers"] {
            answers.append(try office.json(.get, path).response)
        }
        for path in ["", "/\(id)", "/\(id)/edit", "/\(id)/disconnect", "/\(id)/remove", "/new", "/new/telegram"] {
            answers.append(try office.door.send(.get, "/connections\(path)", as: office.admin))
        }
        let hidden = try office.house.database.rows(
            """
            SELECT CONCAT_WS('|', setup, metadata, status_detail, secrets_sealed, HEX(secrets_sealed)) AS stored
              FROM connections
             UNION ALL
            SELECT CONCAT_WS('|', object_name, details)
              FROM audit_events
            """)
        answers.append(try office.json(.post, "connections/\(id)/disconnect", "{}").response)
        let forms = [secret, Hex.encode(Array(secret.utf8)), Base64.encode(secret.utf8), "Sentinel-Sentinel"]
        for answer in answers {
            var text = try answer.text()
            answer.headers.forEach { text += "\($0): \($1)\n" }
            for form in forms { #expect(!text.contains(form)) }
        }
        #expect(!hidden.isEmpty)
        for row in hidden {
            let text = String(decoding: try row.get("stored", as: [UInt8].self), as: UTF8.self)
            for form in forms { #expect(!text.lowercased().contains(form.lowercased())) }
        }
    }
}
