import LogKit
import Testing

@testable import HTTPKit

@Suite struct CredentialTests {
    private func read(_ authorization: [String], _ apiKey: [String] = []) -> String {
        switch Credential(authorization: authorization, apiKey: apiKey) {
        case .missing: "missing"
        case .malformed: "malformed"
        case .ambiguous: "ambiguous"
        case .sent(let secret): secret.reveal { "sent \($0)" }
        }
    }

    @Test(
        "A credential is one word after Bearer, in any case",
        arguments: [
            ("Bearer abc", "sent abc"), ("bearer abc", "sent abc"), ("BEARER  abc ", "sent abc"),
            (" Bearer abc", "sent abc"),
            ("Bearer", "malformed"), ("Bearer ", "malformed"), ("Bearer a b", "malformed"), ("Basic abc", "malformed"),
            ("Bearerabc", "malformed"), ("Bear abc", "malformed"), ("", "malformed"), ("Bearer é", "sent é"),
            // What `| 0x20` makes of other characters must not pass for a letter.
            ("\u{02}earer abc", "malformed"), ("Be\u{01}rer abc", "malformed"),
        ])
    func bearer(field: String, expected: String) { #expect(read([field]) == expected) }

    @Test("A key in its own field is the same, and two credentials are none")
    func several() {
        #expect(read([]) == "missing")
        #expect(read([], ["abc"]) == "sent abc")
        #expect(read([], [""]) == "sent ")
        #expect(read(["Bearer abc"], ["abc"]) == "ambiguous")
        #expect(read(["Basic abc"], ["abc"]) == "ambiguous")
        #expect(read(["Bearer abc", "Bearer abc"]) == "ambiguous")
        #expect(read([], ["abc", "abc"]) == "ambiguous")
        let headers: Headers = ["X-API-Key": "abc"]
        guard case .sent(let secret) = Credential(headers) else {
            Issue.record("there is one")
            return
        }
        #expect("\(secret)" == "<secret>")
    }
}
