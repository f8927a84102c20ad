import CipherKit
import Testing

/// The bytes of hexadecimal digits.
func hex(_ digits: String) -> [UInt8] {
    guard let bytes = Hex.decode(digits) else { fatalError("not hexadecimal: \(digits)") }
    return bytes
}

@Suite("Digests and message authentication")
struct DigestTests {
    @Test("SHA-256 answers the published digests (FIPS 180-4 examples)")
    func published() {
        #expect(
            Hex.encode(SHA256.digest("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hex.encode(SHA256.digest([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Hex.encode(SHA256.digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    @Test("A million letters in uneven pieces have the published digest (FIPS 180-4)")
    func pieces() {
        var stream = SHA256.Stream()
        var left = 1_000_000
        var size = 1
        while left > 0 {
            let count = min(size, left)
            stream.update([UInt8](repeating: UInt8(ascii: "a"), count: count))
            left -= count
            size = size * 3 + 1
        }
        #expect(
            Hex.encode(stream.finish()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("A slice, a lazy collection, a span and an array of the same bytes have one digest")
    func shapes() {
        let bytes = Array("some text that is longer than a small string".utf8)
        let digest = SHA256.digest(bytes)
        #expect(SHA256.digest(([0] + bytes)[1...]) == digest)
        #expect(SHA256.digest(bytes.reversed().reversed()) == digest)
        #expect(SHA256.digest(bytes.lazy.map { $0 }) == digest)
        #expect(SHA256.digest(bytes.span) == digest)
        #expect(SHA256.digest(String(decoding: bytes, as: UTF8.self).utf8) == digest)
    }

    static let rfc4231: [(key: [UInt8], message: [UInt8], code256: String, code512: String)] = [
        (
            [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                + "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
                + "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
        ),
    ]

    @Test("HMAC-SHA-256 and HMAC-SHA-512 answer the cases of RFC 4231", arguments: 0..<4)
    func authentication(_ index: Int) {
        let (key, message, code256, code512) = Self.rfc4231[index]
        #expect(Hex.encode(HMAC.sha256(message, key: key)) == code256)
        #expect(Hex.encode(HMAC.sha512(message, key: key)) == code512)
    }

    @Test("HMAC-SHA-1 answers the second case of RFC 2202, and an empty key is a key")
    func otherCodes() {
        #expect(
            Hex.encode(HMAC.sha1("what do ya want for nothing?".utf8, key: "Jefe".utf8))
                == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        #expect(
            Hex.encode(HMAC.sha256([], key: []))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("GitHub's documented example of a webhook signature is answered")
    func webhook() {
        #expect(
            Hex.encode(HMAC.sha256("Hello, World!".utf8, key: "It's a Secret to Everybody".utf8))
                == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
    }

    @Test("Bytes are equal in constant time when all of them are, and only then")
    func equality() {
        let bytes = Random.bytes(32)
        #expect(equalInConstantTime(bytes, bytes))
        #expect(equalInConstantTime([], []))
        #expect(!equalInConstantTime(bytes, []))
        #expect(!equalInConstantTime(bytes, bytes + [0]))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            #expect(!equalInConstantTime(bytes, other))
        }
    }
}
