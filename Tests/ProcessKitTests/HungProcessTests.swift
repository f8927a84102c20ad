import Foundation
import Glibc
import Testing

@testable import ProcessKit

@Suite("Hung processes", .serialized)
struct HungProcessTests {
    @Test("A worker whose main thread hangs is replaced, then aborted")
    func hang() throws {
        let house = try House()
        try house.supervise(["count": "1", "mode": "hang", "tick": "400"])
        #expect(house.hears("child is hung and replaced"))
        #expect(house.lines("child is hung and replaced").first?["symptom"] as? String == "no sign of life")
        #expect(house.hears("child lost"))
        #expect(house.lines("child lost").first?["cause"] as? String == "killed by its supervisor")
        #expect(!house.text.contains("rax 0x"), "what a register points to may be a key")
        let order = house.log.compactMap { $0["message"] as? String }
        let second = try #require(order.indices.filter { order[$0] == "child started" }.dropFirst().first)
        #expect(second < order.firstIndex(of: "child lost") ?? 0)
    }

    @Test("A stopped worker is found by its tick and killed")
    func stopped() throws {
        let house = try House()
        try house.supervise(["count": "2", "tick": "1000", "abort": "200"])
        #expect(house.hears("ready"))
        let before = house.children
        try #require(before.count == 2)
        kill(before[0], SIGSTOP)
        #expect(eventually { house.children.count == 2 && !house.children.contains(before[0]) })
        #expect(house.children.contains(before[1]))
        #expect(house.lines("child lost").first?["cause"] as? String == "killed by its supervisor")
    }

    @Test("A request beyond its deadline costs its process, and the log names the request")
    func stuck() throws {
        let house = try House()
        try house.supervise(["count": "1", "mode": "stuck", "request": "300"])
        #expect(house.hears("child lost"))
        #expect(house.lines("child is hung and replaced").first?["symptom"] as? String == "request beyond its deadline")
        #expect(house.lines("child lost").first?["requests"] as? String == "00000000000000000000000000abcdef")
    }

    @Test("First workers that never become ready halt the house")
    func slow() throws {
        let house = try House()
        try house.supervise(["count": "1", "mode": "slow", "boot": "200", "abort": "200"])
        #expect(house.exitStatus() == 3)
        #expect(house.lines("child is hung and replaced").count == 2)
    }
}
