import AddressKit
import Testing

@testable import ClientKit

@Suite("A name with several addresses")
struct ExchangeTests {
    func exchange(_ addresses: [String], allowing network: String? = nil) -> (Exchange, [Bool]) {
        let policy = AddressPolicy(allowing: network.flatMap { Network($0) }.map { [$0] } ?? [])
        let exchange = Exchange(policy: policy, bodyLimit: 0, headerLimit: 0, giveUpAt: .now)
        return (exchange, addresses.map { exchange.admits(IPAddress($0), named: $0) })
    }

    @Test("Each address is judged by itself, and the one tried last decides what the error is")
    func judged() {
        let (rebound, admitted) = exchange(["8.8.8.8", "127.0.0.1"])
        #expect(admitted == [true, false])
        #expect(rebound.refused == "127.0.0.1" && rebound.triedInside)

        let (public8, others) = exchange(["64:ff9b::808:808", "8.8.8.8"])
        #expect(others == [false, true])
        #expect(public8.refused == nil && public8.triedInside)

        let (local, both) = exchange(["::1", "127.0.0.1"], allowing: "127.0.0.0/8")
        #expect(both == [false, true])
        #expect(local.refused == nil && local.triedInside)
    }

    @Test("What is no address is refused")
    func unknown() {
        let (exchange, admitted) = exchange(["/run/hub.sock"], allowing: "0.0.0.0/0")
        #expect(admitted == [false] && exchange.refused == "/run/hub.sock")
    }
}
