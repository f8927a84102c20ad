import Foundation
import Testing

@testable import CipherKit

@Suite("The key ring")
final class KeyRingTests {
    let folder: String
    var path: String { folder + "/keyring" }

    init() throws {
        folder = NSTemporaryDirectory() + "keyring-" + Hex.encode(Random.bytes(8))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func write(_ text: String, mode: Int = 0o600) throws {
        try? FileManager.default.removeItem(atPath: path)
        #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func loadingFails(_ code: KeyRingError.Code, saying words: String) {
        do {
            _ = try KeyRing.load(path: path)
            Issue.record("it loaded")
        } catch {
            #expect(error.code == code)
            #expect(error.description.contains(words), "\(error)")
        }
    }

    @Test("A generated ring has one key, mode 0600, and loads as the same ring")
    func generated() throws {
        let ring = try KeyRing.generate(path: path)
        #expect(try mode(path) == 0o600)
        #expect(ring.ids == [ring.primary])
        let loaded = try KeyRing.load(path: path)
        #expect(loaded.ids == ring.ids)
        #expect(loaded.key(ring.primary)?.bytes == ring.key(ring.primary)?.bytes)
    }

    @Test("Generating never overwrites a file, nor follows a link that leads nowhere")
    func exists() throws {
        let ring = try KeyRing.generate(path: path)
        #expect(throws: KeyRingError(.exists, "")) { try KeyRing.generate(path: path) }
        #expect(try KeyRing.load(path: path).ids == ring.ids)
        let link = folder + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder + "/nowhere")
        #expect(throws: KeyRingError(.exists, "")) { try KeyRing.generate(path: link) }
        do {
            _ = try KeyRing.generate(path: folder + "/none/keyring")
            Issue.record("it was made")
        } catch {
            #expect(error.code == .inaccessible)
            #expect(
                error.description == "The file \(folder)/none/keyring could not be made: No such file or directory.")
        }
    }

    @Test("Only the modes 0600 and 0400 are let through")
    func modes() throws {
        _ = try KeyRing.generate(path: path)
        for mode in 0...0o7777 where mode & 0o400 != 0 {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            if mode == 0o600 || mode == 0o400 {
                #expect(try KeyRing.load(path: path).ids.count == 1)
            } else {
                #expect(throws: KeyRingError(.exposed, "")) { try KeyRing.load(path: path) }
            }
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        loadingFails(.exposed, saying: "has mode 0644; it must be 0600 or 0400")
    }

    @Test("The owner is this user or root, and a systemd credential's 0440 passes for a service only")
    func owners() {
        let regular = UInt32(S_IFREG)
        func fault(_ mode: UInt32, _ owner: UInt32, _ group: UInt32, for user: UInt32) -> String? {
            FileStatus(mode: regular | mode, owner: owner, group: group).fault(for: user)
        }
        #expect(fault(0o600, 1000, 1000, for: 1000) == nil)
        #expect(fault(0o400, 0, 0, for: 1000) == nil)
        #expect(fault(0o600, 1001, 1000, for: 1000) == "belongs to user 1001, neither this user nor root")
        #expect(fault(0o600, 1001, 0, for: 0) == "belongs to user 1001, neither this user nor root")
        #expect(fault(0o440, 0, 0, for: 1000) == nil)
        #expect(fault(0o440, 0, 0, for: 0) == "has mode 0440; it must be 0600 or 0400")
        #expect(fault(0o440, 0, 100, for: 1000) != nil)
        #expect(fault(0o440, 1000, 1000, for: 1000) != nil)
        #expect(
            FileStatus(mode: UInt32(S_IFIFO) | 0o600, owner: 0, group: 0).fault(for: 0) == "is not a regular file")
    }

    @Test("A link, a folder, a pipe and a file that is not there are each refused in their own words")
    func kinds() throws {
        loadingFails(.missing, saying: "There is no key ring at \(path)")
        let ring = try KeyRing.generate(path: folder + "/real")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder + "/real")
        loadingFails(.exposed, saying: "is a symbolic link")
        #expect(try KeyRing.load(path: folder + "/real").primary == ring.primary)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        loadingFails(.exposed, saying: "is not a regular file")
        try FileManager.default.removeItem(atPath: path)
        let made = unsafe mkfifo(path, 0o600)
        #expect(made == 0)
        loadingFails(.exposed, saying: "is not a regular file")
    }

    static let key = Base64.encode([UInt8](repeating: 0x41, count: 32))
    static let malformed = [
        ("", "has no primary key"),
        ("# only words\n", "has no primary key"),
        ("00000001 active \(key)\n", "has no primary key"),
        ("00000001 primary \(key)\n00000002 primary \(key)\n", "has a second primary key on line 2"),
        ("00000001 primary \(key)\n00000002 next \(key)\n00000003 next \(key)\n", "has a second next key on line 3"),
        ("00000001 primary \(key)\n\n00000001 active \(key)\n", "has the key 00000001 for the second time on line 3"),
        ("1 primary \(key)\n", "has no key on line 1"),
        ("0000000G primary \(key)\n", "has no key on line 1"),
        ("0000000A primary \(key)\n", "has no key on line 1"),
        ("00000001 primary\n", "has no key on line 1"),
        ("00000001 primary \(key) more\n", "has no key on line 1"),
        ("00000001 retired \(key)\n", "has a key that is neither primary, next nor active on line 1"),
        ("00000001 primary \(key.dropLast())\n", "has a key that is not base64 on line 1"),
        ("00000001 primary QUFB\n", "has a key that is not of 32 bytes on line 1"),
        ("00000001 primary \(key)\n\u{0}", "has no key on line 2"),
        (String(repeating: "#", count: 70_000), "is longer than 65536 bytes"),
    ]

    @Test("A malformed ring is refused with the line, and never with the key", arguments: malformed)
    func refused(_ text: String, _ words: String) throws {
        try write(text)
        loadingFails(.malformed, saying: words)
        do {
            _ = try KeyRing.load(path: path)
        } catch {
            #expect(!error.description.contains("QUFB"))
        }
    }

    @Test("Comments, empty lines, tabs, carriage returns and a missing last newline are read")
    func forms() throws {
        try write("# words\r\n\r\n  00000002\tactive  \(Self.key)\r\n#00000003 primary x\n00000001 primary \(Self.key)")
        let ring = try KeyRing.load(path: path)
        #expect(ring.ids.map(\.description) == ["00000001", "00000002"])
        #expect(ring.key(MasterKeyID(raw: 1))?.bytes == [UInt8](repeating: 0x41, count: 32))
    }

    @Test("A rotation: added, written, promoted, rewrapped, removed; each step opens what the former wrapped")
    func rotation() throws {
        let first = try KeyRing.generate(path: path)
        let dataKey = DataKey(number: 3)
        let wrapped = first.wrap(dataKey, context: [1])

        let (added, id) = first.adding()
        #expect(first.next == nil && added.next == id && added.former == [])
        try added.write(to: path)
        #expect(try mode(path) == 0o600)
        #expect(try KeyRing.load(path: path).next == id)
        let promoted = try KeyRing.load(path: path).promoting(id)
        #expect(promoted.next == nil && promoted.former == [first.primary])
        #expect(promoted.primary == id)
        #expect(promoted.ids == [id, first.primary])
        try promoted.write(to: path)

        let second = try KeyRing.load(path: path)
        let opened = try second.unwrap(wrapped, number: 3, context: [1])
        #expect(opened.key.bytes == dataKey.key.bytes)
        let rewrapped = second.wrap(opened, context: [1])
        #expect(KeyRing.masterKey(of: rewrapped) == id)

        #expect(throws: KeyRingError(.primaryInUse, "")) { try second.removing(id) }
        let last = try second.removing(first.primary)
        try last.write(to: path)
        #expect(try KeyRing.load(path: path).ids == [id])
        #expect(throws: WrapError.unknownMasterKey(first.primary)) { try last.unwrap(wrapped, number: 3, context: [1]) }
        #expect(try last.unwrap(rewrapped, number: 3, context: [1]).key.bytes == dataKey.key.bytes)
        #expect(throws: KeyRingError(.unknownKey, "")) { try last.promoting(first.primary) }
        #expect(throws: KeyRingError(.unknownKey, "")) { try last.removing(first.primary) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keyring"])
    }

    @Test("A change of a ring that somebody else has changed meanwhile is refused, and undoes nothing")
    func changed() throws {
        let first = try KeyRing.generate(path: path)
        let (mine, theirs) = (first.adding().ring, first.adding().ring)
        try theirs.write(to: path, replacing: first)
        #expect(throws: KeyRingError(.changed, "")) { try mine.write(to: path, replacing: first) }
        #expect(try KeyRing.load(path: path).ids == theirs.ids)
        let id = try #require(theirs.next)
        try theirs.promoting(id).write(to: path, replacing: theirs)
        #expect(throws: KeyRingError(.changed, "")) { try theirs.write(to: path, replacing: theirs) }
    }

    @Test("Of rings written at the same time each is whole, and what a killed writer left behind is removed")
    func writers() async throws {
        _ = try KeyRing.generate(path: path)
        let (path, left) = (path, path + ".new")
        #expect(FileManager.default.createFile(atPath: left, contents: Data("00000001 prim".utf8)))
        let rings = (0..<8).map { _ in KeyRing().adding().ring }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for ring in rings {
                group.addTask {
                    for _ in 0..<10 {
                        try ring.write(to: path)
                        _ = try KeyRing.load(path: path)
                    }
                }
            }
            try await group.waitForAll()
        }
        let last = try KeyRing.load(path: path)
        #expect(rings.contains { $0.ids == last.ids })
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keyring"])
        #expect(try mode(path) == 0o600)
    }

    @Test("A wrapped data key opens for its number and context only, and no flipped byte passes")
    func wrapping() throws {
        let ring = KeyRing()
        let dataKey = DataKey(number: 1)
        let wrapped = ring.wrap(dataKey, context: [1, 2])
        #expect(wrapped.count == KeyRing.wrappedSize)
        #expect(wrapped.count == 65)
        #expect(try ring.unwrap(wrapped, number: 1, context: [1, 2]).key.bytes == dataKey.key.bytes)
        #expect(throws: WrapError.damaged) { try ring.unwrap(wrapped, number: 2, context: [1, 2]) }
        #expect(throws: WrapError.damaged) { try ring.unwrap(wrapped, number: 1, context: [1]) }
        for index in wrapped.indices {
            var altered = wrapped
            altered[index] ^= 0x80
            #expect(throws: WrapError.self) { try ring.unwrap(altered, number: 1, context: [1, 2]) }
            #expect(throws: WrapError.damaged) {
                try ring.unwrap(Array(wrapped.prefix(index)), number: 1, context: [1, 2])
            }
        }
        #expect(KeyRing.masterKey(of: []) == nil)
    }

    @Test("Keys for different uses differ from each other and from the master key, and do not change")
    func derived() throws {
        let (ring, other) = KeyRing().adding()
        let session = ring.derivedKey(label: "sessions").bytes
        #expect(session == ring.derivedKey(label: "sessions").bytes)
        #expect(session == ring.derivedKey(label: "sessions", of: ring.primary)?.bytes)
        #expect(session != ring.derivedKey(label: "blind index").bytes)
        #expect(session != ring.key(ring.primary)?.bytes)
        #expect(session != ring.derivedKey(label: "sessions", of: other)?.bytes)
        #expect(ring.derivedKey(label: "sessions", of: MasterKeyID(raw: ~ring.primary.raw ^ other.raw)) == nil)
    }
}
