import Domain
import JSONKit
import Testing

@testable import Connections

/// What provider files declare of channels.
@Suite struct PlatformCatalogueTests {
    @Test("The platforms are those whose files declare channels, each with the names that scripts may use")
    func platforms() throws {
        let platforms = try ProviderCatalogue().channelPlatforms
        #expect(platforms.map(\.key) == ["discord", "microsoft_teams", "slack", "telegram"])
        #expect(platforms.map(\.kind) == [.discord, .microsoftTeams, .slack, .telegram])
        #expect(platforms[1].aliases == ["teams", "ms_teams", "msteams"])
        #expect(platforms[2].fields.map(\.name) == ["bot_token", "signing_secret"])
        #expect(platforms[2].fields.map(\.isSecret) == [true, true])
    }

    private func read(
        _ channels: String, key: String = "pager", for audience: ProviderFile.Audience = .site
    ) -> [String] {
        let file = #"""
            {"key":"\#(key)","name":"Pager","kind":"api_key","category":"Messaging","tile":{"letters":"Pa","color":"red"},
             "summary":"Page people.","guide":["Ask."],
             "fields":[{"name":"bot_token","label":"Token","kind":"secret","required":true}],"hosts":["pager.example"],
             "test":{"kind":"http","method":"GET","url":"https://pager.example/me","success":{"status":[200]},"access":"Me","metadata":[]},
             "channels":\#(channels)}
            """#
        return ProviderFile.check("\(key).json", Array(file.utf8), for: audience).mistakes.map(\.sentence)
    }

    @Test(
        "Each mistake is told",
        arguments: [
            (#"{"kind":"irc"}"#, "kind is one of"), (#"{"kind":"microsoft_teams"}"#, "needs a field access_token"),
            (#"{"kind":"slack","aliases":["Sl ack"]}"#, "an alias is"),
            (#"{"kind":"slack","config":["other"]}"#, "there is no field other"),
            (#"{"kind":"slack","colour":"red"}"#, "there is no member colour"), (#""slack""#, "an object"),
        ])
    func mistakes(channels: String, words: String) {
        let said = read(channels)
        #expect(said.count == 1 && said[0].contains(words), "\(said)")
    }

    @Test("A file of an organization declares none, and a right one is right")
    func audience() {
        #expect(read(#"{"kind":"slack","config":["bot_token"]}"#) == [])
        #expect(read(#"{"kind":"slack"}"#, for: .organization).contains { $0.contains("whoever runs the hub") })
    }

    @Test("A site's own file adds a platform; names that are taken are nobody's alias")
    func overlay() throws {
        let file = #"""
            {"key":"mattermost","name":"Mattermost","kind":"api_key","category":"Messaging","tile":{"letters":"Ma","color":"blue"},
             "summary":"Chat.","guide":["Ask."],
             "fields":[{"name":"bot_token","label":"Token","kind":"secret","required":true}],"hosts":["slack.com"],
             "test":{"kind":"http","method":"GET","url":"https://slack.com/me","success":{"status":[200]},"access":"Me","metadata":[]},
             "channels":{"kind":"slack","aliases":["slack","mm"]}}
            """#
        let platforms = try ProviderCatalogue(overlay: [("mattermost.json", Array(file.utf8))]).channelPlatforms
        #expect(platforms.first { $0.key == "mattermost" }?.aliases == ["mm"])
    }
}
