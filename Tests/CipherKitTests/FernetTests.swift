import Testing
import TimeKit

@testable import CipherKit

@Suite("Fernet tokens")
struct FernetTests {
    let key: FernetKey
    /// 1985-10-26T08:20:01Z, the moment of the specification's cases.
    let now = Timestamp(seconds: 499_162_801)
    static let hello =
        "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="

    init() throws {
        key = try #require(FernetKey("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="))
    }

    @Test("The token of the specification opens at any time, and within its minute")
    func verify() throws {
        #expect(try Fernet.open(Self.hello, keys: [key]) == Array("hello".utf8))
        #expect(try Fernet.open(Self.hello, keys: [key], noOlderThan: .seconds(60), at: now) == Array("hello".utf8))
    }

    static let invalid: [(String, String, FernetError)] = [
        (
            "incorrect mac",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
            .refused
        ),
        ("too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==", .malformed),
        (
            "invalid base64",
            "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
            .malformed
        ),
        (
            "payload size not multiple of block size",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
            .malformed
        ),
        (
            "payload padding error",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
            .refused
        ),
        (
            "far-future TS (unacceptable clock skew)",
            "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==",
            .expired
        ),
        (
            "incorrect IV (causes padding error)",
            "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
            .refused
        ),
    ]

    @Test("The specification's invalid tokens are refused", arguments: invalid)
    func refused(_ description: String, _ token: String, _ error: FernetError) {
        #expect(throws: error) { try Fernet.open(token, keys: [key], noOlderThan: .seconds(60), at: now) }
    }

    @Test("A token grows too old only where an age is asked for")
    func expired() throws {
        let token =
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q=="
        let later = now + .seconds(90)
        #expect(throws: FernetError.expired) {
            try Fernet.open(token, keys: [key], noOlderThan: .seconds(60), at: later)
        }
        #expect(try Fernet.open(token, keys: [key]).isEmpty)
        let edge = now + .seconds(60)
        #expect(try Fernet.open(token, keys: [key], noOlderThan: .seconds(60), at: edge).isEmpty)
    }

    @Test("Several keys are tried, and without the right one nothing opens")
    func keys() throws {
        let other = try #require(FernetKey(Base64URL.encode(Random.bytes(32)) + "="))
        #expect(try Fernet.open(Self.hello, keys: [other, key]) == Array("hello".utf8))
        #expect(throws: FernetError.refused) { try Fernet.open(Self.hello, keys: [other]) }
        #expect(throws: FernetError.refused) { try Fernet.open(Self.hello, keys: []) }
    }

    @Test("A token is read as leniently as Python's cryptography reads it, and no more")
    func lenient() throws {
        let hello = Self.hello
        let bare = hello.dropLast(2)
        func cut(_ index: Int, _ inserted: String) -> String {
            "\(hello.prefix(index))\(inserted)\(hello.dropFirst(index))"
        }
        let read = [
            hello + "\n", " " + hello, "%" + hello, "=" + hello, hello + "trailing", hello + hello, cut(50, "="),
            hello.replacing("-", with: "+").replacing("_", with: "/"), hello.dropLast(3) + "B==", bare + "=\n=",
        ]
        for token in read {
            #expect(try Fernet.open(token, keys: [key]) == Array("hello".utf8), "\(token)")
        }
        let refused = [
            "", "=", "gA==", String(bare), bare + "=", cut(50, "=="), cut(51, "==="), cut(50, "=\n="), bare + "=A=",
            hello + String(repeating: " ", count: 1 << 20),
        ]
        for token in refused {
            #expect(throws: FernetError.malformed, "\(token.prefix(200))") { try Fernet.open(token, keys: [key]) }
        }
    }

    @Test("One changed character anywhere but in the padding is refused")
    func altered() {
        let characters = Array(Self.hello.utf8)
        // The last character before the padding carries four stray bits, so it is left alone.
        for index in characters.indices.dropLast(3) {
            var other = characters
            other[index] = other[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: FernetError.self) { try Fernet.open(String(decoding: other, as: UTF8.self), keys: [key]) }
        }
    }

    @Test("A key is base64url of 32 bytes", arguments: ["", "AAAA", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4"])
    func noKey(_ text: String) {
        #expect(FernetKey(text) == nil)
    }
}
