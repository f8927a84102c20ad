import AddressKit
import ClientKit
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(
        "Each edge of each network that is not public is judged on both sides",
        arguments: [
            // before, first, last, after; a dash where nothing public lies on that side
            ("-", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("223.255.255.255", "224.0.0.0", "239.255.255.255", "-"),
            ("-", "240.0.0.0", "255.255.255.255", "-"),
            ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
            ("-", "::", "::1", "-"),
            ("-", "::ffff:0:0", "::ffff:0.255.255.255", "::ffff:1.0.0.0"),
            ("::ffff:126.255.255.255", "::ffff:127.0.0.0", "::ffff:7fff:ffff", "::ffff:128.0.0.0"),
            ("::ffff:169.253.255.255", "::ffff:169.254.169.254", "::ffff:169.254.255.255", "::ffff:169.255.0.0"),
            ("-", "::127.0.0.1", "::8.8.8.8", "-"),
            ("-", "64:ff9b::", "64:ff9b::ffff:ffff", "-"),
            ("-", "64:ff9b::8.8.8.8", "64:ff9b::7f00:1", "-"),
            ("-", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "-"),
            ("-", "100::", "100::ffff:ffff:ffff:ffff", "-"),
            ("-", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1fff::", "2000::"),
            ("2000:ffff::", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
            ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff::ffff", "2001:db9::"),
            ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff::1", "2003::"),
            ("2002:0:0:0:0:0:0:0", "2002:808:808::", "2002:7f00:1::", "2003::1"),
            ("3ffe:ffff:ffff::", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
            ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5f00::", "-"),
            ("-", "5eff::", "5f00:ffff::", "-"),
            ("-", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-"),
            ("-", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-"),
            ("-", "fec0::", "feff::1", "-"),
            ("-", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "-"),
        ])
    func edges(before: String, first: String, last: String, after: String) throws {
        let policy = AddressPolicy()
        for inside in [first, last] {
            #expect(try !policy.allows(#require(IPAddress(inside))), "\(inside)")
        }
        for outside in [before, after] where outside != "-" && !outside.hasPrefix("2002:0") {
            #expect(try policy.allows(#require(IPAddress(outside))), "\(outside)")
        }
    }

    @Test("What the operator allows is allowed, and nothing beside it")
    func allowed() throws {
        let policy = AddressPolicy(
            allowing: try ["127.0.0.0/8", "10.1.0.0/16", "fd00::/8", "100.64.0.0/10"].map(network))
        for text in ["127.0.0.1", "::ffff:127.0.0.1", "10.1.255.255", "fd12::1", "8.8.8.8", "2606:4700::1"] {
            #expect(try policy.allows(#require(IPAddress(text))), "\(text)")
        }
        for text in ["10.2.0.0", "::1", "192.168.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1"] {
            #expect(try !policy.allows(#require(IPAddress(text))), "\(text)")
        }
    }

    @Test(
        "The metadata of cloud providers stays refused, even where everything is allowed",
        arguments: [
            "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe",
            "2001:0:1:2:3:4:5601:5601", "fd00:ec2::254", "169.254.170.2", "100.100.100.200", "fd20:ce::254",
        ])
    func metadata(text: String) throws {
        let policy = AddressPolicy(allowing: try ["0.0.0.0/0", "::/0"].map(network))
        #expect(try !policy.allows(#require(IPAddress(text))))
        #expect(try policy.allows(#require(IPAddress("169.254.169.253"))))
    }

    @Test("Where NAT64 is allowed, what lies behind it is judged")
    func translated() throws {
        let policy = AddressPolicy(allowing: [try network("64:ff9b::/96")])
        #expect(try policy.allows(#require(IPAddress("64:ff9b::8.8.8.8"))))
        #expect(try !policy.allows(#require(IPAddress("64:ff9b::10.0.0.1"))))
    }

    private func network(_ text: String) throws -> Network { try #require(Network(text)) }
}
