import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit

@testable import Platforms

/// Integrations as people see and change them.
@Suite(.timeLimit(.minutes(30))) struct Pages {
    private func office() throws -> Office {
        try Office { request in
            let path = String(line(of: request).split(separator: " ")[1])
            if path.contains("chat.postMessage") { return StandIn.json(200, #"{"ok":true,"ts":"1.2"}"#) }
            return StandIn.json(
                200,
                #"{"ok":true,"user_id":"U","bot_id":"B","channels":[{"id":"C1","name":"general"},{"id":"C2","name":"design"}]}"#
            )
        }
    }

    @Test("Every page's sample renders, strictly")
    func samples() throws {
        let office = try Office()
        try Door(office.house, office.room.pageRoutes, templates: Platforms.templates).check(Platforms.pages)
    }

    @Test("Everything that scripts can do is done from pages by plain forms")
    func everything() throws {
        let office = try office()
        #expect(try office.page(.get, "/platforms").text().contains("No platform yet"))
        #expect(try office.page(.get, "/platforms/new").text().contains("Microsoft Teams"))
        #expect(try office.page(.get, "/platforms/new/slack").text().contains("Bot token"))
        #expect(try office.page(.get, "/platforms/new/irc").status == 404)
        let made = try office.page(
            .post, "/platforms/new/slack",
            form: [
                ("workspace_id", office.workspace.text), ("config.bot_token", "xoxb-typed"), ("enabled", "true"),
            ])
        let text = try made.text()
        #expect(made.status == 200 && text.contains("whsec_") && made.headers["cache-control"] == "no-store")
        let id = try #require(text.firstMatch(of: /\/hub\/platforms\/([0-9a-f-]{36})/)).1
        let page = "/platforms/\(id)"
        #expect(try office.page(.post, "\(page)/sync", form: []).status == 303)
        let shown = try office.page(.get, page).text()
        #expect(shown.contains("general") && shown.contains("design") && !shown.contains("xoxb-typed"))
        let channel = try #require(shown.firstMatch(of: /action="\/hub(\/platforms\/channels\/[0-9a-f-]{36})"/)).1
        let saved = try office.page(
            .post, String(channel), form: [("sync_direction", "both"), ("auto_sync_messages", "true")])
        #expect(saved.status == 303)
        let channels = try office.json(.get, "/\(id)/channels").body["channels"]?.elements ?? []
        #expect(channels.filter { $0["sync_direction"] == "both" && $0["auto_sync_messages"] == true }.count == 1)
        #expect(try office.page(.get, "\(channel)/post").text().contains("At most 12000 characters"))
        #expect(try office.page(.post, "\(channel)/post", form: [("text", "Hello")]).status == 303)
        #expect(office.service.requests.last.map(body(of:)) == ["channel": "C2", "text": "Hello"])
        #expect(try office.page(.post, "\(page)/test", form: []).status == 303)
        let key = try office.page(.post, "\(page)/key", form: [])
        #expect(try key.text().contains("lvng_plat_") && key.headers["cache-control"] == "no-store")
        #expect(try office.page(.get, page).text().contains("Revoke key"))
        #expect(try office.page(.post, "\(page)/key/revoke", form: []).status == 303)
        #expect(try office.json(.get, "/\(id)").body["integration"]?["api_key"] == .null)
        #expect(try office.page(.post, "\(page)/disable", form: []).status == 303)
        #expect(try office.page(.get, page).text().contains("Disabled"))
        #expect(try office.page(.post, "\(page)/enable", form: []).status == 303)
        #expect(try office.page(.get, "/platforms").text().contains("Main"))
        #expect(try office.page(.post, "\(page)/remove", form: [("confirm_name", "slack")]).status == 422)
        #expect(try office.page(.post, "\(page)/remove", form: [("confirm_name", "Slack")]).status == 303)
        #expect(try office.json(.get, "/\(id)").status == 404)
    }

    @Test("An edit keeps the secrets that are left empty, drops what is emptied, and changes nothing that is the same")
    func edited() throws {
        let office = try office()
        let id = try office.integration(config: #"{"bot_token":"xoxb-stored","team_id":"T1","own":{"a":[1]}}"#)
        let known = try #require(Identifier<PlatformIntegration>(id))
        let record = { try office.room.find(known, office.scope) }
        let before = try record()
        let form = try office.page(.get, "/platforms/\(id)/edit").text()
        #expect(form.contains("Stored") && form.contains(#"value="T1""#) && !form.contains("xoxb-stored"))
        let same = [("version", "\(before.version)"), ("config.team_id", "T1"), ("enabled", "true")]
        #expect(try office.page(.post, "/platforms/\(id)/edit", form: same).status == 303)
        #expect(try record().configVersion == before.configVersion)
        let changed = [("version", "\(before.version)"), ("config.team_id", ""), ("enabled", "true")]
        #expect(try office.page(.post, "/platforms/\(id)/edit", form: changed).status == 303)
        let config = try #require(try office.room.config(of: try record(), in: office.house.database))
        #expect(config["bot_token"] == "xoxb-stored" && config["team_id"] == nil && config.members.count == 2)
        // Whoever still looks at the first version is told.
        #expect(try office.page(.post, "/platforms/\(id)/edit", form: changed).status == 409)
    }

    @Test("A form that is refused shows again what was typed, and a second integration says which field is taken")
    func refused() throws {
        let office = try office()
        _ = try office.integration()
        let taken = try office.page(
            .post, "/platforms/new/slack",
            form: [("workspace_id", office.workspace.text), ("config.bot_token", "xoxb-a"), ("config.team_id", "T77")])
        #expect(try taken.status == 409 && taken.text().contains("has an integration of Slack already"))
        #expect(try taken.text().contains(#"value="T77""#) && !taken.text().contains("xoxb-a"))
    }

    @Test("Channels are shown in parts, by name, and found by a part of their names")
    func parts() throws {
        let office = try Office { _ in
            let channels = (0..<60).map { #"{"id":"C\#($0)","name":"room-\#($0 < 10 ? "0" : "")\#($0)"}"# }
            return StandIn.json(200, #"{"ok":true,"user_id":"U","channels":[\#(channels.joined(separator: ","))]}"#)
        }
        let id = try office.integration()
        try office.json(.post, "/\(id)/sync-channels")
        let first = try office.page(.get, "/platforms/\(id)").text()
        #expect(first.contains("room-49") && !first.contains("room-50"))
        let next = try #require(first.firstMatch(of: /\/hub\/platforms\/[0-9a-f-]{36}\?(cursor=[^"]+)"/)).1
        let second = try office.page(.get, "/platforms/\(id)", query: String(next)).text()
        #expect(second.contains("room-50") && second.contains("room-59") && !second.contains("room-49"))
        let found = try office.page(.get, "/platforms/\(id)", query: "search=room-07").text()
        #expect(found.contains("room-07") && !found.contains("room-08"))
    }

    @Test("A refusal of the platform is said on the page that it stood on")
    func platformRefuses() throws {
        let office = try Office { _ in StandIn.json(200, #"{"ok":false,"error":"invalid_auth"}"#) }
        let id = try office.integration()
        let answer = try office.page(.post, "/platforms/\(id)/sync", form: [])
        #expect(answer.status == 303 && answer.headers["location"] == "/hub/platforms/\(id)")
        let page = try office.page(.get, "/platforms/\(id)").text()
        #expect(page.contains("Slack does not answer") && page.contains("refused these credentials"))
        #expect(try office.page(.get, "/platforms").text().contains("does not answer"))
        #expect(try office.room.attentionCount(office.scope) == 1)
    }

    @Test("An integration is the source of what its platform sends: signed, or proved by the secret or the key")
    func inboundSource() throws {
        let office = try office()
        let before = office.inboundChanges.withLock { $0 }
        let made = try office.json(
            .post, "",
            #"{"workspace_id":"\#(office.workspace.text)","platform":"slack","config":{"signing_secret":"8f742231b10e8888abcd99yyyzzz85a5"}}"#
        )
        let id = try #require(made.body["integration"]?["id"]?.text)
        #expect(office.inboundChanges.withLock { $0 } > before)
        let address = try office.address(of: id)
        let source = try #require(try office.room.inboundSource(address))
        #expect(source.origin.provider == "slack" && source.origin.integration?.text == id)
        #expect(source.origin.workspace == office.workspace && source.origin.organization == office.organization)
        #expect(source.secrets.map { $0.value.reveal { $0 } } == ["8f742231b10e8888abcd99yyyzzz85a5"])
        #expect(source.bearers.map { $0.value.reveal { $0 } } == [made.body["integration"]?["webhook_secret"]?.text])
        #expect(source.keyDigest == nil)
        try office.json(.post, "/\(id)/api-key")
        #expect(try office.room.inboundSource(address)?.keyDigest?.count == 32)
        let generation = { try Generations.value(of: Generations.inboundSources, in: office.house.database) }
        let counted = try generation()
        try office.json(.patch, "/\(id)", #"{"enabled":false}"#)
        #expect(try office.room.inboundSource(address) == nil && generation() == counted + 1)
        #expect(try office.room.inboundSource(Identifier(office.house.world)) == nil)
    }
}
