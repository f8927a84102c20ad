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

/// Channels: fetched, renewed, marked, set.
@Suite(.timeLimit(.minutes(30))) struct Channels {
    private func ids(_ json: JSON?) -> [String] { (json?.elements ?? []).compactMap { $0["id"]?.text } }

    @Test("Slack's channels are fetched page by page, a busy Slack being left in peace for as long as it says")
    func slack() throws {
        let office = try Office()
        let busy = Lock(true)
        office.answer { request in
            let first = line(of: request)
            guard first.hasPrefix("GET /api/conversations.list") else {
                return StandIn.json(200, #"{"ok":true,"user_id":"U1","bot_id":"B1"}"#)
            }
            guard request.contains("uthorization: Bearer xoxb-1234567890"), first.contains("limit=200"),
                first.contains("types=public_channel%2Cprivate_channel")
            else { return StandIn.json(400, "{}") }
            if first.contains("cursor=dGVhbTpDMg%3D%3D") {
                return StandIn.json(
                    200,
                    #"{"ok":true,"channels":[{"id":"C2","name":"design","is_private":true,"topic":{"value":""}}],"response_metadata":{"next_cursor":""}}"#
                )
            }
            if busy.withLock({ busy in
                defer { busy = false }
                return busy
            }) {
                return
                    "HTTP/1.1 429 Too Many\r\nRetry-After: 3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            }
            return StandIn.json(
                200,
                #"{"ok":true,"channels":[{"id":"C1","name":"general","topic":{"value":"All of us"}}],"response_metadata":{"next_cursor":"dGVhbTpDMg=="}}"#
            )
        }
        let id = try office.integration()
        let synced = try office.json(.post, "/\(id)/sync-channels")
        #expect(
            synced.status == 200 && (synced.body.members ?? []).map(\.name) == ["success", "channelCount", "channels"])
        #expect(synced.body["channelCount"] == 2)
        #expect(
            synced.body["channels"] == [
                ["id": "C1", "name": "general", "type": "public", "topic": "All of us", "serverId": "T0123456789"],
                ["id": "C2", "name": "design", "type": "private", "topic": .null, "serverId": "T0123456789"],
            ])
        #expect(office.rests.withLock { $0 } == [.seconds(3)])
        // Who the hub is there is learnt with the channels, so that its own messages are known.
        let known = try #require(Identifier<PlatformIntegration>(id))
        #expect(try office.room.find(known, office.scope).own == OwnIdentity(user: "U1", bot: "B1"))
    }

    @Test("A platform that asks for more patience than anybody has is told as 503 with when to come again")
    func tooBusy() throws {
        let office = try Office { _ in
            "HTTP/1.1 429 Too Many\r\nRetry-After: 90\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        }
        let answer = try office.json(.post, "/\(office.integration())/sync-channels")
        #expect(answer.status == 503 && answer.body["code"] == "platform_busy")
        #expect(answer.response.headers["retry-after"] == "90" && office.rests.withLock { $0 }.isEmpty)
    }

    @Test("Discord's servers and their channels are fetched, categories left out, buckets not overdrawn")
    func discord() throws {
        let office = try Office { request in
            guard request.contains("uthorization: Bot abc.def.ghi") else { return StandIn.json(401, "{}") }
            switch line(of: request).split(separator: " ")[1] {
            case "/api/v10/users/@me/guilds?limit=200": return StandIn.json(200, #"[{"id":"9876543210987654321"}]"#)
            case "/api/v10/guilds/9876543210987654321/channels":
                let body = #"""
                    [{"id":"1","name":"General","type":4},{"id":"1234567890123456789","name":"general","type":0,"topic":"General discussion"},
                     {"id":"5678901234567890123","name":"voices","type":2,"topic":null}]
                    """#
                return StandIn.json(200, body).replacing(
                    "connection: close",
                    with: "x-ratelimit-remaining: 0\r\nx-ratelimit-reset-after: 0.25\r\nconnection: close")
            default: return StandIn.json(200, #"{"id":"77","username":"bot"}"#)
            }
        }
        let id = try office.integration("discord", config: #"{"bot_token":"abc.def.ghi"}"#)
        let synced = try office.json(.post, "/\(id)/sync-channels")
        #expect(
            synced.body["channels"] == [
                [
                    "id": "1234567890123456789", "name": "general", "type": "text", "topic": "General discussion",
                    "serverId": "9876543210987654321",
                ],
                [
                    "id": "5678901234567890123", "name": "voices", "type": "voice", "topic": .null,
                    "serverId": "9876543210987654321",
                ],
            ])
        #expect(office.rests.withLock { $0 } == [.milliseconds(250)])
    }

    @Test("Graph's teams and channels are fetched with what a connection lends; a next page elsewhere is not followed")
    func teams() throws {
        let office = try Office()
        let connection = Identifier<Connection>(office.house.world)
        office.lent.withLock {
            $0[connection] = ConnectionCredentials(
                provider: "microsoft_teams", values: Secret(["access_token": "eyJ-lent"]))
        }
        let next = Lock("https://graph.microsoft.com/v1.0/me/joinedTeams?$skiptoken=2")
        office.answer { request in
            guard request.contains("uthorization: Bearer eyJ-lent") else { return StandIn.json(401, "{}") }
            switch line(of: request).split(separator: " ")[1] {
            case "/v1.0/me/joinedTeams":
                return StandIn.json(200, #"{"value":[{"id":"t1"}],"@odata.nextLink":"\#(next.withLock { $0 })"}"#)
            case "/v1.0/me/joinedTeams?$skiptoken=2": return StandIn.json(200, #"{"value":[{"id":"t2"}]}"#)
            case "/v1.0/teams/t1/channels":
                return StandIn.json(200, #"{"value":[{"id":"19:a@thread.tacv2","displayName":"General"}]}"#)
            case "/v1.0/teams/t2/channels":
                return StandIn.json(
                    200,
                    #"{"value":[{"id":"19:b@thread.tacv2","displayName":"Ops","description":"Operations","membershipType":"private"}]}"#
                )
            default: return StandIn.json(200, #"{"id":"me"}"#)
            }
        }
        let id = try office.integration("teams", config: #"{"connection_id":"\#(connection.text)"}"#)
        let synced = try office.json(.post, "/\(id)/sync-channels")
        #expect(ids(synced.body["channels"]) == ["19:a@thread.tacv2", "19:b@thread.tacv2"])
        #expect(
            synced.body["channels"]?[1] == [
                "id": "19:b@thread.tacv2", "name": "Ops", "type": "private", "topic": "Operations", "serverId": "t2",
            ])
        next.withLock { $0 = "https://evil.example/v1.0/me" }
        #expect(try office.json(.post, "/\(id)/sync-channels").status == 502)
        #expect(!office.service.requests.contains { $0.contains("evil.example") })
        office.lent.withLock { $0[connection] = nil }
        let gone = try office.json(.post, "/\(id)/sync-channels")
        #expect(gone.status == 409 && gone.body["code"] == "not_configured")
    }

    @Test("A sync keeps settings, renews names, marks what vanished and takes back what returns")
    func settingsStay() throws {
        let office = try Office()
        let listed = Lock(#"[{"id":"C1","name":"zebra"},{"id":"C2","name":"apple"}]"#)
        office.answer { _ in StandIn.json(200, #"{"ok":true,"user_id":"U","channels":\#(listed.withLock { $0 })}"#) }
        let id = try office.integration()
        try office.json(.post, "/\(id)/sync-channels")
        var channels = try office.json(.get, "/\(id)/channels").body["channels"]?.elements ?? []
        #expect(channels.compactMap { $0["channel_name"]?.text } == ["apple", "zebra"])
        #expect(
            (channels[0].members ?? []).map(\.name) == [
                "id", "integration_id", "platform_channel_id", "platform_server_id", "channel_name", "channel_type",
                "channel_topic", "auto_sync_messages", "sync_direction", "lvng_conversation_id", "created_at",
                "updated_at",
            ])
        #expect(channels[0]["auto_sync_messages"] == false && channels[0]["sync_direction"] == .null)
        let apple = try #require(channels[0]["id"]?.text)
        let patched = try office.json(
            .patch, "/channels/\(apple)",
            #"{"auto_sync_messages":true,"sync_direction":"both","lvng_conversation_id":"e5f6a7b8-c9d0-1e2f-3a4b-5c6d7e8f9a0b"}"#
        )
        #expect(
            (patched.body["channel"]?.members ?? []).map(\.name) == [
                "id", "integration_id", "platform_channel_id", "channel_name", "auto_sync_messages", "sync_direction",
                "lvng_conversation_id", "updated_at",
            ])
        listed.withLock { $0 = #"[{"id":"C1","name":"yak"}]"# }
        try office.json(.post, "/\(id)/sync-channels")
        channels = try office.json(.get, "/\(id)/channels").body["channels"]?.elements ?? []
        #expect(channels.compactMap { $0["channel_name"]?.text } == ["apple", "yak"])
        #expect(channels[0]["vanished_at"] != nil && channels[1]["vanished_at"] == nil)
        listed.withLock { $0 = #"[{"id":"C1","name":"yak"},{"id":"C2","name":"apples"}]"# }
        try office.json(.post, "/\(id)/sync-channels")
        let back = try office.json(.get, "/\(id)/channels").body["channels"]?[0]
        #expect(back?["id"]?.text == apple && back?["channel_name"] == "apples" && back?["vanished_at"] == nil)
        #expect(back?["sync_direction"] == "both" && back?["auto_sync_messages"] == true)
        #expect(back?["lvng_conversation_id"] == "e5f6a7b8-c9d0-1e2f-3a4b-5c6d7e8f9a0b")
    }

    @Test(
        "Settings that are none are refused by name, null takes one away",
        arguments: [
            (#"{"sync_direction":"sideways"}"#, 422), (#"{"lvng_conversation_id":"7"}"#, 422),
            (#"{"auto_sync_messages":"maybe"}"#, 422), (#"{"channel_name":"mine"}"#, 422),
            (#"{"sync_direction":null,"lvng_conversation_id":null}"#, 200), ("{}", 200),
        ])
    func settings(body: String, status: Int) throws {
        let office = try Office { _ in
            StandIn.json(200, #"{"ok":true,"user_id":"U","channels":[{"id":"C1","name":"a"}]}"#)
        }
        let id = try office.integration()
        try office.json(.post, "/\(id)/sync-channels")
        let channel = try #require(try office.json(.get, "/\(id)/channels").body["channels"]?[0]?["id"]?.text)
        try office.json(.patch, "/channels/\(channel)", #"{"sync_direction":"inbound"}"#)
        let answer = try office.json(.patch, "/channels/\(channel)", body)
        #expect(answer.status == status)
        if status == 200, body != "{}" { #expect(answer.body["channel"]?["sync_direction"] == .null) }
    }

    @Test(
        "A channel with a direction is synced until somebody says that it is not, in answers, lists and on pages alike",
        arguments: [
            ("{}", false), (#"{"sync_direction":"both"}"#, true), (#"{"sync_direction":"outbound"}"#, true),
            (#"{"sync_direction":"inbound","auto_sync_messages":false}"#, false),
            (#"{"auto_sync_messages":true}"#, true),
        ])
    func synced(settings: String, isSynced: Bool) throws {
        let office = try Office { _ in
            StandIn.json(200, #"{"ok":true,"user_id":"U","channels":[{"id":"C1","name":"a"}]}"#)
        }
        let id = try office.integration()
        try office.json(.post, "/\(id)/sync-channels")
        let channel = try #require(try office.json(.get, "/\(id)/channels").body["channels"]?[0]?["id"]?.text)
        let patched = try office.json(.patch, "/channels/\(channel)", settings)
        #expect(patched.body["channel"]?["auto_sync_messages"] == .bool(isSynced))
        let listed = try office.json(.get, "/\(id)/channels").body["channels"]?[0]
        #expect(listed?["auto_sync_messages"] == .bool(isSynced))
        let page = try office.page(.get, "/platforms/\(id)").text()
        let box = try #require(page.firstMatch(of: /<input type="checkbox" name="auto_sync_messages"[^>]*>/)).0
        #expect(box.contains("checked") == isSynced)
    }

    @Test(
        "A direction that is chosen on the page counts, though nobody ticks what was not ticked; unticking counts, too")
    func untouched() throws {
        let office = try Office { _ in
            StandIn.json(200, #"{"ok":true,"user_id":"U","channels":[{"id":"C1","name":"a"}]}"#)
        }
        let id = try office.integration()
        try office.json(.post, "/\(id)/sync-channels")
        let channel = try #require(try office.json(.get, "/\(id)/channels").body["channels"]?[0]?["id"]?.text)
        let isSynced = { try office.json(.get, "/\(id)/channels").body["channels"]?[0]?["auto_sync_messages"] }
        for expected in [true, false, false] {
            let saved = try office.page(.post, "/platforms/channels/\(channel)", form: [("sync_direction", "inbound")])
            #expect(try saved.status == 303 && isSynced() == .bool(expected))
        }
    }

    @Test("A channel that is added while a slow sync is on its way is not marked as gone by it")
    func addedMeanwhile() throws {
        let office = try Office()
        let found = try #require(
            FoundChannel(id: "C9", name: "new", kind: "public", topic: nil, serverID: nil))
        let (id, room, scope) = (try office.integration(), office.room, try office.scope)
        let known = try #require(Identifier<PlatformIntegration>(id))
        office.answer { _ in StandIn.json(200, #"{"ok":true,"user_id":"U","channels":[{"id":"C1","name":"a"}]}"#) }
        try office.json(.post, "/\(id)/sync-channels")
        office.answer { request in
            guard line(of: request).contains("conversations.list") else { return StandIn.json(200, #"{"ok":true}"#) }
            try? office.house.database.transaction { try room.channels(scope).upsert([found], of: known, in: $0) }
            return StandIn.json(200, #"{"ok":true,"channels":[{"id":"C2","name":"b"}]}"#)
        }
        try office.json(.post, "/\(id)/sync-channels")
        let listed = try office.json(.get, "/\(id)/channels").body["channels"]?.elements ?? []
        #expect(listed.map { $0["channel_name"]?.text } == ["a", "b", "new"])
        #expect(listed.map { $0["vanished_at"] != nil } == [true, false, false])
    }

    @Test("A configuration is opened once and not at each use, also where a connection lends the credentials")
    func openedOnce() throws {
        let office = try Office { _ in StandIn.json(200, #"{"ok":true,"user_id":"U1","bot_id":"B1"}"#) }
        let connection = Identifier<Connection>(office.house.world)
        office.lent.withLock {
            $0[connection] = ConnectionCredentials(provider: "slack", values: Secret(["access_token": "xoxb-lent"]))
        }
        let id = try office.integration(config: #"{"connection_id":"\#(connection.text)"}"#)
        #expect(try office.json(.post, "/\(id)/test").body == ["success": true])
        try office.house.database.execute("UPDATE platform_integrations SET config_sealed = 'x'")
        #expect(try office.json(.post, "/\(id)/test").body == ["success": true])
        office.lent.withLock {
            $0[connection] = ConnectionCredentials(provider: "slack", values: Secret(["access_token": "xoxb-newer"]))
        }
        #expect(try office.json(.post, "/\(id)/test").body == ["success": true])
        #expect(office.service.requests.last?.contains("xoxb-newer") == true)
    }

    @Test("A Telegram chat is added by its id, looked up by a sync, and marked when the bot is no longer in it")
    func telegram() throws {
        let office = try Office()
        let isThere = Lock(true)
        office.answer { request in
            let path = String(line(of: request).split(separator: " ")[1])
            if path == "/bot123:abc/getChat?chat_id=-1001234567890", isThere.withLock({ $0 }) {
                return StandIn.json(
                    200,
                    #"{"ok":true,"result":{"id":-1001234567890,"type":"supergroup","title":"Ops","description":"On call"}}"#
                )
            }
            if path == "/bot123:abc/getMe" { return StandIn.telegram }
            return StandIn.json(400, #"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#)
        }
        let id = try office.integration("telegram", config: #"{"bot_token":"123:abc"}"#)
        let added = try office.json(.post, "/\(id)/channels", #"{"platform_channel_id":"-1001234567890"}"#)
        #expect(added.status == 201 && added.body["channel"]?["channel_name"] == "Ops")
        #expect(
            added.body["channel"]?["channel_type"] == "supergroup"
                && added.body["channel"]?["channel_topic"] == "On call")
        let unknown = try office.json(.post, "/\(id)/channels", #"{"platform_channel_id":"7"}"#)
        #expect(unknown.status == 422)
        #expect(try office.json(.post, "/\(id)/sync-channels").body["channelCount"] == 1)
        isThere.withLock { $0 = false }
        #expect(try office.json(.post, "/\(id)/sync-channels").body["channelCount"] == 0)
        let channels = try office.json(.get, "/\(id)/channels").body["channels"]?.elements ?? []
        #expect(channels.count == 1 && channels[0]["vanished_at"] != nil)
        let slack = try office.integration()
        #expect(try office.json(.post, "/\(slack)/channels", #"{"platform_channel_id":"C1"}"#).status == 409)
    }

    @Test("A test notes what came of it, and tells others when it is another outcome than before")
    func tested() throws {
        let office = try Office { _ in StandIn.json(200, #"{"ok":true,"user_id":"U1","bot_id":"B1"}"#) }
        let id = try office.integration()
        for _ in 0..<2 { #expect(try office.json(.post, "/\(id)/test").body == ["success": true]) }
        var shown = try office.json(.get, "/\(id)").body["integration"]
        #expect(shown?["connected"] == true && shown?["last_connected_at"] != .null)
        office.answer { _ in StandIn.json(200, #"{"ok":false,"error":"token_revoked xoxb-1234567890"}"#) }
        let failed = try office.json(.post, "/\(id)/test")
        #expect(failed.status == 200 && failed.body["success"] == false)
        shown = try office.json(.get, "/\(id)").body["integration"]
        #expect(shown?["connected"] == false && shown?["connection_error"] == failed.body["error"])
        #expect(shown?["connection_error"]?.text?.contains("xoxb") == false)
        #expect(
            try office.events().map(\.type) == ["platform_integration.connected", "platform_integration.error"])
        let bare = try office.integration("discord", config: "{}")
        let missing = try office.json(.post, "/\(bare)/test")
        #expect(missing.body["success"] == false && missing.body["error"]?.text?.contains("bot_token") == true)
        #expect(try office.json(.post, "/\(bare)/sync-channels").body["code"] == "not_configured")
    }

    @Test("A changed configuration is used from the next call on, in every process that has the old one in memory")
    func changedConfiguration() throws {
        let office = try Office { request in
            StandIn.json(200, #"{"ok":true,"user_id":"\#(request.contains("xoxb-new") ? "NEW" : "OLD")","bot_id":"B"}"#)
        }
        let id = try office.integration()
        let known = try #require(Identifier<PlatformIntegration>(id))
        let record = { try office.room.find(known, office.scope) }
        try office.json(.post, "/\(id)/test")
        #expect(try record().own.user == "OLD" && office.room.instances.count == 1)
        // Another worker changes it: nobody tells this one.
        let old = office.room.instances
        try office.json(.patch, "/\(id)", #"{"config":{"bot_token":"xoxb-new"}}"#)
        #expect(try record().isConnected == nil && record().own == OwnIdentity() && old.count == 1)
        try office.json(.post, "/\(id)/test")
        #expect(try record().own.user == "NEW")
        let requests = office.service.requests
        #expect(requests.count == 2 && requests[1].contains("xoxb-new"))
    }
}
