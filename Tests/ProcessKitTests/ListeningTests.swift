import Foundation
import Glibc
import LogKit
import Testing

@testable import ProcessKit

@Suite("Listening", .serialized)
struct ListeningTests {
    @Test(
        "A setting names an address",
        arguments: [
            ("path:/run/hub.sock", ListeningAddress.path("/run/hub.sock")), ("/run/hub.sock", .path("/run/hub.sock")),
            ("tcp:127.0.0.1:9000", .tcp(host: "127.0.0.1", port: 9000)), ("tcp:[::1]:0", .tcp(host: "::1", port: 0)),
            ("systemd", .systemd), ("fd:0", .standardInput),
        ])
    func settings(text: String, address: ListeningAddress) throws {
        #expect(try ListeningAddress(setting: text) == address)
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "hub.sock", "path:", "path:hub.sock", "/run/", "tcp:", "tcp:127.0.0.1", "tcp:127.0.0.1:", "tcp::9000",
            "tcp:127.0.0.1:65536", "tcp:localhost:9000", "tcp:::1:9000", "tcp:[127.0.0.1]:9000", "fd:1", "/run/a\u{0}b",
            "/" + String(repeating: "a", count: 107),
        ])
    func refusedSettings(text: String) {
        #expect(throws: ProcessError(.badSetting, "")) { try ListeningAddress(setting: text) }
    }

    @Test("The socket's file has mode 0660, or what is set, and the group that is set")
    func access() throws {
        let house = try House()
        let log = Log(descriptor: -1)
        let path = house.socketPath
        let socket = try ListeningSocket(.path(path), log: log)
        var status = stat()
        #expect(unsafe lstat(path, &status) == 0 && status.st_mode & 0o7777 == 0o660)
        socket.remove()
        #expect(unsafe lstat(path, &status) != 0)
        guard getuid() == 0 else { return }
        let other = try ListeningSocket(.path(path), access: .init(mode: 0o600, group: "www-data"), log: log)
        #expect(unsafe lstat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        #expect(unsafe status.st_gid == getgrnam("www-data").pointee.gr_gid)
        other.remove()
    }

    @Test("A group that does not exist is refused")
    func noGroup() throws {
        let house = try House()
        #expect(throws: ProcessError(.badSetting, "")) {
            _ = try ListeningSocket(
                .path(house.socketPath), access: .init(group: "no-such-group"), log: Log(descriptor: -1))
        }
    }

    @Test("A file that is no socket is left alone")
    func notASocket() throws {
        let house = try House()
        try Data("precious".utf8).write(to: URL(filePath: house.socketPath))
        #expect(throws: ProcessError(.inUse, "")) {
            _ = try ListeningSocket(.path(house.socketPath), log: Log(descriptor: -1))
        }
        #expect(try String(contentsOfFile: house.socketPath, encoding: .utf8) == "precious")
    }

    @Test("A socket whose backlog is full counts as answered")
    func fullBacklog() throws {
        let house = try House()
        let taken = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(taken) }
        unsafe withUnixAddress(house.socketPath) { _ = unsafe bind(taken, $0, $1) }
        listen(taken, 0)
        var waiting: [Int32] = []
        defer { waiting.forEach { close($0) } }
        for _ in 0..<4 {
            let client = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            waiting.append(client)
            _ = connectUnix(client, to: house.socketPath)
        }
        #expect(throws: ProcessError(.inUse, "")) {
            _ = try ListeningSocket(.path(house.socketPath), log: Log(descriptor: -1))
        }
    }

    @Test("The end of a server does not remove the file of its successor")
    func successor() throws {
        let house = try House()
        let first = try ListeningSocket(.path(house.socketPath), log: Log(descriptor: -1))
        unsafe unlink(house.socketPath)
        let second = try ListeningSocket(.path(house.socketPath), log: Log(descriptor: -1))
        first.remove()
        #expect(FileManager.default.fileExists(atPath: house.socketPath))
        second.remove()
    }

    @Test("A TCP socket tells the port it got, and a second server there is refused")
    func tcp() throws {
        let socket = try ListeningSocket(.tcp(host: "127.0.0.1", port: 0), log: Log(descriptor: -1))
        guard case .tcp("127.0.0.1", let port) = socket.address, port != 0 else {
            Issue.record("no port")
            return
        }
        #expect(throws: ProcessError(.inUse, "")) {
            _ = try ListeningSocket(.tcp(host: "127.0.0.1", port: port), log: Log(descriptor: -1))
        }
    }

    @Test("A second supervisor on the same socket refuses, and the first goes on")
    func second() throws {
        let house = try House()
        let first = try house.supervise(["count": "1"])
        #expect(house.hears("ready"))
        let second = try house.supervise(["count": "1"])
        #expect(house.exitStatus() == 1 && !second.isRunning && first.isRunning)
        let reason = house.lines("cannot supervise").first?["because"] as? String
        #expect(reason?.contains("another server answers") == true)
        #expect(house.ask() != nil)
    }

    @Test("A socket left by a killed supervisor is taken over")
    func stale() throws {
        let house = try House()
        try house.supervise(["count": "1"])
        #expect(house.hears("ready"))
        let children = Set(house.children)
        house.signal(SIGKILL)
        #expect(eventually { children.isDisjoint(with: House.processes.filter(\.isAlive).map(\.pid)) })
        #expect(FileManager.default.fileExists(atPath: house.socketPath))
        try house.supervise(["count": "1"])
        #expect(house.hears("ready", times: 2))
        #expect(house.ask() != nil)
    }

    /// Runs the fixture by a shell that hands it a listening socket, as systemd or spawn-fcgi would.
    private func inherit(_ house: House, _ address: String, as descriptor: Int, _ more: String = "") throws {
        let script = """
            import os, socket
            s = socket.socket(socket.AF_UNIX); s.bind(os.environ['SOCKET']); s.listen(64)
            os.dup2(s.fileno(), \(descriptor)); os.set_inheritable(\(descriptor), True)
            \(more)
            os.execv(os.environ['FIXTURE'], ['fixture', 'supervise', '\(address)', os.environ['PLAN']])
            """
        let fixture = try House.fixture.path
        try house.write(["count": "1", "executable": fixture])
        try house.run(
            URL(filePath: "/usr/bin/env"), ["python3", "-c", script],
            environment: [
                "SOCKET": house.socketPath, "FIXTURE": fixture, "PLAN": house.folder.appending(path: "plan").path,
            ])
    }

    @Test("systemd's socket is taken when it is meant for this process, and left in place at the end")
    func systemd() throws {
        let house = try House()
        try inherit(
            house, "systemd", as: 3, "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))")
        #expect(house.hears("ready"))
        #expect(house.ask() != nil)
    }

    @Test("systemd's socket is refused when it is meant for another process")
    func systemdForAnother() throws {
        let house = try House()
        try inherit(house, "systemd", as: 3, "os.environ.update(LISTEN_FDS='1', LISTEN_PID='1')")
        #expect(house.hears("cannot supervise"))
    }

    @Test("A socket that is descriptor 0 is taken; what is no listening socket is refused")
    func standardInput() throws {
        let house = try House()
        try inherit(house, "fd:0", as: 0)
        #expect(house.hears("ready"))
        #expect(house.ask() != nil)
        let other = try House()
        try other.supervise(address: "fd:0")
        #expect(other.exitStatus() == 1)
    }
}
