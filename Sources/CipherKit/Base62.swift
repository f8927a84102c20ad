/// Numbers and byte strings in the alphabet `0-9A-Za-z`, big-endian and of fixed width.
///
/// A double click selects all of it, and no character needs escaping anywhere.
public enum Base62 {
    static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let digitValues = values(of: alphabet)

    /// How many characters so many bytes take: 6 for 4, 22 for 16, 43 for 32.
    public static func width(ofBytes count: Int) -> Int {
        Int((Double(count) * 8 / 5.954196310386875).rounded(.up))  // bits in a character: log₂ 62
    }

    /// The text of some bytes read as one big-endian number, padded with `0` to ``width(ofBytes:)``.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var number = Array(bytes)
        var text = [UInt8](repeating: alphabet[0], count: width(ofBytes: number.count))
        for place in text.indices.reversed() {
            var remainder = 0
            for index in number.indices {
                let part = remainder << 8 | Int(number[index])
                number[index] = UInt8(part / 62)
                remainder = part % 62
            }
            text[place] = alphabet[remainder]
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// So many bytes from a text, or nil when its width is wrong, a character is foreign or the number is too large.
    public static func decode(_ text: String, count: Int) -> [UInt8]? {
        guard text.utf8.count == width(ofBytes: count) else { return nil }
        var number = [UInt8](repeating: 0, count: count)
        for character in text.utf8 {
            var carry = Int(digitValues[Int(character)])
            guard carry < 62 else { return nil }
            for index in number.indices.reversed() {
                let part = Int(number[index]) * 62 + carry
                number[index] = UInt8(truncatingIfNeeded: part)
                carry = part >> 8
            }
            guard carry == 0 else { return nil }
        }
        return number
    }

    /// The six characters of a 32-bit number.
    public static func encode(_ number: UInt32) -> String {
        var rest = number
        var text = [UInt8](repeating: alphabet[0], count: 6)
        for place in text.indices.reversed() {
            text[place] = alphabet[Int(rest % 62)]
            rest /= 62
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The 32-bit number of six characters, or nil when they are not six, one is foreign or the number is too large.
    public static func decode(_ text: String) -> UInt32? {
        guard text.utf8.count == 6 else { return nil }
        var number: UInt64 = 0
        for character in text.utf8 {
            let value = digitValues[Int(character)]
            guard value < 62 else { return nil }
            number = number * 62 + UInt64(value)
        }
        return UInt32(exactly: number)
    }

    /// The checksum at the end of an API key: the CRC-32 of what stands before it, as six characters.
    public static func checksum(of bytes: some Collection<UInt8>) -> String {
        encode(CRC32.checksum(bytes))
    }
}
