import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import ThreadKit
import TimeKit

@testable import Inbound

@Suite("What services send")
struct ReceivingTests {
    private static let secret = "8f742231b10e8888abcd99baac2bcd1e"

    private func slack(_ mail: Mailroom) throws -> Mailroom.Source {
        try mail.source(["provider": "slack", "secret": .string(Self.secret)])
    }

    @Test("An event that is signed is stored before it is answered, and published as inbound.{provider}.{type}")
    func taken() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        let body = #"{ "type":"event_callback","event_id":"Ev1","event":{"type":"message","text":"h\u00e9"} }"# + "\r\n"
        let answer = try mail.post(source.path, body, mail.slack(body, secret: Self.secret))
        #expect(answer.status == 200 && answer.text.isEmpty)
        #expect(try mail.count("inbound_events", "state = 'waiting'") == 1)
        #expect(try mail.work() == 1)
        let told = try mail.published()
        #expect(told.map(\.type) == ["inbound.slack.message"])
        #expect(told[0].data["payload"]?["event"]?["text"] == "hé" && told[0].data["event_id"] == "Ev1")
        #expect(told[0].data["source_id"]?.text == source.id && told[0].data["is_replay"] == false)
        let listed = try mail.api(.get, "inbound-events")
        let id = try #require(listed.json["data"]?[0]?["id"]?.text)
        #expect(listed.json["data"]?[0]?["verdict"] == ["verified": true, "scheme": "slack", "key": "current"])
        let shown = try mail.api(.get, "inbound-events/\(id)")
        #expect(shown.json["body"]?.text == body, "byte for byte")
        #expect(shown.json["state"] == "published" && shown.json["times"] == 1)
    }

    @Test("Nothing of what comes in stands in the database as it is")
    func sealed() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        let body = #"{"type":"x","event_id":"E","say":"Zauberwort"}"#
        _ = try mail.post(source.path, body, mail.slack(body, secret: Self.secret))
        _ = try mail.post(source.path, body, [:])
        for (table, column) in [
            ("inbound_events", "content_sealed"), ("inbound_refusals", "content_sealed"),
            ("inbound_sources", "secret_sealed"),
        ] {
            for word in ["Zauberwort", Self.secret] {
                let row = try mail.house.database.row(
                    """
                    SELECT COUNT(*) AS n, COALESCE(SUM(INSTR(\(unescaped: column), \(word))), 0) AS found
                      FROM \(unescaped: table)
                    """)
                let (count, found): (Int, Int) = (try #require(row).get("n"), try #require(row).get("found"))
                #expect(count == 1 && found == 0, "\(table)")
            }
        }
    }

    @Test("An address that there is not, a source without a secret and a wrong signature are answered alike")
    func alike() throws {
        let mail = try Mailroom()
        let (open, closed) = (try slack(mail), try mail.source(["provider": "stripe"]))
        let unknown = "/inbound/" + Identifier<InboundAddress>(.real).text
        let wrong = mail.slack("{}", secret: "wrong")
        var answers: [String] = []
        for path in [open.path, closed.path, unknown] {
            let answer = try mail.post(path, "{}", wrong)
            #expect(answer.status == 401)
            var headers = ""
            answer.response.headers.forEach { headers += "\($0): \($1)\n" }
            answers.append(headers + answer.text)
            #expect(!answer.text.contains("{}"), "no echo")
        }
        #expect(Set(answers).count == 1)
        #expect(try mail.count("inbound_events") == 0)
        let shown = try mail.api(.get, "inbound-sources/\(closed.id)")
        #expect(shown.json["state"] == "closed" && shown.json["has_secret"] == false)
    }

    @Test("Headers that are missing, doubled or odd are refused, and so is a request by GET")
    func odd() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        var headers = mail.slack("{}", secret: Self.secret)
        #expect(try mail.post(source.path, "{} ", headers).status == 401)
        headers.add("x-slack-signature", headers["x-slack-signature"] ?? "")
        #expect(try mail.post(source.path, "{}", headers).status == 401)
        headers["x-slack-signature"] = "v0=zz"
        #expect(try mail.post(source.path, "{}", headers).status == 401)
        #expect(try mail.answer(mail.door.send(.get, source.path, as: nil)).status == 401)
        #expect(try mail.answer(mail.door.send(.put, source.path, as: nil)).status == 405)
        #expect(try mail.count("inbound_events") == 0 && mail.count("inbound_refusals") == 3)
    }

    @Test("The same event a hundred times at once is one, and is counted")
    func repeated() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        let body = #"{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}"#
        let headers = mail.slack(body, secret: Self.secret)
        let statuses = try inThreads(20) { _ in
            try (0..<5).map { _ in try mail.post(source.path, body, headers).status }
        }
        #expect(statuses.flatMap { $0 }.allSatisfy { $0 == 200 })
        #expect(try mail.count("inbound_events") == 1 && mail.count("inbound_events", "times = 100") == 1)
        try mail.work()
        #expect(try mail.published().count == 1)
        _ = try mail.post(source.path, body, headers)
        try mail.work()
        #expect(try mail.published().count == 1, "once published, it stays so")
        let other = try slack(mail)
        _ = try mail.post(other.path, body, headers)
        #expect(try mail.count("inbound_events") == 2, "ids are each source's own")
    }

    @Test("Many events at once are all there")
    func many() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        _ = try inThreads(16) { thread in
            for number in 0..<25 {
                let body = #"{"type":"t","event_id":"\#(thread)-\#(number)"}"#
                let status = try mail.post(source.path, body, mail.slack(body, secret: Self.secret)).status
                #expect(status == 200)
            }
        }
        #expect(try mail.count("inbound_events") == 400)
        #expect(try mail.work() == 400)
        #expect(Set(try mail.published().compactMap { $0.data["event_id"]?.text }).count == 400)
    }

    @Test("Hand-shakes are answered as each service asks, and only to who is known")
    func handshakes() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        let asked = #"{"type":"url_verification","challenge":"3eZbrw1a"}"#
        let answer = try mail.post(source.path, asked, mail.slack(asked, secret: Self.secret))
        #expect(answer.status == 200 && answer.json == ["challenge": "3eZbrw1a"])
        #expect(try mail.post(source.path, asked, mail.slack(asked, secret: "x")).status == 401)

        let key = Ed25519.PrivateKey.random()
        let discord = try mail.source(["provider": "discord", "secret": .string(Hex.encode(key.publicKey))])
        func signed(_ body: String) -> Headers {
            let time = "\(mail.house.world.now().seconds)"
            return [
                "x-signature-timestamp": time, "x-signature-ed25519": Hex.encode(key.sign(Array((time + body).utf8))),
                "content-type": "application/json",
            ]
        }
        let ping = #"{"type":1,"id":"1","token":"x"}"#
        #expect(try mail.post(discord.path, ping, signed(ping)).json == ["type": 1])
        var probe = signed(ping)
        probe["x-signature-ed25519"] = String(repeating: "0", count: 128)
        #expect(try mail.post(discord.path, ping, probe).status == 401, "Discord tries this on purpose")
        let event = #"{"version":1,"type":0}"#
        let pinged = try mail.post(discord.path, event, signed(event))
        #expect(pinged.status == 204 && pinged.response.headers["content-type"] == "application/json")
        let command = #"{"type":2,"id":"2","token":"x"}"#
        #expect(try mail.post(discord.path, command, signed(command)).json == ["type": 5])
        #expect(try mail.count("inbound_events") == 1, "what is no event is not stored")
    }

    @Test("Meta's question is answered with its challenge as text, when it says the right token")
    func challenge() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "facebook", "secret": "app secret"])
        let token = try #require(source.json["verify_token"]?.text)
        func ask(_ path: String, _ query: String) throws -> Mailroom.Answer {
            try mail.answer(mail.door.send(.get, path, as: nil, query: query))
        }
        let right = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=\(token)"
        let answer = try ask(source.path, right)
        #expect(answer.status == 200 && answer.text == "1158201444")
        #expect(answer.response.headers["content-type"] == "text/plain; charset=utf-8")
        for wrong in [
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=x", "hub.mode=subscribe&hub.challenge=1",
            "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=\(token)", right + "&hub.verify_token=\(token)",
            "hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=\(token)", "",
        ] {
            #expect(try ask(source.path, wrong).status == 401, "\(wrong)")
        }
        #expect(try ask(try slack(mail).path, right).status == 401, "only where it is configured")
    }

    @Test("Notion's token is taken once, while the source waits for one, and shown to an administrator once")
    func notion() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "notion"])
        let said = #"{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"}"#
        #expect(try mail.post(source.path, said, ["content-type": "application/json"]).status == 200)
        let other = #"{"verification_token":"secret_of_somebody_else"}"#
        #expect(try mail.post(source.path, other, [:]).status == 401, "the first one counts")
        #expect(try mail.api(.get, "inbound-sources/\(source.id)").json["has_new_verification_token"] == true)
        let shown = try mail.api(.post, "inbound-sources/\(source.id)/verification-token")
        let token = try #require(shown.json["verification_token"]?.text)
        #expect(token.hasPrefix("secret_tMr") && shown.response.headers["cache-control"] == "no-store")
        #expect(try mail.api(.post, "inbound-sources/\(source.id)/verification-token").status == 409)
        let body = #"{"id":"e1","type":"page.created"}"#
        let code = Hex.encode(HMAC.sha256(Array(body.utf8), key: Array(token.utf8)))
        #expect(try mail.post(source.path, body, ["x-notion-signature": "sha256=\(code)"]).status == 200)
        try mail.work()
        #expect(try mail.published().map(\.type) == ["inbound.notion.page.created"])
    }

    @Test("A Notion source takes the next token while the one before still counts, and when it has ended")
    func nextToken() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "notion"])
        var sent = 0
        func give(_ token: String) throws -> Int {
            try mail.post(source.path, #"{"verification_token":"\#(token)"}"#, [:]).status
        }
        func isTaken(_ token: String) throws -> Bool {
            sent += 1
            let body = #"{"id":"e\#(sent)","type":"page.created"}"#
            let code = Hex.encode(HMAC.sha256(Array(body.utf8), key: Array(token.utf8)))
            return try mail.post(source.path, body, ["x-notion-signature": "sha256=\(code)"]).status == 200
        }
        func shown() throws -> JSON { try mail.api(.get, "inbound-sources/\(source.id)").json }
        #expect(try give("first-token") == 200 && isTaken("first-token"))
        #expect(try mail.api(.post, "inbound-sources/\(source.id)/rotate-secret", [:]).status == 200)
        #expect(try shown()["state"] == "open" && shown()["has_secret"] == false, "the one before counts for a day")
        #expect(try mail.room.attentionCount(mail.house.scope(of: mail.admin)) == 0)
        #expect(try isTaken("first-token"))
        #expect(try give("second-token") == 200)
        #expect(try isTaken("second-token") && isTaken("first-token"))
        #expect(try give("third-token") == 401, "there is one now")
        mail.house.pass(.hours(25))
        #expect(try !isTaken("first-token") && isTaken("second-token"))

        #expect(try mail.api(.post, "inbound-sources/\(source.id)/rotate-secret", ["grace_seconds": 60]).status == 200)
        mail.house.pass(.seconds(61))
        #expect(try shown()["state"] == "closed" && !isTaken("second-token"))
        #expect(try mail.room.attentionCount(mail.house.scope(of: mail.admin)) == 1)
        #expect(try give("third-token") == 200 && isTaken("third-token"))
    }

    @Test("While the next token is awaited, neither asking again nor a pasted one cuts the one before short")
    func nextTokenByHand() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "notion", "secret": "first-token"])
        let path = "inbound-sources/\(source.id)/rotate-secret"
        func ends(_ terms: JSON) throws -> JSON? { try mail.api(.post, path, terms).json["previous_secret_ends_at"] }
        let end = try ends(["grace_seconds": 3_600])
        #expect(end != .null)
        #expect(try ends([:]) == end && ends(["secret": "pasted-token"]) == end)
    }

    @Test("A body that is no JSON is refused as such, but kept when its sender is known")
    func malformed() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "github", "secret": "s3cret-s3cret"])
        let bodies: [[UInt8]] = [
            Array(#"{"a":"#.utf8), [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d], Array(#"{"a":1,"a":2}"#.utf8),
            Array((String(repeating: "[", count: 100) + String(repeating: "]", count: 100)).utf8),
        ]
        for (number, body) in bodies.enumerated() {
            let answer = try mail.post(
                source.path, body, mail.github(body, secret: "s3cret-s3cret", id: "d-\(number)"))
            #expect(answer.status == 400 && answer.code == "malformed_body")
        }
        let dead = try mail.api(.get, "inbound-events", query: "state=dead")
        let all = try #require(dead.json["data"]?.elements)
        #expect(all.count == bodies.count && all.allSatisfy { $0["error"]?.text != nil })
        let ids = all.compactMap { $0["id"]?.text }
        let kept = try ids.map { try mail.api(.get, "inbound-events/\($0)").json }
        let raw = kept.compactMap {
            $0["body_base64"]?.text.flatMap(Base64.decode) ?? $0["body"]?.text.map { Array($0.utf8) }
        }
        #expect(Set(raw) == Set(bodies), "byte for byte")
        #expect(try mail.work() == 0)
    }

    @Test("A body that does not call itself JSON is taken, whatever it begins with", arguments: ["text/plain", ""])
    func plain(type: String) throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "custom_webhook", "scheme": "hmac", "secret": "s3cret-s3cret"])
        for body in ["[2027-01-31] disk full", "{{ alert }}", #"{"type":"disk.full"}"#] {
            let code = Hex.encode(HMAC.sha256(Array(body.utf8), key: Array("s3cret-s3cret".utf8)))
            var headers: Headers = ["x-signature": "sha256=\(code)"]
            if !type.isEmpty { headers["content-type"] = type }
            #expect(try mail.post(source.path, body, headers).status == 200, "\(body)")
        }
        try mail.work()
        let told = try mail.published()
        #expect(Set(told.map(\.type)) == ["inbound.custom_webhook.event", "inbound.custom_webhook.disk.full"])
        #expect(told.compactMap { $0.data["payload_left_out"]?.text } == ["not_json", "not_json"])
    }

    @Test("A body beyond the source's limit is 413, and GitHub's may have 25 MB, stored in parts")
    func limits() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        let long = String(repeating: " ", count: 1_048_577)
        let answer = try mail.post(source.path, long, mail.slack(long, secret: Self.secret))
        #expect(answer.status == 413 && answer.code == "body_too_large")
        let github = try mail.source(["provider": "github", "secret": "s3cret-s3cret"])
        let body = Array(#"{"x":""#.utf8) + [UInt8](repeating: 0x61, count: 9_000_000) + Array(#""}"#.utf8)
        for _ in 0..<2 {
            #expect(try mail.post(github.path, body, mail.github(body, secret: "s3cret-s3cret")).status == 200)
        }
        #expect(try mail.count("inbound_parts") == 3 && mail.count("inbound_events", "times = 2") == 1)
        try mail.work()
        let told = try mail.published()
        #expect(told.map(\.type) == ["inbound.github.push"] && told[0].data["payload"] == .null)
        #expect(told[0].data["payload_left_out"] == "too_large")
        let id = try #require(told[0].data["inbound_event_id"]?.text)
        let shown = try mail.api(.get, "inbound-events/\(id)")
        #expect(shown.json["body"]?.text?.utf8.elementsEqual(body) == true)
    }

    @Test("More than a source takes in a minute is 429 and says when to come back")
    func pace() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret), "per_minute": 3])
        let headers = mail.slack("{}", secret: Self.secret)
        let statuses = try (0..<5).map { _ in try mail.post(source.path, "{}", headers) }
        #expect(statuses.map(\.status) == [200, 200, 200, 429, 429])
        #expect(statuses[4].response.headers["retry-after"] != nil)
        #expect(try mail.post(try slack(mail).path, "{}", headers).status == 200, "each source has its own")
    }

    @Test("Who tries addresses is held up after a while, without a look at the database, and holds up nobody else")
    func guessing() throws {
        var settings = Inbound.Settings()
        settings.refusalsPerMinute = 3
        let looks = Lock(0)
        let mail = try Mailroom(
            settings: settings,
            sources: [
                { _ in
                    looks.withLock { $0 += 1 }
                    return nil
                }
            ])
        let source = try slack(mail)
        func send() throws -> Int {
            try mail.post(source.path, "{}", mail.slack("{}", secret: Self.secret)).status
        }
        #expect(try send() == 200)
        let statuses = try (0..<5).map { _ in
            try mail.post("/inbound/" + Identifier<InboundAddress>(.real).text, "{}", [:]).status
        }
        #expect(statuses == [401, 401, 401, 429, 429])
        #expect(looks.withLock { $0 } == 3, "the others were not looked up")
        #expect(try send() == 200)
        mail.room.changed()
        #expect(try send() == 200, "what was met is looked up anew after a change")
        #expect(
            try mail.post("/inbound/" + Identifier<InboundAddress>(.real).text, "{}", [:], from: "198.51.100.7").status
                == 401)
    }

    @Test("One wrong address, however often it is asked for, keeps no source from being found")
    func insisting() throws {
        var settings = Inbound.Settings()
        settings.refusalsPerMinute = 3
        let mail = try Mailroom(settings: settings)
        let gone = "/inbound/" + Identifier<InboundAddress>(.real).text
        let statuses = try (0..<9).map { _ in try mail.post(gone, "{}", [:]).status }
        #expect(statuses == [401, 401, 401] + [Int](repeating: 429, count: 6))
        let source = try slack(mail)
        #expect(try mail.post(source.path, "{}", mail.slack("{}", secret: Self.secret)).status == 200)
    }

    @Test("A flood of refused requests does not fill the database")
    func flood() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        for _ in 0..<40 { #expect(try mail.post(source.path, "{}", [:]).status == 401) }
        #expect(try mail.count("inbound_refusals") == RefusalStore.mostPerMinute)
        for _ in 0..<4 {
            mail.house.pass(.minutes(2))
            for _ in 0..<30 { _ = try mail.post(source.path, "{}", [:]) }
        }
        #expect(try mail.count("inbound_refusals") == RefusalStore.most)
    }

    @Test("A neighbour's source is asked for by its address, and its platform key is dead once it says so")
    func neighbours() throws {
        let address = Identifier<InboundAddress>(.real)
        let key = Lock<String?>("lvng_plat_" + String(repeating: "ab", count: 24))
        let whose = Lock<Identifier<Organization>?>(nil)
        let integration = Identifier<PlatformIntegration>(.real)
        let mail = try Mailroom(sources: [
            { asked in
                guard asked == address, let organization = whose.withLock({ $0 }) else { return nil }
                let digest = key.withLock { $0 }.map { SHA256.digest($0.utf8) }
                return InboundSource(
                    InboundOrigin(
                        source: Identifier(bytes: integration.bytes) ?? Identifier(.real), organization: organization,
                        provider: "discord", integration: integration),
                    bearers: [InboundSecret(Secret("webhook-secret"))],
                    keyDigest: digest)
            }
        ])
        whose.withLock { $0 = mail.organization }
        let sent = key.withLock { $0 ?? "" }
        func post(_ token: String) throws -> Int {
            try mail.post("/inbound/\(address)", "{}", ["authorization": "Bearer \(token)"]).status
        }
        #expect(try post(sent) == 200 && post("webhook-secret") == 200 && post("other") == 401)
        key.withLock { $0 = nil }
        mail.room.changed()
        #expect(try post(sent) == 401 && post("webhook-secret") == 200)
        try mail.work()
        #expect(try mail.published().allSatisfy { $0.data["integration_id"]?.text == integration.text })
    }

    @Test("Who comes with a bearer is not the service: nothing of theirs is a hand-shake, and each request is an event")
    func relayed() throws {
        let (address, integration) = (Identifier<InboundAddress>(.real), Identifier<PlatformIntegration>(.real))
        let whose = Lock<Identifier<Organization>?>(nil)
        let mail = try Mailroom(sources: [
            { asked in
                guard asked == address, let organization = whose.withLock({ $0 }) else { return nil }
                return InboundSource(
                    InboundOrigin(
                        source: Identifier(bytes: integration.bytes) ?? Identifier(.real), organization: organization,
                        provider: "discord", integration: integration),
                    secrets: [InboundSecret(Secret(String(repeating: "0a", count: 32)))],
                    bearers: [InboundSecret(Secret("webhook-secret"))])
            }
        ])
        whose.withLock { $0 = mail.organization }
        func relay(_ body: String, key: String? = nil) throws -> Mailroom.Answer {
            var headers: Headers = ["authorization": "Bearer webhook-secret", "content-type": "application/json"]
            if let key { headers["idempotency-key"] = key }
            return try mail.post("/inbound/\(address)", body, headers)
        }
        // A message of Discord's has a type, too: 0 is an ordinary one, 1 says that somebody was added.
        for body in [#"{"id":"1","type":0,"content":"a"}"#, #"{"id":"2","type":1}"#] {
            let answer = try relay(body)
            #expect(answer.status == 200 && answer.text.isEmpty)
        }
        let created = #"{"t":"MESSAGE_CREATE","d":{"id":"3"}}"#
        for key in [nil, nil, "k1", "k1", "k2"] { #expect(try relay(created, key: key).status == 200) }
        #expect(try mail.count("inbound_events") == 6 && mail.count("inbound_events", "scheme = 'bearer'") == 6)
        try mail.work()
        let types = try mail.published().map(\.type)
        #expect(types.filter { $0 == "inbound.discord.event" }.count == 2)
        #expect(types.filter { $0 == "inbound.discord.message_create" }.count == 4)
    }

    @Test("While the database is away nothing is taken: 503, and the service comes again")
    func away() throws {
        let mail = try Mailroom()
        let source = try slack(mail)
        #expect(try mail.post(source.path, "{}", mail.slack("{}", secret: Self.secret)).status == 200)
        try mail.house.database.execute("RENAME TABLE inbound_events TO hidden_events")
        let answer = try mail.post(source.path, #"{"a":1}"#, mail.slack(#"{"a":1}"#, secret: Self.secret))
        #expect(answer.status >= 500)
        try mail.house.database.execute("RENAME TABLE hidden_events TO inbound_events")
        #expect(try mail.count("inbound_events") == 1)
    }
}
