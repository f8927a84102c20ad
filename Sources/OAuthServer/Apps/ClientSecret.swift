import CipherKit
import LogKit
import TimeKit

/// A secret by which an app proves who it is: a word, 43 random characters and six of a checksum.
///
/// It is 256 random bits, so its SHA-256 is kept and nothing slower is needed; the checksum refuses mistakes before any
/// digest is made, and lets secret scanners know it for what it is.
struct ClientSecret: Sendable {
    private static let prefix = "hub_cs_"
    private static let randomCount = 43
    private static let checksumCount = 6
    private static let length = prefix.utf8.count + randomCount + checksumCount

    /// The whole text, to be shown once.
    let secret: Secret<String>
    /// What may be seen of it afterwards.
    let lastFour: String
    /// What is kept of it.
    let digest: [UInt8]

    /// A new one.
    init() {
        let body = Self.prefix + Random.base62(Self.randomCount)
        self.init(trusted: body + Base62.checksum(of: body.utf8))
    }

    /// Reads what a client sent; nil unless it has the shape of a secret and its checksum is right.
    init?(_ sent: String) {
        let bytes = Array(sent.utf8)
        guard bytes.count == Self.length, sent.hasPrefix(Self.prefix),
            Base62.checksum(of: bytes.dropLast(Self.checksumCount)).utf8.elementsEqual(bytes.suffix(Self.checksumCount))
        else { return nil }
        self.init(trusted: sent)
    }

    private init(trusted text: String) {
        secret = Secret(text)
        lastFour = String(text.suffix(4))
        digest = SHA256.digest(text.utf8)
    }

    /// A secret as it may be seen after it was made.
    static func masked(_ lastFour: String) -> String { "\(prefix)…\(lastFour)" }
}

/// A living secret of an app, as it is kept.
struct AppSecret: Sendable, Equatable {
    /// The SHA-256 of the whole text.
    let hash: [UInt8]
    /// What may be seen of it.
    let lastFour: String
    /// When it ends; nil for the present one.
    let endsAt: Timestamp?
}
