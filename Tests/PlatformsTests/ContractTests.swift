import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Platforms

/// Seed 4 as scripts see it.
@Suite(.timeLimit(.minutes(30))) struct Contract {
    private let members = [
        "id", "workspace_id", "platform", "config", "webhook_secret", "enabled", "connected", "last_connected_at",
        "connection_error", "api_key", "api_key_created_at", "created_at", "updated_at",
    ]

    private func names(_ json: JSON?) -> [String] { (json?.members ?? []).map(\.name) }

    @Test("An integration is made with a secret that is shown once; ever after it is masked")
    func created() throws {
        let office = try Office()
        let made = try office.json(
            .post, "",
            #"{"workspace_id":"\#(office.workspace.text)","platform":"slack","config":{"bot_token":"xoxb-xxxxxxxxxxxx-xxxxxxxxxxxx","team_id":"T0123456789"},"enabled":true}"#
        )
        let integration = try #require(made.body["integration"])
        #expect(made.status == 201 && names(made.body) == ["integration"] && names(integration) == members)
        #expect(made.response.headers["cache-control"] == "no-store")
        #expect(integration["webhook_secret"]?.text?.wholeMatch(of: /whsec_[A-Za-z0-9+\/]{43}=/) != nil)
        #expect(integration["platform"] == "slack" && integration["config"] == ["configured": true])
        #expect(integration["connected"] == .null && integration["enabled"] == true)
        #expect(integration["api_key"] == .null && integration["api_key_created_at"] == .null)
        #expect(integration["created_at"]?.text?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        let id = try #require(integration["id"]?.text)
        #expect(made.response.headers["location"] == "/hub/api/v2/platform-integrations/\(id)")
        let shown = try office.json(.get, "/\(id)")
        #expect(shown.status == 200 && names(shown.body["integration"]) == members)
        #expect(shown.body["integration"]?["webhook_secret"] == "***" && shown.response.headers["etag"] != nil)
        let listed = try office.json(.get)
        #expect(names(listed.body) == ["integrations"] && listed.body["integrations"]?.elements?.count == 1)
        #expect(listed.body["integrations"]?[0] == shown.body["integration"])
        #expect(try office.house.auditedActions() == ["platform_integration.created"])
    }

    @Test("A configuration stands sealed in the database, and so does the secret")
    func sealed() throws {
        let office = try Office()
        let made = try office.json(
            .post, "",
            #"{"workspace_id":"\#(office.workspace.text)","platform":"slack","config":{"bot_token":"xoxb-never-to-be-seen"}}"#
        )
        let secret = try #require(made.body["integration"]?["webhook_secret"]?.text)
        for text in ["xoxb-never-to-be-seen", secret] {
            let found = try office.house.database.row(
                """
                SELECT 1 AS one
                  FROM platform_integrations
                 WHERE INSTR(config_sealed, CAST(\(text) AS BINARY)) > 0
                    OR INSTR(webhook_secret_sealed, CAST(\(text) AS BINARY)) > 0
                """)
            #expect(found == nil)
        }
    }

    @Test("A workspace has one integration of a platform, under whichever name it is asked for")
    func conflict() throws {
        let office = try Office()
        let first = try office.json(
            .post, "", #"{"workspace_id":"\#(office.workspace.text)","platform":"teams"}"#)
        #expect(first.status == 201 && first.body["integration"]?["platform"] == "teams")
        #expect(first.body["integration"]?["config"] == ["configured": false])
        let second = try office.json(
            .post, "", #"{"workspace_id":"\#(office.workspace.text)","platform":"microsoft_teams"}"#)
        #expect(second.status == 409 && second.body["code"] == "integration_exists")
        let other = try Office.workspace("Other", office.organization, office.house)
        #expect(try office.json(.post, "", #"{"workspace_id":"\#(other.text)","platform":"teams"}"#).status == 201)
        #expect(
            try office.json(.post, "", #"{"workspace_id":"\#(office.workspace.text)","platform":"discord"}"#).status
                == 201)
    }

    @Test(
        "What cannot be an integration is refused by the field that is wrong",
        arguments: [
            (#"{"platform":"slack"}"#, "workspace_id"), (#"{"workspace_id":"x","platform":"slack"}"#, "workspace_id"),
            (#"{"workspace_id":"W"}"#, "platform"), (#"{"workspace_id":"W","platform":"irc"}"#, "platform"),
            (#"{"workspace_id":"W","platform":"slack","config":[]}"#, "config"),
            (#"{"workspace_id":"W","platform":"slack","config":{"bot_token":7}}"#, "config.bot_token"),
            (#"{"workspace_id":"W","platform":"slack","config":{"bot_token":"a\r\nHost: b"}}"#, "config.bot_token"),
            (#"{"workspace_id":"W","platform":"slack","config":{"connection_id":"x"}}"#, "config.connection_id"),
            (#"{"workspace_id":"W","platform":"slack","enabled":"yes"}"#, "enabled"),
            (#"{"workspace_id":"W","platform":"slack","webhook_secret":"mine"}"#, "webhook_secret"),
        ])
    func refused(body: String, field: String) throws {
        let office = try Office()
        let answer = try office.json(.post, "", body.replacing(#""W""#, with: #""\#(office.workspace.text)""#))
        #expect(answer.status == 422)
        let pointer = "/" + field.replacing(".", with: "/")
        #expect(answer.body["errors"]?[0]?["pointer"]?.text == pointer, "\(answer.body)")
    }

    @Test("PATCH changes what is given and answers with its own shape; the list keeps the order of making")
    func patched() throws {
        let office = try Office()
        let (id, other) = (try office.integration(), try office.integration("discord"))
        let off = try office.json(.patch, "/\(id)", #"{"enabled":false}"#)
        #expect(
            names(off.body["integration"]) == [
                "id", "workspace_id", "platform", "config", "enabled", "connected", "created_at", "updated_at",
            ])
        #expect(off.body["integration"]?["enabled"] == false)
        #expect(off.body["integration"]?["config"] == ["configured": true])
        let cleared = try office.json(.patch, "/\(id)", #"{"config":null}"#)
        #expect(cleared.body["integration"]?["config"] == ["configured": false])
        let stale = try office.json(.patch, "/\(id)", #"{"enabled":true}"#, headers: ["if-match": "\"1\""])
        #expect(stale.status == 412)
        let listed = try office.json(.get).body["integrations"]?.elements ?? []
        #expect(listed.map { $0["id"]?.text } == [id, other])
    }

    @Test("An integration is deleted for good, with its channels")
    func deleted() throws {
        let office = try Office { _ in StandIn.json(200, #"{"ok":true,"channels":[{"id":"C1","name":"a"}]}"#) }
        let id = try office.integration()
        try office.json(.post, "/\(id)/sync-channels")
        let gone = try office.json(.delete, "/\(id)")
        #expect(gone.status == 200 && gone.body == ["success": true])
        for (method, path) in [(HTTPKit.Method.get, "/\(id)"), (.delete, "/\(id)"), (.get, "/\(id)/channels")] {
            #expect(try office.json(method, path).status == 404)
        }
        #expect(try office.house.database.row("SELECT id FROM platform_channels LIMIT 1") == nil)
        #expect(try office.integration() != id)
    }

    @Test("Another organization's ids are not there, wherever one is asked for, and are told as any other that is not")
    func foreign() throws {
        let office = try Office { _ in StandIn.json(200, #"{"ok":true,"channels":[{"id":"C1","name":"a"}]}"#) }
        let id = try office.integration()
        try office.json(.post, "/\(id)/sync-channels")
        let channel = try #require(try office.json(.get, "/\(id)/channels").body["channels"]?[0]?["id"]?.text)
        let theirs = try office.house.organization("Evil Corp")
        try office.prepare(theirs)
        let eve = try office.house.person(.owner, in: theirs)
        let nobody = Identifier<PlatformIntegration>(office.house.world).text
        let asked: [(HTTPKit.Method, String, String?)] = [
            (.get, "/ID", nil), (.patch, "/ID", #"{"enabled":false}"#), (.delete, "/ID", nil), (.post, "/ID/test", nil),
            (.post, "/ID/sync-channels", nil), (.get, "/ID/channels", nil), (.post, "/ID/api-key", nil),
            (.delete, "/ID/api-key", nil), (.patch, "/channels/\(channel)", #"{"auto_sync_messages":true}"#),
            (.post, "/ID/channels/\(channel)/messages", #"{"text":"x"}"#),
            (.post, "/ID/channels", #"{"platform_channel_id":"1"}"#), (.get, "/ID/inbound", nil),
            (.post, "/ID/rotate", #"{"address":true}"#),
        ]
        for (method, path, body) in asked {
            var told: [String] = []
            for name in [id, nobody, "not-an-id"] {
                let answer = try office.json(method, path.replacing("ID", with: name), body, as: eve)
                #expect(answer.status == 404, "\(method) \(path) \(name)")
                told.append("\(answer.body["code"] ?? .null) \(answer.body["detail"] ?? .null)")
            }
            #expect(Set(told).count == 1, "\(path): \(told)")
        }
        #expect(try office.json(.get, as: eve).body == ["integrations": []])
        let stolen = try office.json(
            .post, "", #"{"workspace_id":"\#(office.workspace.text)","platform":"discord"}"#, as: eve)
        #expect(stolen.status == 404 && stolen.body["code"] == "workspace_not_found")
        #expect(try office.json(.get, "/\(id)").body["integration"]?["enabled"] == true)
    }

    @Test("Who belongs to several organizations and names none is shown the integrations of all")
    func severalOrganizations() throws {
        let office = try Office()
        let id = try office.integration()
        let second = try office.house.organization("Second")
        try office.prepare(second)
        let place = try Office.workspace("Theirs", second, office.house)
        let other = try office.house.person(.admin, in: second)
        let made = try office.json(.post, "", #"{"workspace_id":"\#(place.text)","platform":"slack"}"#, as: other)
        let both = Principal(
            actor: office.admin.actor,
            memberships: [
                .init(organization: office.organization, name: "Acme Shop", role: .admin),
                .init(organization: second, name: "Second", role: .support),
            ])
        let path = try #require(Path("/api/v2/platform-integrations"))
        let shell = try #require(try office.shellCall(Request(.get, path: path), as: both))
        let listed = try JSON(parsing: Array(office.room.listJSON(shell).text().utf8))
        let ids = listed["integrations"]?.elements?.map { $0["id"]?.text }
        #expect(ids == [id, made.body["integration"]?["id"]?.text])
    }

    @Test("A member reads and changes nothing")
    func member() throws {
        let office = try Office()
        let id = try office.integration()
        let member = try office.house.person(.member, in: office.organization)
        #expect(try office.json(.get, "/\(id)", as: member).status == 200)
        for (method, path) in [(HTTPKit.Method.patch, "/\(id)"), (.delete, "/\(id)"), (.post, "/\(id)/api-key")] {
            #expect(try office.json(method, path, "{}", as: member).status == 403)
        }
    }
}
