import CipherKit
import LogKit

/// A code or a token as clients hold it: a word for its kind, 22 characters of its id, 43 random ones and six of a checksum.
///
/// The id makes one read of a primary key enough to find it; the checksum refuses mistakes and strangers without a read;
/// the 256 random bits prove the right, and only the digest of the whole text is kept.
///
/// > The probability of an attacker guessing generated tokens … MUST be less than or equal to 2^(-128).     RFC 6749 §10.10
struct TokenText: Sendable {
    /// What it is.
    enum Kind: String, CaseIterable, Sendable {
        case accessToken = "hub_at_"
        case refreshToken = "hub_rt_"
        case code = "hub_ac_"
        case deviceCode = "hub_dc_"
    }

    private static let idCount = 22
    private static let secretCount = 43
    private static let checksumCount = 6
    /// How many characters each of them has: every prefix has seven.
    static let length = 7 + idCount + secretCount + checksumCount

    /// What it is.
    let kind: Kind
    /// The sixteen bytes of its id.
    let id: [UInt8]
    /// The whole text.
    let secret: Secret<String>
    /// What is kept of it: the SHA-256 of the whole text.
    let digest: [UInt8]

    /// A new one, of an id's sixteen bytes.
    init(_ kind: Kind, id: [UInt8]) {
        self.init(kind, id: id, random: Random.base62(Self.secretCount))
    }

    /// One whose random part is made of 32 bytes that nobody else can know.
    init(_ kind: Kind, id: [UInt8], secretBytes: [UInt8]) {
        precondition(secretBytes.count == 32, "a token is made of 256 bits")
        self.init(kind, id: id, random: Base62.encode(secretBytes))
    }

    private init(_ kind: Kind, id: [UInt8], random: String) {
        let body = kind.rawValue + Base62.encode(id) + random
        let text = body + Base62.checksum(of: body.utf8)
        self.kind = kind
        self.id = id
        secret = Secret(text)
        digest = SHA256.digest(text.utf8)
    }

    /// Reads what somebody sent; nil unless it has the shape of one of these and its checksum is right.
    init?(_ sent: String) {
        guard let kind = Self.kind(of: sent) else { return nil }
        let bytes = Array(sent.utf8)
        let rest = bytes.dropFirst(kind.rawValue.utf8.count)
        guard rest.allSatisfy(Self.isAlphanumeric),
            Base62.checksum(of: bytes.dropLast(Self.checksumCount)).utf8.elementsEqual(
                bytes.suffix(Self.checksumCount)),
            let id = Base62.decode(rest.prefix(Self.idCount), count: 16)
        else { return nil }
        self.kind = kind
        self.id = id
        secret = Secret(sent)
        digest = SHA256.digest(bytes)
    }

    /// What a text would be by its beginning and its length; nothing is checked.
    static func kind(of sent: String) -> Kind? {
        guard sent.utf8.count == length else { return nil }
        return Kind.allCases.first { sent.hasPrefix($0.rawValue) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}
