import CipherKit

/// What a secret of Standard Webhooks stands for.
enum StandardKey {
    /// The bytes that both sides know.
    case shared([UInt8])
    /// The public half of an Ed25519 key.
    case published([UInt8])

    /// Reads `whsec_` and the base64 of 24 to 64 bytes, or `whpk_` and that of 32.
    init?(_ text: String) {
        if text.hasPrefix("whpk_") {
            guard let bytes = Base64.decode(String(text.dropFirst(5))), bytes.count == Ed25519.keySize else {
                return nil
            }
            self = .published(bytes)
        } else {
            let body = text.hasPrefix("whsec_") ? String(text.dropFirst(6)) : text
            guard let bytes = Base64.decode(body), StandardWebhooks.SymmetricSecret.sizes.contains(bytes.count) else {
                return nil
            }
            self = .shared(bytes)
        }
    }
}

/// Public keys and signatures as services write them.
enum PublicKey {
    /// What stands before the point of a key on P-256 (RFC 5480 §2): the algorithm, the curve, the length.
    private static let head: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    /// A key on P-256 from the base64 of its SubjectPublicKeyInfo, its point uncompressed; nil when it is none.
    static func p256(_ text: String) -> VerificationKey? {
        guard let bytes = Base64.decode(text), bytes.count == head.count + 64, bytes.starts(with: head) else {
            return nil
        }
        return try? VerificationKey.p256(x: Array(bytes[head.count..<head.count + 32]), y: Array(bytes.suffix(32)))
    }

    /// R and S of a signature in DER (X.690 §8.9), 32 bytes each; nil when it is none.
    static func pair(der bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= 8, bytes.count <= 72, bytes[0] == 0x30, Int(bytes[1]) == bytes.count - 2 else {
            return nil
        }
        var rest = bytes[2...]
        guard let r = number(&rest), let s = number(&rest), rest.isEmpty else { return nil }
        return r + s
    }

    /// A positive integer of at most 32 bytes, written in the one way there is (X.690 §10).
    private static func number(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard rest.count >= 3, rest.first == 0x02 else { return nil }
        let count = Int(rest[rest.startIndex + 1])
        let digits = rest.dropFirst(2).prefix(count)
        guard count >= 1, digits.count == count, let first = digits.first, first < 0x80 else { return nil }
        if first == 0, count > 1, digits[digits.startIndex + 1] < 0x80 { return nil }
        rest = rest.dropFirst(2 + count)
        let plain = digits.drop { $0 == 0 }
        guard plain.count <= 32 else { return nil }
        return [UInt8](repeating: 0, count: 32 - plain.count) + plain
    }
}
