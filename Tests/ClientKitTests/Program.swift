import Foundation
import Glibc

/// A program of the system that runs as a counterpart, and ends with this value.
final class Program {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var pending: [UInt8] = []

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// SIGKILL, since the program inherits the signal mask of the thread that started it, and a test's thread blocks SIGTERM.
    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The next line it prints; nil at its end.
    func line() -> String? {
        while true {
            if let end = pending.firstIndex(of: 10) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { return nil }
            pending += more
        }
    }

    /// The lines up to one that has this beginning, that one included.
    func lines(through beginning: String) -> [String] {
        var lines: [String] = []
        while let line = line() {
            lines.append(line)
            if line.hasPrefix(beginning) { break }
        }
        return lines
    }

    /// Runs a program to its end.
    static func run(_ arguments: [String]) throws {
        let program = try Program(arguments)
        program.process.waitUntilExit()
        guard program.process.terminationStatus == 0 else { throw Failed(arguments: arguments) }
    }

    struct Failed: Error { let arguments: [String] }
}

/// An authority and certificates it signed for 127.0.0.1, in a folder that ends with the tests.
final class Certificates: Sendable {
    let folder: String
    let authority: String

    /// Those all tests use.
    static let shared = Result { try Certificates() }

    private static var place: String { NSTemporaryDirectory() + "hub-client-\(getpid())" }

    private init() throws {
        let folder = Self.place
        self.folder = folder
        atexit { try? FileManager.default.removeItem(atPath: Certificates.place) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try Program.run(
            ["openssl", "req", "-x509"] + key
                + [
                    "-keyout", "\(folder)/ca.key", "-out", "\(folder)/ca.pem", "-subj", "/CN=Test authority", "-days",
                    "2",
                ])
        for (name, host, days) in [
            ("good", "IP:127.0.0.1,DNS:localhost", "2"), ("expired", "IP:127.0.0.1", "-1"),
            ("other", "DNS:other.example", "2"),
        ] {
            try Data("subjectAltName=\(host)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).ext"))
            try Program.run(
                ["openssl", "req"] + key
                    + ["-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).csr", "-subj", "/CN=\(name)"])
            try Program.run([
                "openssl", "x509", "-req", "-in", "\(folder)/\(name).csr", "-CA", "\(folder)/ca.pem", "-CAkey",
                "\(folder)/ca.key", "-CAcreateserial", "-days", days, "-extfile", "\(folder)/\(name).ext", "-out",
                "\(folder)/\(name).pem",
            ])
        }
        try Program.run(
            ["openssl", "req", "-x509"] + key
                + [
                    "-keyout", "\(folder)/self.key", "-out", "\(folder)/self.pem", "-subj", "/CN=self", "-days", "2",
                    "-addext", "subjectAltName=IP:127.0.0.1",
                ])
        authority = try String(contentsOfFile: "\(folder)/ca.pem", encoding: .utf8)
    }
}
