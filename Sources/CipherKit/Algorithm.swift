internal import COpenSSL

/// A digest algorithm as OpenSSL's `EVP_MD`, fetched once for the life of the process.
///
/// `EVP_sha256()` names an algorithm without fetching it, and each use then searches the provider's store under its
/// lock, which takes longer than digesting a short text. The address is kept as a number because Swift calls no pointer
/// `Sendable`; what it points to is constant.
struct Algorithm: Sendable {
    private let address: Int

    /// The fetched algorithm, alive as long as the process.
    var pointer: OpaquePointer? { unsafe OpaquePointer(bitPattern: address) }

    static let sha256 = Algorithm("SHA256")

    private init(_ name: String) {
        guard let fetched = unsafe EVP_MD_fetch(nil, name, nil) else { fatalError("OpenSSL has no \(name)") }
        address = Int(bitPattern: fetched)
    }
}

/// Message authentication by HMAC with a digest, set up once for the life of the process like an ``Algorithm``.
///
/// `HMAC()` looks both up by name at each call, which takes longer than authenticating a short message. What stands here
/// has no key and is only ever copied.
struct KeyedAlgorithm: Sendable {
    /// The length of its code, in bytes.
    let size: Int
    private let address: Int

    static let sha1 = KeyedAlgorithm("SHA1", size: 20)
    static let sha256 = KeyedAlgorithm("SHA256", size: 32)
    static let sha512 = KeyedAlgorithm("SHA512", size: 64)

    private init(_ name: String, size: Int) {
        let algorithm = unsafe EVP_MAC_fetch(nil, "HMAC", nil)
        guard let made = unsafe EVP_MAC_CTX_new(algorithm), unsafe c_mac_set_digest(made, name) == 1 else {
            fatalError("OpenSSL has no HMAC with \(name)")
        }
        self.size = size
        address = Int(bitPattern: made)
    }

    /// The code of a message; false when OpenSSL failed.
    func write(
        _ message: UnsafePointer<UInt8>, _ count: Int, key: UnsafePointer<UInt8>, _ keyCount: Int,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        guard let context = unsafe EVP_MAC_CTX_dup(OpaquePointer(bitPattern: address)) else { return false }
        defer { unsafe EVP_MAC_CTX_free(context) }
        var written = 0
        return unsafe EVP_MAC_init(context, key, keyCount, nil) == 1 && EVP_MAC_update(context, message, count) == 1
            && EVP_MAC_final(context, target, &written, size) == 1 && written == size
    }
}

/// A cipher as OpenSSL's `EVP_CIPHER`, fetched once for the life of the process like an ``Algorithm``.
struct Cipher: Sendable {
    private let address: Int

    /// The fetched cipher, alive as long as the process.
    var pointer: OpaquePointer? { unsafe OpaquePointer(bitPattern: address) }

    static let aes256GCM = Cipher("AES-256-GCM")
    static let aes128CBC = Cipher("AES-128-CBC")

    private init(_ name: String) {
        guard let fetched = unsafe EVP_CIPHER_fetch(nil, name, nil) else { fatalError("OpenSSL has no \(name)") }
        address = Int(bitPattern: fetched)
    }
}
