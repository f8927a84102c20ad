import CipherKit
import Domain
import LogKit
import Testing

@testable import APIKeys

@Suite struct KeyTextTests {
    @Test("A key is prefix, eight characters of its id, 32 random characters and six of a checksum")
    func shape() throws {
        let id = Identifier<APIKey>(.real)
        let key = KeyText(for: id, prefix: "sk_")
        let text = key.secret.reveal { $0 }
        #expect(text.wholeMatch(of: #/sk_[0-9a-f]{8}_[0-9A-Za-z]{38}/#) != nil)
        #expect(text.hasPrefix("sk_\(id.text.suffix(8))_"))
        #expect(text.hasSuffix(key.lastFour))
        #expect(key.prefix == String(text.prefix(11)))
        #expect(key.digest == SHA256.digest(text.utf8))
        #expect(KeyText(text)?.digest == key.digest)
        #expect(KeyText(text)?.prefix == key.prefix)
    }

    /// zlib's CRC-32 of all but the last six characters, in the alphabet 0-9A-Za-z, most significant first.
    @Test(
        "Keys that were made stay keys",
        arguments: [
            ("sk_01234567_000000000000000000000000000000004DUoBD", true),
            ("sk_b81cd0Zz_4bYt9Wq2mHk7RfVc1xLs0pAeUj5dNg3T4SQIKk", true),
            ("acme_live_ffffffff_zZzZzZzZzZzZzZzZzZzZzZzZzZzZzZzZ0jKoME", true),
            ("sk_b81cd0Zz_4bYt9Wq2mHk7RfVc1xLs0pAeUj5dNg3T2Kx9Qa", false),
        ])
    func vectors(text: String, isKey: Bool) {
        #expect((KeyText(text) != nil) == isKey)
    }

    @Test("A key is still a key when the setting of the prefix has changed")
    func otherPrefix() {
        let made = KeyText(for: Identifier(.real), prefix: "acme_live_")
        #expect(made.secret.reveal { KeyText($0)?.prefix } == made.prefix)
    }

    @Test("A changed character, another case, a blank or a lost end is found by the checksum alone")
    func mistakes() {
        let text = KeyText(for: Identifier(.real), prefix: "sk_").secret.reveal { $0 }
        for index in text.indices {
            var changed = text
            changed.replaceSubrange(index...index, with: text[index] == "x" ? "y" : "x")
            #expect(KeyText(changed) == nil)
        }
        for wrong in [text + " ", " " + text, String(text.dropLast()), text + "0", text.uppercased(), "", "sk_"] {
            #expect(KeyText(wrong) == nil)
        }
    }

    @Test("Random strings of the right shape have a right checksum about once in 57 thousand million")
    func strangers() {
        for _ in 0..<10_000 {
            #expect(KeyText("sk_\(Random.base62(8))_\(Random.base62(38))") == nil)
        }
    }

    @Test(
        "The prefix of a setting is letters, digits and underscores, ends in one, and is short",
        arguments: [
            ("sk_", true), ("acme_live_", true), ("", false), ("sk-", false), ("sk ", false), ("ß_", false),
            ("sk", false), (String(repeating: "a", count: 19) + "_", true),
            (String(repeating: "a", count: 20) + "_", false),
        ])
    func prefixes(prefix: String, isOne: Bool) {
        #expect(APIKeys.Settings.isPrefix(prefix) == isOne)
    }
}
