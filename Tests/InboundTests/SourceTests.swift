import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Inbound

@Suite("Sources")
struct SourceTests {
    private static let secret = "8f742231b10e8888abcd99baac2bcd1e"

    @Test("A source is made, shown, changed and removed, and each is noted in the audit log")
    func life() throws {
        let mail = try Mailroom()
        let made = try mail.source(["provider": "slack", "secret": .string(Self.secret), "name": "Shop"])
        #expect(made.json["secret"] == nil, "what was given is not told again")
        #expect(made.json["scheme"] == "slack" && made.json["state"] == "open" && made.json["body_limit"] == 1_048_576)
        let listed = try mail.api(.get, "inbound-sources", query: "provider=slack")
        #expect(listed.json["data"]?.elements?.count == 1)
        #expect(try mail.api(.get, "inbound-sources", query: "provider=stripe").json["data"] == [])
        let changed = try mail.api(.patch, "inbound-sources/\(made.id)", ["name": "Shop 2", "per_minute": 10])
        #expect(changed.json["name"] == "Shop 2" && changed.json["per_minute"] == 10)
        #expect(try mail.api(.delete, "inbound-sources/\(made.id)").status == 204)
        #expect(try mail.api(.get, "inbound-sources/\(made.id)").status == 404)
        #expect(try mail.post(made.path, "{}", mail.slack("{}", secret: Self.secret)).status == 401)
        #expect(
            try Set(mail.house.auditedActions()) == [
                "inbound_source.created", "inbound_source.updated", "inbound_source.deleted",
            ])
    }

    @Test("Another organization's source is not there")
    func strangers() throws {
        let mail = try Mailroom()
        let made = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        let stranger = try mail.house.person(.admin, in: mail.house.organization("Other"))
        for (method, path) in [
            (.get, ""), (.patch, ""), (.delete, ""), (.post, "/rotate-secret"), (.post, "/rotate-address"),
            (.post, "/verification-token"), (.get, "/refusals"), (.post, "/debug"),
        ] as [(HTTPKit.Method, String)] {
            let answer = try mail.api(
                method, "inbound-sources/\(made.id)\(path)", method == .get ? nil : [:], as: stranger)
            #expect(answer.status == 404, "\(method) \(path)")
        }
        let support = try mail.house.person(.support, in: mail.organization)
        let shown = try mail.api(.get, "inbound-sources/\(made.id)", as: support)
        #expect(shown.status == 200 && shown.json["url"] == .null, "the address is for those who may change it")
    }

    @Test("What cannot be is refused by its field")
    func refusals() throws {
        let mail = try Mailroom()
        for (terms, field) in [
            ([:], "/provider"), (["provider": "nobody"], "/provider"), (["provider": "Slack"], "/provider"),
            (["provider": "slack", "scheme": "bearer"], "/scheme"),
            (["provider": "discord", "secret": "abc"], "/secret"),
            (["provider": "sendgrid", "secret": "MFkw"], "/secret"),
            (["provider": "telegram", "secret": "ä"], "/secret"),
            (["provider": "custom_webhook", "scheme": "standard_webhooks", "secret": "whsec_x"], "/secret"),
            (["provider": "slack", "body_limit": 1], "/body_limit"),
            (["provider": "slack", "per_minute": 0], "/per_minute"),
            (["provider": "slack", "hmac": ["header": "x"]], "/hmac"),
            (["provider": "custom_webhook", "scheme": "hmac", "hmac": ["header": "x y"]], "/hmac/header"),
            (["provider": "custom_webhook", "scheme": "hmac", "hmac": ["algorithm": "md5"]], "/hmac/algorithm"),
            (["provider": "slack", "connection_id": "x"], "/connection_id"),
            (["provider": "slack", "extra": 1], "/extra"),
        ] as [(JSON, String)] {
            let answer = try mail.api(.post, "inbound-sources", terms)
            #expect(answer.status == 422)
            let pointers = answer.json["errors"]?.elements?.compactMap { $0["pointer"]?.text } ?? []
            #expect(pointers.contains(field), "\(terms): \(answer.text)")
        }
        #expect(try mail.count("inbound_sources") == 0)
    }

    @Test("Where the hub makes the secret it is shown once, and works")
    func made() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "custom_webhook", "scheme": "hmac"])
        let secret = try #require(source.json["secret"]?.text)
        #expect(try mail.api(.get, "inbound-sources/\(source.id)").json["secret"] == nil)
        let code = Hex.encode(HMAC.sha256(Array("{}".utf8), key: Array(secret.utf8)))
        #expect(try mail.post(source.path, "{}", ["x-signature": "sha256=\(code)"]).status == 200)
        let bearer = try mail.source(["provider": "custom_webhook", "scheme": "bearer"])
        let token = try #require(bearer.json["secret"]?.text)
        let headers: Headers = ["authorization": "Bearer \(token)", "idempotency-key": "k1"]
        #expect(try mail.post(bearer.path, "plain", headers).status == 200)
        let standard = try mail.source(["provider": "custom_webhook"])
        #expect(standard.json["secret"]?.text?.hasPrefix("whsec_") == true)
    }

    @Test("Two secrets count until the grace ends, and then one")
    func rotation() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        let rotated = try mail.api(
            .post, "inbound-sources/\(source.id)/rotate-secret", ["secret": "another-secret", "grace_seconds": 60])
        #expect(rotated.status == 200 && rotated.json["previous_secret_ends_at"] != .null)
        func isTaken(_ secret: String) throws -> Bool {
            try mail.post(source.path, "{}", mail.slack("{}", secret: secret)).status == 200
        }
        #expect(try isTaken(Self.secret) && isTaken("another-secret"))
        mail.house.pass(.seconds(61))
        #expect(try !isTaken(Self.secret) && isTaken("another-secret"))
        #expect(try mail.api(.post, "inbound-sources/\(source.id)/rotate-secret", [:]).status == 422)
        #expect(
            try mail.api(
                .post, "inbound-sources/\(source.id)/rotate-secret", ["secret": "third-secret", "grace_seconds": 0]
            ).status == 200)
        #expect(try !isTaken("another-secret") && isTaken("third-secret"), "from the next request on")
    }

    @Test("A secret that was replaced at once opens nothing, and still explains why a request is refused")
    func replacedAtOnce() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        let rotated = try mail.api(
            .post, "inbound-sources/\(source.id)/rotate-secret", ["secret": "another-secret", "grace_seconds": 0])
        #expect(rotated.json["previous_secret_ends_at"] == .null)
        #expect(try mail.post(source.path, "{}", mail.slack("{}", secret: Self.secret)).status == 401)
        let refusal = try #require(try mail.api(.get, "inbound-sources/\(source.id)/refusals").json["data"]?[0]?["id"])
        func hints() throws -> [String] {
            try mail.api(.post, "inbound-sources/\(source.id)/debug", ["refusal_id": refusal]).json["hints"]?
                .elements?.compactMap { $0["code"]?.text } ?? []
        }
        #expect(try hints() == ["previous_secret"])
        mail.house.pass(.days(31))
        try mail.room.forget()
        #expect(try mail.count("inbound_sources", "previous_sealed IS NOT NULL") == 0, "it is not kept for ever")
    }

    @Test("A secret that cannot be opened can be replaced at once")
    func replacedUnopened() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        try mail.house.database.execute("UPDATE inbound_sources SET secret_sealed = CONCAT(secret_sealed, 'x')")
        let path = "inbound-sources/\(source.id)/rotate-secret"
        #expect(try mail.api(.post, path, ["secret": "another-secret", "grace_seconds": 0]).status == 200)
        #expect(try mail.post(source.path, "{}", mail.slack("{}", secret: "another-secret")).status == 200)
    }

    @Test("A source whose way of signing cannot be read lets nobody in by the usual one")
    func unreadable() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "custom_webhook", "scheme": "hmac", "secret": "s3cret-s3cret"])
        let code = Hex.encode(HMAC.sha256(Array("{}".utf8), key: Array("s3cret-s3cret".utf8)))
        for recipe in [#"{"algorithm":"sha3"}"#, "{"] {
            try mail.house.database.execute("UPDATE inbound_sources SET recipe = \(recipe)")
            #expect(try mail.post(source.path, "{}", ["x-signature": "sha256=\(code)"]).status == 500)
        }
        #expect(try mail.count("inbound_events") == 0)
    }

    @Test("Two addresses are good until the grace ends, and then one")
    func addresses() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        let rotated = try mail.api(.post, "inbound-sources/\(source.id)/rotate-address", ["grace_seconds": 60])
        let fresh = try mail.path(rotated.json)
        #expect(fresh != source.path)
        func isTaken(_ path: String) throws -> Bool {
            try mail.post(path, "{}", mail.slack("{}", secret: Self.secret)).status == 200
        }
        #expect(try isTaken(source.path) && isTaken(fresh))
        mail.house.pass(.seconds(61))
        #expect(try !isTaken(source.path) && isTaken(fresh))
        let last = try mail.path(
            mail.api(.post, "inbound-sources/\(source.id)/rotate-address", ["grace_seconds": 0]).json)
        #expect(try !isTaken(fresh) && isTaken(last))
    }

    @Test("A source whose secret cannot be opened takes nothing and refuses nothing for good")
    func locked() throws {
        let mail = try Mailroom()
        let source = try mail.source(["provider": "slack", "secret": .string(Self.secret)])
        try mail.house.database.execute("UPDATE inbound_sources SET secret_sealed = CONCAT(secret_sealed, 'x')")
        let answer = try mail.post(source.path, "{}", mail.slack("{}", secret: Self.secret))
        #expect(answer.status == 503)
    }
}
