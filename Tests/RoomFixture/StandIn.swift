import Foundation
import Glibc
import ThreadKit

/// A stand-in on 127.0.0.1 for the services that are connected: reads one request per connection and answers it.
public final class StandIn: Sendable {
    /// Where it listens.
    public let port: Int
    private let listener: Int32
    private let kept = Lock<[String]>([])

    /// Every request so far: header and body.
    public var requests: [String] { kept.withLock { $0 } }

    /// A stand-in.
    ///
    /// - Parameters:
    ///   - breaksOffKept: whether a connection is kept after its first answer, and closed as soon as the next request has
    ///     arrived: as by a service that ends idle connections at that very moment.
    ///   - answer: makes the whole answer of a request; nil hangs up without one.
    public init(breaksOffKept: Bool = false, _ answer: @escaping @Sendable (String) -> String?) {
        (listener, port) = Self.bound()
        precondition(listen(listener, 64) == 0)
        let listener = listener
        let keep: @Sendable (String) -> Void = { [weak self] request in self?.kept.withLock { $0.append(request) } }
        Thread.detachNewThread {
            while true {
                let accepted = accept(listener, nil, nil)
                guard accepted >= 0 else { return }
                Thread.detachNewThread {
                    let request = Self.read(accepted)
                    keep(request)
                    if let text = answer(request) { Self.write(text, to: accepted) }
                    if breaksOffKept {
                        let next = Self.read(accepted)
                        if !next.isEmpty { keep(next) }
                    }
                    close(accepted)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// An answer of JSON.
    public static func json(_ status: Int, _ body: String) -> String {
        "HTTP/1.1 \(status) Status\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n"
            + "connection: close\r\n\r\n\(body)"
    }

    /// What the Bot API says of a bot whose token it knows.
    public static let telegram = json(
        200, #"{"ok":true,"result":{"id":1,"first_name":"Acme alerts","username":"acme_bot","can_join_groups":true}}"#)

    /// Reads the header, and as many bytes as its Content-Length says.
    private static func read(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.suffix(4) != [13, 10, 13, 10], unsafe recv(descriptor, &byte, 1, 0) == 1 { bytes.append(byte) }
        let fields = String(decoding: bytes, as: UTF8.self).lowercased().split(separator: "\r\n")
        let length = fields.first { $0.hasPrefix("content-length:") }?.dropFirst(15)
        var left = length.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) } ?? 0
        while left > 0, unsafe recv(descriptor, &byte, 1, 0) == 1 {
            bytes.append(byte)
            left -= 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let sent = unsafe bytes.withUnsafeBytes {
                unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            bytes = bytes.dropFirst(sent)
        }
    }

    /// A socket with a port of 127.0.0.1 that does not listen yet.
    private static func bound() -> (descriptor: Int32, port: Int) {
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
}
