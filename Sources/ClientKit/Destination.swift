import AddressKit

#if canImport(Glibc)
import Glibc
#endif

extension Client {
    /// Whether a URL leads to an address that may be called, as far as can be told now.
    ///
    /// This is a courtesy to whoever types a URL: a name may change its address at any time, so every call judges anew. A
    /// name that cannot be found now may be found later, and counts as allowed. Looking a name up takes as long as the
    /// system's resolver does.
    public func mayCall(_ url: OutboundURL) -> Bool {
        if origins.targets[url.origin] != nil { return true }
        let host = url.origin.host
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        if let address = IPAddress(bare) { return policy.allows(address) }
        let found = Self.addresses(of: bare)
        return found.isEmpty || found.contains { policy.allows($0) }
    }

    /// The addresses that a name has now; none when it is not found.
    private static func addresses(of name: String) -> [IPAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        var found: [IPAddress] = []
        var entry = unsafe list
        while let one = unsafe entry {
            if let raw = unsafe UnsafeRawPointer(one.pointee.ai_addr),
                let address = unsafe IPAddress(
                    raw, family: one.pointee.ai_family, bytes: Int(one.pointee.ai_addrlen))
            {
                found.append(address)
            }
            unsafe entry = one.pointee.ai_next
        }
        return found
    }
}

extension IPAddress {
    /// The address in a socket address of the kernel; nil when it is of another family, or cut short.
    @unsafe init?(_ socketAddress: UnsafeRawPointer, family: Int32, bytes: Int) {
        switch (family, bytes) {
        case (AF_INET, MemoryLayout<sockaddr_in>.size...):
            let four = unsafe socketAddress.loadUnaligned(as: sockaddr_in.self).sin_addr
            self = .v4(UInt32(bigEndian: four.s_addr))
        case (AF_INET6, MemoryLayout<sockaddr_in6>.size...):
            let six = unsafe socketAddress.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            self = .v6(unsafe UInt128(bigEndian: unsafeBitCast(six, to: UInt128.self)))
        default: return nil
        }
    }
}
