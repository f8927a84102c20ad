import Foundation
import Glibc
import Testing

/// A folder of its own and, in it, processes of the fixture; all of them end with it.
final class House {
    let folder: URL
    private var running: [Process] = []
    private(set) var supervisor: Process?

    /// Where the fixture's supervisor listens.
    var socketPath: String { folder.appending(path: "s").path }
    private var planPath: String { folder.appending(path: "plan").path }
    private var logPath: String { folder.appending(path: "log").path }

    init() throws {
        folder = URL(filePath: "/tmp/processkit-\(UInt32.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    }

    deinit {
        for process in running where process.isRunning {
            let children = Self.children(of: process)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            for child in children { kill(child, SIGKILL) }
        }
        try? FileManager.default.removeItem(at: folder)
    }

    /// The fixture stands beside the program that runs the tests.
    static var fixture: URL {
        get throws {
            URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
                .deletingLastPathComponent().appending(path: "ProcessKitFixture")
        }
    }

    /// Starts a supervisor with this plan, listening on the house's socket unless told otherwise.
    @discardableResult
    func supervise(
        _ plan: [String: String] = [:], address: String? = nil, environment: [String: String] = [:]
    ) throws -> Process {
        try write(plan)
        let arguments = ["supervise", address ?? socketPath, planPath]
        let process = try run(Self.fixture, arguments, environment: environment)
        supervisor = process
        return process
    }

    /// Starts a program whose standard error goes to the house's log.
    @discardableResult
    func run(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], input: Any? = nil,
        output: Any? = FileHandle.nullDevice
    ) throws -> Process {
        if !FileManager.default.fileExists(atPath: logPath) { try Data().write(to: URL(filePath: logPath)) }
        let log = try FileHandle(forWritingTo: URL(filePath: logPath))
        try log.seekToEnd()
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given }
        process.standardError = log
        process.standardOutput = output
        process.standardInput = input ?? FileHandle.nullDevice
        try process.run()
        running.append(process)
        return process
    }

    func write(_ plan: [String: String]) throws {
        let text = plan.map { "\($0.key)=\($0.value)\n" }.joined()
        try Data(text.utf8).write(to: URL(filePath: planPath), options: .atomic)
    }

    /// Sends a signal to the supervisor.
    func signal(_ number: Int32) {
        if let supervisor { kill(supervisor.processIdentifier, number) }
    }

    /// The supervisor's exit status, once it has left.
    func exitStatus(within limit: TimeInterval = 20) -> Int32? {
        guard let supervisor, eventually(within: limit, { !supervisor.isRunning }) else { return nil }
        return supervisor.terminationStatus
    }

    /// All that was written to standard error so far.
    var text: String { (try? String(contentsOf: URL(filePath: logPath), encoding: .utf8)) ?? "" }

    /// The lines of the log so far, whole ones only.
    var log: [[String: Any]] {
        text.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    func lines(_ message: String) -> [[String: Any]] { log.filter { $0["message"] as? String == message } }

    func hears(_ message: String, times: Int = 1, within limit: TimeInterval = 20) -> Bool {
        eventually(within: limit) { self.lines(message).count >= times }
    }

    /// The living children of the supervisor.
    var children: [Int32] { supervisor.map(Self.children(of:)) ?? [] }

    private static func children(of process: Process) -> [Int32] {
        processes.filter { $0.parent == process.processIdentifier && $0.isAlive }.map(\.pid).sorted()
    }

    /// Whether the supervisor has done all that was asked of it by signals: the last reload is over, and none is pending.
    ///
    /// A status is written after everything that was signalled before it was begun, so one that follows the end of a
    /// reload, and no beginning, says that there is nothing left to begin.
    var isSettled: Bool {
        signal(SIGUSR1)
        let words = log.compactMap { $0["message"] as? String }
            .filter { ["reloading", "reloaded", "status"].contains($0) }
        return words.last == "status" && words.last { $0 != "status" } == "reloaded"
    }

    /// Connects to the house's socket and reads the answer of a child: its pid, generation and a number of all.
    func ask() -> [Int]? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard connectUnix(descriptor, to: socketPath) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let answer = String(decoding: bytes[..<count], as: UTF8.self)
        return answer.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    }

    struct Running {
        let pid: Int32
        let parent: Int32
        /// Zombies are not.
        let isAlive: Bool
    }

    static var processes: [Running] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap { pid in
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { return nil }
            let fields = text[text.index(after: end)...].split(separator: " ")
            guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
            return Running(pid: pid, parent: parent, isAlive: fields[0] != "Z" && fields[0] != "X")
        }
    }
}

/// Connects a unix socket; false when nobody answers.
func connectUnix(_ descriptor: Int32, to path: String) -> Bool {
    unsafe withUnixAddress(path) { unsafe connect(descriptor, $0, $1) == 0 }
}

/// Lends the address of a path to a closure.
func withUnixAddress<Result>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    return unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// Asks every few milliseconds whether a condition holds, until it does or the time is up.
func eventually(within limit: TimeInterval = 20, _ condition: () -> Bool) -> Bool {
    let deadline = Date.now + limit
    while !condition() {
        guard Date.now < deadline else { return false }
        usleep(5_000)
    }
    return true
}
