import LogKit
import Testing

@testable import CipherKit

@Suite("Passwords")
struct PasswordTests {
    static let rfc7914: [(password: String, salt: String, parameters: String, hash: String)] = [
        (
            "password", "NaCl", "ln=10,r=8,p=16",
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        ),
        (
            "pleaseletmein", "SodiumChloride", "ln=14,r=8,p=1",
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        ),
        (
            "", "", "ln=4,r=1,p=1",
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        ),
    ]

    @Test("scrypt answers the cases of RFC 7914 §12", arguments: 0..<3)
    func published(_ index: Int) throws {
        let (password, salt, parameters, hash) = Self.rfc7914[index]
        let derived = scrypt(
            password.utf8, salt: Array(salt.utf8), try #require(Password.Parameters(parameters)), count: 64)
        #expect(derived == hex(hash))
    }

    @Test("The memory of the standard cost is allowed, and the answer is that of Python's hashlib")
    func standard() {
        let derived = scrypt("pass".utf8, salt: Array("sixteen bytes!!!".utf8), .standard, count: 32)
        #expect(Hex.encode(derived) == "a307a3ccc6b0f67cda3e74d878a870cbb2db6decaa86eb5921186da3001b7f53")
    }

    @Test("A password verifies against its own hash and no other does")
    func verifies() {
        let stored = Password.hash(Secret("correct horse"), parameters: .cheap)
        #expect(stored.hasPrefix("$scrypt$ln=10,r=8,p=1$"))
        #expect(Password.verify(Secret("correct horse"), against: stored))
        for other in ["correct horse ", "Correct horse", "", "correct hors", "correct\0horse"] {
            #expect(!Password.verify(Secret(other), against: stored))
        }
        #expect(Password.hash(Secret("correct horse"), parameters: .cheap) != stored)
    }

    @Test("Passwords are the bytes typed: empty, very long and composed differently are all different passwords")
    func bytes() {
        let composed = Password.hash(Secret("caf\u{e9}"), parameters: .cheap)
        #expect(Password.verify(Secret("caf\u{e9}"), against: composed))
        #expect(!Password.verify(Secret("cafe\u{301}"), against: composed))
        let long = String(repeating: "x", count: 100_000)
        #expect(!Password.verify(Secret(long + "y"), against: Password.hash(Secret(long), parameters: .cheap)))
        #expect(Password.verify(Secret(""), against: Password.hash(Secret(""), parameters: .cheap)))
    }

    @Test("A hash of another system in the same notation verifies")
    func foreign() {
        let stored = "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
        #expect(Password.verify(Secret("password"), against: stored))
        #expect(!Password.verify(Secret("passwort"), against: stored))
    }

    @Test("The dummy hash has the cost asked for, is well-formed and has no password")
    func dummy() {
        let dummy = Password.dummy(.cheap)
        #expect(dummy.hasPrefix("$scrypt$ln=10,r=8,p=1$"))
        #expect(!Password.needsRehash(dummy, parameters: .cheap))
        #expect(!Password.verify(Secret("anything"), against: dummy))
        #expect(Password.dummy().hasPrefix("$scrypt$ln=17,r=8,p=1$"))
    }

    @Test("A hash of another cost needs to be made anew, and so does one that cannot be read")
    func rehash() {
        let stored = Password.hash(Secret("x"), parameters: .cheap)
        #expect(!Password.needsRehash(stored, parameters: .cheap))
        #expect(Password.needsRehash(stored))
        #expect(Password.needsRehash("$2b$12$something"))
    }

    @Test(
        "A stored hash that is malformed or of absurd cost verifies nothing, at once",
        arguments: [
            "", "$scrypt$", "scrypt", "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQ$", "$scrypt$ln=10,r=8,p=1$$aGFzaA",
            "$scrypt$ln=21,r=8,p=1$@", "$scrypt$ln=63,r=8,p=1$@", "$scrypt$ln=20,r=32,p=1$@", "$scrypt$ln=0,r=8,p=1$@",
            "$scrypt$ln=10,r=0,p=1$@", "$scrypt$ln=10,r=8,p=0$@", "$scrypt$ln=10,r=8,p=17$@", "$scrypt$ln=16,r=1,p=1$@",
            "$scrypt$ln=-1,r=8,p=1$@", "$scrypt$ln=+9,r=8,p=1$@", "$scrypt$ln=09,r=8,p=1$@", "$scrypt$r=8,ln=10,p=1$@",
            "$scrypt$ln=10,r=8,p=1,x=1$@", "$argon2id$ln=10,r=8,p=1$@", "x$scrypt$ln=10,r=8,p=1$@",
            "$scrypt$ln=99999999999999999999,r=8,p=1$@", "$scrypt$ln=20,r=8,p=16$@",
        ])
    func malformed(_ pattern: String) {
        let parts = Password.hash(Secret("x"), parameters: .cheap).split(separator: "$")
        let stored = pattern.replacing("@", with: "\(parts[2])$\(parts[3])")
        #expect(!Password.verify(Secret("x"), against: stored))
        #expect(Password.needsRehash(stored, parameters: .cheap))
    }
}
