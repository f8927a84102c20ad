import Foundation
import Glibc

/// Stands between a client and the server, and cuts the line at the COMMIT that follows ``arm(_:)``.
final class CuttingProxy: Sendable {
    enum Cut: Sendable {
        /// COMMIT never reaches the server.
        case beforeTheServer
        /// The server has answered, and the answer is lost.
        case beforeTheClient
    }

    let path: String
    private let server: String
    private let listener: Int32
    private let cut = Locked<Cut?>(nil)

    init(to server: String) throws {
        self.server = server
        path = NSTemporaryDirectory() + "hub-proxy-\(UUID().uuidString.prefix(8)).sock"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard unsafe Self.withAddress(path, { unsafe bind(listener, $0, $1) }) == 0, listen(listener, 8) == 0 else {
            throw POSIXError(.EADDRINUSE)
        }
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 { serve(client) }
        }
    }

    /// Ends the proxy; lines that are open stay open.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        unsafe unlink(path)
    }

    func arm(_ cut: Cut) {
        self.cut.with { $0 = cut }
    }

    private func serve(_ client: Int32) {
        let upstream = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard unsafe Self.withAddress(server, { unsafe connect(upstream, $0, $1) }) == 0 else {
            close(client)
            close(upstream)
            return
        }
        let isDeaf = Locked(false)
        Thread.detachNewThread { [self] in
            pump(from: client, to: upstream) { bytes in
                guard bytes.firstRange(of: Array("COMMIT".utf8)) != nil else { return true }
                switch cut.with({ cut in
                    defer { cut = nil }; return cut
                }) {
                case .beforeTheServer: return false
                case .beforeTheClient: isDeaf.with { $0 = true }
                case nil: break
                }
                return true
            }
        }
        Thread.detachNewThread { [self] in
            pump(from: upstream, to: client) { _ in !isDeaf.with { $0 } }
        }
    }

    /// Carries bytes until one side ends or the closure says no; then both sides end.
    private func pump(from source: Int32, to target: Int32, _ passes: ([UInt8]) -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = unsafe read(source, &buffer, buffer.count), count > 0, passes(Array(buffer[..<count])) {
            guard unsafe send(target, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
