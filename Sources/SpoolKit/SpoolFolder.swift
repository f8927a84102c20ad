import CipherKit
import Glibc

/// A folder for the spool files of one host.
public struct SpoolFolder: Sendable {
    /// Where it is.
    public let path: String
    /// Sixteen bytes that no other folder has, whatever the host is called.
    public let host: [UInt8]

    /// A folder, made with mode 0700 when it is missing.
    ///
    /// - Throws: ``SpoolError`` when it cannot be made or written.
    public init(_ path: String) throws(SpoolError) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw SpoolError("cannot make the folder", path, errno)
        }
        self.path = path
        host = try Self.host(in: path)
    }

    /// The names of the files in a folder, in their order; none when there is no such folder.
    public static func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The files of records, the oldest first.
    public func records() -> [String] { Self.names(in: path).filter { $0.hasSuffix(SpoolWriter.suffix) } }

    /// Removes what writers left that were killed before their file had its name.
    public func sweep() {
        for name in Self.names(in: path) where name.hasSuffix(SpoolWriter.draftSuffix) {
            let descriptor = unsafe open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var status = stat()
            // One that is just being made is locked an instant after; a minute is more than an instant.
            guard unsafe fstat(descriptor, &status) == 0, time(nil) - status.st_mtim.tv_sec > 60,
                flock(descriptor, LOCK_EX | LOCK_NB) == 0
            else { continue }
            unsafe unlink("\(path)/\(name)")
        }
    }

    /// How many bytes the files of records hold.
    public func size() -> Int {
        records().reduce(0) { sum, name in
            var status = stat()
            return unsafe stat("\(path)/\(name)", &status) == 0 ? sum + Int(status.st_size) : sum
        }
    }

    /// The host's id, drawn by whoever comes first. A file is linked into place whole, so nobody reads half of one.
    private static func host(in path: String) throws(SpoolError) -> [UInt8] {
        let file = "\(path)/host"
        for _ in 0..<2 {
            if let known = text(of: file).flatMap({ Hex.decode($0) }), known.count == 16 { return known }
            let draft = "\(file).\(getpid()).\(Hex.encode(Random.bytes(4)))"
            let descriptor = unsafe open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw SpoolError("cannot write", draft, errno) }
            let digits = Array(Hex.encode(Random.bytes(16)).utf8)
            let isWritten = unsafe digits.withUnsafeBytes {
                unsafe write(descriptor, $0.baseAddress, $0.count) == digits.count
            }
            let number = errno
            close(descriptor)
            if isWritten { unsafe link(draft, file) }
            unsafe unlink(draft)
            guard isWritten else { throw SpoolError("cannot write", file, number) }
        }
        throw SpoolError("cannot read", "\(path)/host", EINVAL)
    }

    private static func text(of file: String) -> String? {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return SpoolFile.bytes(of: descriptor, from: 0, atMost: 64).map { String(decoding: $0, as: UTF8.self) }
    }
}
