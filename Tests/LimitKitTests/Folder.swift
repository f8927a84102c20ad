import Foundation
import Glibc
import LimitKit
import LogKit
import Testing
import ThreadKit
import TimeKit

/// A folder of its own and the processes of the fixture in it; all of them end with it.
final class Folder {
    let path: String
    private var running: [Process] = []

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "limits-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        for process in running where process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    subscript(_ name: String) -> String { "\(path)/\(name)" }

    /// A limiter on a file of the folder.
    func limiter(
        _ name: String = "limits", subjects: Int = 64, log: Log = Log(threshold: .error),
        now: @escaping @Sendable () -> Timestamp = { .now() }
    ) throws -> Limiter {
        try Limiter(file: self[name], subjects: subjects, log: log, now: now)
    }

    /// Starts the fixture, which stands beside the program that runs the tests.
    func start(_ arguments: String..., input: Any? = FileHandle.nullDevice, output: Any?) throws -> Process {
        let process = Process()
        process.executableURL = URL(
            filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        )
        .deletingLastPathComponent().appending(path: "LimitKitFixture")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        running.append(process)
        return process
    }
}

/// A clock that is set by hand.
final class SetClock: Sendable {
    private let time: Lock<Timestamp>

    init(_ start: Timestamp = Timestamp(seconds: 1_700_000_000)) { time = Lock(start) }

    var now: Timestamp {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}

/// Chance that is the same each time.
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var word = state ^ (state >> 33)
        word = word &* 0xff51_afd7_ed55_8ccd
        return word ^ (word >> 33)
    }
}
