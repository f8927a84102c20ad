#if canImport(Glibc)
import Glibc
#endif

/// An IPv4 or IPv6 address.
public enum IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IPv4 address as a number, `127.0.0.1` being `0x7f000001`.
    case v4(UInt32)
    /// An IPv6 address as a number, `::1` being `1`.
    case v6(UInt128)

    /// Reads four decimal numbers with dots, or the text forms of RFC 4291 §2.2; nil for anything else.
    ///
    /// The old forms (`0x7f.1`, `2130706433`, leading zeros), brackets, zone ids and white space are refused.
    public init?(_ text: String) {
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self = .v4(UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = .v6(unsafe UInt128(bigEndian: unsafeBitCast(six, to: UInt128.self)))
    }

    /// The address made of 4 or 16 bytes in network order; nil for any other count.
    public init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16: self = .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }

    /// The 4 or 16 bytes in network order.
    public var bytes: [UInt8] {
        switch self {
        case .v4(let number): (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        case .v6(let number): (0..<16).map { UInt8(truncatingIfNeeded: number >> (120 - 8 * $0)) }
        }
    }

    /// The IPv4 address inside an IPv4-mapped one (`::ffff:0:0/96`), or else the address itself.
    public var canonical: IPAddress {
        guard case .v6(let number) = self, number >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: number))
    }

    /// Dotted decimals, or the one form RFC 5952 recommends.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch self {
        case .v4(let number):
            var four = in_addr(s_addr: number.bigEndian)
            _ = unsafe inet_ntop(AF_INET, &four, &text, socklen_t(text.count))
        case .v6(let number):
            var six = unsafe unsafeBitCast(number.bigEndian, to: in6_addr.self)
            _ = unsafe inet_ntop(AF_INET6, &six, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A range of addresses written as in CIDR, `10.0.0.0/8`.
///
/// An IPv4-mapped IPv6 address is the same as the IPv4 address inside it, on both sides of ``contains(_:)``.
public struct Network: Hashable, Sendable, CustomStringConvertible {
    /// The first address of the range.
    public let first: IPAddress
    /// How many leading bits all addresses of the range share.
    public let prefixLength: Int

    /// Reads `address/length`, or an address alone, which is a range of one; nil for anything else.
    ///
    /// Bits beyond the length are cleared, so `203.0.113.7/24` is read as `203.0.113.0/24`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        guard parts.count == 2 else {
            self.init(address, prefixLength: address.bytes.count * 8)
            return
        }
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]) else { return nil }
        self.init(address, prefixLength: length)
    }

    /// The range of the addresses that begin with the same bits; nil when the address has fewer bits than that.
    public init?(_ address: IPAddress, prefixLength: Int) {
        var length = prefixLength
        let canonical = address.canonical
        if canonical != address { length -= 96 }
        switch canonical {
        case .v4(let number) where (0...32).contains(length):
            first = .v4(number & UInt32.max << (32 - length))
        case .v6(let number) where (0...128).contains(length):
            first = .v6(number & UInt128.max << (128 - length))
        default:
            return nil
        }
        self.prefixLength = length
    }

    /// Answers whether the address lies in this range.
    public func contains(_ address: IPAddress) -> Bool {
        switch (first, address.canonical) {
        case (.v4(let first), .v4(let number)): number & UInt32.max << (32 - prefixLength) == first
        case (.v6(let first), .v6(let number)): number & UInt128.max << (128 - prefixLength) == first
        default: false
        }
    }

    /// The range as `address/length`.
    public var description: String { "\(first)/\(prefixLength)" }

    /// The range as people write it: the address alone when it is a range of one.
    public var shortest: String { prefixLength == first.bytes.count * 8 ? "\(first)" : description }
}

extension [Network] {
    /// Answers whether the address lies in one of the ranges.
    public func contains(_ address: IPAddress) -> Bool {
        let address = address.canonical
        return contains { $0.contains(address) }
    }
}
