import CipherKit

/// What a client has committed itself to when it began: the digest of a verifier that has not travelled yet (RFC 7636).
///
/// Only S256: with `plain` the verifier travels through the browser, and an intercepted code comes with its verifier.
struct CodeChallenge: Sendable, Equatable {
    /// 43 characters of base64url.
    let text: String

    /// Reads a challenge as it was stored.
    init(stored text: String) { self.text = text }

    /// Reads the two parameters of an authorization request.
    ///
    /// > If the server does not support the requested transformation, the authorization endpoint MUST return the
    /// > authorization error response with "error" value set to "invalid_request".     RFC 7636 §4.4.1
    init(challenge: String?, method: String?) throws(OAuthError) {
        guard let challenge else {
            throw OAuthError(.invalidRequest, "code_challenge is missing: PKCE with S256 is required of every client.")
        }
        // Absent means `plain` (RFC 7636 §4.3).
        guard method == "S256" else {
            throw OAuthError(
                .invalidRequest, "code_challenge_method must be S256; plain, which is the default, is not taken.")
        }
        guard challenge.utf8.count == 43, Base64URL.decode(challenge)?.count == 32 else {
            throw OAuthError(
                .invalidRequest, "code_challenge must be the SHA-256 of the verifier in base64url: 43 characters.")
        }
        text = challenge
    }

    /// Answers whether this verifier belongs to the challenge.
    ///
    /// > code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))     RFC 7636 §4.2
    func isAnswered(by verifier: String) -> Bool {
        guard Self.isVerifier(verifier) else { return false }
        let digest = Base64URL.encode(SHA256.digest(verifier.utf8))
        return equalInConstantTime(Array(digest.utf8), Array(text.utf8))
    }

    /// > code-verifier = 43*128unreserved     RFC 7636 §4.1
    private static func isVerifier(_ text: String) -> Bool {
        (43...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
                default: false
                }
            }
    }
}
