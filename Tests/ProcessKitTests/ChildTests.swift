import Foundation
import Glibc
import Testing

@testable import ProcessKit

@Suite("Children", .serialized)
struct ChildTests {
    @Test("A child's only descriptors are the socket, output and errors", .enabled(if: getuid() == 0))
    func descriptors() throws {
        let (house, child) = try oneChild()
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child)/fd").sorted()
        #expect(open == ["0", "1", "2"])
        withExtendedLifetime(house) {}
    }

    @Test("A child's environment is the plan's and its slot, whatever the supervisor's is", .enabled(if: getuid() == 0))
    func environment() throws {
        let (house, child) = try oneChild(["DATABASE_PASSWORD": "secret", "FIXTURE_SEEN": "1", "LISTEN_FDS": "1"])
        let text = try String(contentsOfFile: "/proc/\(child)/environ", encoding: .utf8)
        let names = text.split(separator: "\0").compactMap { $0.split(separator: "=").first }.sorted()
        #expect(names == ["CREW_SLOT", "FIXTURE_SEEN", "PATH", "SWIFT_BACKTRACE"])
        withExtendedLifetime(house) {}
    }

    @Test("A child leaves no core and makes files for its owner alone")
    func limits() throws {
        let (house, child) = try oneChild()
        let limits = try String(contentsOfFile: "/proc/\(child)/limits", encoding: .utf8)
        let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        #expect(core?.split(separator: " ").suffix(3).prefix(2) == ["0", "0"])
        let status = try String(contentsOfFile: "/proc/\(child)/status", encoding: .utf8)
        #expect(status.contains("Umask:\t0077"))
        withExtendedLifetime(house) {}
    }

    @Test("SIGINT and SIGHUP to a child change nothing; SIGTERM makes it drain, and it is replaced")
    func signals() throws {
        let (house, child) = try oneChild()
        for number in [SIGINT, SIGHUP, SIGUSR1, SIGUSR2] { kill(child, number) }
        let asked = (0..<20).compactMap { _ in house.ask() }
        #expect(asked.count == 20 && house.children == [child])
        kill(child, SIGTERM)
        #expect(eventually { house.children.count == 1 && house.children != [child] })
        #expect(house.lines("child lost").isEmpty)
    }

    @Test("A child of no supervisor serves on its own, and SIGINT makes it leave with status 0")
    func alone() throws {
        let house = try House()
        let script = """
            import os, socket
            s = socket.socket(socket.AF_UNIX); s.bind(os.environ['SOCKET']); s.listen(64); os.dup2(s.fileno(), 0)
            os.execv(os.environ['FIXTURE'], ['fixture', 'child', 'serve'])
            """
        let process = try house.run(
            URL(filePath: "/usr/bin/env"), ["python3", "-c", script],
            environment: ["SOCKET": house.socketPath, "FIXTURE": House.fixture.path])
        #expect(eventually { house.ask() == [Int(process.processIdentifier), 1, 1] })
        process.interrupt()
        try #require(eventually { !process.isRunning })
        #expect(process.terminationStatus == 0)
    }

    @Test("A child whose slot or page is not there refuses to begin", arguments: ["0", "1000", "-1"])
    func noPage(slot: String) throws {
        let house = try House()
        let process = try house.run(House.fixture, ["child", "serve"], environment: ["CREW_SLOT": slot])
        try #require(eventually { !process.isRunning })
        #expect(process.terminationStatus == 65)
    }

    private func oneChild(_ environment: [String: String] = [:]) throws -> (House, Int32) {
        let house = try House()
        try house.supervise(["count": "1"], environment: environment)
        #expect(house.hears("ready"))
        return (house, try #require(house.children.first))
    }
}
