import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Connections

@Suite struct ChangeTests {
    let office: Office

    init() throws { office = try Office() }

    private func names() throws -> [String] {
        let list = try office.json(.get, "connections").body
        return (list["data"]?.elements ?? []).compactMap { $0["name"]?.text }
    }

    // MARK: Making

    @Test("A connection is made, told by its address and version, and its secret is not in the answer")
    func making() throws {
        let (response, body) = try office.json(
            .post, "connections",
            #"{"provider":"telegram","setup":{"bot_token":"\#(Office.token)\n","chat_id":-100123}}"#)
        #expect(response.status == 201)
        #expect(response.headers["etag"]?.hasPrefix("\"1-") == true)
        let id = try #require(body["id"]?.text)
        #expect(response.headers["location"] == "/hub/api/v1/connections/\(id)")
        #expect(body["name"] == "default" && body["status"] == "disconnected" && body["enabled"] == true)
        #expect(body["setup"] == ["bot_token": "***", "chat_id": "-100123"])
        let credentials = try office.json(.get, "connections/\(id)/credentials")
        #expect(credentials.body["credentials"] == ["bot_token": .string(Office.token), "chat_id": "-100123"])
        #expect(credentials.response.headers["cache-control"] == "no-store")
        #expect(try office.house.auditedActions() == ["connection.created", "credentials.read"])
    }

    @Test(
        "What is refused is named by its pointer, and nothing is made",
        arguments: [
            ("{}", ["/provider required"]),
            (#"{"provider":"nope","setup":{"a":1},"name":"x","workspace_id":null}"#, ["/provider invalid"]),
            (#"{"provider":"telegram"}"#, ["/setup/bot_token required"]),
            (#"{"provider":"telegram","setup":{"bot_token":null}}"#, ["/setup/bot_token required"]),
            (#"{"provider":"telegram","setup":{"bot_token":" \n"}}"#, ["/setup/bot_token too_short"]),
            (#"{"provider":"telegram","setup":{"bot_token":1}}"#, ["/setup/bot_token wrong_type"]),
            (#"{"provider":"telegram","setup":{"bot_token":"x"}}"#, ["/setup/bot_token invalid"]),
            (
                #"{"provider":"telegram","setup":{"bot_token":"\#(Office.token)","chat":"1"}}"#,
                ["/setup/chat unknown_field"]
            ),
            (
                #"{"provider":"telegram","setup":{"bot_token":"\#(Office.token)","chat_id":"a b"}}"#,
                ["/setup/chat_id invalid"]
            ),
            (
                #"{"provider":"telegram","name":"Big","setup":{"bot_token":"\#(Office.token)"},"id":"1"}"#,
                ["/name invalid", "/id unknown_field"]
            ),
            (#"{"provider":"telegram","setup":"x"}"#, ["/setup/bot_token required", "/setup unknown_field"]),
            (
                #"{"provider":"smtp","setup":{"host":"mail.example","port":"65536","security":"maybe","from_email":"a"}}"#,
                ["/setup/port invalid", "/setup/security invalid", "/setup/from_email invalid"]
            ),
            (
                #"{"provider":"smtp","setup":{"host":"mail.example:25","from_email":"a@b.example\r\nBcc: c"}}"#,
                ["/setup/from_email invalid"]
            ),
            (
                #"{"provider":"telegram","workspace_id":"x","setup":{"bot_token":"\#(Office.token)"}}"#,
                ["/workspace_id invalid"]
            ),
        ])
    func refused(json: String, errors: [String]) throws {
        let (response, body) = try office.json(.post, "connections", json)
        #expect(response.status == 422)
        #expect(refusals(body) == errors)
        #expect(try names().isEmpty)
        #expect(try office.house.auditedActions().isEmpty)
    }

    @Test("A workspace of another organization is none")
    func foreignWorkspace() throws {
        let other = try office.house.organization("Other")
        let workspace = try office.workspace("Theirs", in: other)
        let (_, body) = try office.json(
            .post, "connections",
            #"{"provider":"telegram","workspace_id":"\#(workspace)","setup":{"bot_token":"\#(Office.token)"}}"#)
        #expect(refusals(body) == ["/workspace_id unknown"])
        let id = try office.telegram()
        #expect(
            try refusals(office.json(.patch, "connections/\(id)", #"{"workspace_id":"\#(workspace)"}"#).body)
                == ["/workspace_id unknown"])
    }

    @Test("Numbers come as digits or as numbers, and what is left out takes its default")
    func defaults() throws {
        let (response, body) = try office.json(
            .post, "connections",
            #"{"provider":"smtp","setup":{"host":"mail.example","port":465,"from_email":"ana@acme.example"}}"#)
        #expect(response.status == 201)
        #expect(
            body["setup"] == [
                "host": "mail.example", "port": "465", "security": "auto", "password": nil, "authentication": "always",
                "accept_any_certificate": false, "from_email": "ana@acme.example",
            ])
    }

    @Test("A name is taken once per service and workspace")
    func taken() throws {
        _ = try office.telegram("alerts")
        let (response, body) = try office.json(
            .post, "connections",
            #"{"provider":"telegram","name":"alerts","setup":{"bot_token":"\#(Office.token)"}}"#)
        #expect(response.status == 409)
        #expect(body["code"] == "name_taken")
        #expect(refusals(body) == ["/name taken"])
        let workspace = try office.workspace("Shop", in: office.organization)
        _ = try office.telegram("alerts", workspace: workspace.text)
        let second = try office.telegram("other")
        #expect(try office.json(.patch, "connections/\(second)", #"{"name":"alerts"}"#).response.status == 409)
    }

    // MARK: Changing

    @Test("A change merges: what is not sent stays, null takes away what may be left out")
    func merging() throws {
        let id = try office.telegram()
        let path = "connections/\(id)"
        #expect(try office.json(.patch, path, #"{"setup":{"chat_id":"@acme_news"}}"#).response.status == 200)
        func credentials() throws -> JSON? { try office.json(.get, path + "/credentials").body["credentials"] }
        #expect(try credentials() == ["bot_token": .string(Office.token), "chat_id": "@acme_news"])
        _ = try office.json(.patch, path, #"{"setup":{"chat_id":null}}"#)
        #expect(try credentials() == ["bot_token": .string(Office.token)])
        let required = try office.json(.patch, path, #"{"setup":{"bot_token":null}}"#)
        #expect(refusals(required.body) == ["/setup/bot_token required"])
        #expect(try credentials() == ["bot_token": .string(Office.token)])
        #expect(try refusals(office.json(.patch, path, #"{"provider":"aws"}"#).body) == ["/provider unknown_field"])
        #expect(try refusals(office.json(.patch, path, #"{"setup":{"x":1}}"#).body) == ["/setup/x unknown_field"])
    }

    @Test("A secret whose field has left the provider file stays sealed, and one that became secret is sealed")
    func fieldsChanging() throws {
        let id = try office.telegram()
        _ = try office.json(.patch, "connections/\(id)", #"{"setup":{"chat_id":"42"}}"#)
        let file = """
            {"key":"telegram","name":"Telegram","kind":"bot_token","category":"C","tile":{"letters":"T","color":"red"},
             "summary":"S","guide":[],"fields":[{"name":"chat_id","label":"Chat","kind":"secret"},
             {"name":"site","label":"Site","kind":"text"}],
             "test":{"kind":"http","method":"GET","url":"https://api.telegram.org/","success":{"status":[200]},
              "access":"A","metadata":[]}}
            """
        let room = try Office.room(office.house, office.ring, overlay: [("telegram.json", Array(file.utf8))])
        let door = try Door(office.house, room.routes, templates: Connections.templates)
        let changed = try door.send(
            .patch, "/api/v1/connections/\(id)", as: office.admin, json: #"{"setup":{"site":"acme"}}"#)
        #expect(changed.status == 200)
        #expect(try changed.text().contains(#""setup":{"chat_id":"***","site":"acme"}"#))
        let row = try #require(try office.house.database.row("SELECT setup FROM connections"))
        #expect(try row.get("setup") == #"{"site":"acme"}"#)
        #expect(
            try office.json(.get, "connections/\(id)/credentials").body["credentials"]
                == ["bot_token": .string(Office.token), "chat_id": "42", "site": "acme"])
    }

    @Test("An empty change changes nothing, the version included")
    func nothing() throws {
        let id = try office.telegram()
        for body in [
            "{}", #"{"name":"default"}"#, #"{"enabled":true}"#, #"{"setup":{"bot_token":"\#(Office.token)"}}"#,
        ] {
            let tag = try office.json(.patch, "connections/\(id)", body).response.headers["etag"]
            #expect(tag?.hasPrefix("\"1-") == true)
        }
        #expect(try office.house.auditedActions() == ["connection.created"])
    }

    @Test("A change of several things is made at once or not at all")
    func atomic() throws {
        _ = try office.telegram("alerts")
        let id = try office.telegram("other")
        let refused = try office.json(.patch, "connections/\(id)", #"{"name":"alerts","enabled":false}"#)
        #expect(refused.response.status == 409)
        #expect(try office.json(.get, "connections/\(id)").body["enabled"] == true)
        let made = try office.json(.patch, "connections/\(id)", #"{"name":"third","enabled":false}"#)
        #expect(made.body["name"] == "third" && made.body["enabled"] == false && made.body["status"] == "disabled")
        #expect(
            try Set(office.house.auditedActions().suffix(2)) == ["connection.renamed", "connection.disabled"])
    }

    @Test("Whoever changes an older version is refused, and whoever holds this one is told so")
    func versions() throws {
        let id = try office.telegram()
        let path = "connections/\(id)"
        let first = try office.json(.get, path).response
        #expect(first.headers["etag"]?.hasPrefix("\"1-") == true)
        _ = try office.json(.patch, path, #"{"enabled":false}"#, headers: ["if-match": "\"1\""])
        for method in [HTTPKit.Method.patch, .delete] {
            let late = try office.json(method, path, #"{"enabled":true}"#, headers: ["if-match": "\"1\""])
            #expect(late.response.status == 412)
        }
        let now = try office.json(.get, path).response
        let request = Request(
            .get, path: try #require(Path("/x")), headers: ["if-none-match": try #require(now.headers["etag"])])
        #expect(now.notModified(for: request)?.status == 304)
        #expect(first.notModified(for: request) == nil)
    }

    @Test("A copy is old once its times have moved, which is no change that If-Match refuses")
    func times() throws {
        let id = try office.telegram()
        let path = "connections/\(id)"
        _ = try office.json(.post, path + "/test", "{}")
        let tag = try #require(try office.json(.get, path).response.headers["etag"])
        let request = Request(.get, path: try #require(Path("/x")), headers: ["if-none-match": tag])
        #expect(try office.json(.get, path).response.notModified(for: request)?.status == 304)
        office.house.pass(.seconds(5))
        _ = try office.json(.post, path + "/test", "{}")
        let now = try office.json(.get, path)
        #expect(now.response.notModified(for: request) == nil)
        #expect(now.body["checked_at"] != nil && now.response.headers["etag"] != tag)
        let changed = try office.json(.patch, path, #"{"enabled":false}"#, headers: ["if-match": tag])
        #expect(changed.response.status == 200)
        #expect(try office.json(.patch, path, "{}", headers: ["if-match": tag]).response.status == 412)
        let version = try #require(changed.response.headers["etag"]?.split(separator: "-").first)
        #expect(try office.json(.patch, path, "{}", headers: ["if-match": "\(version)\""]).response.status == 200)
    }

    @Test("default cannot be removed until another connection takes its name")
    func swapping() throws {
        let first = try office.telegram()
        let second = try office.telegram("alerts")
        let kept = try office.json(.delete, "connections/\(first)")
        #expect(kept.response.status == 409)
        #expect(kept.body["code"] == "default_connection")
        #expect(try office.json(.patch, "connections/\(second)", #"{"name":"default"}"#).response.status == 200)
        #expect(try office.json(.get, "connections/\(first)").body["name"] == "alerts")
        #expect(try office.json(.get, "connections/telegram").body["id"] == .string(second))
        #expect(try office.json(.get, "connections/telegram:alerts").body["id"] == .string(first))
        #expect(try office.json(.delete, "connections/\(first)").response.status == 204)
        #expect(try names() == ["default"])
        // Both open still: a name is no part of what secrets are bound to.
        #expect(try office.json(.get, "connections/telegram/credentials").response.status == 200)
        #expect(
            try office.house.auditedActions() == [
                "connection.created", "connection.created", "connection.renamed", "connection.renamed",
                "connection.removed", "credentials.read",
            ])
    }

    @Test("A swap into a workspace where the old name is taken is refused as such")
    func swappingElsewhere() throws {
        let workspace = try office.workspace("Shop", in: office.organization)
        let holder = try office.telegram("default", workspace: workspace.text)
        _ = try office.telegram("alerts", workspace: workspace.text)
        let mine = try office.telegram("alerts")
        let (response, body) = try office.json(
            .patch, "connections/\(mine)", #"{"name":"default","workspace_id":"\#(workspace)"}"#)
        #expect(response.status == 409)
        #expect(body["code"] == "name_taken")
        #expect(try office.json(.get, "connections/\(holder)").body["name"] == "default")
        #expect(try office.json(.get, "connections/\(mine)").body["workspace_id"] == .null)
    }

    @Test("Disconnecting drops the secrets and keeps the rest; removing drops all at once")
    func dropping() throws {
        let id = try office.telegram("alerts")
        _ = try office.json(.patch, "connections/\(id)", #"{"setup":{"chat_id":"42"}}"#)
        let (response, body) = try office.json(.post, "connections/\(id)/disconnect", "{}")
        #expect(response.status == 200)
        #expect(body["setup"] == ["bot_token": nil, "chat_id": "42"])
        #expect(body["status"] == "disconnected")
        #expect(try office.sealed(id) == nil)
        #expect(try office.json(.get, "connections/\(id)/credentials").body["code"] == "not_connected")
        #expect(try office.json(.post, "connections/\(id)/test", "{}").body["code"] == "setup_incomplete")
        let again = #"{"setup":{"bot_token":"\#(Office.token)"}}"#
        #expect(try office.json(.patch, "connections/\(id)", again).response.status == 200)
        #expect(try office.sealed(id) != nil)
        #expect(try office.json(.delete, "connections/\(id)").response.status == 204)
        #expect(try office.sealed(id) == nil)
        #expect(try office.json(.get, "connections/\(id)").response.status == 404)
        #expect(try office.json(.post, "connections/\(id)/test", "{}").response.status == 404)
        _ = try office.telegram("alerts")
        #expect(
            try office.house.auditedActions() == [
                "connection.created", "connection.updated", "connection.disconnected", "connection.updated",
                "connection.removed", "connection.created",
            ])
    }

    @Test("Reading secrets needs a right of its own; changing needs one too")
    func rights() throws {
        let id = try office.telegram("alerts")
        for role in [Role.member, .support] {
            let reader = try office.house.person(role, in: office.organization)
            for path in ["connections", "connections/\(id)", "connections/\(id)/status", "providers", "providers/aws"] {
                #expect(try office.json(.get, path, as: reader).response.status == 200)
            }
            #expect(try office.json(.get, "connections/\(id)/credentials", as: reader).response.status == 403)
            #expect(try office.json(.post, "connections", "{}", as: reader).response.status == 403)
            #expect(try office.json(.patch, "connections/\(id)", "{}", as: reader).response.status == 403)
            #expect(try office.json(.delete, "connections/\(id)", as: reader).response.status == 403)
            for verb in ["test", "disconnect"] {
                #expect(try office.json(.post, "connections/\(id)/\(verb)", "{}", as: reader).response.status == 403)
            }
            for verb in ["edit", "test", "enable", "disable", "disconnect", "remove"] {
                #expect(try office.door.send(.post, "/connections/\(id)/\(verb)", as: reader, form: []).status == 403)
            }
            #expect(try office.door.send(.post, "/connections/new/telegram", as: reader, form: []).status == 403)
            #expect(try office.door.send(.get, "/connections/\(id)", as: reader).status == 200)
        }
        #expect(try office.house.auditedActions() == ["connection.created"])
    }
}
