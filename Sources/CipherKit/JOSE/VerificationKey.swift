internal import COpenSSL
import LogKit

/// How a signature is made: the algorithms of RFC 7518 §3.1 that a site's tokens may be signed with.
///
/// `none` is not among them, and none is ever chosen by the token: each key has one.
public enum SignatureAlgorithm: String, Sendable, CaseIterable {
    /// HMAC with SHA-256, by a secret that both sides know.
    case hs256 = "HS256"
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// ECDSA on the curve P-256 with SHA-256.
    case es256 = "ES256"
}

/// Why numbers are no key that signatures may be checked with.
public enum VerificationKeyError: Error, Equatable, CustomStringConvertible {
    /// A secret shorter than the digest (RFC 7518 §3.2).
    case shortSecret
    /// A modulus outside 2 048 to 8 192 bits (RFC 7518 §3.3).
    case modulusSize
    /// An exponent that is even, below 65 537, or longer than four bytes (FIPS 186-5 §5.4).
    case exponent
    /// Numbers that are no point of the curve, or no key at all.
    case invalid

    /// The cause, in words safe to show.
    public var description: String {
        switch self {
        case .shortSecret: "the secret is shorter than 256 bits"
        case .modulusSize: "an RSA key has 2048 to 8192 bits"
        case .exponent: "the RSA exponent is not an odd number of 65537 or above"
        case .invalid: "the numbers are no key"
        }
    }
}

/// A key that checks signatures of one algorithm, and of no other.
///
/// A class, since OpenSSL's key has one owner; any number of lanes may check with it at once.
public final class VerificationKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// The only algorithm that this key checks.
    public let algorithm: SignatureAlgorithm
    private let secret: Secret<[UInt8]>
    // A number, because Swift calls no pointer Sendable; 0 for a secret. What it points to is not changed after `init`.
    private let address: Int

    private init(_ algorithm: SignatureAlgorithm, secret: [UInt8] = [], address: Int = 0) {
        self.algorithm = algorithm
        self.secret = Secret(secret)
        self.address = address
    }

    deinit { unsafe EVP_PKEY_free(OpaquePointer(bitPattern: address)) }

    /// A secret for `HS256`.
    ///
    /// > A key of the same size as the hash output (for instance, 256 bits for "HS256") or larger MUST be used with this
    /// > algorithm.     RFC 7518 §3.2
    public static func secret(_ bytes: [UInt8]) throws(VerificationKeyError) -> VerificationKey {
        guard bytes.count >= 32 else { throw .shortSecret }
        return VerificationKey(.hs256, secret: bytes)
    }

    /// A public key for `RS256`, its numbers with the most significant byte first.
    public static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(VerificationKeyError) -> VerificationKey {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponent = Array(exponent.drop { $0 == 0 })
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard (2_048...8_192).contains(bits) else { throw .modulusSize }
        // An exponent of one would make every message its own signature.
        guard exponent.count <= 4, exponent.reduce(0, { $0 << 8 | UInt64($1) }) >= 65_537,
            exponent.last.map({ $0 & 1 }) == 1
        else { throw .exponent }
        // The builder refers to the numbers until it is done, so they are freed after it.
        let n = unsafe number(modulus)
        let e = unsafe number(exponent)
        defer {
            unsafe BN_free(n)
            unsafe BN_free(e)
        }
        let key = unsafe publicKey("RSA") { unsafe c_param_push_rsa($0, n, e) == 1 }
        guard let key = unsafe key else { throw .invalid }
        return VerificationKey(.rs256, address: Int(bitPattern: key))
    }

    /// A public key for `ES256`: the 32 bytes of each coordinate of a point of P-256 (RFC 7518 §6.2.1).
    public static func p256(x: [UInt8], y: [UInt8]) throws(VerificationKeyError) -> VerificationKey {
        guard x.count == 32, y.count == 32 else { throw .invalid }
        // The uncompressed form of SEC 1 §2.3.3.
        let point = [0x04] + x + y
        let key = unsafe point.span.withAddress { point, count in
            unsafe publicKey("EC") { unsafe c_param_push_p256($0, point, count) == 1 }
        }
        guard let key = unsafe key else { throw .invalid }
        return VerificationKey(.es256, address: Int(bitPattern: key))
    }

    /// Whether a signature is that of a message by this key.
    ///
    /// - Parameter signature: for `ES256` the 64 bytes of R and S (RFC 7518 §3.4), not DER.
    public func verifies(_ signature: [UInt8], of message: some Collection<UInt8>) -> Bool {
        switch algorithm {
        case .hs256:
            secret.reveal { equalInConstantTime(HMAC.sha256(message, key: $0), signature) }
        case .rs256:
            lend(message) { verifies(signature, of: $0) }
        case .es256:
            signature.count == 64 && lend(message) { verifies(Self.der(signature), of: $0) }
        }
    }

    private func verifies(_ signature: [UInt8], of message: Span<UInt8>) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("out of memory for a signature") }
        defer { unsafe EVP_MD_CTX_free(context) }
        let key = unsafe OpaquePointer(bitPattern: address)
        var isGood = false
        if unsafe EVP_DigestVerifyInit_ex(context, nil, "SHA256", nil, nil, key, nil) == 1 {
            isGood = unsafe signature.span.withAddress { signature, count in
                unsafe message.withAddress { message, length in
                    unsafe EVP_DigestVerify(context, signature, count, message, length) == 1
                }
            }
        }
        if !isGood { ERR_clear_error() }
        return isGood
    }

    /// A pair of numbers as the sequence of two integers that OpenSSL reads (X.690 §8.3, §8.9).
    private static func der(_ pair: [UInt8]) -> [UInt8] {
        let body = integer(pair.prefix(32)) + integer(pair.suffix(32))
        return [0x30, UInt8(body.count)] + body
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var digits = Array(bytes.drop { $0 == 0 })
        // A leading one would make the number negative, and an integer has one byte at least.
        if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
        return [0x02, UInt8(digits.count)] + digits
    }

    /// A public key made of named numbers and checked, nil when they are none.
    private static func publicKey(_ kind: String, _ fill: (OpaquePointer) -> Bool) -> OpaquePointer? {
        guard let builder = unsafe OSSL_PARAM_BLD_new(), let context = unsafe EVP_PKEY_CTX_new_from_name(nil, kind, nil)
        else { fatalError("OpenSSL has no \(kind)") }
        defer {
            unsafe OSSL_PARAM_BLD_free(builder)
            unsafe EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        guard unsafe fill(builder), let parameters = unsafe OSSL_PARAM_BLD_to_param(builder) else { return nil }
        defer { unsafe OSSL_PARAM_free(parameters) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_fromdata_init(context) == 1,
            unsafe EVP_PKEY_fromdata(context, &key, c_pkey_public_key(), parameters) == 1
        else { return nil }
        guard unsafe isSound(key) else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        return unsafe key
    }

    /// Whether a point lies on its curve and in its group, or a modulus may be one (SP 800-89 §5.3.3).
    private static func isSound(_ key: OpaquePointer?) -> Bool {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return false }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return unsafe EVP_PKEY_public_check(context) == 1
    }

    private static func number(_ bytes: [UInt8]) -> OpaquePointer? {
        unsafe bytes.span.withAddress { unsafe BN_bin2bn($0, Int32($1), nil) }
    }

    /// The algorithm alone.
    public var description: String { "<\(algorithm.rawValue) key>" }
    /// A mirror without children, so that `dump` stays silent.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
