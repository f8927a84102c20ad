/// Base64 with the standard alphabet and padding (RFC 4648 §4), read strictly.
public enum Base64 {
    /// The text of some bytes, padded with `=` to a multiple of four characters.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        encodeBase64(bytes, alphabet: standardAlphabet, padded: true)
    }

    /// The bytes of a text, or nil unless it is exactly what ``encode(_:)`` would write for them.
    ///
    /// Refused are line breaks, blanks, missing or misplaced padding and stray bits in the last character: each would
    /// be a second spelling of the same bytes (RFC 4648 §3.5, §12).
    public static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8))
    }

    /// The same from characters that have not become a text, so that a secret leaves no copy behind.
    static func decode(_ characters: some BidirectionalCollection<UInt8>) -> [UInt8]? {
        let count = characters.count
        guard count % 4 == 0 else { return nil }
        var padding = 0
        for character in characters.suffix(2).reversed() {
            guard character == UInt8(ascii: "=") else { break }
            padding += 1
        }
        return decodeBase64(characters.prefix(count - padding), values: standardValues)
    }

    /// The bytes of a text without padding, or nil unless it is what ``encode(_:)`` would write, less the padding.
    static func decode(unpadded text: some StringProtocol) -> [UInt8]? {
        decodeBase64(text.utf8, values: standardValues)
    }

    /// What a character of either alphabet stands for; nil for any other.
    static func lenientValue(of character: UInt8) -> UInt8? {
        let value = min(standardValues[Int(character)], urlValues[Int(character)])
        return value < 64 ? value : nil
    }

    /// The characters of borrowed bytes, padded, as an array that can be wiped.
    static func characters(of bytes: Span<UInt8>) -> [UInt8] {
        base64Characters(of: bytes, alphabet: standardAlphabet, padded: true)
    }

    /// The text of some bytes, without padding.
    static func encode(unpadded bytes: [UInt8]) -> String {
        encodeBase64(bytes, alphabet: standardAlphabet, padded: false)
    }
}

/// Base64 with the alphabet that is safe in addresses and file names, without padding (RFC 4648 §5), read strictly.
public enum Base64URL {
    /// The text of some bytes, without padding.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        encodeBase64(bytes, alphabet: urlAlphabet, padded: false)
    }

    /// The bytes of a text, or nil unless it is exactly what ``encode(_:)`` would write for them; `=` is refused.
    public static func decode(_ text: String) -> [UInt8]? {
        decodeBase64(text.utf8, values: urlValues)
    }
}

private let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
private let standardAlphabet = Array((letters + "+/").utf8)
private let urlAlphabet = Array((letters + "-_").utf8)
private let standardValues = values(of: standardAlphabet)
private let urlValues = values(of: urlAlphabet)

/// What each of the 256 bytes stands for in an alphabet; 255 for those that are not in it.
func values(of alphabet: [UInt8]) -> [UInt8] {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
    return values
}

private func encodeBase64(_ bytes: some Collection<UInt8>, alphabet: [UInt8], padded: Bool) -> String {
    let characters = lend(bytes) { base64Characters(of: $0, alphabet: alphabet, padded: padded) }
    return String(decoding: characters, as: UTF8.self)
}

private func base64Characters(of bytes: Span<UInt8>, alphabet: [UInt8], padded: Bool) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var pending: UInt32 = 0
    var bits = 0
    for index in bytes.indices {
        pending = pending << 8 | UInt32(bytes[index])
        bits += 8
        while bits >= 6 {
            bits -= 6
            text.append(alphabet[Int(pending >> UInt32(bits) & 63)])
        }
    }
    if bits > 0 { text.append(alphabet[Int(pending << UInt32(6 - bits) & 63)]) }
    while padded, text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
    return text
}

/// The bytes of characters without padding, or nil when one is foreign, one too many, or carries stray bits.
private func decodeBase64(_ characters: some Collection<UInt8>, values: [UInt8]) -> [UInt8]? {
    let count = characters.count
    guard count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count / 4 * 3 + 2)
    var pending: UInt32 = 0
    var bits = 0
    for character in characters {
        let value = values[Int(character)]
        guard value < 64 else { return nil }
        pending = pending << 6 | UInt32(value)
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
        }
    }
    guard pending & (1 << UInt32(bits) - 1) == 0 else { return nil }
    return bytes
}
