import AddressKit

/// Decides which addresses an outbound call may open a socket to.
///
/// Whoever names a destination must not reach the hub's own host or network through it. Public unicast addresses are
/// allowed; the operator may allow further networks, but never the metadata services of cloud providers, since these hand
/// out the host's own credentials.
public struct AddressPolicy: Sendable {
    /// The networks the operator allows although they are not public.
    public let allowed: [Network]

    /// A policy that allows public addresses and these networks.
    public init(allowing allowed: [Network] = []) {
        self.allowed = allowed
    }

    /// Answers whether a socket may be opened to this address.
    ///
    /// An address that wraps an IPv4 address is never better than the one inside: where the operator allows a NAT64
    /// prefix, what lies behind it is judged as well.
    public func allows(_ address: IPAddress) -> Bool {
        let address = address.canonical
        let inner = Self.embedded(in: address)
        if Self.metadata.contains(address) || inner.map(Self.metadata.contains) == true { return false }
        guard allowed.contains(where: { $0.contains(address) }) else { return Self.isPublic(address) }
        return inner.map(allows) ?? true
    }

    /// Answers whether an address is reachable by anybody, and so tells nothing about the hub's own network.
    public static func isPublic(_ address: IPAddress) -> Bool {
        switch address.canonical {
        case .v4:
            !denied4.contains { $0.contains(address) } && !metadata.contains(address)
        case .v6(let number):
            number >> 125 == 0b001 && !denied6.contains { $0.contains(address) }
        }
    }

    /// The IPv4 address that an IPv6 address of a translation scheme leads to.
    private static func embedded(in address: IPAddress) -> IPAddress? {
        guard case .v6(let number) = address else { return nil }
        let low = UInt32(truncatingIfNeeded: number)
        if number >> 32 == 0x0064_ff9b << 64 { return .v4(low) }  // NAT64, RFC 6052 §2.1
        if number >> 80 == 0x0064_ff9b_0001 { return .v4(low) }  // local NAT64, RFC 8215, when it is a /96
        if number >> 112 == 0x2002 { return .v4(UInt32(truncatingIfNeeded: number >> 80)) }  // 6to4, RFC 3056 §2
        if number >> 96 == 0x2001_0000 { return .v4(~low) }  // Teredo, RFC 4380 §4
        if number >> 32 == 0, number > 1 { return .v4(low) }  // IPv4-compatible, RFC 4291 §2.5.5.1
        return nil
    }

    /// IPv4 networks that are not public, from IANA's registry of special-purpose addresses (RFC 6890).
    private static let denied4: [Network] = [
        "0.0.0.0/8",  // this network
        "10.0.0.0/8",  // private
        "100.64.0.0/10",  // shared by carriers (CGNAT)
        "127.0.0.0/8",  // loopback
        "169.254.0.0/16",  // link-local
        "172.16.0.0/12",  // private
        "192.0.0.0/24",  // protocol assignments
        "192.0.2.0/24",  // documentation
        "192.88.99.0/24",  // 6to4 relays
        "192.168.0.0/16",  // private
        "198.18.0.0/15",  // benchmarks
        "198.51.100.0/24",  // documentation
        "203.0.113.0/24",  // documentation
        "224.0.0.0/4",  // multicast
        "240.0.0.0/4",  // reserved, and broadcast
    ].compactMap { Network($0) }

    /// IPv6 networks inside `2000::/3` that are not public.
    ///
    /// Outside `2000::/3` no global unicast address exists: that alone refuses `::`, `::1`, NAT64 (`64:ff9b::/96`,
    /// `64:ff9b:1::/48`), discard (`100::/64`), segment routing (`5f00::/16`), unique local (`fc00::/7`), link-local
    /// (`fe80::/10`), multicast (`ff00::/8`) and what is not assigned yet.
    private static let denied6: [Network] = [
        "2001::/23",  // protocol assignments, Teredo (2001::/32) among them
        "2001:db8::/32",  // documentation
        "2002::/16",  // 6to4
        "3fff::/20",  // documentation
    ].compactMap { Network($0) }

    /// Where cloud providers hand out the credentials of the host.
    private static let metadata = Set(
        [
            "169.254.169.254", "fd00:ec2::254",  // most providers
            "169.254.170.2", "169.254.170.23", "fd00:ec2::23",  // containers on AWS
            "fd20:ce::254",  // Google
            "168.63.129.16",  // Azure's host agent, although public
            "100.100.100.200",  // Alibaba
            "192.0.0.192",  // Oracle
        ].compactMap { IPAddress($0) })
}
