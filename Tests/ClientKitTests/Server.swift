import Foundation
import Glibc
import ThreadKit

/// A server on 127.0.0.1 that hands each connection to a closure, on a thread of its own, until the tests end.
final class Server: Sendable {
    /// One accepted connection.
    struct Connection {
        let descriptor: Int32

        /// Reads up to the blank line after a header, or to the end.
        func readHead() -> String {
            var head: [UInt8] = []
            var byte: UInt8 = 0
            while unsafe recv(descriptor, &byte, 1, 0) == 1 {
                head.append(byte)
                if head.suffix(4) == [13, 10, 13, 10] { break }
            }
            return String(decoding: head, as: UTF8.self)
        }

        /// Reads a whole request: the header, and as many bytes as its Content-Length says.
        func readRequest() -> String {
            let head = readHead()
            let field = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            var left = field.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
            var body: [UInt8] = []
            while left > 0 {
                var piece = [UInt8](repeating: 0, count: min(left, 65_536))
                let count = unsafe recv(descriptor, &piece, piece.count, 0)
                guard count > 0 else { break }
                body += piece.prefix(count)
                left -= count
            }
            return head + String(decoding: body, as: UTF8.self)
        }

        /// Writes all of it; false once the peer is gone.
        @discardableResult func write(_ text: String) -> Bool {
            var bytes = Array(text.utf8)[...]
            while !bytes.isEmpty {
                let sent = unsafe bytes.withUnsafeBytes {
                    unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { return false }
                bytes = bytes.dropFirst(sent)
            }
            return true
        }

        /// Waits until the peer hangs up, or this many milliseconds; answers whether it hung up.
        @discardableResult func waitForEnd(milliseconds: Int32 = 20_000) -> Bool {
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return unsafe poll(&watched, 1, milliseconds) > 0
        }
    }

    let port: Int
    private let record: Record

    private final class Record: Sendable {
        let requests = Lock<[String]>([])
    }

    /// What clients have sent so far, as far as the closure read it through `answer`.
    var requests: [String] { record.requests.withLock { $0 } }

    private init(record: Record, _ serve: @escaping @Sendable (Connection) -> Void) {
        let (listener, port) = Self.bound()
        precondition(listen(listener, 512) == 0)
        self.port = port
        self.record = record
        Thread.detachNewThread {
            while true {
                let accepted = accept(listener, nil, nil)
                guard accepted >= 0 else { return }
                Thread.detachNewThread {
                    serve(Connection(descriptor: accepted))
                    close(accepted)
                }
            }
        }
    }

    /// A server that reads one request per connection, keeps it, and answers with a text or one made of the request.
    static func answering(_ answer: @escaping @Sendable (String) -> String) -> Server {
        let record = Record()
        return Server(record: record) { connection in
            let request = connection.readRequest()
            // Whoever hung up before it asked anything, because its time was over, gets no answer.
            guard !request.isEmpty else { return }
            record.requests.withLock { $0.append(request) }
            connection.write(answer(request))
        }
    }

    convenience init(_ serve: @escaping @Sendable (Connection) -> Void) {
        self.init(record: Record(), serve)
    }

    /// A socket with a port of 127.0.0.1 that does not listen yet.
    static func bound() -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                precondition(unsafe bind(descriptor, pointer, length) == 0)
                precondition(unsafe getsockname(descriptor, pointer, &length) == 0)
            }
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    var url: String { "http://127.0.0.1:\(port)" }
}

/// A port of 127.0.0.1 on which nothing listens, kept from others until the tests end.
let closedPort = Server.bound().port
