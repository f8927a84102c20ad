import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Platforms

/// Where the events of an integration come in, and how that is replaced.
@Suite(.timeLimit(.minutes(30))) struct InboundSide {
    private static let first = "8f742231b10e8888abcd99baac2bcd1e"
    private static let second = "1d2c8adef99dcba8888e01b132247f80"

    private func slack() throws -> (office: Office, id: String) {
        let office = try Office { _ in StandIn.json(200, #"{"ok":true,"user_id":"U1","bot_id":"B1"}"#) }
        let config = #"{"bot_token":"xoxb-1234567890","signing_secret":"\#(Self.first)"}"#
        return (office, try office.integration(config: config))
    }

    /// The secrets that a source is known by now.
    private func living(_ secrets: [InboundSecret], _ office: Office) -> [String] {
        secrets.filter { $0.until.map { $0 > office.house.world.now() } ?? true }.map { $0.value.reveal { $0 } }
    }

    @Test("An integration has an address of its own, told to those who may change it, and its id is none")
    func address() throws {
        let (office, id) = try slack()
        let shown = try office.json(.get, "/\(id)/inbound")
        let inbound = try #require(shown.body["inbound"])
        #expect(shown.status == 200 && shown.response.headers["etag"] != nil)
        #expect(
            (inbound.members ?? []).map(\.name) == [
                "url", "previous_url_ends_at", "webhook_secret", "previous_webhook_secret_ends_at", "signing_secret",
                "previous_signing_secret_ends_at",
            ])
        #expect(inbound["webhook_secret"] == "***" && inbound["signing_secret"] == "***")
        let address = try office.address(of: id)
        #expect(try address.text != id && office.room.inboundSource(address)?.origin.integration?.text == id)
        let asAddress = try #require(Identifier<InboundAddress>(id))
        #expect(try office.room.inboundSource(asAddress) == nil)
        let member = try office.house.person(.member, in: office.organization)
        #expect(try office.json(.get, "/\(id)/inbound", as: member).body["inbound"]?["url"] == .null)
        #expect(try office.json(.post, "/\(id)/rotate", #"{"address":true}"#, as: member).status == 403)
        #expect(try !office.page(.get, "/platforms/\(id)", as: member).text().contains(address.text))
        #expect(try office.page(.get, "/platforms/\(id)").text().contains("/hub/inbound/\(address)"))
    }

    @Test("An integration from before it had an address keeps its id for one, until that is replaced")
    func before() throws {
        let (office, id) = try slack()
        try office.house.database.execute("UPDATE platform_integrations SET address = NULL")
        let old = try #require(Identifier<InboundAddress>(id))
        #expect(try office.address(of: id) == old)
        #expect(try office.room.inboundSource(old)?.origin.integration?.text == id)
        let rotated = try office.json(.post, "/\(id)/rotate", #"{"address":true,"grace_seconds":0}"#)
        #expect(rotated.status == 200 && rotated.body["inbound"]?["previous_url_ends_at"] == .null)
        #expect(try office.room.inboundSource(old) == nil)
        #expect(try office.room.inboundSource(office.address(of: id)) != nil)
    }

    @Test("A replaced address is good until its grace ends, and a third one ends the first")
    func addressRotated() throws {
        let (office, id) = try slack()
        let first = try office.address(of: id)
        let changes = office.inboundChanges.withLock { $0 }
        let generation = { try Generations.value(of: Generations.inboundSources, in: office.house.database) }
        let counted = try generation()
        let rotated = try office.json(.post, "/\(id)/rotate", #"{"address":true}"#)
        let ends = try #require(rotated.body["inbound"]?["previous_url_ends_at"]?.text)
        #expect(office.inboundChanges.withLock { $0 } == changes + 1)
        #expect(try generation() == counted + 1)
        let second = try office.address(of: id)
        let present = try #require(try office.room.inboundSource(second))
        #expect(second != first && present.endsAt == nil)
        let end = try #require(try office.room.inboundSource(first)?.endsAt)
        #expect(JSON(end).text == ends)
        let day = Duration.hours(24) - .seconds(10)
        #expect(end > office.house.world.now() + day && end <= office.house.world.now() + .hours(24))
        try office.json(.post, "/\(id)/rotate", #"{"address":true,"grace_seconds":3600}"#)
        #expect(try office.room.inboundSource(first) == nil && office.room.inboundSource(second)?.endsAt != nil)
        office.house.pass(.hours(2))
        #expect(try office.json(.get, "/\(id)/inbound").body["inbound"]?["previous_url_ends_at"] == .null)
        let actions = try office.house.auditedActions()
        #expect(actions.filter { $0 == "platform_integration.rotated" }.count == 2)
    }

    @Test("A webhook secret is made anew, shown once, and the one before counts until its grace ends")
    func webhookSecret() throws {
        let (office, id) = try slack()
        let address = try office.address(of: id)
        let before = try #require(try office.room.inboundSource(address))
        let first = living(before.bearers, office)
        let rotated = try office.json(.post, "/\(id)/rotate", #"{"webhook_secret":true,"grace_seconds":60}"#)
        let second = try #require(rotated.body["inbound"]?["webhook_secret"]?.text)
        #expect(second.wholeMatch(of: /whsec_[A-Za-z0-9+\/]{43}=/) != nil && first != [second])
        #expect(rotated.response.headers["cache-control"] == "no-store")
        #expect(try office.json(.get, "/\(id)/inbound").body["inbound"]?["webhook_secret"] == "***")
        let source = try #require(try office.room.inboundSource(address))
        #expect(living(source.bearers, office) == [second] + first)
        office.house.pass(.minutes(2))
        #expect(living(source.bearers, office) == [second])
        let found = try office.house.database.row(
            """
            SELECT 1 AS one FROM platform_integrations
             WHERE INSTR(webhook_secret_sealed, CAST(\(second) AS BINARY)) > 0
                OR INSTR(previous_webhook_secret_sealed, CAST(\(first[0]) AS BINARY)) > 0
            """)
        #expect(found == nil)
        try office.json(.post, "/\(id)/rotate", #"{"webhook_secret":true,"grace_seconds":0}"#)
        #expect(try office.room.inboundSource(address)?.bearers.count == 1)
    }

    @Test("What a platform signs with is replaced with a grace here, and at once by another configuration")
    func signingSecret() throws {
        let (office, id) = try slack()
        try office.json(.post, "/\(id)/test")
        let address = try office.address(of: id)
        func secrets() throws -> [String] {
            let source = try #require(try office.room.inboundSource(address))
            return living(source.secrets, office)
        }
        let rotated = try office.json(.post, "/\(id)/rotate", #"{"signing_secret":" \#(Self.second)\n"}"#)
        #expect(rotated.status == 200 && rotated.body["inbound"]?["signing_secret"] == "***", "\(rotated.body)")
        #expect(try secrets() == [Self.second, Self.first])
        // The token is the same one, and so the platform knows the hub as before.
        #expect(try office.json(.get, "/\(id)").body["integration"]?["connected"] == true)
        let config = { (secret: String, more: String) in
            #"{"config":{"bot_token":"xoxb-1234567890","signing_secret":"\#(secret)"\#(more)}}"#
        }
        try office.json(.patch, "/\(id)", config(Self.second, #","team_id":"T1""#))
        #expect(try secrets() == [Self.second, Self.first])
        try office.json(.patch, "/\(id)", config("third-of-them", ""))
        #expect(try secrets() == ["third-of-them"])
        let key = try #require(Identifier<PlatformIntegration>(id))
        let stored = try office.room.config(of: office.room.find(key, office.scope), in: office.house.database)
        #expect(stored?["bot_token"] == "xoxb-1234567890")
    }

    @Test(
        "A rotation that replaces nothing, or what is not there to be replaced, is refused by its field",
        arguments: [
            ("slack", "{}", "address"), ("slack", #"{"address":false}"#, "address"),
            ("slack", #"{"signing_secret":"\u0007"}"#, "signing_secret"),
            ("slack", #"{"signing_secret":" "}"#, "signing_secret"),
            ("slack", #"{"address":true,"grace_seconds":2592001}"#, "grace_seconds"),
            ("slack", #"{"address":true,"secret":"x"}"#, "secret"),
            ("teams", #"{"signing_secret":"x"}"#, "signing_secret"),
        ])
    func refused(platform: String, body: String, field: String) throws {
        let office = try Office()
        let id = try office.integration(platform, config: "{}")
        let before = try office.address(of: id)
        let answer = try office.json(.post, "/\(id)/rotate", body)
        #expect(answer.status == 422 && answer.body["errors"]?[0]?["pointer"]?.text == "/\(field)", "\(answer.body)")
        #expect(try office.address(of: id) == before)
        let stale = try office.json(.post, "/\(id)/rotate", #"{"address":true}"#, headers: ["if-match": "\"99\""])
        #expect(stale.status == 412)
    }

    @Test("Microsoft Graph is known by the webhook secret, those by which others are known, too")
    func graph() throws {
        let office = try Office()
        let id = try office.integration("teams", config: "{}")
        let address = try office.address(of: id)
        let rotated = try office.json(.post, "/\(id)/rotate", #"{"webhook_secret":true}"#)
        let secret = try #require(rotated.body["inbound"]?["webhook_secret"]?.text)
        let source = try #require(try office.room.inboundSource(address))
        #expect(source.secrets.map { $0.value.reveal { $0 } }.first == secret && source.secrets.count == 2)
        #expect(source.bearers.map(\.until) == source.secrets.map(\.until))
        #expect(rotated.body["inbound"]?["signing_secret"] == .null)
    }

    @Test("Address and secrets are replaced by a form, and what was made is shown in its answer alone")
    func page() throws {
        let (office, id) = try slack()
        let before = try office.address(of: id)
        let form = try office.page(.get, "/platforms/\(id)/rotate").text()
        #expect(form.contains("The signing secret") && !form.contains(Self.first))
        let nothing = try office.page(.post, "/platforms/\(id)/rotate", form: [("grace_seconds", "0")])
        #expect(try nothing.status == 422 && nothing.text().contains("Say what to replace"))
        let version = try #require(form.firstMatch(of: /name="version" value="([0-9]+)"/)).1
        let fields = [
            ("version", String(version)), ("address", "true"), ("webhook_secret", "true"),
            ("signing_secret", Self.second), ("grace_seconds", "3600"),
        ]
        let done = try office.page(.post, "/platforms/\(id)/rotate", form: fields)
        let after = try office.address(of: id)
        #expect(try done.text().contains("whsec_") && done.text().contains(after.text) && after != before)
        #expect(done.headers["cache-control"] == "no-store")
        let page = try office.page(.get, "/platforms/\(id)").text()
        for words in ["Previous address ends", "Previous webhook secret ends", "Previous signing secret ends"] {
            #expect(page.contains(words))
        }
        #expect(try office.page(.post, "/platforms/\(id)/rotate", form: fields).status == 409)
        let address = try office.page(.post, "/platforms/\(id)/rotate", form: [("address", "true")])
        #expect(address.status == 303)
    }

    @Test("The page says that everything is refused while what the platform signs with is missing, and where to look")
    func attention() throws {
        let (office, id) = try slack()
        let words = "Everything that Slack sends is refused"
        #expect(try !office.page(.get, "/platforms/\(id)").text().contains(words))
        #expect(try office.page(.get, "/platforms/\(id)").text().contains("/hub/inbound-sources/\(id)/debug"))
        try office.json(.patch, "/\(id)", #"{"config":{"bot_token":"xoxb-1234567890"}}"#)
        let page = try office.page(.get, "/platforms/\(id)").text()
        #expect(page.contains(words) && page.contains("Add signing secret"))
        let discord = try office.page(.get, "/platforms/\(office.integration("discord"))").text()
        #expect(!discord.contains("Everything that") && discord.contains("listens to Discord’s gateway"))
        let known = try #require(Identifier<PlatformIntegration>(id))
        let named = try #require(try office.room.inboundSource(of: known, office.scope))
        #expect(named.name == "Slack" && named.source.secrets.isEmpty)
        #expect(try named.address == office.address(of: id))
        let theirs = try office.house.organization("Evil Corp")
        let eve = try office.house.person(.owner, in: theirs)
        #expect(try office.room.inboundSource(of: known, office.house.scope(of: eve)) == nil)
    }
}
