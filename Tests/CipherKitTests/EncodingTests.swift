import CipherKit
import Testing

@Suite("Encodings")
struct EncodingTests {
    static let rfc4648 = [
        ("", "", ""), ("f", "Zg==", "66"), ("fo", "Zm8=", "666f"), ("foo", "Zm9v", "666f6f"),
        ("foob", "Zm9vYg==", "666f6f62"), ("fooba", "Zm9vYmE=", "666f6f6261"), ("foobar", "Zm9vYmFy", "666f6f626172"),
    ]

    @Test("Base64, base64url and hex write and read the vectors of RFC 4648 §10", arguments: rfc4648)
    func published(plain: String, base64: String, digits: String) {
        let bytes = Array(plain.utf8)
        let bare = base64.replacing("=", with: "")
        #expect(Base64.encode(bytes) == base64)
        #expect(Base64.decode(base64) == bytes)
        #expect(Base64URL.encode(bytes) == bare)
        #expect(Base64URL.decode(bare) == bytes)
        #expect(Hex.encode(bytes) == digits)
        #expect(Hex.decode(digits.uppercased()) == bytes)
    }

    @Test("The two alphabets differ in their last two characters only")
    func alphabets() {
        #expect(Base64.encode([0xfb, 0xff, 0xfe]) == "+//+")
        #expect(Base64URL.encode([0xfb, 0xff, 0xfe]) == "-__-")
        #expect(Base64.decode("-__-") == nil)
        #expect(Base64URL.decode("+//+") == nil)
    }

    @Test(
        "Strict base64 refuses every second spelling",
        arguments: [
            "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Z===", "====", "=Zg=", "Zg==\n", " Zg==", "Zm9v\n",
            "Zm9vZg==Zm9v",
            "Zm9ü", "Zm9v=", "Zm9v====", "Z", "Zm=v",
        ])
    func strict(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(
        "Strict base64url refuses padding, stray bits and a lone character",
        arguments: ["Zg==", "Zh", "Zm9", "Z", "Zg\n"])
    func strictURL(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test("Hex refuses odd and foreign digits", arguments: ["0", "0g", "é", "0x00", " 00", "000"])
    func strictHex(_ text: String) {
        #expect(Hex.decode(text) == nil)
    }

    @Test("Base62 has a fixed width and reads back what it wrote, from all zeros to all ones", arguments: 0...40)
    func base62(_ count: Int) {
        for bytes in [
            [UInt8](repeating: 0, count: count), [UInt8](repeating: 255, count: count), Random.bytes(count),
        ] {
            let text = Base62.encode(bytes)
            #expect(text.utf8.count == Base62.width(ofBytes: count))
            #expect(Base62.decode(text, count: count) == bytes)
        }
    }

    @Test("Base62 knows its widths, its order and its largest number")
    func base62Bounds() {
        #expect([4, 16, 32].map(Base62.width(ofBytes:)) == [6, 22, 43])
        #expect(Base62.encode(0) == "000000")
        #expect(Base62.encode(61) == "00000z")
        #expect(Base62.encode(62) == "000010")
        #expect(Base62.encode(UInt32.max) == "4gfFC3")
        #expect(Base62.encode(0...15 as ClosedRange<UInt8>) == "000SYW7RiJxkEgOGusQGwp")
        #expect(Base62.encode(1...32 as ClosedRange<UInt8>) == "0Eoh211G4c8wtVWM00my5rsNSFlKgaWqQ4mb8gdEqno")
        #expect(Base62.decode("7n42DGM5Tflk9n8mt7Fhc7", count: 16) == [UInt8](repeating: 255, count: 16))
        #expect(Base62.decode("7n42DGM5Tflk9n8mt7Fhc8", count: 16) == nil)
        #expect(Base62.decode("JMAIjoV", count: 5) == [UInt8](repeating: 255, count: 5))
        #expect(Base62.decode("JMAIjoW", count: 5) == nil)
        #expect(Base62.encode([255, 255, 255, 255]) == "4gfFC3")
        #expect(Base62.decode("4gfFC3") == UInt32.max)
        #expect(Base62.decode("4gfFC4") == nil)
        #expect(Base62.decode("4gfFC4", count: 4) == nil)
        #expect(Base62.decode("00000") == nil)
        #expect(Base62.decode("0000000") == nil)
        #expect(Base62.decode("00000-") == nil)
        #expect(Base62.decode("zzzzzz", count: 4) == nil)
    }

    @Test("CRC-32 has the check value of its catalogue, and as six characters ends an API key")
    func checksum() {
        #expect(CRC32.checksum("123456789".utf8) == 0xCBF4_3926)
        #expect(CRC32.checksum([]) == 0)
        #expect(Base62.checksum(of: "123456789".utf8) == Base62.encode(0xCBF4_3926))
    }
}

@Suite("Randomness")
struct RandomTests {
    @Test("Bytes come in the count asked for, and not twice the same")
    func bytes() {
        #expect(Random.bytes(0).isEmpty)
        #expect(Random.bytes(1000).count == 1000)
        #expect(Random.bytes(32) != Random.bytes(32))
    }

    @Test("A token is 256 bits in 43 characters of base64url")
    func token() {
        let token = Random.token()
        #expect(token.utf8.count == 43)
        #expect(Base64URL.decode(token)?.count == 32)
        #expect(token != Random.token())
    }

    @Test("Each of the 62 characters is as likely as the others")
    func unbiased() {
        let count = 620_000
        let text = Random.base62(count)
        #expect(text.utf8.count == count)
        var found: [UInt8: Int] = [:]
        for character in text.utf8 { found[character, default: 0] += 1 }
        #expect(found.count == 62)
        // Ten thousand are expected of each, with a deviation of 99: seven deviations either way never happen.
        #expect(found.values.allSatisfy { (9_300...10_700).contains($0) })
        #expect(Random.base62(0).isEmpty)
        #expect(Random.base62(1).utf8.count == 1)
    }
}
