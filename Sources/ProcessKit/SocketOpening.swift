import Glibc

/// A unix socket's file, made so that nobody outside its group can ever connect and no living server loses its place.
struct UnixSocketFile {
    let path: String
    let access: ListeningSocket.Access

    /// Makes the file and listens.
    ///
    /// The folder is locked meanwhile, so of two servers that start at once one finds the other answering.
    func open() throws(ProcessError) -> (descriptor: Int32, identity: FileIdentity?) {
        let lock = try lockFolder()
        defer { close(lock) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .kernel("cannot open a socket", errno) }
        do throws(ProcessError) {
            try bindReplacingStale(descriptor)
            try grantAccess()
            guard listen(descriptor, ListeningSocket.backlog) == 0 else {
                throw ProcessError.kernel("cannot listen on \(path)", errno)
            }
        } catch {
            close(descriptor)
            throw error
        }
        return (descriptor, FileIdentity(path: path))
    }

    private func lockFolder() throws(ProcessError) -> Int32 {
        let folder = path.lastIndex(of: "/").map { path[..<$0] }.map { $0.isEmpty ? "/" : String($0) } ?? "/"
        let lock = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { throw .kernel("cannot open the socket's folder \(folder)", errno) }
        let deadline = MonotonicTime.now() + .seconds(5)
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, MonotonicTime.now() < deadline else {
                close(lock)
                throw ProcessError(.inUse, "another process keeps \(folder) locked")
            }
            var pause = timespec(tv_sec: 0, tv_nsec: 10_000_000)
            unsafe nanosleep(&pause, nil)
        }
        return lock
    }

    private func bindReplacingStale(_ descriptor: Int32) throws(ProcessError) {
        if let found = FileIdentity(path: path) {
            guard found.isSocket else { throw ProcessError(.inUse, "\(path) exists and is not a socket") }
            guard !somebodyAnswers() else { throw ProcessError(.inUse, "another server answers on \(path)") }
            unsafe unlink(path)
        }
        let mask = umask(0o177)
        defer { umask(mask) }
        guard unsafe withAddress({ unsafe bind(descriptor, $0, $1) }) == 0 else {
            throw .kernel("cannot make the socket \(path)", errno)
        }
    }

    /// A refused connection is the only proof that nobody listens; a full backlog is an answer too.
    private func somebodyAnswers() -> Bool {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { return true }
        defer { close(probe) }
        return unsafe withAddress { unsafe connect(probe, $0, $1) } == 0 || errno != ECONNREFUSED
    }

    /// Opens the file to its group before anyone can connect: until `listen`, connections are refused.
    private func grantAccess() throws(ProcessError) {
        if let group = access.group {
            guard let entry = unsafe getgrnam(group) else {
                throw ProcessError(.badSetting, "there is no group \"\(group)\" for the socket \(path)")
            }
            guard unsafe lchown(path, uid_t.max, entry.pointee.gr_gid) == 0 else {
                throw .kernel("cannot give the socket \(path) to the group \"\(group)\"", errno)
            }
        }
        guard unsafe chmod(path, access.mode) == 0 else {
            throw .kernel("cannot set the mode of the socket \(path)", errno)
        }
    }

    private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            unsafe place.copyBytes(from: path.utf8.prefix(capacity - 1))
        }
        return unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// A TCP socket on a numeric address.
struct TCPSocket {
    let host: String
    let port: UInt16

    /// Listens, and tells the real port when the kernel chose it.
    func open() throws(ProcessError) -> (descriptor: Int32, address: ListeningAddress) {
        var found: UnsafeMutablePointer<addrinfo>?
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        guard unsafe getaddrinfo(host, String(port), &hints, &found) == 0, let first = unsafe found?.pointee else {
            throw ProcessError(.badSetting, "\"\(host)\" is not a numeric address")
        }
        defer { unsafe freeaddrinfo(found) }
        let descriptor = unsafe socket(first.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .kernel("cannot open a socket", errno) }
        var on: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard unsafe bind(descriptor, first.ai_addr, first.ai_addrlen) == 0,
            listen(descriptor, ListeningSocket.backlog) == 0
        else {
            let problem = errno
            close(descriptor)
            throw problem == EADDRINUSE
                ? ProcessError(.inUse, "another server answers on \(host) port \(port)")
                : .kernel("cannot listen on \(host) port \(port)", problem)
        }
        return (descriptor, .tcp(host: host, port: Self.port(of: descriptor) ?? port))
    }

    private static func port(of descriptor: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> UInt16? in
                guard unsafe getsockname(descriptor, address, &size) == 0 else { return nil }
                // The port has the same place in both families.
                return unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    unsafe UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
        }
    }
}
