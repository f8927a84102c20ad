import Foundation
import HTTPKit
import LogKit
import Testing
import ThreadKit

@testable import FastCGIKit

/// A worker's lanes on a unix socket of their own.
final class Worker: Sendable {
    let path: String
    let acceptor: Acceptor
    private let listening: Int32
    private let lanes = DispatchGroup()
    private let living: Lock<Int>

    var livingLanes: Int { living.withLock { $0 } }

    init(
        lanes count: Int = 2, limits: Limits = Limits(),
        respond: @escaping @Sendable (Request) -> Response = { .text("\($0.path.pattern) \($0.body.count)") },
        moved: @escaping @Sendable () -> Void = {}
    ) throws {
        // A gateway that goes away in the middle of an answer must not end the tests, as it does not end a worker.
        _ = signal(SIGPIPE, SIG_IGN)
        path = NSTemporaryDirectory() + "fcgi-\(UUID().uuidString.prefix(8))"
        let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        self.listening = listening
        try unsafe withAddress(path) { address, size in
            guard unsafe bind(listening, address, size) == 0, listen(listening, 64) == 0 else { throw Lost("bind") }
        }
        _ = fcntl(listening, F_SETFL, O_NONBLOCK)
        acceptor = Acceptor(listening: listening)
        living = Lock(count)
        for _ in 0..<count {
            let lane = Lane(
                acceptor: acceptor, limits: limits, log: Log(threshold: .error, descriptor: -1), began: {},
                moved: moved,
                ended: {},
                refuse: { $0.problem.response(requestID: $0.requestID) },
                respond: respond)
            lanes.enter()
            Thread.detachNewThread { [self] in
                lane.run()
                living.withLock { $0 -= 1 }
                lanes.leave()
            }
        }
    }

    /// Tells the lanes to leave and waits for them.
    func end() {
        acceptor.beginDraining()
        _ = lanes.wait(timeout: .now() + 10)
        close(listening)
        unsafe unlink(path)
    }
}

struct Lost: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

private func withAddress(_ path: String, _ use: (UnsafePointer<sockaddr>, socklen_t) throws -> Void) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
        unsafe target.copyBytes(from: Array(path.utf8) + [0])
    }
    try unsafe withUnsafePointer(to: &address) { pointer in
        try unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            try unsafe use(generic, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// What came back for one request.
struct Answer {
    var head: [String: [String]] = [:]
    var body: [UInt8] = []
    /// Whether FCGI_END_REQUEST came, which is what tells a whole answer from one that broke off.
    var isWhole = false
    var protocolStatus: UInt8?

    var status: Int { Int(head["status"]?.first?.prefix(3) ?? "") ?? 0 }
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A gateway that speaks the FastCGI specification 1.0 by hand.
final class Gateway {
    enum Kind: UInt8 {
        case begin = 1
        case abort, end, params, stdin, stdout, stderr, data, getValues, getValuesResult, unknownType
    }

    let descriptor: Int32
    private var isOpen = true

    init(_ worker: Worker) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let descriptor = descriptor
        try unsafe withAddress(worker.path) { address, size in
            guard unsafe connect(descriptor, address, size) == 0 else { throw Lost("connect") }
        }
        var wait = timeval(tv_sec: 5, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { hangUp() }

    func hangUp() {
        if isOpen { close(descriptor) }
        isOpen = false
    }

    // MARK: Sending

    static func record(_ kind: Kind, _ content: [UInt8] = [], id: UInt16 = 1, padding: Int = 0) -> [UInt8] {
        [
            1, kind.rawValue, UInt8(id >> 8), UInt8(id & 255), UInt8(content.count >> 8), UInt8(content.count & 255),
            UInt8(padding), 0,
        ]
            + content + [UInt8](repeating: 0xaa, count: padding)
    }

    /// Content in as many records as it takes, and the empty one that ends a stream.
    ///
    /// That one has no padding, nor has the record that begins a request, as from nginx: libfcgi leaves it unread.
    static func stream(_ kind: Kind, _ content: [UInt8], padding: Int = 0) -> [UInt8] {
        let chunks = stride(from: 0, to: content.count, by: 32_000).map {
            Array(content[$0..<min($0 + 32_000, content.count)])
        }
        return chunks.flatMap { record(kind, $0, padding: padding) } + record(kind)
    }

    static func pair(_ name: String, _ value: String) -> [UInt8] {
        func length(_ count: Int) -> [UInt8] {
            count < 128
                ? [UInt8(count)]
                : [UInt8(count >> 24 | 0x80), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
        }
        return length(name.utf8.count) + length(value.utf8.count) + Array(name.utf8) + Array(value.utf8)
    }

    /// A whole request; `length` is what CONTENT_LENGTH says, when it lies.
    static func request(
        _ method: String = "GET", _ target: String = "/a", _ parameters: [(String, String)] = [], body: [UInt8] = [],
        length: String? = nil, keep: Bool = true, padding: Int = 0
    ) -> [UInt8] {
        let standard = [
            ("REQUEST_METHOD", method), ("REQUEST_URI", target),
            ("CONTENT_LENGTH", length ?? (body.isEmpty ? "" : "\(body.count)")),
        ]
        return record(.begin, [0, 1, keep ? 1 : 0, 0, 0, 0, 0, 0])
            + stream(.params, (standard + parameters).flatMap { pair($0.0, $0.1) }, padding: padding)
            + stream(.stdin, body, padding: padding)
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Lost("send") }
            sent += count
        }
    }

    /// Waits until the other side has read everything.
    func waitUntilRead() throws {
        let end = ContinuousClock.now + .seconds(10)
        var left: Int32 = 1
        repeat {
            guard unsafe ioctl(descriptor, UInt(TIOCOUTQ), &left) == 0, ContinuousClock.now < end else {
                throw Lost("unread")
            }
        } while left > 0
    }

    // MARK: Receiving

    private func receive(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes {
                unsafe recv(descriptor, $0.baseAddress! + filled, count - filled, 0)
            }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }

    /// The next answer, as far as it comes.
    func answer() throws -> Answer {
        var answer = Answer()
        var output: [UInt8] = []
        while let header = receive(8) {
            let length = Int(header[4]) << 8 | Int(header[5])
            guard let content = receive(length), receive(Int(header[6])) != nil else { break }
            switch Kind(rawValue: header[1]) {
            case .stdout: output += content
            case .end:
                answer.isWhole = true
                answer.protocolStatus = content[4]
            default: continue
            }
            if answer.isWhole { break }
        }
        let text = output.firstRange(of: Array("\r\n\r\n".utf8))
        for line in String(decoding: output[..<(text?.lowerBound ?? output.endIndex)], as: UTF8.self).split(
            separator: "\r\n")
        {
            let cut = line.split(separator: ":", maxSplits: 1)
            guard cut.count == 2 else { throw Lost("a header line without a colon: \(line)") }
            answer.head[cut[0].lowercased(), default: []].append(cut[1].trimmingCharacters(in: .whitespaces))
        }
        if let text { answer.body = Array(output[text.upperBound...]) }
        return answer
    }

    /// The bytes of the next record of a kind, whatever it holds.
    func record() -> (kind: UInt8, content: [UInt8])? {
        guard let header = receive(8), let content = receive(Int(header[4]) << 8 | Int(header[5])),
            receive(Int(header[6])) != nil
        else { return nil }
        return (header[1], content)
    }

    /// Whether the other side has closed the connection.
    func isClosed() -> Bool {
        var byte: UInt8 = 0
        let got = unsafe recv(descriptor, &byte, 1, 0)
        return got == 0 || got < 0 && errno == ECONNRESET
    }

    func ask(_ bytes: [UInt8]) throws -> Answer {
        try send(bytes)
        return try answer()
    }
}

/// Looks again and again until a condition holds, for ten seconds at most.
func waitUntil(_ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(10)
    while try !condition() {
        guard ContinuousClock.now < end else { throw Lost("a condition that never came") }
        Thread.sleep(forTimeInterval: 0.002)
    }
}
