internal import COpenSSL

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// The 32-byte digest of some bytes: an array, a slice, or a text's `utf8`.
    public static func digest(_ bytes: some Collection<UInt8>) -> [UInt8] {
        lend(bytes) { digest($0) }
    }

    /// The 32-byte digest of borrowed bytes.
    public static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        let answer = unsafe bytes.withAddress { address, count in
            unsafe written(32) { unsafe EVP_Digest(address, count, $0, nil, Algorithm.sha256.pointer, nil) == 1 }
        }
        guard let answer else { fatalError("SHA-256 failed") }
        return answer
    }

    /// A digest over a body that arrives in pieces.
    ///
    /// ```swift
    /// var stream = SHA256.Stream()
    /// stream.update(first)
    /// stream.update(second)
    /// let digest = stream.finish()
    /// ```
    @safe public struct Stream: ~Copyable {
        private let context: OpaquePointer

        /// A digest of nothing yet.
        public init() {
            guard let made = unsafe EVP_MD_CTX_new() else { fatalError("out of memory for a digest") }
            unsafe context = made
            let begun = unsafe EVP_DigestInit_ex2(made, Algorithm.sha256.pointer, nil)
            precondition(begun == 1, "SHA-256 did not begin")
        }

        deinit { unsafe EVP_MD_CTX_free(context) }

        /// Takes the next piece in.
        public mutating func update(_ bytes: some Collection<UInt8>) {
            let taken = lend(bytes) { span in
                unsafe span.withAddress { unsafe EVP_DigestUpdate(context, $0, $1) }
            }
            precondition(taken == 1, "SHA-256 failed")
        }

        /// The 32-byte digest of all pieces; the stream is used up.
        public consuming func finish() -> [UInt8] {
            guard let answer = unsafe written(32, by: { unsafe EVP_DigestFinal_ex(context, $0, nil) == 1 }) else {
                fatalError("SHA-256 failed")
            }
            return answer
        }
    }
}

/// Message authentication with a shared key (RFC 2104).
///
/// Compare an answer with what came from outside only by ``equalInConstantTime(_:_:)``.
public enum HMAC {
    /// The 32-byte code of a message by HMAC-SHA-256.
    public static func sha256(_ message: some Collection<UInt8>, key: some Collection<UInt8>) -> [UInt8] {
        code(message, key: key, .sha256)
    }

    /// The 20-byte code of a message by HMAC-SHA-1: only where a counter-party's protocol asks for it.
    public static func sha1(_ message: some Collection<UInt8>, key: some Collection<UInt8>) -> [UInt8] {
        code(message, key: key, .sha1)
    }

    /// The 64-byte code of a message by HMAC-SHA-512.
    public static func sha512(_ message: some Collection<UInt8>, key: some Collection<UInt8>) -> [UInt8] {
        code(message, key: key, .sha512)
    }

    /// The 32-byte code of a message by HMAC-SHA-256 under a key that stays in its own memory.
    public static func sha256(_ message: some Collection<UInt8>, key: SymmetricKey) -> [UInt8] {
        lend(message) { message in
            key.withBytes { key in code(message, key: key, .sha256) }
        }
    }

    /// The 32-byte code of borrowed bytes by HMAC-SHA-256 under a borrowed key.
    static func sha256(_ message: Span<UInt8>, key: Span<UInt8>) -> [UInt8] {
        code(message, key: key, .sha256)
    }

    private static func code(
        _ message: some Collection<UInt8>, key: some Collection<UInt8>, _ algorithm: KeyedAlgorithm
    ) -> [UInt8] {
        lend(message) { message in
            lend(key) { key in code(message, key: key, algorithm) }
        }
    }

    private static func code(_ message: Span<UInt8>, key: Span<UInt8>, _ algorithm: KeyedAlgorithm) -> [UInt8] {
        let answer = unsafe message.withAddress { message, count in
            unsafe key.withAddress { key, keyCount in
                unsafe written(algorithm.size) { target in
                    unsafe algorithm.write(message, count, key: key, keyCount, to: target)
                }
            }
        }
        guard let answer else { fatalError("message authentication failed") }
        return answer
    }
}
