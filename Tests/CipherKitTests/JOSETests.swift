import CipherKit
import JSONKit
import Testing

@Suite("JSON Web Signatures")
struct JOSETests {
    /// The claims of RFC 7515's first three examples.
    private static let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    private static let a1 = (
        key: """
        {"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}
        """,
        token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(claims).dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    private static let a2 = (
        key: """
        {"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0B\
        m4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-K\
        XBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2\
        ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}
        """,
        token: """
        eyJhbGciOiJSUzI1NiJ9.\(claims).cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc\
        _lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1\
        L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY\
        9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw
        """
    )
    private static let a3 = (
        key: """
        {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",\
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
        """,
        token: """
        eyJhbGciOiJFUzI1NiJ9.\(claims).\
        DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q
        """
    )

    private func set(_ keys: String..., takesSecrets: Bool = true) throws -> JSONWebKeySet {
        try JSONWebKeySet(
            parsing: Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8), takesSecrets: takesSecrets)
    }

    private func opens(_ token: String, with set: JSONWebKeySet) -> [UInt8]? {
        guard let token = try? CompactJWS(token), let key = set.key(for: token) else { return nil }
        return token.verified(by: key)?.bytes
    }

    /// A token with any header, signed with the secret of the first example.
    private func signed(_ header: String, _ payload: String = "{}") -> String {
        let k = (try? JSON(parsing: Array(Self.a1.key.utf8)))?["k"]?.text.flatMap(Base64URL.decode) ?? []
        let text = "\(Base64URL.encode(header.utf8)).\(Base64URL.encode(payload.utf8))"
        return "\(text).\(Base64URL.encode(HMAC.sha256(text.utf8, key: k)))"
    }

    @Test("The examples of RFC 7515 A.1 to A.3, the first of them that of RFC 7519 §3.1, open with their keys alone")
    func examples() throws {
        let examples = [Self.a1, Self.a2, Self.a3]
        for (index, example) in examples.enumerated() {
            let payload = try #require(opens(example.token, with: try set(example.key)))
            let claims = try JSON(parsing: payload)
            #expect(claims["iss"] == "joe" && claims["exp"] == 1_300_819_380)
            for (other, stranger) in examples.enumerated() where other != index {
                #expect(opens(example.token, with: try set(stranger.key)) == nil)
            }
        }
        let all = try set(Self.a1.key, Self.a2.key, Self.a3.key)
        #expect(all.keys.map(\.key.algorithm) == [.hs256, .rs256, .es256] && all.skipped.isEmpty)
    }

    @Test("Any bit of a signature counts")
    func bits() throws {
        for example in [Self.a1, Self.a2, Self.a3] {
            let cut = try #require(example.token.lastIndex(of: "."))
            let signature = try #require(Base64URL.decode(String(example.token[example.token.index(after: cut)...])))
            for place in stride(from: 0, to: signature.count * 8, by: 7) {
                var altered = signature
                altered[place / 8] ^= 1 << UInt8(place % 8)
                #expect(
                    opens("\(example.token[..<cut]).\(Base64URL.encode(altered))", with: try set(example.key)) == nil)
            }
            for altered in [signature.dropLast(), signature + [0], [0] + signature, []] {
                #expect(
                    opens("\(example.token[..<cut]).\(Base64URL.encode(altered))", with: try set(example.key)) == nil)
            }
        }
    }

    @Test("The cases of Project Wycheproof end as published", arguments: SignedCase.published)
    func wycheproof(one: SignedCase) throws {
        let set = try JSONWebKeySet(parsing: Array(one.keys.utf8), takesSecrets: true)
        #expect((opens(one.token, with: set) != nil) == one.isGood)
    }

    @Test("Weak, broken and unsuited keys are not used, and say why", arguments: RefusedKey.published)
    func refusedKeys(one: RefusedKey) throws {
        let set = try set(one.key)
        #expect(set.keys.isEmpty)
        #expect(set.skipped.first?.description.contains(one.why) == true, "\(set.skipped)")
    }

    @Test("A secret among fetched keys, a private key, and two of one name are not used")
    func dangerousKeys() throws {
        let secret = try set(Self.a1.key, takesSecrets: false)
        #expect(secret.keys.isEmpty && secret.skipped.first?.refusal.isDangerous == true)
        let own = try set(Self.a3.key.replacing("}", with: ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"))
        #expect(own.keys.isEmpty && own.skipped.first?.refusal.isDangerous == true)
        let named = Self.a1.key.replacing("}", with: ",\"kid\":\"one\"}")
        let twins = try set(named, named, Self.a3.key)
        #expect(twins.keys.map(\.key.algorithm) == [.es256] && twins.skipped.count == 2)
        #expect(!"\(own.skipped) \(secret.skipped)".contains("jpsQ"))
    }

    @Test("A public key is never taken for a secret, whatever the header says")
    func confusion() throws {
        // The classic forgery: the public numbers, known to everybody, as the secret of HS256.
        let n = try #require(try JSON(parsing: Array(Self.a2.key.utf8))["n"]?.text)
        for secret in [Array(n.utf8), try #require(Base64URL.decode(n)), Array(Self.a2.key.utf8), []] {
            let text = "\(Base64URL.encode(#"{"alg":"HS256"}"#.utf8)).\(Self.claims)"
            let forged = "\(text).\(Base64URL.encode(HMAC.sha256(text.utf8, key: secret)))"
            #expect(opens(forged, with: try set(Self.a2.key)) == nil)
            let token = try CompactJWS(forged)
            #expect(token.verified(by: try #require(try set(Self.a2.key).keys.first?.key)) == nil)
        }
    }

    @Test(
        "A header that brings a key, or asks for what is not done here, is refused",
        arguments: [
            #"{"alg":"none"}"#, #"{"alg":"None"}"#, #"{"alg":"hs256"}"#, #"{"alg":"HS512"}"#, #"{"alg":["HS256"]}"#,
            #"{}"#, #"{"typ":"JWT"}"#, #"{"alg":"HS256","jwk":{}}"#, #"{"alg":"HS256","jku":"https://x.example/"}"#,
            #"{"alg":"HS256","x5u":"https://x.example/"}"#, #"{"alg":"HS256","x5c":[]}"#,
            #"{"alg":"HS256","crit":["exp"]}"#, #"{"alg":"HS256","crit":[]}"#,
            #"{"alg":"HS256","b64":false,"crit":["b64"]}"#, #"{"alg":"HS256","b64":false}"#,
            #"{"alg":"HS256","zip":"DEF"}"#, #"{"alg":"HS256","kid":7}"#, #"{"alg":"HS256","kid":""}"#,
            #"{"alg":"HS256","kid":"\#(String(repeating: "k", count: 257))"}"#, #"{"alg":"HS256","typ":7}"#,
        ])
    func headers(header: String) {
        #expect(throws: CompactJWS.Failure.refusedHeader) { try CompactJWS(signed(header)) }
    }

    @Test(
        "Two members of one name, deep nesting, foreign characters and oversize are refused before anything is checked")
    func malformed() throws {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        for header in [
            #"{"alg":"HS256","alg":"none"}"#, #"{"alg":"HS256","x":\#(deep)}"#, "[]", "7", "", "{", "\u{feff}{}",
            #"{"alg":"HS256"} x"#,
        ] {
            #expect(throws: CompactJWS.Failure.malformed, "\(header)") { try CompactJWS(signed(header)) }
        }
        let good = signed(#"{"alg":"HS256"}"#)
        for text in [
            "", ".", "..", "a.b", good + ".", good + ".x", good + "=", " " + good, good + "\n", "\(good)+", "é.é.é",
        ] {
            #expect(throws: CompactJWS.Failure.malformed, "\(text)") { try CompactJWS(text) }
        }
        _ = try CompactJWS(signed(#"{"alg":"HS256"}"#, String(repeating: "x", count: 6_000)))
        #expect(throws: CompactJWS.Failure.tooLong) {
            try CompactJWS(signed(#"{"alg":"HS256"}"#, String(repeating: "x", count: 6_200)))
        }
    }

    @Test("A token means the key it names, or the only one there could be")
    func choice() throws {
        let named = Self.a1.key.replacing("}", with: ",\"kid\":\"one\"}")
        let other = #"{"kty":"oct","kid":"two","k":"-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE"}"#
        let byName = signed(#"{"alg":"HS256","kid":"one"}"#)
        let nameless = signed(#"{"alg":"HS256"}"#)
        func isOpened(_ token: String, _ keys: String...) throws -> Bool {
            let text = "{\"keys\":[\(keys.joined(separator: ","))]}"
            return opens(token, with: try JSONWebKeySet(parsing: Array(text.utf8), takesSecrets: true)) != nil
        }
        #expect(try isOpened(byName, named, other))
        #expect(try !isOpened(nameless, named, other))
        #expect(try isOpened(nameless, named, Self.a3.key))
        #expect(try !isOpened(byName, other))
        #expect(try isOpened(byName, Self.a1.key, other))
        #expect(try !isOpened(signed(#"{"alg":"HS256","kid":"two"}"#), named, other))
        // The name of a key for another algorithm is no way to a nameless one.
        let point = Self.a3.key.replacing("}", with: ",\"kid\":\"one\"}")
        #expect(try !isOpened(byName, point, Self.a1.key))
    }

    @Test("What is no set of keys is refused whole")
    func sets() throws {
        let many = "{\"keys\":[\(Array(repeating: "{}", count: 33).joined(separator: ","))]}"
        for (text, failure) in [
            ("", JSONWebKeySet.Failure.malformed), ("[]", .malformed), ("{\"keys\":{}}", .malformed),
            (Self.a1.key, .malformed),
            (many, .tooLarge), (String(repeating: " ", count: 65_537), .tooLarge),
        ] {
            #expect(throws: failure) { try JSONWebKeySet(parsing: Array(text.utf8), takesSecrets: true) }
        }
        #expect(try set().keys.isEmpty)
        #expect(try set("7", "{}").skipped.map(\.name) == ["number 1", "number 2"])
    }
}
