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

/// Messages over channels, out and in.
@Suite(.timeLimit(.minutes(30))) struct Messages {
    /// A Slack integration with one channel, set as told.
    private func furnished(_ settings: String = #"{"sync_direction":"both"}"#) throws -> (Office, String, String) {
        let office = try Office { _ in
            StandIn.json(
                200, #"{"ok":true,"user_id":"UBOT","bot_id":"BBOT","channels":[{"id":"C1","name":"general"}]}"#)
        }
        let id = try office.integration()
        try office.json(.post, "/\(id)/sync-channels")
        let channel = try #require(try office.json(.get, "/\(id)/channels").body["channels"]?[0]?["id"]?.text)
        try office.json(.patch, "/channels/\(channel)", settings)
        return (office, id, channel)
    }

    private func message(
        _ text: String = "Is anybody there?", ts: String = "1763719200.000100", user: String = "UANA", more: String = ""
    ) -> String {
        #"{"type":"event_callback","api_app_id":"A1","event":{"type":"message","channel":"C1","user":"\#(user)","text":"\#(text)","ts":"\#(ts)"\#(more)}}"#
    }

    @Test("A message is posted as text, answered with the platform's id, and told of as an event")
    func posted() throws {
        let (office, id, channel) = try furnished()
        office.answer { _ in StandIn.json(200, #"{"ok":true,"ts":"1763719200.000200"}"#) }
        let sent = try office.json(.post, "/\(id)/channels/\(channel)/messages", #"{"text":"<!channel> a & b"}"#)
        #expect(sent.status == 201 && sent.body["message"]?["platform_message_id"] == "1763719200.000200")
        #expect(sent.body["message"]?["status"] == "sent")
        let request = try #require(office.service.requests.last)
        #expect(line(of: request).hasPrefix("POST /api/chat.postMessage"))
        #expect(body(of: request) == ["channel": "C1", "text": "&lt;!channel&gt; a &amp; b"])
        let event = try #require(try office.events().last)
        #expect(event.type == "channel.message_sent" && event.data["platform_message_id"] == "1763719200.000200")
        #expect(event.data["message_id"] == sent.body["message"]?["id"] && event.data["channel_id"]?.text == channel)
        #expect(event.data["channel_name"] == "general" && event.data["platform"] == "slack")
    }

    @Test("Each platform is called as its interface asks, and the id it gives is passed on")
    func everyPlatform() throws {
        let office = try Office { request in
            let path = String(line(of: request).split(separator: " ")[1])
            if path.hasSuffix("/messages") { return StandIn.json(201, #"{"id":"4711"}"#) }
            if path.hasSuffix("/sendMessage") { return StandIn.json(200, #"{"ok":true,"result":{"message_id":4711}}"#) }
            if path.contains("/getChat") {
                return StandIn.json(200, #"{"ok":true,"result":{"id":-100,"type":"group","title":"Ops"}}"#)
            }
            if path.hasSuffix("/channels") {
                return path.contains("guilds")
                    ? StandIn.json(200, #"[{"id":"42","name":"general","type":0}]"#)
                    : StandIn.json(200, #"{"value":[{"id":"19:a@thread.tacv2","displayName":"General"}]}"#)
            }
            return StandIn.json(200, #"{"id":"me","ok":true,"result":{"id":1}}"#)
        }
        let discord = try office.integration("discord", config: #"{"bot_token":"a.b.c","guild_id":"9"}"#)
        let teams = try office.integration("teams", config: #"{"access_token":"eyJ","team_id":"t1"}"#)
        let telegram = try office.integration("telegram", config: #"{"bot_token":"123:abc"}"#)
        try office.json(.post, "/\(telegram)/channels", #"{"platform_channel_id":"-100"}"#)
        var sent: [String: (String, JSON)] = [:]
        for id in [discord, teams, telegram] {
            try office.json(.post, "/\(id)/sync-channels")
            let channel = try #require(try office.json(.get, "/\(id)/channels").body["channels"]?[0]?["id"]?.text)
            let answer = try office.json(.post, "/\(id)/channels/\(channel)/messages", #"{"text":"Hello @everyone"}"#)
            #expect(answer.status == 201 && answer.body["message"]?["platform_message_id"] == "4711", "\(answer.body)")
            let request = try #require(office.service.requests.last)
            sent[id] = (line(of: request), body(of: request))
        }
        #expect(sent[discord]?.0.hasPrefix("POST /api/v10/channels/42/messages") == true)
        #expect(sent[discord]?.1["content"] == "Hello @everyone")
        #expect(sent[discord]?.1["allowed_mentions"] == ["parse": []] && sent[discord]?.1["enforce_nonce"] == true)
        #expect(sent[teams]?.0.hasPrefix("POST /v1.0/teams/t1/channels/19:a@thread.tacv2/messages") == true)
        #expect(sent[teams]?.1 == ["body": ["contentType": "text", "content": "Hello @everyone"]])
        #expect(sent[telegram]?.0.hasPrefix("POST /bot123:abc/sendMessage") == true)
        #expect(sent[telegram]?.1 == ["chat_id": .integer(-100), "text": "Hello @everyone"])
    }

    @Test("A refusal, a silence and a channel that is not for posting each say what they are, and are told of once")
    func refused() throws {
        let (office, id, channel) = try furnished()
        let path = "/\(id)/channels/\(channel)/messages"
        office.answer { _ in StandIn.json(200, #"{"ok":false,"error":"not_in_channel"}"#) }
        #expect(try office.json(.post, path, #"{"text":"x"}"#).body["code"] == "platform_refused")
        office.answer { _ in nil }
        #expect(try office.json(.post, path, #"{"text":"x"}"#).body["code"] == "platform_silent")
        let told = try office.events().filter { $0.type == "channel.message_failed" }
        #expect(told.count == 2 && told[0].data["error"]?.text?.contains("not_in_channel") == true)
        let states = try office.house.database.rows("SELECT status FROM channel_messages ORDER BY id LIMIT 10").map {
            try $0.get("status", as: String.self)
        }
        #expect(states == ["failed", "unknown"])
        #expect(try office.json(.post, path, #"{"text":""}"#).status == 422)
        let long = String(repeating: "x", count: 12_001)
        #expect(try office.json(.post, path, #"{"text":"\#(long)"}"#).status == 422)
        try office.json(.patch, "/channels/\(channel)", #"{"sync_direction":"inbound"}"#)
        #expect(try office.json(.post, path, #"{"text":"x"}"#).body["code"] == "channel_inbound_only")
        try office.json(.patch, "/\(id)", #"{"enabled":false}"#)
        #expect(try office.json(.post, path, #"{"text":"x"}"#).body["code"] == "integration_disabled")
    }

    @Test("What people write in a channel becomes one event, however often the platform says so")
    func heard() throws {
        let (office, id, channel) = try furnished()
        for _ in 0..<3 { try office.hear(message(), of: id) }
        let events = try office.events().filter { $0.type == "channel.message_received" }
        #expect(events.count == 1)
        let data = events[0].data
        #expect(data["channel_id"]?.text == channel && data["platform_channel_id"] == "C1")
        #expect(data["text"] == "Is anybody there?" && data["is_cut"] == false)
        #expect(data["author"] == ["id": "UANA", "name": .null, "is_bot": false])
        #expect(data["sent_at"] == "2025-11-21T10:00:00.000Z" && data["platform_message_id"] == "1763719200.000100")
    }

    @Test(
        "A channel is heard when its direction says so and nobody switched syncing off",
        arguments: [
            (#"{"sync_direction":"inbound"}"#, true), (#"{"sync_direction":"both"}"#, true),
            (#"{"sync_direction":"both","auto_sync_messages":true}"#, true),
            (#"{"sync_direction":"both","auto_sync_messages":false}"#, false),
            (#"{"sync_direction":"outbound","auto_sync_messages":true}"#, false),
            (#"{"auto_sync_messages":true}"#, false), ("{}", false),
        ])
    func directions(settings: String, isHeard: Bool) throws {
        let (office, id, _) = try furnished(settings)
        try office.hear(message(), of: id)
        #expect(try office.events().contains { $0.type == "channel.message_received" } == isHeard)
    }

    @Test(
        "The hub's own message coming back, and what is no new message, is told to nobody",
        arguments: [
            #","bot_id":"BBOT""#, #","app_id":"A1","bot_id":"BOTHER""#, #","subtype":"message_changed""#,
            #","subtype":"message_deleted""#, #","subtype":"channel_join""#,
        ])
    func own(more: String) throws {
        let (office, id, _) = try furnished()
        try office.hear(message(more: more), of: id)
        try office.hear(message(user: "UBOT"), of: id)
        #expect(try !office.events().contains { $0.type == "channel.message_received" })
    }

    @Test("Our message is recognised by its id, and before that is known by what it says")
    func echoes() throws {
        let (office, id, channel) = try furnished()
        let room = office.room
        // The event overtakes the answer: it comes while the platform has yet to answer.
        office.answer { request in
            guard line(of: request).contains("chat.postMessage") else { return nil }
            try? office.hear(message("a &amp; b", ts: "1763719300.000100", user: "UPERSON"), of: id)
            return StandIn.json(200, #"{"ok":true,"ts":"1763719300.000100"}"#)
        }
        #expect(try office.json(.post, "/\(id)/channels/\(channel)/messages", #"{"text":"a & b"}"#).status == 201)
        // And once more, long after.
        try office.hear(message("a &amp; b", ts: "1763719300.000100", user: "UPERSON"), of: id)
        #expect(try !office.events().contains { $0.type == "channel.message_received" })
        // The same words by somebody else are another message.
        try office.hear(message("a &amp; b", ts: "1763719400.000100", user: "UANA"), of: id)
        #expect(try office.events().filter { $0.type == "channel.message_received" }.count == 1)
        #expect(room.registry.all.count == 4)
    }

    @Test("A post of unknown outcome stands for one message that says the same, and silences nobody after it")
    func unknownOutcome() throws {
        let (office, id, channel) = try furnished()
        office.answer { _ in nil }
        #expect(try office.json(.post, "/\(id)/channels/\(channel)/messages", #"{"text":"ok"}"#).status == 502)
        let heard = { try office.events().filter { $0.type == "channel.message_received" }.count }
        for _ in 0..<2 { try office.hear(message("ok", ts: "1763719300.000100"), of: id) }
        #expect(try heard() == 0)
        for _ in 0..<2 { try office.hear(message("ok", ts: "1763719300.000200"), of: id) }
        #expect(try heard() == 1)
        try office.hear(message("ok", ts: "1763719300.000300"), of: id)
        #expect(try heard() == 2)
    }

    @Test("An echo that its author gives away is that of the post, so that the next who says the same is heard")
    func ownEcho() throws {
        let (office, id, channel) = try furnished()
        office.answer { _ in nil }
        #expect(try office.json(.post, "/\(id)/channels/\(channel)/messages", #"{"text":"ok"}"#).status == 502)
        try office.hear(message("ok", ts: "1763719300.000100", user: "UBOT"), of: id)
        try office.hear(message("ok", ts: "1763719300.000200"), of: id)
        #expect(try office.events().filter { $0.type == "channel.message_received" }.count == 1)
    }

    @Test("Two posts of the same words whose echoes overtake the answers are both told of as sent, and heard by nobody")
    func twins() throws {
        let (office, id, channel) = try furnished()
        let known = try #require(Identifier<PlatformChannel>(channel))
        let record = try #require(try office.room.channels(office.scope).find(known, in: office.house.database))
        let messages = try office.room.messages(office.scope)
        let posted = try (0..<2).map { _ in
            office.house.pass(.milliseconds(1))
            return try messages.begin(Identifier(office.house.world), "ok", to: record).id
        }
        // The second one's echo comes first, and is taken for the first one's.
        try office.hear(message("ok", ts: "2.000200"), of: id)
        try office.hear(message("ok", ts: "2.000100"), of: id)
        let database = office.house.database
        for (message, stamp) in zip(posted, ["2.000100", "2.000200"]) {
            let isNoted = try database.transaction { try messages.end(message, .sent, platformID: stamp, in: $0) }
            #expect(isNoted)
        }
        try office.hear(message("ok", ts: "2.000100"), of: id)
        #expect(try !office.events().contains { $0.type == "channel.message_received" })
        let rows = try database.rows("SELECT status, platform_message_id FROM channel_messages ORDER BY id LIMIT 9")
        #expect(try rows.map { try $0.get("status", as: String.self) } == ["sent", "sent"])
        #expect(try rows.map { try $0.get("platform_message_id", as: String.self) } == ["2.000100", "2.000200"])
    }

    @Test(
        "Each platform's messages are read as it writes them",
        arguments: [
            (
                ChannelPlatform.Kind.discord,
                #"{"t":"MESSAGE_CREATE","d":{"id":"5","channel_id":"42","content":"hi","author":{"id":"7","username":"ana"},"timestamp":"2026-11-21T10:00:00.000Z"}}"#,
                "42 5 hi 7 ana false"
            ),
            (
                .discord,
                #"{"type":1,"event":{"type":"MESSAGE_CREATE","data":{"id":"5","channel_id":"42","content":"hi","author":{"id":"7","bot":true}}}}"#,
                "42 5 hi 7 - true"
            ),
            (
                .telegram,
                #"{"update_id":1,"message":{"message_id":5,"chat":{"id":-100},"from":{"id":7,"is_bot":false,"first_name":"Ana"},"date":1763719200,"text":"hi"}}"#,
                "-100 5 hi 7 Ana false"
            ),
            (
                .telegram, #"{"update_id":1,"channel_post":{"message_id":5,"chat":{"id":-100},"caption":"hi"}}"#,
                "-100 5 hi - - false"
            ),
            (
                .microsoftTeams,
                #"{"value":[{"changeType":"created","resourceData":{"id":"5","channelIdentity":{"teamId":"t","channelId":"19:a"},"from":{"user":{"id":"7","displayName":"Ana"}},"body":{"contentType":"html","content":"<p>h&amp;i</p>"}}}]}"#,
                "19:a 5 h&i 7 Ana false"
            ),
            (.discord, #"{"t":"MESSAGE_DELETE","d":{"id":"5","channel_id":"42"}}"#, ""),
            (.telegram, #"{"update_id":1,"edited_message":{"message_id":5,"chat":{"id":-100},"text":"hi"}}"#, ""),
            (.slack, #"{"type":"url_verification","challenge":"x"}"#, ""), (.slack, "[]", ""),
            (.microsoftTeams, #"{"value":[{"changeType":"updated","resourceData":{"id":"5"}}]}"#, ""),
        ])
    func shapes(kind: ChannelPlatform.Kind, event: String, expected: String) throws {
        let read = HeardMessage.read(try JSON(parsing: Array(event.utf8)), from: kind).map { message in
            "\(message.channel) \(message.id) \(message.text) \(message.author.id ?? "-") \(message.author.name ?? "-") \(message.author.isBot)"
        }
        #expect(read.joined() == expected)
    }

    @Test("A message that Graph only names is fetched afterwards, once, and heard as any other")
    func fetched() throws {
        let office = try Office { request in
            let path = String(line(of: request).split(separator: " ")[1])
            if path == "/v1.0/teams/t1/channels" {
                return StandIn.json(200, #"{"value":[{"id":"19:a@thread.tacv2","displayName":"General"}]}"#)
            }
            if path == "/v1.0/teams/t1/channels/19:a@thread.tacv2/messages/1/replies/2" {
                return StandIn.json(
                    200,
                    #"{"id":"2","replyToId":"1","channelIdentity":{"teamId":"t1","channelId":"19:a@thread.tacv2"},"from":{"user":{"id":"7","displayName":"Ana"}},"body":{"contentType":"text","content":"hi"}}"#
                )
            }
            return path == "/v1.0/me" ? StandIn.json(200, #"{"id":"me"}"#) : StandIn.json(404, "{}")
        }
        let id = try office.integration("teams", config: #"{"access_token":"eyJ","team_id":"t1"}"#)
        try office.json(.post, "/\(id)/sync-channels")
        let channel = try #require(try office.json(.get, "/\(id)/channels").body["channels"]?[0]?["id"]?.text)
        let told =
            #"{"value":[{"changeType":"created","resource":"teams('t1')/channels('19:a@thread.tacv2')/messages('1')/replies('2')","resourceData":{"id":"2"}},{"changeType":"created","resource":"teams('t1')/channels('19:other')/messages('3')"}]}"#
        try office.hear(told, of: id)
        let jobs = {
            try office.house.database.rows("SELECT payload FROM jobs WHERE kind = 'platforms.fetch_message' LIMIT 9")
        }
        #expect(try jobs().isEmpty, "nobody hears this channel")
        try office.json(.patch, "/channels/\(channel)", #"{"sync_direction":"inbound"}"#)
        try office.hear(told, of: id)
        let payload = try #require(try jobs().first).get("payload", as: String.self)
        for _ in 0..<2 { try office.room.fetch(payload) }
        let heard = try office.events().filter { $0.type == "channel.message_received" }
        #expect(heard.count == 1 && heard[0].data["text"] == "hi" && heard[0].data["thread_id"] == "1")
        #expect(NamedMessage(resource: "teams('a')/channels('b')/messages('c')/../x") == nil)
    }

    @Test("The hub is known among authors by what each platform says of it")
    func authors() throws {
        func heard(_ kind: ChannelPlatform.Kind, _ event: String) throws -> HeardMessage {
            try #require(HeardMessage.read(try JSON(parsing: Array(event.utf8)), from: kind).first)
        }
        let discord = try heard(
            .discord,
            #"{"id":"5","channel_id":"42","content":"hi","author":{"id":"7","bot":true},"application_id":"9"}"#)
        #expect(discord.isOwn(OwnIdentity(user: "7"), .discord))
        #expect(discord.isOwn(OwnIdentity(user: "8", application: "9"), .discord))
        #expect(!discord.isOwn(OwnIdentity(user: "8", application: "10"), .discord))
        let telegram = try heard(
            .telegram, #"{"message":{"message_id":5,"chat":{"id":1},"from":{"id":7,"is_bot":true},"text":"hi"}}"#)
        #expect(telegram.isOwn(OwnIdentity(user: "7"), .telegram) && !telegram.isOwn(OwnIdentity(user: "8"), .telegram))
        let teams = try heard(
            .microsoftTeams,
            #"{"id":"5","channelIdentity":{"channelId":"c"},"from":{"application":{"id":"9"}},"body":{"content":"hi"}}"#
        )
        #expect(teams.isOwn(OwnIdentity(user: "7", application: "9"), .microsoftTeams))
        // A person's token posts in the person's name, who writes by hand, too.
        let person = try heard(
            .microsoftTeams,
            #"{"id":"5","channelIdentity":{"channelId":"c"},"from":{"user":{"id":"7"}},"body":{"content":"hi"}}"#)
        #expect(!person.isOwn(OwnIdentity(user: "7"), .microsoftTeams))
    }

    @Test("A text of any length and kind fits into an event, cut where it must be")
    func cut() {
        for (text, isCut) in [
            (String(repeating: "x", count: 40_000), true), (String(repeating: "\u{1}", count: 10_000), true),
            (String(repeating: "😀", count: 10_000), true), ("short", false),
        ] {
            let cut = HeardMessage.cut(text, to: Platforms.longestHeard)
            #expect(cut.isCut == isCut && text.hasPrefix(cut.text))
            #expect(JSON.string(cut.text).bytes.count <= Platforms.longestHeard)
        }
    }

    @Test("A message whose sender died is told of as of unknown outcome, and old ones are forgotten")
    func cutOff() throws {
        let (office, _, channel) = try furnished()
        let known = try #require(Identifier<PlatformChannel>(channel))
        let record = try #require(try office.room.channels(office.scope).find(known, in: office.house.database))
        _ = try office.room.messages(office.scope).begin(Identifier(office.house.world), "x", to: record)
        try office.room.tidy()
        #expect(try !office.events().contains { $0.type == "channel.message_failed" })
        office.house.pass(.minutes(3))
        for _ in 0..<2 { try office.room.tidy() }
        #expect(try office.events().filter { $0.type == "channel.message_failed" }.count == 1)
        office.house.pass(.days(31))
        try office.room.tidy()
        #expect(try office.house.database.row("SELECT id FROM channel_messages LIMIT 1") == nil)
    }
}
