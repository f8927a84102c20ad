import Glibc

/// A bell by which processes of one host wake another that waits for work: a datagram socket at a path.
///
/// Ringing costs a system call, never waits, and does nothing where nobody listens, so whoever listens also looks by
/// itself now and then.
@safe public final class Doorbell: Sendable {
    private let descriptor: Int32

    /// Listens at a path; whoever listened there before hears nothing any more.
    public init(path: String) throws(ProcessError) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .kernel("cannot make a doorbell", errno) }
        unsafe unlink(path)
        let bound = unsafe Self.withAddress(path) { address, length in unsafe bind(descriptor, address, length) }
        guard bound == 0, unsafe chmod(path, 0o600) == 0 else {
            let problem = errno
            close(descriptor)
            throw .kernel("cannot hang a doorbell at \(path)", problem)
        }
    }

    deinit { close(descriptor) }

    /// Waits until somebody rings, or this long; several rings are one.
    public func wait(atMost duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&watched, 1, Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
        var byte: UInt8 = 0
        while unsafe recv(descriptor, &byte, 1, 0) >= 0 {}
    }

    /// Rings the bell at a path.
    @safe public struct Button: Sendable {
        private let descriptor: Int32
        private let path: String

        /// A button for the bell at a path, whether it hangs there yet or not; made once per process, and kept.
        public init(path: String) {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            self.path = path
        }

        /// Rings.
        public func press() {
            var byte: UInt8 = 1
            _ = unsafe Doorbell.withAddress(path) { address, length in
                unsafe Int32(truncatingIfNeeded: sendto(descriptor, &byte, 1, Int32(MSG_NOSIGNAL), address, length))
            }
        }
    }

    /// Lends a path as an address of the kernel, which has room for 107 characters (unix(7)): a longer one is reached
    /// from its folder. -1 where there is no such folder.
    private static func withAddress(_ path: String, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        guard path.utf8.count >= MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size else {
            return unsafe asAddress(path, use)
        }
        let name = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let folder = unsafe open(String(path[..<name]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return -1 }
        defer { close(folder) }
        return unsafe asAddress("/proc/self/fd/\(folder)/\(path[name...])", use)
    }

    /// -1 where even the name is too long.
    private static func asAddress(_ path: String, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return -1
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe use(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
