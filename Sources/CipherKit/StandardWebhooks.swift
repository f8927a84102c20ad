import LogKit

/// The signatures of Standard Webhooks 1.0: what is signed is `{id}.{timestamp}.{body}`, byte for byte as it is sent.
///
/// A signature is written `v1,` and the base64 of HMAC-SHA-256, or `v1a,` and the base64 of an Ed25519 signature; several
/// stand side by side, separated by one space, while a secret is being replaced.
public enum StandardWebhooks {
    /// What both sides of a symmetric signature know.
    public struct SymmetricSecret: Sendable, Equatable {
        /// How a secret begins where it is written.
        public static let prefix = "whsec_"
        /// How many bytes a secret may have: 192 to 512 bits.
        public static let sizes = 24...64

        private let bytes: Secret<[UInt8]>

        /// Reads a secret, its prefix left away or not; nil unless it is base64 of 24 to 64 bytes.
        public init?(_ text: String) {
            let body = text.hasPrefix(Self.prefix) ? String(text.dropFirst(Self.prefix.count)) : text
            guard let bytes = Base64.decode(body), Self.sizes.contains(bytes.count) else { return nil }
            self.bytes = Secret(bytes)
        }

        private init(bytes: [UInt8]) { self.bytes = Secret(bytes) }

        /// A new secret of 256 bits.
        public static func random() -> SymmetricSecret { SymmetricSecret(bytes: Random.bytes(32)) }

        /// The secret as it is written, for whoever may see it this once.
        public var text: Secret<String> { Secret(bytes.reveal { Self.prefix + Base64.encode($0) }) }

        /// One signature, such as `v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=`.
        public func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
            let code = bytes.reveal { HMAC.sha256(content(id, timestamp, body), key: $0) }
            return "v1," + Base64.encode(code)
        }

        /// Equal by their bytes, compared in constant time.
        public static func == (one: SymmetricSecret, other: SymmetricSecret) -> Bool {
            one.bytes.reveal { one in other.bytes.reveal { equalInConstantTime(one, $0) } }
        }
    }

    /// One signature under an Ed25519 key, `v1a,…`.
    public static func signature(
        by key: Ed25519.PrivateKey, id: String, timestamp: Int64, body: [UInt8]
    ) -> String {
        "v1a," + Base64.encode(key.sign(content(id, timestamp, body)))
    }

    /// An Ed25519 key that checks, as it is written.
    public static func written(publicKey: [UInt8]) -> String { "whpk_" + Base64.encode(publicKey) }

    /// Whether one of the signatures in a header is by one of these secrets.
    ///
    /// Every secret is tried with every signature, so that the time tells nothing about which one fitted.
    public static func isSigned(
        _ header: String, id: String, timestamp: Int64, body: [UInt8], by secrets: [SymmetricSecret]
    ) -> Bool {
        let given = header.split(separator: " ").prefix(16).map { Array($0.utf8) }
        var isKnown = false
        for secret in secrets {
            let expected = Array(secret.signature(id: id, timestamp: timestamp, body: body).utf8)
            for one in given where equalInConstantTime(one, expected) { isKnown = true }
        }
        return isKnown
    }

    private static func content(_ id: String, _ timestamp: Int64, _ body: [UInt8]) -> [UInt8] {
        Array("\(id).\(timestamp).".utf8) + body
    }
}
