/// Percent-encoding (RFC 3986 §2.1).
public enum Percent {
    /// Decodes each `%XX` once; nil for a broken escape, a NUL, or bytes that are not UTF-8.
    public static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        let source = text.utf8
        guard source.contains(where: { $0 == 0x25 || $0 == 0x2b }) else {
            return source.contains(0) ? nil : String(text)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count)
        var index = source.startIndex
        while index != source.endIndex {
            let byte = source[index]
            index = source.index(after: index)
            switch byte {
            case 0x25:
                guard let high = nibble(source, &index), let low = nibble(source, &index) else { return nil }
                bytes.append(high << 4 | low)
            case 0x2b where plusIsSpace: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        guard !bytes.contains(0) else { return nil }
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

    private static func nibble<Bytes: Collection<UInt8>>(_ source: Bytes, _ index: inout Bytes.Index) -> UInt8? {
        guard index != source.endIndex else { return nil }
        defer { index = source.index(after: index) }
        switch source[index] {
        case let digit where (0x30...0x39).contains(digit): return digit - 0x30
        case let upper where (0x41...0x46).contains(upper): return upper - 0x41 + 10
        case let lower where (0x61...0x66).contains(lower): return lower - 0x61 + 10
        default: return nil
        }
    }
}
