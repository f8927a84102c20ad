import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import RoomFixture
import Testing
import TimeKit

@testable import APIKeys

@Suite struct LifeTests {
    let office: Office

    init() throws { office = try Office() }

    private func hash(_ key: JSON) throws -> [UInt8] {
        SHA256.digest(Array(try #require(key["key"]?.text).utf8))
    }

    private func hashes() throws -> (present: [UInt8], previous: [UInt8]?) {
        let row = try #require(try office.house.database.row("SELECT key_hash, previous_hash FROM api_keys"))
        return (try row.get("key_hash"), try row.get("previous_hash"))
    }

    // MARK: Rolling

    @Test("A roll gives another secret once, and the one before lives for a day unless told")
    func roll() throws {
        let key = try office.made()
        let (response, rolled) = try office.send(.post, "/\(key.id)/roll")
        #expect(response.status == 200)
        #expect(response.headers["cache-control"] == "no-store")
        #expect(response.headers["etag"] == "\"2\"")
        #expect(rolled.id == key.id)
        let secret = try #require(rolled["key"]?.text)
        #expect(secret != key["key"]?.text && secret.hasSuffix(rolled["last_four"]?.text ?? "-"))
        #expect(
            rolled["previous"] == [
                "prefix": key["prefix"] ?? .null, "last_four": key["last_four"] ?? .null,
                "ends_at": JSON(office.house.world.now() + .days(1)),
            ])
        #expect(try hashes() == (hash(rolled), hash(key)))
        #expect(try !office.key(key.id).bytes.contains(Array(secret.utf8)))
        office.house.pass(.days(1))
        #expect(try office.key(key.id)["previous"] == .null)
    }

    @Test("Without grace the one before is over at once")
    func rollNow() throws {
        let key = try office.made()
        let (_, rolled) = try office.send(.post, "/\(key.id)/roll", #"{"grace_seconds":0}"#)
        #expect(rolled["previous"] == .null)
        #expect(try hashes() == (hash(rolled), nil))
    }

    @Test(
        "A grace beyond 30 days, below none, or of another kind is refused",
        arguments: ["2592001", "-1", "\"1\"", "1.5"])
    func grace(_ text: String) throws {
        let key = try office.made()
        let (response, body) = try office.send(.post, "/\(key.id)/roll", "{\"grace_seconds\":\(text)}")
        #expect(response.status == 422)
        #expect(body.refusals.first?.hasPrefix("/grace_seconds ") == true)
        #expect(try hashes() == (hash(key), nil))
        #expect(try office.send(.post, "/\(key.id)/roll", #"{"grace":1}"#).body.refusals == ["/grace unknown_field"])
    }

    @Test("A second roll within the grace ends the older secret at once")
    func rollTwice() throws {
        let key = try office.made()
        let first = try office.send(.post, "/\(key.id)/roll", #"{"grace_seconds":2592000}"#).body
        let second = try office.send(.post, "/\(key.id)/roll", #"{"grace_seconds":60}"#).body
        #expect(try hashes() == (hash(second), hash(first)))
        #expect(second["previous"]?["ends_at"] == JSON(office.house.world.now() + .seconds(60)))
    }

    @Test("Of rolls at the same time the last two secrets live, and no other")
    func rollRace() throws {
        let key = try office.made()
        let office = office
        let rolled = try inThreads(20) { _ in
            let (response, body) = try office.send(.post, "/\(key.id)/roll")
            return (response.status.code, body["key"]?.text ?? "", response.headers["etag"] ?? "")
        }
        #expect(rolled.allSatisfy { $0.0 == 200 })
        #expect(Set(rolled.map(\.2)) == Set((2...21).map { "\"\($0)\"" }))
        let byVersion = Dictionary(uniqueKeysWithValues: rolled.map { ($0.2, SHA256.digest(Array($0.1.utf8))) })
        let (present, previous) = try hashes()
        #expect(present == byVersion["\"21\""])
        #expect(previous == byVersion["\"20\""])
    }

    @Test("The previous secret is ended before its time; without one nothing happens")
    func endPrevious() throws {
        let key = try office.made()
        #expect(try office.send(.delete, "/\(key.id)/previous").response.status == 204)
        _ = try office.send(.post, "/\(key.id)/roll")
        #expect(try office.send(.delete, "/\(key.id)/previous").response.status == 204)
        #expect(try hashes().previous == nil)
        #expect(try office.key(key.id)["previous"] == .null)
        #expect(try office.house.auditedActions() == ["api_key.created", "api_key.rolled", "api_key.previous_ended"])
    }

    // MARK: Putting aside

    @Test("A key is put aside and taken back, once more changes nothing")
    func disable() throws {
        let key = try office.made()
        for _ in 0..<2 {
            let (response, body) = try office.send(.post, "/\(key.id)/disable")
            #expect(response.status == 200 && response.headers["etag"] == "\"2\"")
            #expect(body["state"] == "disabled" && body["disabled_at"]?.text != nil)
        }
        for _ in 0..<2 {
            let (response, body) = try office.send(.post, "/\(key.id)/enable")
            #expect(response.status == 200 && response.headers["etag"] == "\"3\"")
            #expect(body["state"] == "active" && body["disabled_at"] == .null)
        }
        #expect(try office.house.auditedActions() == ["api_key.created", "api_key.disabled", "api_key.enabled"])
        #expect(try office.send(.post, "/\(key.id)/disable", #"{"for":1}"#).response.status == 422)
    }

    @Test("A key that is put aside still counts among those that its holder has")
    func disabledCounts() throws {
        let office = try Office(settings: .init(maxPerUser: 1))
        let key = try office.made()
        _ = try office.send(.post, "/\(key.id)/disable")
        let (response, body) = try office.send(.post, "", #"{"name":"b","scopes":["x:read"]}"#)
        #expect(response.status == 409 && body["code"] == "too_many_keys")
    }

    // MARK: Over

    @Test("What is over is not changed, rolled, put aside or taken back; it may still be revoked")
    func ended() throws {
        let revoked = try office.made()
        _ = try office.send(.delete, "/\(revoked.id)")
        let end = (office.house.world.now() + .days(1)).rfc3339
        let expired = try office.made(#"{"name":"b","scopes":["x:read"],"expires_at":"\#(end)"}"#)
        office.house.pass(.days(1))
        for (key, code) in [(revoked, "key_revoked"), (expired, "key_expired")] {
            for (method, path, json) in [
                (HTTPKit.Method.patch, "", #"{"expires_at":null}"#), (.post, "/roll", "{}"), (.post, "/disable", "{}"),
                (.post, "/enable", "{}"),
            ] {
                let (response, body) = try office.send(method, "/\(key.id)\(path)", json)
                #expect(response.status == 409, "\(method) \(path)")
                #expect(body["code"] == .string(code))
            }
            #expect(try office.send(.delete, "/\(key.id)/previous").response.status == 204)
            #expect(try office.send(.delete, "/\(key.id)").response.status == 204)
        }
        #expect(try office.key(expired.id)["state"] == "revoked")
    }

    // MARK: Rights

    @Test("Nobody gives a key more than they hold, by whatever way")
    func rights() throws {
        let strong = try office.made(#"{"name":"strong","scopes":["credentials:read"]}"#)
        let weak = try office.made(#"{"name":"weak","scopes":["api_keys:write","connections:read"]}"#)
        let secret = Secret(try #require(weak["key"]?.text))
        let script = try #require(try office.room.principal(key: secret, remoteAddress: "-"))
        for (method, path, json) in [
            (HTTPKit.Method.post, "/roll", "{}"), (.patch, "", #"{"allowed_ips":["10.0.0.1"]}"#),
            (.patch, "", #"{"rate_limit":{"requests_per_day":5}}"#), (.patch, "", #"{"expires_at":null}"#),
            (.patch, "", #"{"scopes":["credentials:read","connections:read"]}"#),
        ] {
            let (response, body) = try office.send(method, "/\(strong.id)\(path)", json, as: script)
            #expect(response.status == 403, "\(method) \(path)")
            #expect(body["code"] == "insufficient_scope")
        }
        #expect(try office.send(.patch, "/\(strong.id)", #"{"name":"x"}"#, as: script).response.status == 200)
        #expect(try office.send(.post, "/\(strong.id)/disable", as: script).response.status == 200)
        #expect(try office.send(.post, "/\(strong.id)/enable", as: script).response.status == 403)
        #expect(
            try office.send(.patch, "/\(weak.id)", #"{"scopes":["connections:read"]}"#, as: script).response.status
                == 200)
    }

    @Test("Members manage their own keys only, and another organization's are not there")
    func foreign() throws {
        let key = try office.made()
        let member = try office.house.person(.member, in: office.organization)
        let stranger = try office.house.person(.owner, in: office.house.organization("Other"))
        for principal in [member, stranger] {
            for (method, path) in [
                (HTTPKit.Method.post, "/roll"), (.post, "/disable"), (.post, "/enable"), (.delete, "/previous"),
            ] {
                #expect(try office.send(method, "/\(key.id)\(path)", as: principal).response.status == 404)
            }
            for path in ["", "/edit", "/roll", "/revoke"] {
                #expect(try office.door.send(.get, "/api-keys/\(key.id)\(path)", as: principal).status == 404)
            }
        }
        let support = try office.house.person(.support, in: office.organization)
        #expect(try office.send(.post, "/\(key.id)/disable", as: support).response.status == 403)
        #expect(try office.send(.get, "/\(key.id)", as: support).response.status == 200)
    }

    // MARK: Telling

    @Test("Each change counts a generation, is told to those who keep keys, and to whoever subscribes")
    func told() throws {
        let before = try office.generation()
        let key = try office.made(#"{"name":"ci","scopes":["x:read"],"metadata":{"a":"hidden"}}"#)
        _ = try office.send(.patch, "/\(key.id)", #"{"name":"b","metadata":{"a":"concealed"}}"#)
        _ = try office.send(.post, "/\(key.id)/roll")
        _ = try office.send(.delete, "/\(key.id)/previous")
        _ = try office.send(.post, "/\(key.id)/disable")
        _ = try office.send(.post, "/\(key.id)/enable")
        _ = try office.send(.delete, "/\(key.id)")
        let deeds = ["created", "updated", "rolled", "previous_ended", "disabled", "enabled", "revoked"]
        #expect(try office.generation() == before + 7)
        #expect(office.told == 7)
        #expect(try office.house.auditedActions() == deeds.map { "api_key.\($0)" })
        let events = try office.events()
        #expect(events.map(\.type) == deeds.map { "api_key.\($0)" })
        #expect(events.allSatisfy { $0.data["api_key_id"]?.text == key.id })
        #expect(events[1].data["changes"] == ["name": ["from": "ci", "to": "b"], "metadata": "changed"])
        let words = events.map { String(decoding: $0.data.bytes, as: UTF8.self) }.joined()
        #expect(!words.contains("hidden") && !words.contains("concealed"))
        #expect(!words.contains(try #require(key["key"]?.text?.suffix(38))))
    }
}
