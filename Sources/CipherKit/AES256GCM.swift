internal import COpenSSL

/// Authenticated encryption by AES-256 in Galois/Counter Mode (NIST SP 800-38D), 96-bit nonce, 128-bit tag.
///
/// Whoever chooses a nonce twice under one key has lost both secrecy and authenticity. What is to be stored goes
/// through ``SealedRecord``, which chooses a random one each time.
public enum AES256GCM {
    /// The length of a nonce, in bytes.
    public static let nonceSize = 12
    /// The length of a tag, in bytes.
    public static let tagSize = 16

    /// What was to be opened is not what was sealed: other bytes, key, nonce or associated data, nobody can tell which.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        /// The same words for every cause.
        public var description: String { "the sealed bytes cannot be opened" }
    }

    /// The ciphertext followed by its tag.
    ///
    /// - Parameters:
    ///   - plaintext: What to encrypt, below 2³¹ bytes.
    ///   - nonce: 12 bytes never used before under this key.
    ///   - associated: What is not encrypted, but must be the same when opened.
    public static func seal(
        _ plaintext: some Collection<UInt8>, key: SymmetricKey, nonce: [UInt8],
        authenticating associated: some Collection<UInt8>
    ) -> [UInt8] {
        lend(plaintext) { plaintext in
            lend(associated) { associated in
                seal(plaintext, key: key, nonce: nonce, authenticating: associated, after: [UInt8]().span)
            }
        }
    }

    /// The plaintext of a ciphertext followed by its tag.
    ///
    /// Nothing of the plaintext leaves before the tag has been verified.
    public static func open(
        _ sealed: some Collection<UInt8>, key: SymmetricKey, nonce: [UInt8],
        authenticating associated: some Collection<UInt8>
    ) throws(Failure) -> [UInt8] {
        let plaintext = lend(sealed) { sealed in
            lend(associated) { associated in
                open(sealed, key: key, nonce: nonce.span, authenticating: associated)
            }
        }
        guard let plaintext else { throw Failure() }
        return plaintext
    }

    /// The given first bytes, then ciphertext and tag, all in one array made once.
    static func seal(
        _ plaintext: Span<UInt8>, key: SymmetricKey, nonce: [UInt8], authenticating associated: Span<UInt8>,
        after first: Span<UInt8>
    ) -> [UInt8] {
        precondition(nonce.count == nonceSize, "a nonce of another length")
        let count = plaintext.count
        precondition(max(count, associated.count) <= Int(Int32.max) - tagSize, "too much to seal at once")
        let sealed = unsafe written(first.count + count + tagSize) { target in
            unsafe first.withAddress { unsafe target.update(from: $0, count: $1) }
            let body = unsafe target + first.count
            let tag = unsafe body + count
            var length: Int32 = 0
            return unsafe withContext { context in
                unsafe begin(.sealing, context, key: key, nonce: nonce.span)
                    && take(context, associated, into: nil) && take(context, plaintext, into: body)
                    && EVP_CipherFinal_ex(context, tag, &length) == 1
                    && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagSize), tag) == 1
            }
        }
        guard let sealed else { fatalError("encryption failed") }
        return sealed
    }

    /// The plaintext, or nil when anything differs from what was sealed.
    static func open(
        _ sealed: Span<UInt8>, key: SymmetricKey, nonce: Span<UInt8>, authenticating associated: Span<UInt8>
    ) -> [UInt8]? {
        let count = sealed.count - tagSize
        guard count >= 0, nonce.count == nonceSize, max(sealed.count, associated.count) <= Int(Int32.max)
        else { return nil }
        let ciphertext = sealed.extracting(0..<count)
        let tag = sealed.extracting(count...)
        return unsafe written(count) { target in
            var length: Int32 = 0
            let opened = unsafe withContext { context in
                unsafe begin(.opening, context, key: key, nonce: nonce)
                    && take(context, associated, into: nil) && take(context, ciphertext, into: target)
                    && expect(context, tag) && EVP_CipherFinal_ex(context, target + count, &length) == 1
            }
            if !opened { unsafe OPENSSL_cleanse(target, count) }
            return opened
        }
    }

    private enum Direction: Int32 {
        case opening = 0
        case sealing = 1
    }

    private static func begin(
        _ direction: Direction, _ context: OpaquePointer, key: SymmetricKey, nonce: Span<UInt8>
    ) -> Bool {
        key.withBytes { key in
            unsafe key.withAddress { key, _ in
                unsafe nonce.withAddress { nonce, _ in
                    unsafe EVP_CipherInit_ex2(
                        context, Cipher.aes256GCM.pointer, key, nonce, direction.rawValue, nil) == 1
                }
            }
        }
    }

    /// Takes bytes in, and puts as many out; without a target they are associated data.
    private static func take(
        _ context: OpaquePointer, _ bytes: Span<UInt8>, into target: UnsafeMutablePointer<UInt8>?
    ) -> Bool {
        guard !bytes.isEmpty else { return true }
        var length: Int32 = 0
        return unsafe bytes.withAddress { unsafe EVP_CipherUpdate(context, target, &length, $0, Int32($1)) == 1 }
    }

    private static func expect(_ context: OpaquePointer, _ tag: Span<UInt8>) -> Bool {
        unsafe tag.withAddress { address, count in
            // OpenSSL takes the tag by a mutable pointer and only reads it.
            let tag = unsafe UnsafeMutablePointer(mutating: address)
            return unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(count), tag) == 1
        }
    }
}

/// Lends a cipher context of its own to a closure, and forgets OpenSSL's error notes when the closure fails.
func withContext(_ use: (OpaquePointer) -> Bool) -> Bool {
    guard let context = unsafe EVP_CIPHER_CTX_new() else { fatalError("out of memory for a cipher") }
    defer { unsafe EVP_CIPHER_CTX_free(context) }
    let succeeded = unsafe use(context)
    if !succeeded { ERR_clear_error() }
    return succeeded
}
