import CipherKit
import Domain
import HTTPKit
import JSONKit
import RoomFixture
import Testing
import TimeKit

@testable import Webhooks

@Suite("What a webhook signs with")
struct SecretTests {
    /// Whether a request is signed by a secret of Standard Webhooks.
    private static func isSigned(_ request: String, by secret: String) throws -> Bool {
        let key = try #require(StandardWebhooks.SymmetricSecret(secret))
        let header = try #require(Post.field("webhook-signature", in: request))
        let timestamp = try #require(Post.field("webhook-timestamp", in: request).flatMap { Int64($0) })
        let id = try #require(Post.field("webhook-id", in: request))
        return StandardWebhooks.isSigned(header, id: id, timestamp: timestamp, body: Post.body(of: request), by: [key])
    }

    private static func sent(_ counter: Counter) throws -> String {
        try counter.post.take()
        try counter.post.dispatch()
        return try #require(counter.post.receiver.requests.last)
    }

    @Test("A secret may be given: whsec_ of 24 to 64 bytes", arguments: [24, 32, 64])
    func given(count: Int) throws {
        let counter = try Counter()
        let secret = "whsec_" + Base64.encode(Random.bytes(count))
        let made = try counter.make(["secret": .string(secret)])
        #expect(made.json["secret"]?.text == secret && made.json["signature_scheme"] == "v1")
        #expect(try Self.isSigned(Self.sent(counter), by: secret))
    }

    @Test(
        "A roll gives another secret, both sign until the grace ends, and a roll without grace ends the old one at once"
    )
    func rolled() throws {
        let counter = try Counter()
        let made = try counter.make()
        let path = "webhooks/\(try counter.id(made))/roll-secret"
        let first = try #require(made.json["secret"]?.text)
        let rolled = try counter.send(.post, path, ["grace_seconds": 3_600])
        let second = try #require(rolled.json["secret"]?.text)
        #expect(
            rolled.status == 200 && second != first && rolled.headers["cache-control"]?.contains("no-store") == true)
        let end = counter.post.house.world.now() + .hours(1)
        #expect(rolled.json["previous_secret_ends_at"]?.text == end.rfc3339)
        var request = try Self.sent(counter)
        #expect(try Self.isSigned(request, by: first) && Self.isSigned(request, by: second))
        counter.post.house.pass(.seconds(3_601))
        request = try Self.sent(counter)
        #expect(try !Self.isSigned(request, by: first) && Self.isSigned(request, by: second))
        let third = try #require(try counter.send(.post, path, ["grace_seconds": 0]).json["secret"]?.text)
        request = try Self.sent(counter)
        #expect(try !Self.isSigned(request, by: second) && Self.isSigned(request, by: third))
        let own = "whsec_" + Base64.encode(Random.bytes(24))
        let usual = try counter.send(.post, path, ["secret": .string(own)])
        #expect(usual.json["secret"]?.text == own)
        #expect(usual.json["previous_secret_ends_at"]?.text == (counter.post.house.world.now() + .hours(24)).rfc3339)
        request = try Self.sent(counter)
        #expect(try Self.isSigned(request, by: third) && Self.isSigned(request, by: own))
    }

    @Test("An Ed25519 key is made or given; the receiver is given the public half, and it checks what is sent")
    func asymmetric() throws {
        let counter = try Counter()
        let seed = [UInt8](0..<32)
        let key = try #require(Ed25519.PrivateKey(seed: seed))
        for body in [
            ["secret": .string("whsk_" + Base64.encode(seed))], ["signature_scheme": "v1a"],
        ] as [JSON] {
            let made = try counter.make(body)
            let shown = try #require(made.json["secret"]?.text)
            #expect(made.json["signature_scheme"] == "v1a" && shown.hasPrefix("whpk_"))
            let publicKey = try #require(Base64.decode(String(shown.dropFirst(5))))
            #expect((publicKey == key.publicKey) == (body["secret"] != nil))
            let request = try Self.sent(counter)
            let signature = try #require(Post.field("webhook-signature", in: request))
            let id = Post.field("webhook-id", in: request) ?? ""
            let time = Post.field("webhook-timestamp", in: request) ?? ""
            let bytes = try #require(signature.hasPrefix("v1a,") ? Base64.decode(String(signature.dropFirst(4))) : nil)
            #expect(Ed25519.isValid(bytes, of: Array("\(id).\(time).".utf8) + Post.body(of: request), by: publicKey))
            let rolled = try counter.send(.post, "webhooks/\(try counter.id(made))/roll-secret", ["grace_seconds": 60])
            #expect(rolled.json["signature_scheme"] == "v1a" && rolled.json["secret"]?.text != shown)
            let both = try #require(Post.field("webhook-signature", in: Self.sent(counter)))
            #expect(both.split(separator: " ").map { $0.prefix(4) } == ["v1a,", "v1a,"])
            #expect(try counter.send(.delete, "webhooks/\(try counter.id(made))").status == 204)
        }
    }

    @Test("While a key follows a shared secret each signs in its own way")
    func changed() throws {
        let counter = try Counter()
        let made = try counter.make()
        let old = try #require(made.json["secret"]?.text)
        let rolled = try counter.send(
            .post, "webhooks/\(try counter.id(made))/roll-secret", ["signature_scheme": "v1a"])
        #expect(rolled.json["signature_scheme"] == "v1a")
        let request = try Self.sent(counter)
        let header = try #require(Post.field("webhook-signature", in: request))
        #expect(header.hasPrefix("v1a,") && header.contains(" v1,"))
        #expect(try Self.isSigned(request, by: old))
    }

    @Test("Words of one's own sign in a header of their own, never in that of the standard")
    func words() throws {
        let counter = try Counter()
        let made = try counter.make(["secret": "your-webhook-secret"])
        #expect(made.json["signature_scheme"] == "legacy" && made.json["secret"] == "your-webhook-secret")
        let request = try Self.sent(counter)
        #expect(Post.field("webhook-signature", in: request) == nil)
        let time = Post.field("webhook-timestamp", in: request) ?? ""
        let code = HMAC.sha256(Array("\(time).".utf8) + Post.body(of: request), key: Array("your-webhook-secret".utf8))
        #expect(Post.field("x-webhook-signature", in: request) == "v0=" + Hex.encode(code))
    }
}
