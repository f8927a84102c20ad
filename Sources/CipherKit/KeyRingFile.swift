internal import COpenSSL

#if canImport(Glibc)
internal import Glibc
#endif

// The file: one key a line, `<id> <primary|next|active> <base64 of 32 bytes>`; empty lines and `#` comments are skipped.
extension KeyRing {
    /// The ring in a file that only its owner may read.
    ///
    /// - Throws: ``KeyRingError``: `missing`, `exposed`, `malformed` or `inaccessible`.
    public static func load(path: String) throws(KeyRingError) -> KeyRing {
        let file = try File.opening(path)
        try file.judge()
        var bytes = try file.contents(limit: 64 * 1024)
        defer { wipe(&bytes) }
        return try KeyRing(parsing: bytes, path: path)
    }

    /// A ring of one new key, in a new file with mode 0600 that is on disk when this returns.
    ///
    /// - Throws: ``KeyRingError``: `exists`, whatever it is that has the name, or `inaccessible`.
    public static func generate(path: String) throws(KeyRingError) -> KeyRing {
        let ring = KeyRing()
        let file = try File.creating(path)
        do throws(KeyRingError) {
            try ring.write(to: file)
        } catch {
            unsafe unlink(path)
            throw error
        }
        try Folder(of: path).sync()
        return ring
    }

    /// Puts this ring in the place of the file's, which at every moment is either the old or the new one.
    ///
    /// One process writes at a time. What another one was killed over is removed, for it holds keys.
    ///
    /// - Parameter former: what the file must still hold, so that nobody's change is undone; nil for whatever it holds.
    /// - Throws: ``KeyRingError``: `changed`, `inaccessible`, or what keeps the file from being read; the old file then
    ///   stands.
    public func write(to path: String, replacing former: KeyRing? = nil) throws(KeyRingError) {
        let folder = try Folder(of: path)
        try folder.lock()
        if let former, try Self.load(path: path).states != former.states {
            throw KeyRingError(.changed, "Somebody else has changed the key ring \(path) meanwhile; look at it again.")
        }
        let draft = "\(path).new"
        unsafe unlink(draft)
        let file = try File.creating(draft)
        do throws(KeyRingError) {
            try write(to: file)
            guard unsafe rename(draft, path) == 0 else {
                throw KeyRingError.system("The key ring \(path) could not be replaced")
            }
        } catch {
            unsafe unlink(draft)
            throw error
        }
        try folder.sync()
    }

    /// Each key and what it is for, as the file tells it.
    private var states: [String] {
        ["\(primary) primary"] + others.map { "\($0.id) \($0.isNext ? "next" : "active")" }
    }

    private func write(to file: borrowing File) throws(KeyRingError) {
        var text = Array(
            """
            # The master keys of this hub: without them nothing sealed in its database can ever be opened.
            # Keep a copy apart from the database's backups, and let nobody else read it.

            """.utf8)
        defer { wipe(&text) }
        // Room for all of it, so that growing leaves no copies of keys behind.
        text.reserveCapacity(text.count + (others.count + 1) * 64)
        append(primaryEntry, "primary", to: &text)
        for entry in others { append(entry, entry.isNext ? "next" : "active", to: &text) }
        try file.write(text)
    }

    private func append(_ entry: Entry, _ state: String, to text: inout [UInt8]) {
        text += "\(entry.id) \(state) ".utf8
        var characters = entry.key.withBytes { Base64.characters(of: $0) }
        defer { wipe(&characters) }
        text += characters
        text.append(UInt8(ascii: "\n"))
    }

    init(parsing bytes: [UInt8], path: String) throws(KeyRingError) {
        var primary: Entry?
        var others: [Entry] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let fault = { (what: String) in
                KeyRingError(.malformed, "The key ring \(path) \(what) on line \(index + 1).")
            }
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
            guard let first = words.first, first.first != UInt8(ascii: "#") else { continue }
            guard words.count == 3, let id = MasterKeyID(String(decoding: first, as: UTF8.self)) else {
                throw fault("has no key")
            }
            guard var decoded = Base64.decode(words[2]) else { throw fault("has a key that is not base64") }
            defer { wipe(&decoded) }
            guard let key = SymmetricKey(decoded) else { throw fault("has a key that is not of 32 bytes") }
            guard id != primary?.id, !others.contains(where: { $0.id == id }) else {
                throw fault("has the key \(id) for the second time")
            }
            switch String(decoding: words[1], as: UTF8.self) {
            case "active": others.append(Entry(id: id, key: key))
            case "next" where !others.contains(where: \.isNext): others.append(Entry(id: id, key: key, isNext: true))
            case "next": throw fault("has a second next key")
            case "primary" where primary == nil: primary = Entry(id: id, key: key)
            case "primary": throw fault("has a second primary key")
            default: throw fault("has a key that is neither primary, next nor active")
            }
        }
        guard let primary else { throw KeyRingError(.malformed, "The key ring \(path) has no primary key.") }
        self.init(primary: primary, others: others)
    }
}

extension KeyRingError {
    /// What the system refused, with its reason, which is read before anything else can replace it.
    fileprivate static func system(_ sentence: @autoclosure () -> String) -> KeyRingError {
        let number = errno
        let reason = unsafe String(cString: strerror(number))
        return KeyRingError(.inaccessible, "\(sentence()): \(reason).")
    }
}

/// A descriptor of the key ring's file.
private struct File: ~Copyable {
    private let descriptor: Int32
    private let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Opens a file for reading; never through a symbolic link, and without waiting for the other end of a pipe.
    static func opening(_ path: String) throws(KeyRingError) -> File {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor < 0 else { return File(descriptor: descriptor, path: path) }
        switch errno {
        case ENOENT: throw KeyRingError(.missing, "There is no key ring at \(path).")
        case ELOOP: throw KeyRingError(.exposed, "The key ring \(path) is a symbolic link; name the file itself.")
        default: throw KeyRingError.system("The key ring \(path) could not be opened")
        }
    }

    /// Makes a file that was not there.
    static func creating(_ path: String) throws(KeyRingError) -> File {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor < 0 else { return File(descriptor: descriptor, path: path) }
        if errno == EEXIST { throw KeyRingError(.exists, "There is a file at \(path) already; it is left as it is.") }
        throw KeyRingError.system("The file \(path) could not be made")
    }

    /// Refuses the open file unless it is regular and only its owner, who is this user or root, may read or write it.
    func judge() throws(KeyRingError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw KeyRingError.system("The key ring \(path) could not be examined")
        }
        let fault = FileStatus(mode: status.st_mode, owner: status.st_uid, group: status.st_gid).fault(for: geteuid())
        if let fault { throw KeyRingError(.exposed, "The key ring \(path) \(fault).") }
    }

    /// All of it, if it is not longer than the limit.
    func contents(limit: Int) throws(KeyRingError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count <= limit {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress.map { unsafe $0 + count }, buffer.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                wipe(&bytes)
                throw KeyRingError.system("The key ring \(path) could not be read")
            }
            if got == 0 { break }
            count += got
        }
        guard count <= limit else {
            wipe(&bytes)
            throw KeyRingError(.malformed, "The key ring \(path) is longer than \(limit) bytes.")
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Writes all of it, and waits until it is on disk.
    func write(_ bytes: [UInt8]) throws(KeyRingError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { break }
            rest = rest.dropFirst(written)
        }
        guard rest.isEmpty, fsync(descriptor) == 0 else {
            throw KeyRingError.system("The file \(path) could not be written")
        }
    }
}

/// The folder of the key ring's file.
private struct Folder: ~Copyable {
    private let descriptor: Int32
    private let path: String

    /// The folder of a file; `path` is the file's.
    init(of path: String) throws(KeyRingError) {
        let cut = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        self.path = path
        guard descriptor >= 0 else { throw KeyRingError.system("The folder of \(path) could not be opened") }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Keeps others from writing here until this value ends; not the file itself is locked, since it is replaced.
    func lock() throws(KeyRingError) {
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw KeyRingError.system("The folder of \(path) could not be locked") }
        }
    }

    /// Waits until the names of the folder are on disk.
    func sync() throws(KeyRingError) {
        guard fsync(descriptor) == 0 else { throw KeyRingError.system("The folder of \(path) could not be synced") }
    }
}

/// What decides whether a file may hold keys.
struct FileStatus {
    let mode: UInt32
    let owner: UInt32
    let group: UInt32

    /// What is wrong with the file for a process of this user, as the end of a sentence; nil when nothing is.
    ///
    /// A systemd credential is root's, with the service's user in an access list, whose mask shows as read permission
    /// of the group root: that one mode is let through, and only for a user who is not root (systemd.exec(5),
    /// LoadCredential).
    func fault(for user: UInt32) -> String? {
        guard mode & S_IFMT == S_IFREG else { return "is not a regular file" }
        guard owner == user || owner == 0 else { return "belongs to user \(owner), neither this user nor root" }
        let permissions = mode & 0o7777
        if permissions == 0o600 || permissions == 0o400 { return nil }
        if permissions == 0o440, owner == 0, group == 0, user != 0 { return nil }
        let digits = String(permissions, radix: 8)
        return "has mode \(String(repeating: "0", count: max(0, 4 - digits.count)) + digits); it must be 0600 or 0400"
    }
}
