import CipherKit
import Glibc
import TimeKit

/// A file of a spool in the hands of its only reader.
///
/// Readers of records keep each other off by a lock of the open file description (`F_OFD_SETLK`), writers show their life by
/// `flock`: the two do not see each other. Lines are written by a program that locks nothing and may not let us write, so
/// their readers use `flock`.
public final class SpoolFile: Sendable {
    /// Its name in its folder.
    public let name: String
    /// Its number on its disk.
    public let inode: UInt64
    private let path: String
    private let descriptor: Int32

    /// What a file is made of.
    public enum Content: Sendable {
        /// Records of a ``SpoolWriter``.
        case records
        /// Lines of text.
        case lines
    }

    /// What was read of a file.
    public struct Part: Sendable, Equatable {
        /// Each record or line with the place of its first byte.
        public var items: [(place: Int, bytes: [UInt8])] = []
        /// From where to read on.
        public var next: Int
        /// Whether there is more to be read now.
        public var isMore = false
        /// How many bytes were passed over as no record, or as part of a line that is too long.
        public var passedOver = 0

        /// The same items and places.
        public static func == (one: Self, other: Self) -> Bool {
            one.next == other.next && one.isMore == other.isMore && one.passedOver == other.passedOver
                && one.items.elementsEqual(other.items) { $0.place == $1.place && $0.bytes == $1.bytes }
        }
    }

    /// Takes a file; nil when somebody else reads it, or when it is gone.
    public init?(_ name: String, in folder: String, of content: Content) {
        let path = "\(folder)/\(name)"
        let mode = content == .records ? O_RDWR : O_RDONLY
        let descriptor = unsafe open(path, mode | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        // Between opening and locking the last reader may have removed it; another may even have its name by now.
        var named = stat()
        guard Self.lease(descriptor, content), unsafe fstat(descriptor, &status) == 0, status.st_nlink > 0,
            status.st_mode & S_IFMT == S_IFREG, unsafe stat(path, &named) == 0, named.st_ino == status.st_ino
        else {
            close(descriptor)
            return nil
        }
        self.name = name
        self.path = path
        self.descriptor = descriptor
        inode = UInt64(status.st_ino)
    }

    deinit { close(descriptor) }

    /// Locks of an open file description, which come with `fcntl` since Linux 3.15.
    private static func lease(_ descriptor: Int32, _ content: Content) -> Bool {
        guard content == .records else { return flock(descriptor, LOCK_EX | LOCK_NB) == 0 }
        let setLock: Int32 = 37
        var record = flock()
        record.l_type = Int16(F_WRLCK)
        record.l_whence = Int16(SEEK_SET)
        return unsafe fcntl(descriptor, setLock, &record) == 0
    }

    /// The sixteen bytes that a file of records is named by; nil for any other name.
    public var recordsID: [UInt8]? {
        guard name.hasSuffix(SpoolWriter.suffix) else { return nil }
        return Hex.decode(String(name.dropLast(SpoolWriter.suffix.count))).flatMap { $0.count == 16 ? $0 : nil }
    }

    /// Its length now.
    public var size: Int { status.map { Int($0.st_size) } ?? 0 }

    /// When it was last written.
    public var lastWritten: Timestamp {
        status.map { Timestamp(seconds: Int64($0.st_mtim.tv_sec)) } ?? Timestamp(seconds: 0)
    }

    /// Whether nobody writes records to it any more, nor ever will.
    public var isAbandoned: Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    /// Takes it out of its folder; tells whether it is gone.
    @discardableResult
    public func remove() -> Bool { unsafe unlink(path) == 0 }

    private var status: stat? {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 ? status : nil
    }

    // MARK: Reading

    /// How much is looked at in one go; the largest record and the longest line fit.
    static let window = 1_048_576
    /// The longest line that is read.
    static let longestLine = 65_536

    /// Whole records from a place on.
    ///
    /// As long as somebody writes, what is not whole is waited for. Of a file that is abandoned it is passed over.
    ///
    /// - Throws: ``SpoolError`` when the file cannot be read.
    public func records(from place: Int, atMost limit: Int, isAbandoned: Bool) throws(SpoolError) -> Part {
        let bytes = try window(from: place)
        var part = Part(next: place)
        var here = 0
        while here < bytes.count, part.items.count < limit {
            switch SpoolFrame.look(at: here, in: bytes) {
            case .record(let payload, let next):
                part.items.append((place + here, Array(bytes[payload])))
                here = next
                continue
            case .incomplete where here > 0 && bytes.count == Self.window:
                // It goes on beyond what was looked at.
                part.isMore = true
            case .incomplete, .damaged:
                guard isAbandoned else { break }
                let next = SpoolFrame.next(after: here, in: bytes)
                part.passedOver += next - here
                here = next
                continue
            }
            break
        }
        part.next = place + here
        part.isMore = part.isMore || part.items.count == limit || bytes.count == Self.window && here == bytes.count
        return part
    }

    /// Whole lines from a place on, without their line breaks; what follows the last one is waited for.
    ///
    /// - Throws: ``SpoolError`` when the file cannot be read.
    public func lines(from place: Int, atMost limit: Int) throws(SpoolError) -> Part {
        let bytes = try window(from: place)
        var part = Part(next: place)
        var here = 0
        while here < bytes.count, part.items.count < limit {
            guard let end = bytes[here...].firstIndex(of: 0x0a) else {
                // A line without an end is passed over, and its rest is no line either: it is refused by who reads it.
                if bytes.count - here > Self.longestLine {
                    part.passedOver += bytes.count - here
                    here = bytes.count
                }
                break
            }
            if end - here > Self.longestLine {
                part.passedOver += end + 1 - here
            } else {
                part.items.append((place + here, Array(bytes[here..<end])))
            }
            here = end + 1
        }
        part.next = place + here
        part.isMore = part.items.count == limit || bytes.count == Self.window && here > 0
        return part
    }

    private func window(from place: Int) throws(SpoolError) -> [UInt8] {
        guard let bytes = Self.bytes(of: descriptor, from: place, atMost: Self.window) else {
            throw SpoolError("cannot read", path, errno)
        }
        return bytes
    }

    /// As many bytes as there are from a place on, up to a limit; nil when the kernel refuses.
    static func bytes(of descriptor: Int32, from place: Int, atMost limit: Int) -> [UInt8]? {
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            while filled < limit {
                let count = unsafe pread(
                    descriptor, buffer.baseAddress.map { unsafe $0 + filled }, limit - filled, place + filled)
                if count > 0 {
                    filled += count
                } else if count == 0 {
                    break
                } else if errno != EINTR {
                    failed = true
                    break
                }
            }
        }
        return failed ? nil : bytes
    }
}
