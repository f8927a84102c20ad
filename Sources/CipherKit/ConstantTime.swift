internal import COpenSSL

/// Answers whether two byte strings are equal, in a time that depends on their lengths only.
///
/// For tokens, digests and codes that came from outside: an ordinary `==` stops at the first difference and so tells
/// how much of a guess was right. Different lengths are answered at once; a length is no secret.
public func equalInConstantTime(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return unsafe one.span.withAddress { one, count in
        unsafe other.span.withAddress { other, _ in unsafe CRYPTO_memcmp(one, other, count) == 0 }
    }
}
