import CipherKit
import LogKit

/// What a program that registered itself holds to read, replace and remove what it said (RFC 7592 §3).
struct RegistrationToken: Sendable {
    /// The whole text, to be shown once.
    let secret: Secret<String>
    /// What is kept of it.
    let digest: [UInt8]

    /// A new one: 256 random bits.
    init() {
        let text = "hub_reg_" + Random.base62(43)
        secret = Secret(text)
        digest = SHA256.digest(text.utf8)
    }

    /// Whether somebody sent the one that is kept.
    static func isRight(_ sent: Secret<String>, kept: [UInt8]) -> Bool {
        sent.reveal { equalInConstantTime(SHA256.digest($0.utf8), kept) }
    }
}
