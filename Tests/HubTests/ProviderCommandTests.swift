import Connections
import Foundation
import Testing

@testable import Hub

@Suite struct ProviderCommandTests {
    @Test("Files without mistakes pass, and one with a mistake fails the command")
    func check() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hub-providers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let built = root.appending(path: "Sources/Connections/Providers")
        let good = try FileManager.default.contentsOfDirectory(atPath: built.path).map {
            built.appending(path: $0).path
        }
        #expect(good.count == 28 && runCommand(["provider", "check"] + good) == 0)
        let bad = folder.appending(path: "bad.json").path
        try Data(#"{"key": "Bad"}"#.utf8).write(to: URL(filePath: bad))
        #expect(runCommand(["provider", "check", good[0], bad]) == 1)
        #expect(runCommand(["provider", "check", folder.appending(path: "none.json").path]) == 1)
        #expect(runCommand(["provider", "check"]) == 1)
        let mistakes = ProviderCatalogue.mistakes(in: bad, Array(#"{"key": "Bad"}"#.utf8)).map(\.description)
        #expect(mistakes.first == "\(bad):1:9: a key is lower-case letters, digits and underscores.")
        #expect(mistakes.count > 5)
    }
}
