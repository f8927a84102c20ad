import CipherKit
import Domain
import LogKit

/// A key as scripts send it: `sk_`, eight characters of its id, `_`, 32 random characters and six of a checksum.
///
/// The pattern `[A-Za-z0-9_]{1,20}[0-9A-Za-z]{8}_[0-9A-Za-z]{38}` with its checksum is what secret scanners look for. The
/// checksum finds mistakes and strangers without a question to the database; it proves nothing, the digest does.
struct KeyText: Sendable {
    /// How many random characters a key has: 190 bits.
    static let randomCount = 32
    private static let checksumCount = 6
    private static let idCount = 8

    /// The whole key.
    let secret: Secret<String>
    /// What may be seen of it afterwards, at its beginning.
    let prefix: String
    /// What may be seen of it afterwards, at its end.
    let lastFour: String
    /// What is kept of it.
    let digest: [UInt8]

    /// A new key for an id.
    ///
    /// The characters are the id's last eight, since its first ones are the time and alike for keys made together.
    init(for id: Identifier<APIKey>, prefix: String) {
        let shown = prefix + id.text.suffix(Self.idCount)
        let body = "\(shown)_\(Random.base62(Self.randomCount))"
        self.init(trusted: body + Base62.checksum(of: body.utf8), prefix: shown)
    }

    /// How many characters a key has, prefix and all.
    static let lengths = (tailCount + idCount + 2)...(tailCount + idCount + 1 + APIKeys.Settings.longestPrefix)
    private static let tailCount = randomCount + checksumCount

    /// Whether a text has the shape of a key and its checksum is right.
    static func isKey(_ sent: String) -> Bool {
        guard lengths.contains(sent.utf8.count) else { return false }
        let bytes = Array(sent.utf8)
        return bytes.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "_") })
            && bytes[bytes.count - tailCount - 1] == UInt8(ascii: "_")
            && bytes.suffix(tailCount).allSatisfy(isAlphanumeric)
            && bytes.dropLast(tailCount + 1).suffix(idCount).allSatisfy(isAlphanumeric)
            && Base62.checksum(of: bytes.dropLast(checksumCount)).utf8.elementsEqual(bytes.suffix(checksumCount))
    }

    /// Reads what a caller sent; nil unless it has the shape of a key and its checksum is right.
    ///
    /// Any prefix is taken, so that keys outlive a change of the setting.
    init?(_ sent: String) {
        guard Self.isKey(sent) else { return nil }
        self.init(trusted: sent, prefix: String(sent.dropLast(Self.tailCount + 1)))
    }

    private init(trusted text: String, prefix: String) {
        secret = Secret(text)
        self.prefix = prefix
        lastFour = String(text.suffix(4))
        digest = SHA256.digest(text.utf8)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}
