internal import COpenSSL

/// Keys derived from a key by HKDF-SHA-256 (RFC 5869).
public enum HKDF {
    /// So many bytes derived from a key.
    ///
    /// - Parameters:
    ///   - key: The input keying material; it must already be strong, a password is not.
    ///   - salt: Not secret; may be empty.
    ///   - info: What the derived key is for: different uses must have different words.
    ///   - count: How many bytes, from 1 to 8160 (255 digests, RFC 5869 §2.3).
    public static func sha256(
        key: some Collection<UInt8>, salt: some Collection<UInt8>, info: some Collection<UInt8>, count: Int
    ) -> [UInt8] {
        precondition((1...8160).contains(count), "a count of derived bytes out of range")
        let derived = lend(key) { key in
            lend(salt) { salt in
                lend(info) { info in
                    unsafe written(count) { unsafe derive(key: key, salt: salt, info: info, into: $0, count: count) }
                }
            }
        }
        guard let derived else { fatalError("key derivation failed") }
        return derived
    }

    /// A key derived from a key, without the bytes of either passing through an array.
    public static func sha256(key: SymmetricKey, info: some Collection<UInt8>) -> SymmetricKey {
        unsafe SymmetricKey { memory in
            key.withBytes { key in
                lend(info) { info in
                    let target = unsafe memory.assumingMemoryBound(to: UInt8.self)
                    let count = SymmetricKey.size
                    return unsafe derive(key: key, salt: [UInt8]().span, info: info, into: target, count: count)
                }
            }
        }
    }

    private static func derive(
        key: Span<UInt8>, salt: Span<UInt8>, info: Span<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int
    ) -> Bool {
        guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil) else { return false }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_derive_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_hkdf_md(context, Algorithm.sha256.pointer) == 1,
            unsafe key.withAddress({ unsafe EVP_PKEY_CTX_set1_hkdf_key(context, $0, Int32($1)) }) == 1,
            unsafe salt.withAddress({ unsafe EVP_PKEY_CTX_set1_hkdf_salt(context, $0, Int32($1)) }) == 1,
            unsafe info.withAddress({ unsafe EVP_PKEY_CTX_add1_hkdf_info(context, $0, Int32($1)) }) == 1
        else { return false }
        var length = count
        return unsafe EVP_PKEY_derive(context, target, &length) == 1 && length == count
    }
}
