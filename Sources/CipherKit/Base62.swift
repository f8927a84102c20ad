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
        var number = Limbs(bytes)
        var text = [UInt8](repeating: alphabet[0], count: width(ofBytes: bytes.count))
        var place = text.count
        while place > 0 {
            var group = number.divide(by: groupBase)
            for _ in 0..<min(groupWidth, place) {
                place -= 1
                text[place] = alphabet[Int(group % 62)]
                group /= 62
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// So many bytes from a text, or nil when its width is wrong, a character is foreign or the number is too large.
    public static func decode(_ text: String, count: Int) -> [UInt8]? {
        decode(text.utf8, count: count)
    }

    /// The same from characters that have not become a text.
    public static func decode(_ characters: some Collection<UInt8>, count: Int) -> [UInt8]? {
        guard characters.count == width(ofBytes: count) else { return nil }
        var number = Limbs(byteCount: count)
        var group: UInt32 = 0
        var base: UInt32 = 1
        for character in characters {
            let value = digitValues[Int(character)]
            guard value < 62 else { return nil }
            group = group * 62 + UInt32(value)
            base *= 62
            guard base == groupBase else { continue }
            guard number.multiply(by: base, adding: group) else { return nil }
            (group, base) = (0, 1)
        }
        guard number.multiply(by: base, adding: group) else { return nil }
        return number.bytes(count)
    }

    /// As many characters as fit into half a machine word are worked on at once.
    private static let groupWidth = 5
    private static let groupBase: UInt32 = 916_132_832  // 62⁵

    /// A number of any size, 32 bits in each place, the lowest first.
    private struct Limbs {
        private var places: [UInt32]

        /// Zero, with room for so many bytes.
        init(byteCount: Int) { places = [UInt32](repeating: 0, count: (byteCount + 3) / 4) }

        /// The number that big-endian bytes are.
        init(_ bytes: some Collection<UInt8>) {
            self.init(byteCount: bytes.count)
            var index = bytes.count
            for byte in bytes {
                index -= 1
                places[index / 4] |= UInt32(byte) << UInt32(index % 4 * 8)
            }
        }

        /// So many of the lowest bytes, big-endian; nil when the number needs more.
        func bytes(_ count: Int) -> [UInt8]? {
            if count % 4 > 0, let highest = places.last, highest >> UInt32(count % 4 * 8) > 0 { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(count)
            for index in (0..<count).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: places[index / 4] >> UInt32(index % 4 * 8)))
            }
            return bytes
        }

        /// Divides, and gives the remainder.
        mutating func divide(by divisor: UInt32) -> UInt32 {
            var remainder: UInt64 = 0
            for index in places.indices.reversed() {
                let part = remainder << 32 | UInt64(places[index])
                places[index] = UInt32(part / UInt64(divisor))
                remainder = part % UInt64(divisor)
            }
            return UInt32(remainder)
        }

        /// Whether the product and what is added to it had room.
        mutating func multiply(by factor: UInt32, adding summand: UInt32) -> Bool {
            var carry = UInt64(summand)
            for index in places.indices {
                let part = UInt64(places[index]) * UInt64(factor) + carry
                places[index] = UInt32(truncatingIfNeeded: part)
                carry = part >> 32
            }
            return carry == 0
        }
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
