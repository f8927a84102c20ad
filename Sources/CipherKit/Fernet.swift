internal import COpenSSL
public import TimeKit

/// A Fernet key: 16 bytes to sign with and 16 to encrypt with.
public struct FernetKey: Sendable {
    let bytes: SymmetricKey

    /// The key of a text as Python's `Fernet(key)` takes it, base64url of 32 bytes; nil when it is none.
    public init?(_ text: String) {
        guard var decoded = decodeLeniently(text, limit: 1024) else { return nil }
        defer { wipe(&decoded) }
        guard let bytes = SymmetricKey(decoded) else { return nil }
        self.bytes = bytes
    }
}

/// Why a Fernet token did not open.
public enum FernetError: Error, Equatable, CustomStringConvertible {
    /// The text is no Fernet token.
    case malformed
    /// None of the keys signed it, or it was altered: nobody can tell which.
    case refused
    /// It is older than was asked for, or of a time more than a minute ahead.
    case expired

    /// The cause, in words safe to show.
    public var description: String {
        switch self {
        case .malformed: "the text is no Fernet token"
        case .refused: "no key at hand opens the Fernet token"
        case .expired: "the Fernet token is too old, or of the future"
        }
    }
}

/// Opens the tokens of Python's `cryptography.fernet`, so that records sealed by a former system can be taken over.
///
/// A token is base64url of `0x80 ‖ time (8) ‖ IV (16) ‖ AES-128-CBC ciphertext ‖ HMAC-SHA-256 (32)`, the code over all
/// that stands before it (fernet/spec). Nothing is ever sealed this way here.
public enum Fernet {
    /// The plaintext of a token of any age.
    ///
    /// - Parameters:
    ///   - token: The text, read as leniently as Python reads it; at most 1 MiB.
    ///   - keys: Tried in order.
    public static func open(_ token: String, keys: [FernetKey]) throws(FernetError) -> [UInt8] {
        try read(token, keys: keys).plaintext
    }

    /// The plaintext of a token sealed at most so long ago, and not more than a minute in the future.
    public static func open(
        _ token: String, keys: [FernetKey], noOlderThan lifetime: Duration, at now: Timestamp
    ) throws(FernetError) -> [UInt8] {
        let (plaintext, sealed) = try read(token, keys: keys)
        // A minute ahead is the clock skew that Python's reader forgives.
        guard let sealed, sealed <= now + .seconds(60), now - sealed <= lifetime else { throw .expired }
        return plaintext
    }

    private static let headerSize = 1 + 8
    private static let vectorSize = 16
    private static let blockSize = 16
    private static let codeSize = 32

    /// The plaintext and the time of sealing; no time when it lies beyond what a timestamp can hold.
    private static func read(
        _ text: String, keys: [FernetKey]
    ) throws(FernetError) -> (plaintext: [UInt8], sealed: Timestamp?) {
        let least = headerSize + vectorSize + blockSize + codeSize
        guard let token = decodeLeniently(text, limit: 1 << 20), token.count >= least, token[0] == 0x80,
            (token.count - least) % blockSize == 0
        else { throw .malformed }
        let signed = token[..<(token.count - codeSize)]
        let code = Array(token[signed.endIndex...])
        for key in keys where key.signed(signed, code: code) {
            guard let plaintext = key.decrypt(signed[headerSize...]) else { throw .refused }
            return (plaintext, time(signed[1..<headerSize]))
        }
        throw .refused
    }
}

/// The moment of eight bytes of seconds, or nil beyond the year 100 000.
private func time(_ bytes: ArraySlice<UInt8>) -> Timestamp? {
    let seconds = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return seconds < 3_000_000_000_000 ? Timestamp(seconds: Int64(seconds)) : nil
}

extension FernetKey {
    /// Answers whether the first half of this key made the code.
    fileprivate func signed(_ message: ArraySlice<UInt8>, code: [UInt8]) -> Bool {
        let expected = bytes.withBytes { key in HMAC.sha256(message.span, key: key.extracting(..<16)) }
        return equalInConstantTime(expected, code)
    }

    /// The plaintext of an initialization vector and ciphertext by the second half, or nil when its padding is wrong.
    ///
    /// Only what is signed comes here, so the padding betrays nothing to whoever sends altered tokens.
    fileprivate func decrypt(_ sealed: ArraySlice<UInt8>) -> [UInt8]? {
        let vector = sealed.prefix(16)
        let ciphertext = sealed.dropFirst(16)
        var length: Int32 = 0
        var rest: Int32 = 0
        let padded = unsafe written(ciphertext.count) { target in
            let opened = unsafe withContext { context in
                let taken = unsafe ciphertext.span.withAddress {
                    unsafe begin(context, vector: vector.span)
                        && EVP_DecryptUpdate(context, target, &length, $0, Int32($1)) == 1
                }
                return unsafe taken && EVP_DecryptFinal_ex(context, target + Int(length), &rest) == 1
            }
            if !opened { unsafe OPENSSL_cleanse(target, ciphertext.count) }
            return opened
        }
        guard var padded else { return nil }
        let plaintext = Array(padded.prefix(Int(length + rest)))
        wipe(&padded)
        return plaintext
    }

    private func begin(_ context: OpaquePointer, vector: Span<UInt8>) -> Bool {
        bytes.withBytes { key in
            unsafe key.extracting(16...).withAddress { key, _ in
                unsafe vector.withAddress { vector, _ in
                    unsafe EVP_DecryptInit_ex2(context, Cipher.aes128CBC.pointer, key, vector, nil) == 1
                }
            }
        }
    }
}

/// Base64 of either alphabet as Python's `base64.urlsafe_b64decode` reads it; nil when too long or not well ended.
///
/// Python skips every foreign character, ignores stray bits, stops at the padding that ends the text and refuses a
/// text that lacks it. What was accepted there must be readable here; the code over the token, not its spelling,
/// protects it.
func decodeLeniently(_ text: String, limit: Int) -> [UInt8]? {
    guard text.utf8.count <= limit else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 4 * 3)
    var pending: UInt32 = 0
    var position = 0
    var padding = 0
    for character in text.utf8 {
        if character == UInt8(ascii: "=") {
            if position >= 2 {
                padding += 1
                if position + padding == 4 { return bytes }
            }
            continue
        }
        guard let value = Base64.lenientValue(of: character) else { continue }
        padding = 0
        pending = pending << 6 | UInt32(value)
        position = (position + 1) % 4
        guard position != 1 else { continue }
        // Left over are four bits after two characters, two after three, none after four.
        bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32((4 - position) % 4 * 2)))
    }
    return position == 0 ? bytes : nil
}
