import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

/// Services that an organization describes for itself.
@Suite struct OwnProviderTests {
    let office: Office

    init() throws { office = try Office() }

    /// A provider file like the one that the page begins with.
    static func file(
        _ key: String = "pager", url: String = "https://api.pager.example/v1/me", more: String = ""
    ) -> String {
        ProviderEditPage.example.replacing(#""key": "pager""#, with: #""key": "\#(key)"\#(more)"#)
            .replacing("https://api.pager.example/v1/me", with: url)
    }

    private func post(_ path: String, _ form: [(String, String)], as principal: Principal? = nil) throws -> Response {
        office.house.pass(.milliseconds(1))
        return try office.door.send(.post, path, as: principal ?? office.admin, form: form)
    }

    private func page(_ path: String, as principal: Principal? = nil, query: String = "") throws -> Response {
        try office.door.send(.get, path, as: principal ?? office.admin, query: query)
    }

    /// Somebody of another organization of the same hub.
    private func stranger() throws -> Principal {
        let other = try office.house.organization("Other")
        try Office.prepare(other, office.house, office.ring)
        return try office.house.person(.admin, in: other, email: "eve@other.example")
    }

    @Test("A provider is stored, read back as it was sent, and connected like any other")
    func stored() throws {
        let (made, body) = try office.json(.post, "providers", Self.file())
        #expect(made.status == 201 && made.headers["location"] == "/hub/api/v1/providers/pager")
        #expect(body["own"] == true && body["key"] == "pager")
        let (read, whole) = try office.json(.get, "providers/pager")
        #expect(read.headers["etag"] == made.headers["etag"])
        #expect(try whole["source"] == JSON(parsing: Array(Self.file().utf8)))
        let listed = try office.json(.get, "providers").body["data"]?.elements?.compactMap { $0["key"]?.text } ?? []
        #expect(listed.contains("pager") && listed.contains("slack"))
        let connection = try office.json(.post, "connections", #"{"provider":"pager","setup":{"api_key":"secret-1"}}"#)
        #expect(connection.response.status == 201 && connection.body["kind"] == "api_key")
        #expect(try page("/connections/new").text().contains("Pager"))
        #expect(try page("/connections/new/pager").text().contains("Connect Pager"))
        #expect(try page("/connections").text().contains("Pager"))
        #expect(try office.house.auditedActions().contains("provider.created"))
    }

    @Test("add_connection and what is told of messages know an organization's own providers")
    func functions() throws {
        _ = try office.json(.post, "providers", Self.file())
        let scope = try office.house.scope(of: office.admin)
        let made = try office.room.integrations(scope).addConnection("pager", "night")
        #expect(made.provider == "pager" && made.name == "night")
        let eve = try office.house.scope(of: stranger())
        #expect(throws: IntegrationsError.self) { try office.room.integrations(eve).addConnection("pager", "night") }
    }

    @Test("A field that something else makes unneeded says so, and a host that is entered is called by its field")
    func words() throws {
        let slack = try page("/connections/new/slack").text()
        #expect(slack.contains("needed without Bot token") && slack.contains("Needed to receive events"))
        #expect(try page("/providers/slack").text().contains("needed without Bot token"))
        for (key, words) in [("zapier", "the host of"), ("n8n", "the host of"), ("shopify", ".myshopify.com")] {
            let text = try page("/providers/\(key)").text()
            let facts = try #require(text.firstRange(of: "facts-title")).upperBound
            #expect(text[facts...].contains(words) && !text[facts...].contains("{"), "\(key)")
        }
    }

    @Test("One organization's provider is nowhere to be found for another")
    func invisible() throws {
        let eve = try stranger()
        _ = try office.json(.post, "providers", Self.file())
        #expect(try office.json(.get, "providers/pager", as: eve).response.status == 404)
        #expect(try office.json(.put, "providers/pager", Self.file(), as: eve).response.status == 404)
        #expect(try office.json(.delete, "providers/pager", as: eve).response.status == 404)
        for path in ["/providers/pager", "/providers/pager/edit", "/connections/new/pager"] {
            #expect(try page(path, as: eve).status == 404, "\(path)")
        }
        #expect(try post("/providers/pager/remove", [("confirm_name", "pager")], as: eve).status == 404)
        let (response, body) = try office.json(.post, "connections", #"{"provider":"pager","setup":{}}"#, as: eve)
        #expect(response.status == 422 && refusals(body) == ["/provider invalid"])
        #expect(try !page("/connections/new", as: eve).text().contains("Pager"))
        let keys = try office.json(.get, "providers", as: eve).body["data"]?.elements?.compactMap { $0["key"]?.text }
        #expect(keys?.contains("pager") == false)
        // The same key is free there, and stays apart.
        let theirs = Self.file(url: "https://api.other.example/me")
        #expect(try office.json(.post, "providers", theirs, as: eve).response.status == 201)
        #expect(try office.json(.get, "providers/pager").body["hosts"] == ["api.pager.example"])
        #expect(try office.json(.get, "providers/pager", as: eve).body["hosts"] == ["api.other.example"])
    }

    @Test("A dry run tells what a provider will look like, or every mistake, and stores nothing")
    func dryRun() throws {
        let (response, body) = try office.json(.post, "providers", Self.file(), query: "dry_run=true")
        #expect(response.status == 200 && body["hosts"] == ["api.pager.example"])
        let wrong = Self.file().replacing(#""teal""#, with: #""puce""#).replacing(#""GET""#, with: #""FETCH""#)
        let (refused, problem) = try office.json(.post, "providers", wrong, query: "dry_run=true")
        #expect(refused.status == 422 && problem["code"] == "invalid_provider")
        #expect(refusals(problem) == ["/tile/color mistake", "/test/method mistake"])
        let details = problem["errors"]?.elements?.compactMap { $0["detail"]?.text } ?? []
        #expect(details.first?.hasPrefix("6:39: color is one of") == true, "\(details)")
        #expect(details.last?.hasPrefix("14:15: there is no method FETCH") == true, "\(details)")
        #expect(try office.json(.get, "providers/pager").response.status == 404)
        #expect(try !office.house.auditedActions().contains("provider.created"))
    }

    @Test(
        "What an organization must not say is refused at its place",
        arguments: [
            (#""key": "pager""#, #""key": "slack""#, "this hub describes slack already"),
            ("https://api.pager.example/v1/me", "https://10.0.0.1/me", "public host"),
            ("https://api.pager.example/v1/me", "https://[::1]/me", "public host"),
            ("https://api.pager.example/v1/me", "https://localhost/me", "public host"),
            ("https://api.pager.example/v1/me", "https://hub.internal/me", "public host"),
            ("https://api.pager.example/v1/me", "https://api.pager.example:8443/me", "public host"),
            ("https://api.pager.example/v1/me", "http://api.pager.example/me", "https://"),
            ("https://api.pager.example/v1/me", "https://{api_key}.pager.example/me", "pattern without dots"),
            (#""test": {"#, #""hosts": ["metadata.google.internal"], "test": {"#, "public host"),
            (
                #""test": {"#,
                #""oauth": {"authorize": "https://a.example/a", "token": "https://a.example/t", "environment": {"api_key": "GOOGLE_CLIENT_SECRET"}}, "test": {"#,
                "environment"
            ),
        ])
    func forbidden(from: String, to: String, words: String) throws {
        try #require(Self.file().contains(from))
        let text = Self.file().replacing(from, with: to, maxReplacements: 1)
        let (response, body) = try office.json(.post, "providers", text)
        #expect(response.status == 422)
        let details = (body["errors"]?.elements ?? []).compactMap { $0["detail"]?.text }
        #expect(details.contains { $0.contains(words) }, "\(details)")
    }

    @Test("A file that is too large, no JSON or no provider is refused for what it is")
    func hostile() throws {
        let large = Self.file().replacing("Page whoever", with: String(repeating: "a", count: 65_536))
        #expect(try office.json(.post, "providers", large).response.status == 413)
        let (broken, body) = try office.json(.post, "providers", "{\n  \"key\": }")
        #expect(broken.status == 422)
        #expect(body["errors"]?[0]?["detail"]?.text?.hasPrefix("2:10: ") == true)
        #expect(try office.json(.post, "providers", "[]").response.status == 422)
        #expect(
            try office.door.send(.post, "/api/v1/providers", as: office.admin, form: [("a", "b")]).status == 415)
        let fields = (0..<41).map { #"{"name":"f\#($0)","label":"F","kind":"text"}"# }.joined(separator: ",")
        let many = Self.file().replacing(
            #"{ "name": "api_key", "label": "API key", "kind": "secret", "required": true }"#, with: fields)
        #expect(try office.json(.post, "providers", many).response.status == 422)
    }

    @Test("A provider is changed by whoever knows its version, keeps its key, and is not removed while it is used")
    func changing() throws {
        let made = try office.json(.post, "providers", Self.file()).response
        let tag = try #require(made.headers["etag"])
        let renamed = Self.file().replacing(#""name": "Pager""#, with: #""name": "Pager 2""#)
        let (changed, body) = try office.json(.put, "providers/pager", renamed, headers: ["if-match": tag])
        #expect(changed.status == 200 && body["name"] == "Pager 2" && changed.headers["etag"] != tag)
        #expect(
            try office.json(.put, "providers/pager", Self.file(), headers: ["if-match": tag]).response.status == 412)
        #expect(try office.json(.put, "providers/pager", Self.file("other")).response.status == 422)
        #expect(try office.json(.put, "providers/nothing", Self.file("nothing")).response.status == 404)
        #expect(try office.json(.put, "providers/slack", Self.file("slack")).response.status == 404)
        _ = try office.json(.post, "connections", #"{"provider":"pager","setup":{"api_key":"secret-1"}}"#)
        let (kept, problem) = try office.json(.delete, "providers/pager")
        #expect(kept.status == 409 && problem["code"] == "provider_in_use")
        let id = try #require(office.json(.get, "connections/pager").body["id"]?.text)
        _ = try office.json(.patch, "connections/\(id)", #"{"name":"old"}"#)
        #expect(try office.json(.delete, "connections/\(id)").response.status == 204)
        #expect(try office.json(.delete, "providers/pager").response.status == 204)
        #expect(try office.json(.get, "providers/pager").response.status == 404)
    }

    @Test("Whoever may not read credentials cannot have them sent to another address by changing the file")
    func exfiltration() throws {
        _ = try office.json(.post, "providers", Self.file())
        let rights = ["providers:write", "providers:read"].compactMap { Scope($0) }
        let script = Principal(actor: office.admin.actor, memberships: office.admin.memberships, limits: rights)
        let elsewhere = Self.file(url: "https://evil.example/me")
        #expect(try office.json(.put, "providers/pager", elsewhere, as: script).response.status == 200)
        _ = try office.json(.put, "providers/pager", Self.file())
        _ = try office.json(.post, "connections", #"{"provider":"pager","setup":{"api_key":"secret-1"}}"#)
        #expect(try office.json(.put, "providers/pager", elsewhere, as: script).response.status == 403)
        #expect(try office.json(.put, "providers/pager", elsewhere).response.status == 200)
    }

    @Test("A secret is asked for again when the address that it goes to changes, and what was granted is forgotten")
    func movedAddress() throws {
        let setup = """
            {"provider":"custom_oauth2","setup":{"client_id":"hub","client_secret":"s-e-c-r-e-t",
             "authorize_url":"https://a.example/a","token_url":"https://a.example/t","test_url":"https://a.example/me"}}
            """
        let id = try #require(office.json(.post, "connections", setup).body["id"]?.text)
        let key = try #require(Identifier<Connection>(id))
        func tokens() throws -> [UInt8]? {
            try office.house.database.row("SELECT tokens_sealed FROM connections WHERE id = \(key)")?.get(
                "tokens_sealed")
        }
        let granted = Tokens(access: "granted-at-a.example", refresh: nil)
        try office.house.database.transaction { transaction in
            let sealed = try Vault(ring: office.ring, world: office.house.world).seal(
                granted.bytes, at: Tokens.place(key), for: office.organization, in: transaction)
            try transaction.execute("UPDATE connections SET tokens_sealed = \(sealed) WHERE id = \(key)")
        }
        let path = "connections/\(id)"
        for field in ["token_url", "test_url", "authorize_url"] {
            let (response, body) = try office.json(.patch, path, #"{"setup":{"\#(field)":"https://evil.example/x"}}"#)
            #expect(response.status == 422 && refusals(body) == ["/setup/client_secret address_changed"], "\(field)")
        }
        #expect(try office.json(.patch, path, #"{"setup":{"client_id":"other"}}"#).response.status == 200)
        #expect(try tokens() != nil)
        let moved = #"{"setup":{"test_url":"https://b.example/me","client_secret":"s-e-c-r-e-t-2"}}"#
        #expect(try office.json(.patch, path, moved).response.status == 200)
        #expect(try tokens() == nil)
    }

    @Test("Another process sees what was stored: at once when it is asked for, in lists within a second")
    func otherProcess() throws {
        let other = try Office.room(office.house, office.ring)
        let door = try Door(office.house, other.routes, templates: Connections.templates)
        #expect(try !door.send(.get, "/api/v1/providers", as: office.admin).text().contains("pager"))
        _ = try office.json(.post, "providers", Self.file())
        #expect(try door.send(.get, "/api/v1/providers/pager", as: office.admin).status == 200)
        _ = try office.json(.delete, "providers/pager")
        office.house.pass(.seconds(2))
        #expect(try !door.send(.get, "/api/v1/providers", as: office.admin).text().contains("pager"))
        #expect(try door.send(.get, "/api/v1/providers/pager", as: office.admin).status == 404)
    }

    // MARK: Pages

    @Test("The page checks a file beside the text, and saves it only when it is told to")
    func form() throws {
        #expect(try page("/providers/new").text().contains("api.pager.example"))
        let checked = try post("/providers/new", [("source", Self.file()), ("intent", "check")])
        let preview = try checked.text()
        #expect(checked.status == 200 && preview.contains("What it will look like") && preview.contains("No mistakes"))
        #expect(preview.contains("GET https://api.pager.example/v1/me"))
        #expect(try page("/providers/pager").status == 404)
        let wrong = Self.file().replacing("teal", with: "puce <b>").replacing("\n", with: "\r\n")
        for intent in ["check", "save"] {
            let refused = try post("/providers/new", [("source", wrong), ("intent", intent)])
            let text = try refused.text()
            #expect(refused.status == 422 && text.contains("Line 6, column 39:"))
            #expect(text.contains("puce &lt;b&gt;") && !text.contains("puce <b>"))
        }
        let saved = try post("/providers/new", [("source", Self.file()), ("intent", "save")])
        #expect(saved.status == 303 && saved.headers["location"] == "/hub/providers/pager")
        #expect(try page("/providers/pager").text().contains("Edit provider"))
        let edit = try page("/providers/pager/edit").text()
        #expect(edit.contains("Type “pager” to go on") && edit.contains("name=\"version\" value=\"1\""))
        let changed = Self.file().replacing(#""name": "Pager""#, with: #""name": "Pager 2""#)
        let form = [("source", changed), ("intent", "save"), ("version", "1")]
        #expect(try post("/providers/pager/edit", form).status == 303)
        #expect(try post("/providers/pager/edit", [("source", Self.file()), ("version", "1")]).status == 409)
        #expect(try post("/providers/pager/remove", [("confirm_name", "pagr")]).status == 422)
        #expect(try post("/providers/pager/remove", [("confirm_name", "pager")]).status == 303)
        #expect(try page("/providers/pager").status == 404)
    }

    @Test("Whoever only reads sees the guide and is offered nothing that writes")
    func reading() throws {
        let member = try office.house.person(.member, in: office.organization)
        let guide = try page("/providers/slack", as: member)
        #expect(guide.status == 200)
        #expect(try !guide.text().contains("/connections/new/slack"))
        for path in ["/providers/new", "/providers/slack/edit"] { #expect(try page(path, as: member).status == 403) }
        #expect(try office.json(.post, "providers", Self.file(), as: member).response.status == 403)
    }

    @Test("Guides name this hub's redirect address, on pages and for scripts, and each provider has its own")
    func redirect() throws {
        let uri = "https://site.example/hub/connections/callback/slack"
        for path in ["/providers/slack", "/connections/new/slack"] {
            let text = try page(path).text()
            #expect(text.contains("add \(uri) as a redirect URL"), "\(path)")
            #expect(text.contains(">\(uri)</code>") && !text.contains("{redirect_uri}"), "\(path)")
        }
        let slack = try office.json(.get, "providers/slack").body
        #expect(slack["oauth"]?["redirect_uri"] == .string(uri))
        #expect(slack["guide"]?.elements?.contains { $0.text?.contains(uri) == true } == true)
        let custom = try office.json(.get, "providers/custom_oauth2").body
        #expect(custom["oauth"]?["redirect_uri"] == .null && custom["oauth"]?["redirect_uri_per_connection"] == true)
        let setup = """
            {"provider":"custom_oauth2","setup":{"client_id":"hub","client_secret":"s-e-c-r-e-t",
             "authorize_url":"https://a.example/a","token_url":"https://a.example/t","test_url":"https://a.example/me"}}
            """
        let made = try office.json(.post, "connections", setup)
        let id = try #require(made.body["id"]?.text)
        let own = "https://site.example/hub/connections/callback/custom_oauth2/\(id)"
        #expect(try page("/connections/\(id)").text().contains(own))
        #expect(try page("/connections/\(id)/edit").text().contains(own))
    }

    @Test("The gallery narrows by words, category and kind, each by a link that keeps the others")
    func gallery() throws {
        let all = try page("/connections/new").text()
        #expect(all.contains("Slack") && all.contains("Shopify") && all.contains("Zapier"))
        #expect(all.contains("href=\"/hub/connections/new?kind=webhook\""))
        let hooks = try page("/connections/new", query: "kind=webhook").text()
        #expect(hooks.contains("Zapier") && !hooks.contains("Shopify"))
        #expect(hooks.contains("href=\"/hub/connections/new?category=Automation&amp;kind=webhook\""))
        let none = try page("/connections/new", query: "kind=webhook&category=Commerce").text()
        #expect(none.contains("No service matches"))
        let found = try page("/connections/new", query: "search=slack+messaging").text()
        #expect(found.contains("Slack") && !found.contains("Zapier"))
    }
}
