import Foundation
import Testing
import ThreadKit

@testable import ProcessKit

@Suite struct DoorbellTests {
    private static func path() -> String {
        FileManager.default.temporaryDirectory.appending(path: "bell-\(UUID().uuidString.prefix(8))").path
    }

    @Test("A ring ends the wait, however many there were, and even if it came before")
    func rings() throws {
        let path = Self.path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bell = try Doorbell(path: path)
        let button = Doorbell.Button(path: path)
        for _ in 0..<1_000 { button.press() }
        let begun = ContinuousClock.now
        bell.wait(atMost: .seconds(60))
        #expect(ContinuousClock.now - begun < .seconds(50))
        let again = ContinuousClock.now
        bell.wait(atMost: .milliseconds(30))
        #expect(ContinuousClock.now - again >= .milliseconds(25), "several rings are one")
        let thread = try WorkerThread(name: "rings") { button.press() }
        bell.wait(atMost: .seconds(60))
        thread.join()
        #expect(ContinuousClock.now - begun < .seconds(50))
    }

    @Test("Ringing where nobody listens does nothing, and whoever comes next hears the next ring")
    func nobody() throws {
        let path = Self.path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let button = Doorbell.Button(path: path)
        button.press()
        let first = try Doorbell(path: path)
        let second = try Doorbell(path: path)
        button.press()
        let begun = ContinuousClock.now
        second.wait(atMost: .seconds(60))
        #expect(ContinuousClock.now - begun < .seconds(50))
        first.wait(atMost: .milliseconds(1))
    }

    @Test("A bell in a folder whose path is longer than the kernel's addresses hangs and rings")
    func longFolder() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bells-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: String(repeating: "long/", count: 40) + "deliveries.bell").path
        let button = Doorbell.Button(path: path)
        button.press()
        try FileManager.default.createDirectory(
            atPath: String(path.dropLast("deliveries.bell".count)), withIntermediateDirectories: true)
        let bell = try Doorbell(path: path)
        button.press()
        let begun = ContinuousClock.now
        bell.wait(atMost: .seconds(60))
        #expect(ContinuousClock.now - begun < .seconds(50))
    }

    @Test("Nobody but the owner may ring, and a name that is too long is refused")
    func closed() throws {
        let path = Self.path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bell = try Doorbell(path: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        bell.wait(atMost: .milliseconds(1))
        #expect(throws: ProcessError.self) { try Doorbell(path: "/tmp/" + String(repeating: "x", count: 200)) }
        Doorbell.Button(path: "/tmp/" + String(repeating: "x", count: 200)).press()
    }
}
