import Foundation
import Glibc
import Testing

@testable import DatabaseKit

/// A server of a test's own, to be stopped, frozen and started again without disturbing other tests.
final class OwnServer {
    let url: DatabaseURL
    let urlText: String
    private let pidFile: String
    private let startScript: String
    private let guardian: Process
    private let guardianInput: Pipe
    private var restarted: Process?

    /// Starts the server by `Tests/mariadb`, which removes it when our end of a pipe closes, even if this process dies.
    init() throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "mariadb")
        let output = Pipe()
        guardianInput = Pipe()
        guardian = Process()
        guardian.executableURL = script
        let say = #"printf '%s\n' "$HUB_TEST_DATABASE_URL" "$HUB_TEST_DATABASE_PID" "$HUB_TEST_DATABASE_RESTART""#
        guardian.arguments = ["run", "sh", "-c", "\(say) end; exec cat > /dev/null"]
        guardian.environment = ProcessInfo.processInfo.environment.filter { $0.key != "HUB_TEST_DATABASE_URL" }
        guardian.standardInput = guardianInput
        guardian.standardOutput = output
        try guardian.run()
        var said = Data()
        while said.count(where: { $0 == UInt8(ascii: "\n") }) < 4 {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "the server did not start")
            said += more
        }
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n").map(String.init)
        urlText = lines[0]
        url = try DatabaseURL(urlText)
        pidFile = lines[1]
        startScript = lines[2]
    }

    deinit {
        try? guardianInput.fileHandleForWriting.close()
        guardian.waitUntilExit()
    }

    /// The server's process.
    private func pid() throws -> pid_t {
        let text = try String(contentsOfFile: pidFile, encoding: .utf8)
        return try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// Sends a signal to the server.
    func signal(_ number: Int32) throws {
        try #require(Glibc.kill(pid(), number) == 0)
    }

    /// Stops every thread of the server where it is, until SIGCONT.
    func freeze() throws {
        let tasks = "/proc/\(try pid())/task"
        try signal(SIGSTOP)
        try waitUntil {
            try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy { task in
                let status = try? String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
                return status?.contains("State:\tT") ?? true
            }
        }
    }

    /// Ends the server by a signal and waits until it has gone.
    func end(by number: Int32) throws {
        let pid = try pid()
        try signal(number)
        // A process that has ended but is not yet reaped has no memory any more.
        try waitUntil { (try? String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8))?.isEmpty ?? true }
        try? FileManager.default.removeItem(atPath: pidFile)
    }

    /// Starts the server again, without waiting for it.
    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: startScript)
        try process.run()
        restarted = process
    }
}
