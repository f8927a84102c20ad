internal import COpenSSL
import LogKit

/// Signatures by the curve Ed25519 (RFC 8032 §5.1): the holder of a secret signs, and anybody may check.
public enum Ed25519 {
    /// How many bytes a seed and a public key have.
    public static let keySize = 32
    /// How many bytes a signature has.
    public static let signatureSize = 64

    /// A key that signs, made from its seed of 32 bytes.
    public struct PrivateKey: Sendable {
        private let seed: Secret<[UInt8]>
        /// What others check signatures with.
        public let publicKey: [UInt8]

        /// A key of a seed; nil unless it has 32 bytes.
        public init?(seed: [UInt8]) {
            guard seed.count == keySize,
                let shown = unsafe Ed25519.withKey(of: seed, isPrivate: true, { unsafe publicBytes(of: $0) }) ?? nil
            else { return nil }
            self.seed = Secret(seed)
            publicKey = shown
        }

        /// A new key.
        public static func random() -> PrivateKey {
            guard let made = PrivateKey(seed: Random.bytes(keySize)) else { fatalError("Ed25519 made no key") }
            return made
        }

        /// The seed, for whoever keeps it sealed.
        public var bytes: Secret<[UInt8]> { seed }

        /// The 64 bytes of the signature under a message.
        public func sign(_ message: some Collection<UInt8>) -> [UInt8] {
            let answer = seed.reveal { seed in
                unsafe Ed25519.withKey(of: seed, isPrivate: true) { key in unsafe signature(of: message, by: key) }
                    ?? nil
            }
            guard let answer else { fatalError("Ed25519 did not sign") }
            return answer
        }
    }

    /// Whether a signature is the key holder's under this message. A key or signature of another length never is.
    public static func isValid(
        _ signature: [UInt8], of message: some Collection<UInt8>, by publicKey: [UInt8]
    ) -> Bool {
        guard signature.count == signatureSize, publicKey.count == keySize else { return false }
        let verdict = unsafe withKey(of: publicKey, isPrivate: false) { key in
            lend(message) { message in
                unsafe withContext { context in
                    guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
                    return unsafe message.withAddress { message, count in
                        unsafe signature.span.withAddress { signature, size in
                            unsafe EVP_DigestVerify(context, signature, size, message, count) == 1
                        }
                    }
                }
            }
        }
        return verdict ?? false
    }

    private static func signature(of message: some Collection<UInt8>, by key: OpaquePointer) -> [UInt8]? {
        lend(message) { message in
            unsafe withContext { context in
                guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else { return nil }
                return unsafe message.withAddress { message, count in
                    unsafe written(signatureSize) { target in
                        var size = signatureSize
                        return unsafe EVP_DigestSign(context, target, &size, message, count) == 1
                            && size == signatureSize
                    }
                }
            }
        }
    }

    private static func publicBytes(of key: OpaquePointer) -> [UInt8]? {
        unsafe written(keySize) { target in
            var size = keySize
            return unsafe EVP_PKEY_get_raw_public_key(key, target, &size) == 1 && size == keySize
        }
    }

    /// Lends OpenSSL's form of a key; nil when these bytes are none.
    private static func withKey<Result>(
        of bytes: [UInt8], isPrivate: Bool, _ use: (OpaquePointer) -> Result
    ) -> Result? {
        let made = unsafe bytes.span.withAddress { bytes, count in
            unsafe isPrivate
                ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, bytes, count)
                : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, count)
        }
        guard let key = unsafe made else {
            ERR_clear_error()
            return nil
        }
        defer { unsafe EVP_PKEY_free(key) }
        return unsafe use(key)
    }

    private static func withContext<Result>(_ use: (OpaquePointer) -> Result) -> Result {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("out of memory for a signature") }
        defer {
            unsafe EVP_MD_CTX_free(context)
            // What a wrong signature leaves in this thread's queue is nobody else's error.
            ERR_clear_error()
        }
        return unsafe use(context)
    }
}
