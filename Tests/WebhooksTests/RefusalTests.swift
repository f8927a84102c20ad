import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Webhooks

@Suite("What a webhook may not be")
struct RefusalTests {
    @Test("An address is refused with the reason: no https, user info, fragment, another scheme, private, too long")
    func addresses() throws {
        let strict = try Counter(settings: Webhooks.Settings())
        let loose = try Counter()
        for (url, code) in [
            ("http://example.com/hook", "insecure_url"), ("HTTP://example.com/hook", "insecure_url"),
            ("https://user:pw@example.com/", "invalid_url"), ("https://user@example.com/", "invalid_url"),
            ("https://example.com/#top", "fragment"), ("ftp://example.com/", "invalid_url"),
            ("javascript:alert(1)", "invalid_url"), ("file:///etc/passwd", "invalid_url"),
            ("example.com", "invalid_url"),
            ("https://", "invalid_url"), ("https://exa mple.com/", "invalid_url"), ("https://[::1", "invalid_url"),
            ("https://example.com:0/", "invalid_url"), ("https://example.com/\r\nX-Evil: 1", "invalid_url"),
            ("https://example.com\u{0}.evil.example/", "invalid_url"), ("https://10.0.0.7/", "destination_not_allowed"),
            ("https://192.168.1.1/hook", "destination_not_allowed"),
            ("https://169.254.169.254/", "destination_not_allowed"),
            ("https://[::1]/", "destination_not_allowed"), ("https://[::ffff:10.0.0.1]/", "destination_not_allowed"),
            ("https://[fd00::1]/", "destination_not_allowed"), ("https://0x0a000001/", "destination_not_allowed"),
            ("https://167772161/", "destination_not_allowed"), ("https://012.0.0.1/", "destination_not_allowed"),
            ("https://0.0.0.0/", "destination_not_allowed"), ("https://100.64.0.1/", "destination_not_allowed"),
            ("https://example.com/" + String(repeating: "a", count: 2_100), "too_long"),
            ("https://example.com/" + String(repeating: "a", count: 65_000), "too_long"),
            (String(repeating: "x", count: 200_000), "too_long"),
        ] {
            let answer = try strict.make(["url": .string(url)])
            #expect(answer.status == 422 && answer.refusals == ["url \(code)"], "\(url.prefix(60)): \(answer.refusals)")
            #expect(answer.json.bytes.count < 2_000)
        }
        for url in ["", " ", .null, 7, [], true] as [JSON] {
            #expect(try strict.make(["url": url]).status == 422)
        }
        #expect(try loose.make(["url": "http://127.0.0.1:9/"]).status == 201)
        #expect(try loose.make(["url": "http://10.0.0.7/"]).refusals == ["url destination_not_allowed"])
        let id = try loose.id(try loose.make())
        #expect(try loose.send(.patch, "webhooks/\(id)", ["url": .null]).refusals == ["url required"])
        #expect(try loose.send(.patch, "webhooks/\(id)", ["url": "http://10.1.1.1/"]).status == 422)
        #expect(try loose.send(.get, "webhooks/\(id)").json["url"]?.text == loose.url)
    }

    @Test("Header fields that would override ours, frame the message or break out of it are refused by name")
    func headers() throws {
        let counter = try Counter()
        for name in [
            "Content-Type", "content-length", "Host", "Transfer-Encoding", "Connection", "User-Agent", "webhook-id",
            "Webhook-Signature", "webhook-x", "X-Webhook-Signature", "Accept-Encoding", "Content-Encoding", "Upgrade",
            "TE",
            "Trailer", "Keep-Alive", "Proxy-Authorization", "Expect", "", " ", "a b", "a:b", "X\r\nEvil", "X\u{0}", "ä",
            ":path", String(repeating: "x", count: 5_000),
        ] {
            let answer = try counter.make(["headers": .object([JSON.Member(name, "1")])])
            #expect(answer.status == 422, "\(name.prefix(40))")
            #expect(answer.json["errors"]?[0]?["code"] == "invalid_header" && answer.json.bytes.count < 2_000)
        }
        for value in ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\u{0}b", "\u{7f}", String(repeating: "x", count: 1_025)] {
            let answer = try counter.make(["headers": ["X-Team": .string(value)]])
            #expect(answer.refusals == ["headers/X-Team invalid_header"], "\(value.prefix(20))")
        }
        let many = JSON.object((0..<17).map { JSON.Member("X-\($0)", "1") })
        #expect(try counter.make(["headers": many]).refusals == ["headers too_many"])
        let countless = JSON.object((0..<50_000).map { JSON.Member("X-\($0)", "1") })
        #expect(try counter.make(["headers": countless]).refusals == ["headers too_many"])
        #expect(try counter.make(["headers": ["X-A": "1", "x-a": "2"]]).refusals == ["headers/x-a invalid_header"])
        #expect(try counter.make(["headers": ["X-A": 1]]).refusals == ["headers/X-A wrong_type"])
        #expect(try counter.make(["headers": []]).refusals == ["headers wrong_type"])
    }

    @Test("The owner's header fields go along, and what they hold stands nowhere")
    func headersSent() throws {
        let counter = try Counter()
        let id = try counter.id(
            try counter.make(["headers": ["Authorization": "Bearer t0p-s3cret", "X-Team": "blue"]]))
        try counter.post.take()
        try counter.post.dispatch()
        let request = try #require(counter.post.receiver.requests.first)
        #expect(
            Post.field("authorization", in: request) == "Bearer t0p-s3cret"
                && Post.field("x-team", in: request) == "blue")
        #expect(Post.field("content-type", in: request) == "application/json")
        #expect(Post.field("user-agent", in: request)?.isEmpty == false)
        let delivery = try #require(try counter.send(.get, "webhooks/\(id)/deliveries").json["data"]?[0]?["id"]?.text)
        let log = String(decoding: try counter.send(.get, "deliveries/\(delivery)").json.bytes, as: UTF8.self)
        #expect(log.contains("Authorization") && !log.contains("t0p-s3cret"))
    }

    @Test("Events that are none, too many of them, or none at all are refused")
    func events() throws {
        let counter = try Counter()
        for events in [
            ["user created!"], ["*.x"], ["a..b"], ["-"], ["user.*", "über"],
            [.string(String(repeating: "a", count: 500))],
        ] as [JSON] {
            #expect(try counter.make(events: events).json["errors"]?[0]?["code"] == "invalid_event", "\(events)")
        }
        #expect(try counter.make(events: []).refusals == ["events required"])
        #expect(try counter.make(events: [" , "]).refusals == ["events required"])
        #expect(try counter.make(events: .array((0..<101).map { .string("a.b\($0)") })).refusals == ["events too_many"])
        let endless = JSON.string(String(repeating: "! ", count: 400_000))
        let begun = ContinuousClock.now
        #expect(try counter.make(events: [endless]).refusals == ["events too_many"])
        #expect(ContinuousClock.now - begun < .seconds(20))
        #expect(try counter.make(events: ["a.b", "a.b", "c"]).json["events"] == ["a.b", "c"])
        #expect(try counter.make(events: .array((0..<100).map { .string("a.b\($0)") })).status == 201)
    }

    @Test("Other fields are bounded, typed and known, and each refusal names its field")
    func others() throws {
        let counter = try Counter()
        for (more, refusals) in [
            (["per_second": 0], ["per_second out_of_range"]),
            (["per_second": 1_000_000_000], ["per_second out_of_range"]),
            (["per_second": "5"], ["per_second wrong_type"]), (["per_second": .number(1.5)], ["per_second wrong_type"]),
            (["ordering": "fifo"], ["ordering invalid"]), (["skip_after": 3], ["skip_after not_used"]),
            (["ordering": "block", "skip_after": 3], ["skip_after not_used"]),
            (["ordering": "skip", "skip_after": 31], ["skip_after out_of_range"]),
            (["active": "yes"], ["active wrong_type"]),
            (["description": .string(String(repeating: "x", count: 201))], ["description too_long"]),
            (["state": "active"], ["state unknown_field"]),
            (["id": "x", "organization_id": "y"], ["id unknown_field", "organization_id unknown_field"]),
            (["secret": "short"], ["secret invalid_secret"]), (["secret": "whsec_AAAA"], ["secret invalid_secret"]),
            (["secret": .string(String(repeating: "x", count: 257))], ["secret invalid_secret"]),
            (["secret": "tabs\tand\nlines"], ["secret invalid_secret"]),
            (["secret": "whsk_AAAA"], ["secret invalid_secret"]),
            (["secret": "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="], ["secret invalid_secret"]),
            (["signature_scheme": "v2"], ["signature_scheme invalid"]),
            (["secret": "some words", "signature_scheme": "v1a"], ["signature_scheme contradiction"]),
        ] as [(JSON, [String])] {
            let answer = try counter.make(more)
            #expect(answer.status == 422 && answer.refusals == refusals, "\(more): \(answer.refusals)")
        }
        let id = try counter.id(try counter.make())
        #expect(
            try counter.send(.patch, "webhooks/\(id)", ["secret": "whatever-it-is"]).refusals == ["secret not_here"])
        #expect(
            try counter.send(.post, "webhooks/\(id)/roll-secret", ["grace_seconds": -1]).refusals
                == ["grace_seconds out_of_range"])
        #expect(
            try counter.send(.post, "webhooks/\(id)/roll-secret", ["grace_seconds": 2_592_001]).refusals
                == ["grace_seconds out_of_range"])
    }

    @Test("Nothing of the address, the secrets and the header fields is stored in clear")
    func sealed() throws {
        let counter = try Counter()
        _ = try counter.make([
            "url": .string(counter.url + "/T0K3N1234567890abcdef"), "secret": "words-of-my-own",
            "headers": ["X-K": "h3ader"],
        ])
        try counter.post.take("user.created", ["word": "p4yload"])
        try counter.post.dispatch()
        let tables: [StaticString] = [
            "webhooks", "events", "deliveries", "delivery_attempts", "audit_events", "domain_events",
        ]
        for table in tables {
            for word in ["T0K3N1234567890", "words-of-my-own", "h3ader", "p4yload"] {
                #expect(try !counter.post.isStored(word, in: table), "\(word) in \(table)")
            }
        }
    }
}
