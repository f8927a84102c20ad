import LogKit
import Testing

@testable import CipherKit

/// The vectors of RFC 8032 §7.1 and of the documents of Standard Webhooks.
@Suite struct WebhookSignatureTests {
    struct Vector: Sendable {
        let seed: String
        let publicKey: String
        let message: String
        let signature: String
    }

    static let vectors = [
        Vector(
            seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
            signature:
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        Vector(
            seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
            signature:
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        Vector(
            seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
            signature:
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ]

    @Test("Ed25519 gives the keys and signatures of RFC 8032 and checks them", arguments: vectors)
    func ed25519(vector: Vector) throws {
        let key = try #require(Ed25519.PrivateKey(seed: Hex.decode(vector.seed) ?? []))
        let message = try #require(Hex.decode(vector.message))
        #expect(Hex.encode(key.publicKey) == vector.publicKey)
        #expect(Hex.encode(key.sign(message)) == vector.signature)
        let signature = try #require(Hex.decode(vector.signature))
        #expect(Ed25519.isValid(signature, of: message, by: key.publicKey))
        #expect(!Ed25519.isValid(signature, of: message + [0], by: key.publicKey))
        for place in [0, 31, 32, 63] {
            var other = signature
            other[place] ^= 1
            #expect(!Ed25519.isValid(other, of: message, by: key.publicKey))
        }
        #expect(!Ed25519.isValid(signature, of: message, by: Ed25519.PrivateKey.random().publicKey))
    }

    @Test("Keys and signatures of another length are none")
    func lengths() {
        #expect(
            Ed25519.PrivateKey(seed: []) == nil && Ed25519.PrivateKey(seed: [UInt8](repeating: 1, count: 33)) == nil)
        let key = Ed25519.PrivateKey.random()
        let signature = key.sign([1, 2, 3])
        #expect(signature.count == 64 && key.publicKey.count == 32)
        #expect(!Ed25519.isValid(Array(signature.dropLast()), of: [1, 2, 3], by: key.publicKey))
        #expect(!Ed25519.isValid(signature + [0], of: [1, 2, 3], by: key.publicKey))
        #expect(!Ed25519.isValid(signature, of: [1, 2, 3], by: []))
        #expect("\(key)".contains("secret") && !"\(key)".contains(Hex.encode(key.bytes.reveal { $0 })))
    }

    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    static let time: Int64 = 1_614_265_330
    static let body = Array(#"{"test": 2432232314}"#.utf8)
    static let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @Test("The vector of Standard Webhooks is signed as its document says, with the prefix or without")
    func standard() throws {
        for text in [Self.secret, String(Self.secret.dropFirst(6))] {
            let secret = try #require(StandardWebhooks.SymmetricSecret(text))
            #expect(secret.signature(id: Self.id, timestamp: Self.time, body: Self.body) == Self.signature)
            #expect(secret.text.reveal { $0 } == Self.secret)
        }
    }

    @Test("A header is good when one of its signatures is, and only for that id, that time and those bytes")
    func checked() throws {
        let secret = try #require(StandardWebhooks.SymmetricSecret(Self.secret))
        let other = StandardWebhooks.SymmetricSecret.random()
        func holds(
            _ header: String, id: String = Self.id, time: Int64 = Self.time, body: [UInt8] = Self.body,
            by secrets: [StandardWebhooks.SymmetricSecret]
        ) -> Bool { StandardWebhooks.isSigned(header, id: id, timestamp: time, body: body, by: secrets) }
        let foreign = other.signature(id: Self.id, timestamp: Self.time, body: Self.body)
        #expect(holds(Self.signature, by: [secret]) && holds("\(foreign) \(Self.signature)", by: [secret]))
        #expect(holds(Self.signature, by: [other, secret]) && !holds(Self.signature, by: [other]))
        #expect(!holds(Self.signature, id: "msg_other", by: [secret]) && !holds(Self.signature, time: 1, by: [secret]))
        #expect(!holds(Self.signature, body: Self.body + [32], by: [secret]))
        #expect(!holds("", by: [secret]) && !holds("v1,", by: [secret]) && !holds(Self.signature, by: []))
        #expect(!holds(Self.signature.replacing("v1,", with: "v2,"), by: [secret]))
        let late = String(repeating: foreign + " ", count: 16) + Self.signature
        #expect(!holds(late, by: [secret]), "no more than sixteen signatures are looked at")
    }

    @Test(
        "A secret is base64 of 24 to 64 bytes and nothing else",
        arguments: [(23, false), (24, true), (32, true), (64, true), (65, false)])
    func sizes(count: Int, isGood: Bool) {
        let text = "whsec_" + Base64.encode([UInt8](repeating: 7, count: count))
        #expect((StandardWebhooks.SymmetricSecret(text) != nil) == isGood)
        #expect(StandardWebhooks.SymmetricSecret(text + "!") == nil)
    }

    @Test("Made secrets have 32 bytes, differ, and do not show themselves")
    func random() throws {
        let (one, two) = (StandardWebhooks.SymmetricSecret.random(), StandardWebhooks.SymmetricSecret.random())
        #expect(one != two && StandardWebhooks.SymmetricSecret(one.text.reveal { $0 }) == one)
        let text = one.text.reveal { $0 }
        #expect(Base64.decode(String(text.dropFirst(6)))?.count == 32)
        #expect(!"\(one)".contains(text.dropFirst(6)) && !String(reflecting: one).contains(text.dropFirst(6)))
    }

    @Test("An asymmetric signature is over the same words, and the public key checks it")
    func asymmetric() throws {
        let key = try #require(Ed25519.PrivateKey(seed: Hex.decode(Self.vectors[0].seed) ?? []))
        let text = StandardWebhooks.signature(by: key, id: Self.id, timestamp: Self.time, body: Self.body)
        #expect(text.hasPrefix("v1a,"))
        let signature = try #require(Base64.decode(String(text.dropFirst(4))))
        let content = Array("\(Self.id).\(Self.time).".utf8) + Self.body
        #expect(Ed25519.isValid(signature, of: content, by: key.publicKey))
        let written = StandardWebhooks.written(publicKey: key.publicKey)
        #expect(written.hasPrefix("whpk_") && Base64.decode(String(written.dropFirst(5))) == key.publicKey)
    }
}
