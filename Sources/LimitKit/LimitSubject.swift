/// Whose consumption is counted, as 128 bits made of a kind and an id, the same on every host.
///
/// There are two classes with slots of their own, so that one never presses upon the other: what was authenticated, which
/// is as many as the hub has given out, and network addresses, of which a stranger may have very many.
public struct LimitSubject: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    /// Whether this is a network address.
    public var isAddress: Bool { high >> 63 == 1 }

    /// Something that proved who it is: a key, an account, a client.
    ///
    /// - Parameters:
    ///   - kind: a word of the program, such as `api-key`.
    ///   - id: the 16 bytes of an identifier, or a digest of what is longer: bytes beyond the 16th are folded into those
    ///     before, so two texts that somebody chose could be made to share their counts, and two digests could not.
    public init(_ kind: StaticString, _ id: some Collection<UInt8>) {
        self.init(kind: kind, id: id, isAddress: false)
    }

    /// A network address in what it is counted for, such as `sign-in`.
    ///
    /// A whole /64 of IPv6 counts as one address, since one customer has as much; `::ffff:203.0.113.1` is 203.0.113.1.
    /// Text that is no address, such as nginx's `unix:`, is one subject, whatever it says.
    public init(address: String, for kind: StaticString) {
        self.init(kind: kind, id: AddressBytes.network(of: address), isAddress: true)
    }

    init(high: UInt64, low: UInt64) {
        (self.high, self.low) = (high, low)
    }

    /// A subject as ``bytes`` wrote it; nil unless there are 16.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The 16 bytes under which hosts tell each other of it.
    public var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) } }
    }

    /// The id stands in the bits as it is, so ids of one kind never meet; the kind is a number that all of them are
    /// moved by. The uppermost bit says whether it is an address: a shorter id leaves it free, in a UUID of version 7 it
    /// has always been 0, and of a digest one bit less is enough.
    private init(kind: StaticString, id: some Collection<UInt8>, isAddress: Bool) {
        var (high, low) = (UInt64(0), UInt64(0))
        let first = id.count < 16 ? 1 : 0
        for (index, byte) in id.enumerated() {
            let place = (first + index) % 16
            let bits = UInt64(byte) << UInt64(56 - 8 * (place % 8))
            if place < 8 { high ^= bits } else { low ^= bits }
        }
        let moved = Self.number(of: kind)
        self.high = (high ^ moved.high) & ~(1 << 63) | (isAddress ? 1 << 63 : 0)
        self.low = low ^ moved.low
    }

    /// FNV-1a of the word, twice with different beginnings.
    private static func number(of kind: StaticString) -> (high: UInt64, low: UInt64) {
        kind.withUTF8Buffer { word in
            var (high, low) = (UInt64(0xcbf2_9ce4_8422_2325), UInt64(0x8422_2325_cbf2_9ce4))
            for index in word.indices {
                let byte = unsafe UInt64(word[index])
                high = (high ^ byte) &* 0x100_0000_01b3
                low = (low ^ (byte | 0x100)) &* 0x100_0000_01b3
            }
            return (high, low)
        }
    }
}

/// The part of an address that one customer has.
enum AddressBytes {
    /// Four bytes of IPv4, eight of IPv6; none when it is no address.
    static func network(of text: String) -> [UInt8] {
        if let four = quad(text[...]) { return [4] + four }
        guard let six = six(text) else { return [] }
        if six.prefix(10).allSatisfy({ $0 == 0 }), six[10] == 0xff, six[11] == 0xff { return [4] + six.suffix(4) }
        return [6] + six.prefix(8)
    }

    /// Four numbers from 0 to 255 with points between them.
    private static func quad(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// The 16 bytes of an IPv6 address (RFC 4291 §2.2); what follows a `%` names a network card and is left out.
    private static func six(_ whole: String) -> [UInt8]? {
        let text = whole.prefix { $0 != "%" }
        guard text.contains(":"), text.utf8.count <= 45 else { return nil }
        var halves: [Substring] = [text]
        if let gap = text.firstRange(of: "::") { halves = [text[..<gap.lowerBound], text[gap.upperBound...]] }
        var parts: [[UInt8]] = []
        for (number, half) in halves.enumerated() {
            guard let bytes = groups(half, mayEndInQuad: number == halves.count - 1) else { return nil }
            parts.append(bytes)
        }
        guard halves.count == 2 else { return parts[0].count == 16 ? parts[0] : nil }
        guard parts[0].count + parts[1].count <= 14 else { return nil }
        return parts[0] + [UInt8](repeating: 0, count: 16 - parts[0].count - parts[1].count) + parts[1]
    }

    private static func groups(_ text: Substring, mayEndInQuad: Bool) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, group) in groups.enumerated() {
            if mayEndInQuad, index == groups.count - 1, let four = quad(group) {
                bytes += four
            } else {
                guard (1...4).contains(group.utf8.count), group.utf8.allSatisfy({ $0 != 43 && $0 != 45 }),
                    let value = UInt16(group, radix: 16)
                else { return nil }
                bytes += [UInt8(value >> 8), UInt8(value & 0xff)]
            }
        }
        return bytes
    }
}
