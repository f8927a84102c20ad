import Accounts
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import Testing

@testable import Hub
@testable import Webhooks

/// Connections of Zapier, Make and n8n take events as webhooks do (seed 1).
@Suite(.timeLimit(.minutes(15))) struct ConnectedWebhooks {
    private let door: FrontDoor
    private let key: String
    private let zapier: String

    init() throws {
        door = try FrontDoor()
        try door.person("ana@acme.example")
        key = try door.key()
        let made = try Visitor(door).send(
            .post, "/api/v1/connections",
            json:
                #"{"provider":"zapier","setup":{"webhook_url":"https://hooks.zapier.com/hooks/catch/123456/abcdef/"}}"#,
            headers: ["x-api-key": key])
        zapier = try JSON(parsing: Array(made.text.utf8))["id"]?.text ?? ""
    }

    private func ask(_ method: HTTPKit.Method, _ path: String, _ json: String? = nil) throws -> Response {
        try Visitor(door).send(method, path, json: json, headers: ["x-api-key": key])
    }

    private func send(_ method: HTTPKit.Method, _ path: String, _ json: String? = nil) throws -> JSON {
        let answer = try ask(method, path, json)
        try #require(answer.status.code < 300, "\(method) \(path): \(answer.text)")
        return answer.text.isEmpty ? .null : try JSON(parsing: Array(answer.text.utf8))
    }

    private func makeWebhook() throws -> String {
        let made = try send(
            .post, "/api/v1/webhooks", #"{"connection_id":"\#(zapier)","events":["*"],"description":"Zap"}"#)
        #expect(made["connection_id"]?.text == zapier)
        // The address is the connection's secret, whoever may change webhooks.
        #expect(made["url"]?.text?.hasPrefix("https://hooks.zapier.com/") == true)
        #expect(made["url"]?.text?.contains("abcdef") == false)
        return made["id"]?.text ?? ""
    }

    /// The whole address that events are sent to.
    private func address(_ id: String) throws -> String {
        let webhooks = door.built.rooms.webhooks
        let scope = try door.accounts.organizationScope(named: "Acme Shop")
        return try webhooks.url(of: webhooks.find(#require(Identifier<Webhook>(id)), scope), in: door.database)
    }

    private func handOn() throws {
        while try HandingOn(room: door.built.rooms.webhooks).run() > 0 {}
    }

    @Test("A webhook of a connection goes where the connection says, and follows it wherever it moves")
    func follows() throws {
        let webhook = try makeWebhook()
        #expect(try address(webhook) == "https://hooks.zapier.com/hooks/catch/123456/abcdef/")
        let moved = "https://hooks.zapier.com/hooks/catch/123456/ghijkl/"
        _ = try send(.patch, "/api/v1/connections/\(zapier)", #"{"setup":{"webhook_url":"\#(moved)"}}"#)
        try handOn()
        #expect(try address(webhook) == moved)
    }

    @Test("While its connection is switched off a webhook waits without loss, and nobody can resume it")
    func waits() throws {
        let webhook = try makeWebhook()
        let page = try door.signedIn("ana@acme.example")
        #expect(try page.submit("/connections/\(zapier)", [], to: "/connections/\(zapier)/disable").status == 303)
        try handOn()
        let paused = try send(.get, "/api/v1/webhooks/\(webhook)")
        #expect(paused["state"]?.text == "paused" && paused["disabled_reason"]?.text == "connection")
        let refused = try ask(.patch, "/api/v1/webhooks/\(webhook)", #"{"active":true}"#)
        #expect(refused.status == 409 && refused.text.contains("connection_unusable"))
        _ = try send(.post, "/api/v1/events", #"{"type":"custom.order","data":{}}"#)
        #expect(try page.submit("/connections/\(zapier)", [], to: "/connections/\(zapier)/enable").status == 303)
        try handOn()
        #expect(try send(.get, "/api/v1/webhooks/\(webhook)")["state"]?.text == "active")
        let waiting = try door.count(
            "SELECT COUNT(*) AS n FROM deliveries d JOIN events e ON e.id = d.event_id WHERE e.type = 'custom.order'")
        #expect(waiting == 1)
    }

    @Test("Whoever pauses such a webhook finds it paused, whatever becomes of its connection")
    func staysPaused() throws {
        let webhook = try makeWebhook()
        _ = try send(.patch, "/api/v1/webhooks/\(webhook)", #"{"active":false}"#)
        let page = try door.signedIn("ana@acme.example")
        for deed in ["disable", "enable"] {
            #expect(try page.submit("/connections/\(zapier)", [], to: "/connections/\(zapier)/\(deed)").status == 303)
            try handOn()
            #expect(try send(.get, "/api/v1/webhooks/\(webhook)")["state"]?.text == "paused")
        }
    }

    @Test("A webhook whose connection is removed is disabled, until it is given an address of its own")
    func removed() throws {
        _ = try send(.patch, "/api/v1/connections/\(zapier)", #"{"name":"orders"}"#)
        let webhook = try makeWebhook()
        _ = try send(.delete, "/api/v1/connections/\(zapier)")
        try handOn()
        let disabled = try send(.get, "/api/v1/webhooks/\(webhook)")
        #expect(disabled["state"]?.text == "disabled" && disabled["disabled_reason"]?.text == "connection_removed")
        #expect(try ask(.patch, "/api/v1/webhooks/\(webhook)", #"{"active":true}"#).status == 409)
        let own = try send(
            .patch, "/api/v1/webhooks/\(webhook)", #"{"url":"https://erp.example.com/hook","active":true}"#)
        #expect(own["state"]?.text == "active" && own["connection_id"] == .null)
        #expect(own["url"]?.text == "https://erp.example.com/hook")
    }

    @Test("A connection that takes no events, another organization’s, or one beside a URL is refused by its field")
    func refused() throws {
        let telegram = try send(
            .post, "/api/v1/connections",
            #"{"provider":"telegram","setup":{"bot_token":"123456789:AAabcdefghijklmnopqrstuvwxyz012345"}}"#
        )["id"]?.text
        try door.person("eve@evil.example", in: "Evil Corp")
        let foreign = try Visitor(door).send(
            .post, "/api/v1/connections",
            json: #"{"provider":"zapier","setup":{"webhook_url":"https://hooks.zapier.com/hooks/catch/6/evilhook/"}}"#,
            headers: ["x-api-key": door.key(in: "Evil Corp")])
        let evil = try JSON(parsing: Array(foreign.text.utf8))["id"]?.text
        for (connection, url, field, code) in [
            (telegram, "", "connection_id", "not_found"), (evil, "", "connection_id", "not_found"),
            ("x", "", "connection_id", "invalid"),
            (zapier, #""url":"https://erp.example.com/hook","#, "url", "contradiction"),
        ] {
            let answer = try ask(
                .post, "/api/v1/webhooks",
                #"{\#(url)"connection_id":"\#(try #require(connection))","events":["*"]}"#)
            #expect(answer.status == 422, "\(answer.text)")
            #expect(answer.text.contains(#""/\#(field)""#) && answer.text.contains(code), "\(answer.text)")
        }
        #expect(try ask(.post, "/api/v1/webhooks", #"{"connection_id":null,"events":["*"]}"#).status == 422)
        // Somebody who may not see connections finds none.
        let blind = try Visitor(door).send(
            .post, "/api/v1/webhooks", json: #"{"connection_id":"\#(zapier)","events":["*"]}"#,
            headers: ["x-api-key": door.key(["webhooks:*"])])
        #expect(blind.status == 422 && blind.text.contains("not_found"))
    }

    @Test("The form offers the connections that take events, and the page names the one that was chosen")
    func pages() throws {
        let page = try door.signedIn("ana@acme.example")
        #expect(try page.get("/webhooks/new").text.contains("Zapier (default)"))
        let answer = try page.submit(
            "/webhooks/new",
            [("connection_id", zapier), ("url", ""), ("description", "Zap"), ("events", "*"), ("active", "true")])
        #expect(answer.status == 200, "\(answer.text)")
        let id = try #require(try send(.get, "/api/v1/webhooks")["data"]?.elements?.first?["id"]?.text)
        let shown = try page.get("/webhooks/\(id)").text
        #expect(shown.contains("Sends to") && shown.contains("/connections/\(zapier)"))
        let edit = try page.get("/webhooks/\(id)/edit").text
        #expect(!edit.contains("abcdef"))
    }
}
