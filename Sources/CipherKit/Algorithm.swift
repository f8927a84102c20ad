internal import COpenSSL

/// A digest algorithm as OpenSSL's `EVP_MD`, fetched once for the life of the process.
///
/// `EVP_sha256()` names an algorithm without fetching it, and each use then searches the provider's store under its
/// lock, which takes longer than digesting a short text. The address is kept as a number because Swift calls no pointer
/// `Sendable`; what it points to is constant.
struct Algorithm: Sendable {
    /// The length of its digest, in bytes.
    let size: Int
    private let address: Int

    /// The fetched algorithm, alive as long as the process.
    var pointer: OpaquePointer? { unsafe OpaquePointer(bitPattern: address) }

    static let sha1 = Algorithm("SHA1", size: 20)
    static let sha256 = Algorithm("SHA256", size: 32)
    static let sha512 = Algorithm("SHA512", size: 64)

    private init(_ name: String, size: Int) {
        guard let fetched = unsafe EVP_MD_fetch(nil, name, nil) else { fatalError("OpenSSL has no \(name)") }
        self.size = size
        address = Int(bitPattern: fetched)
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
