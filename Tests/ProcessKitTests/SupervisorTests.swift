import Foundation
import Glibc
import Testing

@testable import ProcessKit

@Suite("Supervisor with real processes", .serialized)
struct SupervisorTests {
    @Test("A killed worker is replaced within a second and the others are untouched")
    func killed() throws {
        let house = try House()
        try house.supervise(["count": "3", "runners": "1"])
        #expect(house.hears("ready"))
        let before = house.children
        try #require(before.count == 4)
        kill(before[1], SIGKILL)
        let moment = Date.now
        #expect(eventually { house.children.count == 4 && !house.children.contains(before[1]) })
        #expect(Date.now.timeIntervalSince(moment) < 1)
        #expect(Set(before).subtracting(house.children) == [before[1]])
        #expect((house.lines("child lost").first?["cause"] as? String)?.hasPrefix("killed by signal 9") == true)
    }

    @Test("Children answer on the socket and count on the same page")
    func answers() throws {
        let house = try House()
        try house.supervise(["count": "2"])
        #expect(house.hears("ready"))
        let answers = (1...20).compactMap { _ in house.ask() }
        #expect(answers.map { $0[2] } == Array(1...20))
        #expect(Set(answers.map { Int32($0[0]) }).isSubset(of: Set(house.children)))
    }

    @Test("A crash loop backs off")
    func crashLoop() throws {
        let house = try House()
        try house.supervise(["count": "1", "mode": "crash"])
        #expect(house.hears("crashes come quickly, waiting before the next start", times: 4))
        let waits = house.lines("crashes come quickly, waiting before the next start").map { $0["wait_ms"] as? Int }
        #expect(waits.prefix(4) == [100, 200, 400, 800])
        #expect(house.lines("child started").count <= 5)
        #expect(house.lines("child lost").first?["cause"] as? String == "ended with status 9")
    }

    @Test("A first worker that cannot boot halts the house with its sentence")
    func unbootable() throws {
        let house = try House()
        try house.supervise(["count": "2", "mode": "unbootable"])
        #expect(house.exitStatus() == 3)
        let halts = house.lines("halting: the program could not boot")
        #expect(halts.map { $0["because"] as? String } == ["the fixture was told not to boot"])
        #expect(!FileManager.default.fileExists(atPath: house.socketPath))
    }

    @Test("First workers that all die without a word halt the house")
    func mute() throws {
        let house = try House()
        try house.supervise(["count": "2", "mode": "mute"])
        #expect(house.exitStatus() == 3)
    }

    @Test("A program that is not there halts the house")
    func missing() throws {
        let house = try House()
        try house.supervise(["executable": "/nonexistent/program"])
        #expect(house.exitStatus() == 3)
        let reason = house.lines("halting: the program could not boot").first?["because"] as? String
        #expect(reason?.contains("No such file") == true)
    }

    @Test("SIGTERM, SIGQUIT or SIGINT drains, leaves with status 0 and removes the socket", arguments: [15, 3, 2])
    func drains(number: Int) throws {
        let house = try House()
        try house.supervise(["count": "2", "runners": "1"])
        #expect(house.hears("ready"))
        house.signal(Int32(number))
        #expect(house.exitStatus() == 0)
        #expect(house.lines("child left").count == 3 && house.lines("child lost").isEmpty)
        #expect(!FileManager.default.fileExists(atPath: house.socketPath))
    }

    @Test("A worker that does not leave is killed at the drain deadline")
    func stubborn() throws {
        let house = try House()
        try house.supervise(["count": "1", "mode": "stubborn", "drain": "300"])
        #expect(house.hears("ready"))
        house.signal(SIGTERM)
        #expect(house.exitStatus() == 0)
        #expect(house.lines("child lost").count == 1)
    }

    @Test("A child that waits while booting learns that it is asked to leave")
    func waiting() throws {
        let house = try House()
        try house.supervise(["count": "2", "mode": "waiting"])
        #expect(house.hears("child started", times: 2))
        house.signal(SIGTERM)
        #expect(house.exitStatus() == 0)
    }

    @Test("A second SIGTERM kills at once")
    func stopTwice() throws {
        let house = try House()
        try house.supervise(["count": "2", "mode": "stubborn"])
        #expect(house.hears("ready"))
        house.signal(SIGTERM)
        #expect(house.hears("stopping"))
        house.signal(SIGTERM)
        #expect(house.exitStatus(within: 5) == 0)
    }

    @Test("SIGHUP replaces every worker, and each request is answered meanwhile")
    func reload() throws {
        let house = try House()
        try house.supervise(["count": "2"])
        #expect(house.hears("ready"))
        let before = Set(house.children)
        try house.write(["count": "3"])
        house.signal(SIGHUP)
        var answers = 0
        #expect(
            eventually {
                guard house.ask()?.count == 3 else { return false }
                answers += 1
                return !house.lines("reloaded").isEmpty && house.children.count == 3
            })
        #expect(answers > 0 && before.isDisjoint(with: house.children))
        #expect(house.ask()?[1] == 2)
        let order = house.log.compactMap { $0["message"] as? String }
        let reloaded = try #require(order.firstIndex(of: "reloaded"))
        #expect(!order[..<reloaded].contains("child left"))
    }

    @Test("Twenty SIGHUPs in a row leave exactly one crew")
    func reloadStorm() throws {
        let house = try House()
        try house.supervise(["count": "2", "runners": "1"])
        #expect(house.hears("ready"))
        let before = Set(house.children)
        for count in 1...20 {
            house.signal(SIGHUP)
            if count % 5 == 0 { #expect(house.hears("reloaded", times: count / 10)) }
        }
        #expect(eventually { house.isSettled && house.children.count == 3 })
        #expect(before.isDisjoint(with: house.children))
        #expect(house.lines("child lost").isEmpty)
        house.signal(SIGTERM)
        #expect(house.exitStatus() == 0)
        #expect(house.lines("child started").count == house.lines("child left").count)
    }

    @Test("A configuration that cannot be read, or a program that cannot boot, leaves the old crew in place")
    func reloadRefused() throws {
        let house = try House()
        try house.supervise(["count": "2"])
        #expect(house.hears("ready"))
        let before = house.children
        try house.write(["count\n": ""])
        house.signal(SIGHUP)
        #expect(house.hears("reload refused, the old crew stays"))
        try house.write(["count": "2", "mode": "unbootable"])
        house.signal(SIGHUP)
        #expect(house.hears("reload given up, the old crew stays"))
        #expect(eventually { house.children == before })
        #expect(house.ask()?[1] == 1)
    }

    @Test("A supervisor killed with -9 leaves no orphan")
    func orphans() throws {
        let house = try House()
        try house.supervise(["count": "3", "runners": "1"])
        #expect(house.hears("ready"))
        let children = Set(house.children)
        #expect(children.count == 4)
        house.signal(SIGKILL)
        #expect(eventually { children.isDisjoint(with: House.processes.filter(\.isAlive).map(\.pid)) })
    }

    @Test("Even a hung child does not outlive a killed supervisor for long")
    func hungOrphan() throws {
        let house = try House()
        try house.supervise(["count": "1", "mode": "hang", "boot": "500", "tick": "60000"])
        #expect(house.hears("ready"))
        let children = Set(house.children)
        house.signal(SIGKILL)
        #expect(eventually { children.isDisjoint(with: House.processes.filter(\.isAlive).map(\.pid)) })
    }

    @Test("The supervisor has a single thread")
    func thread() throws {
        let house = try House()
        let supervisor = try house.supervise(["count": "2"])
        #expect(house.hears("ready"))
        let status = try String(contentsOfFile: "/proc/\(supervisor.processIdentifier)/status", encoding: .utf8)
        #expect(status.contains("Threads:\t1\n"))
    }

    @Test("SIGUSR1 writes a line of status for each child")
    func status() throws {
        let house = try House()
        try house.supervise(["count": "2", "runners": "1"])
        #expect(house.hears("ready"))
        _ = house.ask()
        house.signal(SIGUSR1)
        #expect(house.hears("status", times: 3))
        #expect(house.lines("status").allSatisfy { $0["state"] as? String == "ready" })
        // A request is counted a moment after its answer was sent.
        #expect(
            eventually {
                house.signal(SIGUSR1)
                return house.lines("status").contains { $0["served"] as? Int == 1 }
            })
    }
}
