/// Percent-encoding (RFC 3986 §2.1).
public enum Percent {
    /// Decodes each `%XX` once; nil for a broken escape, a NUL, or bytes that are not UTF-8.
    public static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        let text = String(text)
        return decode(text.utf8.span, plusIsSpace: plusIsSpace)
    }

    /// Decodes bytes that are known to be UTF-8.
    static func decode(_ source: Span<UInt8>, plusIsSpace: Bool) -> String? {
        var isPlain = true
        for index in source.indices {
            guard source[index] != 0 else { return nil }
            if source[index] == 0x25 || source[index] == 0x2b { isPlain = false }
        }
        guard !isPlain else {
            return unsafe source.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count)
        var index = 0
        while index < source.count {
            var byte = source[index]
            if byte == 0x25 {
                guard index + 2 < source.count, let high = nibble(source[index + 1]),
                    let low = nibble(source[index + 2])
                else { return nil }
                byte = high << 4 | low
                index += 2
            } else if byte == 0x2b, plusIsSpace {
                byte = 0x20
            }
            guard byte != 0 else { return nil }
            bytes.append(byte)
            index += 1
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Encodes all but the unreserved characters: letters, digits, `-`, `.`, `_`, `~`.
    public static func encode(_ text: some StringProtocol) -> String {
        var encoded = ""
        for byte in text.utf8 {
            if isUnreserved(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// Encodes for a place inside a path segment or a query value, where `:` and `@` may stand as they are.
    ///
    /// > pchar = unreserved / pct-encoded / sub-delims / ":" / "@"     RFC 3986 §3.3
    public static func encodeSegment(_ text: some StringProtocol) -> String {
        encode(text).replacing("%3A", with: ":").replacing("%40", with: "@")
    }

    /// Whether encoding leaves a text as it is.
    static func isPlain(_ text: String) -> Bool {
        let bytes = text.utf8.span
        for index in bytes.indices where !isUnreserved(bytes[index]) { return false }
        return true
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
        default: false
        }
    }

    private static func nibble(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x41 + 10
        case 0x61...0x66: character - 0x61 + 10
        default: nil
        }
    }
}
