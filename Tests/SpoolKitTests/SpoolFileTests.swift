import Foundation
import LogKit
import Testing
import ThreadKit

@testable import SpoolKit

/// A folder that is removed with the test.
final class Folder: Sendable {
    let path: String
    let spool: SpoolFolder

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "spool-\(UUID().uuidString)").path
        spool = try SpoolFolder(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func writer(
        _ limits: SpoolWriter.Limits = .init(), lost: @escaping @Sendable (Int) -> Void = { _ in }
    )
        -> SpoolWriter
    {
        SpoolWriter(spool, limits: limits, log: Log(threshold: .error), lost: lost)
    }

    /// The one file there is.
    func only() throws -> SpoolFile {
        let names = spool.records()
        try #require(names.count == 1)
        return try #require(SpoolFile(names[0], in: path, of: .records))
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    }

    func bytes(of name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: "\(path)/\(name)"))) }
}

@Suite struct SpoolFileTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    private func texts(_ part: SpoolFile.Part) -> [String] {
        part.items.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test("What was appended can be read before the writer ends, each record once, in order")
    func reading() throws {
        let writer = folder.writer()
        for number in 0..<5 { #expect(writer.append(Array("record \(number)".utf8))) }
        let file = try folder.only()
        #expect(file.recordsID?.count == 16)
        let first = try file.records(from: 0, atMost: 3, isAbandoned: false)
        #expect(texts(first) == ["record 0", "record 1", "record 2"])
        #expect(first.isMore)
        let rest = try file.records(from: first.next, atMost: 100, isAbandoned: false)
        #expect(texts(rest) == ["record 3", "record 4"])
        #expect(!rest.isMore && rest.next == file.size)
        withExtendedLifetime(writer) {}
    }

    @Test("A file has one reader at a time, in this process and in any other")
    func lease() throws {
        let writer = folder.writer()
        writer.append([1])
        let name = folder.spool.records()[0]
        var file: SpoolFile? = try folder.only()
        #expect(SpoolFile(name, in: folder.path, of: .records) == nil)
        file = nil
        #expect(file == nil)
        #expect(SpoolFile(name, in: folder.path, of: .records) != nil)
    }

    @Test("A file is abandoned once its writer has ended, and not before")
    func abandoning() throws {
        var writer: SpoolWriter? = folder.writer()
        writer?.append([1])
        let file = try folder.only()
        #expect(!file.isAbandoned)
        writer = nil
        #expect(writer == nil && file.isAbandoned)
        #expect(file.remove())
        #expect(folder.spool.records().isEmpty)
    }

    @Test("Wherever a writer is killed within a record, the ones before it are read and its own is passed over")
    func tornTail() throws {
        let whole = SpoolFrame.framed(Array("whole".utf8)) + SpoolFrame.framed(Array("also whole".utf8))
        let last = SpoolFrame.framed(Array("HRL1 broken off".utf8))
        for count in 0..<last.count {
            let name = String(repeating: "0", count: 29) + String(format: "%03d", count) + ".spool"
            try folder.write(whole + last.prefix(count), to: name)
            let file = try #require(SpoolFile(name, in: folder.path, of: .records))
            let waiting = try file.records(from: 0, atMost: 100, isAbandoned: false)
            #expect(texts(waiting) == ["whole", "also whole"])
            #expect(waiting.next == whole.count && !waiting.isMore)
            let over = try file.records(from: waiting.next, atMost: 100, isAbandoned: true)
            #expect(over.items.isEmpty && over.next == file.size && over.passedOver == count)
        }
    }

    @Test("Where a disk has lost some, reading goes on at the next whole record")
    func damage() throws {
        let records = ["one", "two", "three"].map { SpoolFrame.framed(Array($0.utf8)) }
        for place in 0..<records[1].count {
            var broken = records[1]
            broken[place] ^= 0x20
            let name = String(repeating: "1", count: 29) + String(format: "%03d", place) + ".spool"
            try folder.write(records[0] + broken + records[2], to: name)
            let file = try #require(SpoolFile(name, in: folder.path, of: .records))
            let part = try file.records(from: 0, atMost: 100, isAbandoned: true)
            #expect(texts(part) == ["one", "three"] && part.passedOver == broken.count, "byte \(place)")
            #expect(try file.records(from: 0, atMost: 100, isAbandoned: false).items.count == 1)
        }
    }

    @Test("Whatever a file holds, reading it ends and gives no record that was not written")
    func hostile() throws {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<200 {
            var bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ in UInt8.random(in: 0...255) }
            for _ in 0..<3 where !bytes.isEmpty {
                bytes.insert(contentsOf: SpoolFrame.letters, at: Int.random(in: 0...bytes.count, using: &generator))
            }
            let name = String(repeating: "2", count: 29) + String(format: "%03d", round) + ".spool"
            try folder.write(bytes, to: name)
            let file = try #require(SpoolFile(name, in: folder.path, of: .records))
            let part = try file.records(from: 0, atMost: 100, isAbandoned: true)
            #expect(part.items.isEmpty && part.next == bytes.count)
        }
    }

    @Test("A full file is followed by another, and so is an old one")
    func rotation() throws {
        var limits = SpoolWriter.Limits()
        limits.bytes = 100
        let small = folder.writer(limits)
        for _ in 0..<10 { small.append([UInt8](repeating: 7, count: 40)) }
        #expect(folder.spool.records().count == 5)
        let other = try Folder()
        limits = .init()
        limits.age = .zero
        let old = other.writer(limits)
        for _ in 0..<3 { old.append([1]) }
        #expect(other.spool.records().count == 3)
    }

    @Test("Records of many threads stand whole beside each other")
    func threads() throws {
        let writer = folder.writer()
        let threads = try (0..<8).map { number in
            try WorkerThread(name: "writer") {
                for count in 0..<500 {
                    writer.append(Array("\(number) \(count) \(String(repeating: "x", count: count))".utf8))
                }
            }
        }
        threads.forEach { $0.join() }
        let file = try folder.only()
        var found: Set<String> = []
        var place = 0
        repeat {
            let part = try file.records(from: place, atMost: 1_000, isAbandoned: false)
            found.formUnion(texts(part).map { $0.split(separator: " ").prefix(2).joined(separator: " ") })
            place = part.next
            if !part.isMore { break }
        } while true
        #expect(found.count == 4_000 && place == file.size)
    }

    @Test("A record that finds no room is lost and counted, nothing of it stands, and the next one that fits is kept")
    func noRoom() throws {
        let lost = Lock(0)
        let writer = folder.writer { count in lost.withLock { $0 += count } }
        #expect(writer.append([1, 2, 3]))
        #expect(!writer.append([UInt8](repeating: 0, count: SpoolFrame.longest + 1)))
        #expect(writer.append([4]))
        #expect(lost.withLock { $0 } == 1)
        #expect(
            try folder.only().records(from: 0, atMost: 10, isAbandoned: false).items.map(\.bytes) == [[1, 2, 3], [4]])
    }

    @Test("Where a disk is full nothing of a record stands, and what comes once there is room again stands whole")
    func fullDisk() throws {
        // A limit on the size of files stands for the full disk: the kernel takes a part of a record, then refuses.
        signal(SIGXFSZ, SIG_IGN)
        var before = rlimit()
        unsafe getrlimit(__rlimit_resource_t(1), &before)
        defer { unsafe setrlimit(__rlimit_resource_t(1), &before) }
        let room = 8_388_608
        var small = rlimit(rlim_cur: rlim_t(room), rlim_max: before.rlim_max)
        unsafe setrlimit(__rlimit_resource_t(1), &small)
        let lost = Lock(0)
        let writer = folder.writer { count in lost.withLock { $0 += count } }
        var kept = 0
        while writer.append([UInt8](repeating: 9, count: 50_000)) { kept += 1 }
        #expect(!writer.append([UInt8](repeating: 9, count: 50_000)))
        #expect(lost.withLock { $0 } == 2)
        let file = try folder.only()
        #expect(file.size == kept * (50_000 + SpoolFrame.headBytes) && file.size < room)
        unsafe setrlimit(__rlimit_resource_t(1), &before)
        #expect(writer.append(Array("after".utf8)))
        let part = try file.records(from: kept * (50_000 + SpoolFrame.headBytes), atMost: 10, isAbandoned: false)
        #expect(texts(part) == ["after"])
    }

    @Test("Without a folder records are lost, counted, and kept again once it is back")
    func noFolder() throws {
        let lost = Lock(0)
        let writer = folder.writer { count in lost.withLock { $0 += count } }
        try FileManager.default.removeItem(atPath: folder.path)
        for _ in 0..<3 { #expect(!writer.append([1])) }
        #expect(lost.withLock { $0 } == 3)
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        #expect(writer.append([1]))
    }

    @Test("The host's id is the same for all who ask, and another folder has another")
    func host() throws {
        let others = try (0..<4).map { _ in try SpoolFolder(folder.path).host }
        #expect(Set(others + [folder.spool.host]).count == 1)
        #expect(try Folder().spool.host != folder.spool.host)
    }

    @Test("Lines are read whole, the last one once it has its end, and too long ones are passed over")
    func lines() throws {
        let long = String(repeating: "z", count: SpoolFile.longestLine + 1)
        try folder.write(Array("first\n\(long)\nthird\nfour".utf8), to: "gate-1.log")
        let file = try #require(SpoolFile("gate-1.log", in: folder.path, of: .lines))
        #expect(SpoolFile("gate-1.log", in: folder.path, of: .lines) == nil)
        let part = try file.lines(from: 0, atMost: 10)
        #expect(texts(part) == ["first", "third"] && part.passedOver == long.utf8.count + 1)
        let handle = try #require(FileHandle(forWritingAtPath: "\(folder.path)/gate-1.log"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("th\nfifth".utf8))
        let more = try file.lines(from: part.next, atMost: 10)
        #expect(texts(more) == ["fourth"])
        #expect(try file.lines(from: more.next, atMost: 10).items.isEmpty)
    }
}
