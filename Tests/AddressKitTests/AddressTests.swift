import AddressKit
import Testing

@Suite struct AddressTests {
    @Test(
        "Addresses are read strictly and printed in one form",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("::FFFF:1.2.3.4", "::ffff:1.2.3.4"), ("::", "::"), ("255.255.255.255", "255.255.255.255"),
        ])
    func forms(text: String, printed: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == printed)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(
        "What is no address is refused",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "0x7f.0.0.1", "2130706433", "127.1", " 1.2.3.4",
            "1.2.3.4 ",
            "1.2.3.4\0", "[::1]", "::1%eth0", "::1::", "12345::", "localhost", "１.2.3.4",
        ])
    func noForms(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "Networks are read with and without a length, and lose the bits beyond it",
        arguments: [
            ("203.0.113.7/24", "203.0.113.0/24"), ("203.0.113.7", "203.0.113.7/32"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::1", "::1/128"), ("0.0.0.0/0", "0.0.0.0/0"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("::/0", "::/0"),
        ])
    func networks(text: String, printed: String) throws {
        #expect(try network(text).description == printed)
    }

    @Test(
        "What is no network is refused",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "::/129", "a/8", "10/8",
        ])
    func noNetworks(text: String) {
        #expect(Network(text) == nil)
    }

    @Test("A network holds its addresses, mapped or not, and no address of the other family")
    func contains() throws {
        let network = try network("10.0.0.0/8")
        #expect(try network.contains(#require(IPAddress("10.255.255.255"))))
        #expect(try network.contains(#require(IPAddress("::ffff:10.0.0.1"))))
        #expect(try !network.contains(#require(IPAddress("11.0.0.0"))))
        #expect(try !self.network("::/0").contains(#require(IPAddress("10.0.0.1"))))
    }

    @Test("A list of networks is asked as one, and prints a range of one as the address alone")
    func list() throws {
        let list = try ["203.0.113.7", "2001:db8::/32"].map(network)
        #expect(try list.contains(#require(IPAddress("::ffff:203.0.113.7"))))
        #expect(try list.contains(#require(IPAddress("2001:db8:1::"))))
        #expect(try !list.contains(#require(IPAddress("203.0.113.8"))))
        #expect(list.map(\.shortest) == ["203.0.113.7", "2001:db8::/32"])
    }

    private func network(_ text: String) throws -> Network { try #require(Network(text)) }
}
