import Glibc
import LogKit

/// The socket that lanes accept on: opened once by the supervisor, handed to each child as descriptor 0.
///
/// It is non-blocking, because several lanes poll it and only one of them gets the connection, and close-on-exec,
/// because only spawning hands it on.
public struct ListeningSocket: ~Copyable {
    /// Mode and group of a unix socket's file.
    public struct Access: Equatable, Sendable {
        /// The mode; 0660 lets the owner and the group connect.
        public var mode: UInt32
        /// The group that may connect, such as nginx's; nil leaves the process's own.
        public var group: String?

        /// Owner and group may connect unless told otherwise.
        public init(mode: UInt32 = 0o660, group: String? = nil) {
            self.mode = mode
            self.group = group
        }
    }

    /// Where it listens; the port is the real one even when 0 was asked for.
    public let address: ListeningAddress
    /// The descriptor.
    let descriptor: Int32
    /// The file this process made, to be removed at the end only while it is still that file.
    private let made: FileIdentity?

    /// Opens or takes over the socket.
    ///
    /// - Throws: `inUse` when somebody answers there already, `notInherited` when no such socket was handed over.
    public init(_ address: ListeningAddress, access: Access = Access(), log: Log) throws(ProcessError) {
        switch address {
        case .path(let path):
            let opened = try UnixSocketFile(path: path, access: access).open()
            (descriptor, made, self.address) = (try Self.keep(opened.descriptor), opened.identity, address)
        case .tcp(let host, let port):
            let opened = try TCPSocket(host: host, port: port).open()
            (descriptor, made, self.address) = (try Self.keep(opened.descriptor), nil, opened.address)
        case .systemd:
            (descriptor, made, self.address) = (try Self.keep(Self.passedBySystemd()), nil, address)
        case .standardInput:
            try Self.check(0)
            (descriptor, made, self.address) = (try Self.keep(0), nil, address)
        }
        log.info("listening", ["address": .text("\(self.address)"), "backlog": .number(Int64(Self.backlog))])
    }

    deinit { close(descriptor) }

    /// Closes the socket and removes its file, unless another process has put its own in that place.
    public consuming func remove() {
        guard case .path(let path) = address, let made, FileIdentity(path: path) == made else { return }
        unsafe unlink(path)
    }

    /// How many connections may wait: what is asked for, bounded by the kernel's `net.core.somaxconn`.
    ///
    /// nginx answers 502 at once when a unix socket's backlog is full.
    static var backlog: Int32 {
        let descriptor = unsafe open("/proc/sys/net/core/somaxconn", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 1_024 }
        defer { close(descriptor) }
        var digits = [UInt8](repeating: 0, count: 16)
        let length = unsafe read(descriptor, &digits, digits.count)
        let limit = Int32(String(decoding: digits.prefix(max(0, length)).prefix { $0 > 32 }, as: UTF8.self))
        return min(1_024, limit ?? 1_024)
    }

    /// > sd_listen_fds() ... checks whether the $LISTEN_PID environment variable equals the daemon PID.
    /// >     sd_listen_fds(3)
    private static func passedBySystemd() throws(ProcessError) -> Int32 {
        guard let pid = setting("LISTEN_PID"), pid == String(getpid()) else {
            throw ProcessError(.notInherited, "systemd passed no socket to this process (LISTEN_PID)")
        }
        guard let count = setting("LISTEN_FDS").flatMap({ Int($0) }), count == 1 else {
            throw ProcessError(.notInherited, "systemd must pass exactly one socket (LISTEN_FDS)")
        }
        try check(3)
        return 3
    }

    /// Refuses what is not a listening stream socket.
    private static func check(_ descriptor: Int32) throws(ProcessError) {
        guard option(SO_ACCEPTCONN, of: descriptor) == 1,
            option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue)
        else { throw ProcessError(.notInherited, "descriptor \(descriptor) is not a listening stream socket") }
    }

    /// Makes accepting return at once when another lane was quicker, if this is a listening socket at all.
    static func unblock(_ descriptor: Int32) {
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else { return }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
    }

    /// Moves a descriptor above those handed to children, and makes it non-blocking and close-on-exec.
    private static func keep(_ original: Int32) throws(ProcessError) -> Int32 {
        let kept = fcntl(original, F_DUPFD_CLOEXEC, SharedPage.firstFree)
        let problem = errno
        close(original)
        guard kept >= 0 else { throw .kernel("cannot keep the socket open", problem) }
        unblock(kept)
        return kept
    }
}

/// Which file a path names: two files at one path, one after the other, differ in this.
struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64
    /// True for a socket.
    let isSocket: Bool

    /// The file at this path, links not followed; nil when there is none.
    init?(path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
        isSocket = status.st_mode & S_IFMT == S_IFSOCK
    }

    static func == (one: Self, other: Self) -> Bool {
        one.device == other.device && one.inode == other.inode
    }
}

/// One variable of the environment.
func setting(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}
