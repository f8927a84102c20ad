import AddressKit
internal import CCurl
import TimeKit

#if canImport(Glibc)
import Glibc
#endif

/// What one transfer may do and what came of it: libcurl's callbacks write here, all on the calling thread.
@safe final class Exchange {
    /// Who judges addresses; nil where the operator named the destination.
    let policy: AddressPolicy?
    /// The header fields of the answer so far; for SMTP nothing.
    private(set) var headers = OutboundResponse.Headers()
    /// The lines of a mail server's answers so far; for HTTP nothing.
    private(set) var lines: [String] = []
    /// The body so far; nothing where it is handed on in pieces.
    private(set) var body: [UInt8] = []
    /// Whether the header of the final answer has come.
    private(set) var isHeadWhole = false
    /// Who takes the pieces of a body that is handed on; while there is nobody, the transfer waits.
    var consumer: (([UInt8]) -> Bool)?
    /// What the request's body is read from while it is sent.
    var upload: OutboundUpload?
    /// Whether the request's body broke off.
    private(set) var isUploadBroken = false
    /// When a byte was sent or received last.
    private(set) var moved = ContinuousClock.now
    /// The address tried last, when it was refused.
    private(set) var refused: String?
    /// Whether an address that is not public was among those of the name.
    private(set) var triedInside = false
    /// Which limit the answer went beyond, once it did.
    private(set) var overflow: String?
    /// Whether the body was longer than is kept of it, so that the transfer was ended there.
    private(set) var isCutShort = false

    /// The address tried last.
    private(set) var tried: String?

    /// Where libcurl writes what went wrong.
    private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private let keepsLines: Bool
    private let isStreamed: Bool
    private let isCut: Bool
    private var bodyCount = 0
    private var status = 0
    private let bodyLimit: Int
    private let headerLimit: Int
    private var headerCount = 0
    private let giveUpAt: ContinuousClock.Instant

    init(
        policy: AddressPolicy?, bodyLimit: Int, headerLimit: Int, giveUpAt: ContinuousClock.Instant,
        keepsLines: Bool = false, isStreamed: Bool = false, isCut: Bool = false
    ) {
        self.policy = policy
        self.bodyLimit = bodyLimit
        self.headerLimit = headerLimit
        self.giveUpAt = giveUpAt
        self.keepsLines = keepsLines
        self.isStreamed = isStreamed
        self.isCut = isCut
        unsafe words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit { unsafe words.deallocate() }

    /// What went wrong, in libcurl's words: names of hosts and certificates, nothing of the request.
    var complaint: String { unsafe String(cString: words) }

    /// Whether the deadline has passed.
    var isLate: Bool { ContinuousClock.now >= giveUpAt }

    /// Answers whether a connection to this address may be used, and remembers when not.
    ///
    /// A name may have several addresses, and libcurl tries one after the other. Each is judged by itself: one that is
    /// refused takes nothing from another that is allowed, as on networks where DNS adds an address of its own to each name.
    func admits(_ address: IPAddress?, named name: String) -> Bool {
        tried = name
        guard let policy else { return true }
        if address.map(AddressPolicy.isPublic) != true { triedInside = true }
        let isAllowed = address.map(policy.allows) == true
        refused = isAllowed ? nil : tried
        return isAllowed
    }

    private func receive(header line: UnsafeRawBufferPointer) -> Bool {
        headerCount += line.count
        guard headerCount <= headerLimit else {
            overflow = "a header of more than \(headerLimit) bytes"
            return false
        }
        moved = .now
        // What comes after the body are trailers.
        if isHeadWhole { return true }
        unsafe note(line)
        if keepsLines {
            lines.append(unsafe String(decoding: line, as: UTF8.self))
        } else {
            unsafe headers.take(line)
        }
        return true
    }

    /// Notices the end of the header of an answer that is not an interim one.
    private func note(_ line: UnsafeRawBufferPointer) {
        if unsafe line.starts(with: "HTTP/".utf8) {
            let digits = unsafe line.drop { $0 != 0x20 }.dropFirst().prefix(3)
            status = unsafe Int(String(decoding: digits, as: UTF8.self)) ?? 0
        } else if line.count <= 2, status >= 200 {
            isHeadWhole = isStreamed
        }
    }

    /// Takes a piece of the body and says what libcurl's callback returns.
    private func receive(body piece: UnsafeRawBufferPointer) -> Int {
        if isStreamed, consumer == nil { return Int(CURL_WRITEFUNC_PAUSE) }
        guard bodyCount + piece.count <= bodyLimit else {
            if isCut {
                unsafe body.append(contentsOf: piece.prefix(bodyLimit - bodyCount))
                bodyCount = bodyLimit
                isCutShort = true
                return Self.stop
            }
            overflow = "a body of more than \(bodyLimit) bytes"
            return Self.stop
        }
        bodyCount += piece.count
        if let consumer {
            defer { moved = .now }
            return unsafe consumer(Array(piece)) ? piece.count : Self.stop
        }
        unsafe body.append(contentsOf: piece)
        return piece.count
    }

    /// Fills a buffer with the next bytes of the request's body and says what libcurl's callback returns.
    private func give(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        defer { moved = .now }
        guard let piece = upload?.read(buffer.count), piece.count <= buffer.count else {
            isUploadBroken = true
            return Int(CURL_READFUNC_ABORT)
        }
        unsafe buffer.copyBytes(from: piece)
        return piece.count
    }

    /// Tells a handle to report to this exchange, which must outlive the transfer.
    func attach(to handle: borrowing EasyHandle) throws(ClientError) {
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        try unsafe handle.set { handle in
            unsafe [
                c_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, words),
                c_curl_set_pointer(handle, CURLOPT_WRITEDATA, me),
                c_curl_set_write(handle, Self.onBody),
                c_curl_set_pointer(handle, CURLOPT_HEADERDATA, me),
                c_curl_set_header(handle, Self.onHeader),
                c_curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, me),
                c_curl_set_open_socket(handle, Self.onOpenSocket),
                c_curl_set_pointer(handle, CURLOPT_PREREQDATA, me),
                c_curl_set_before_request(handle, Self.onRequest),
                c_curl_set_pointer(handle, CURLOPT_XFERINFODATA, me),
                c_curl_set_progress(handle, Self.onProgress),
                c_curl_set_long(handle, CURLOPT_NOPROGRESS, 0),
            ]
        }
    }

    private static func me(_ pointer: UnsafeMutableRawPointer) -> Exchange {
        unsafe Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static let onBody: curl_write_callback = { bytes, size, count, me in
        guard let me = unsafe me else { return 0 }
        let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
        return unsafe Exchange.me(me).receive(body: piece)
    }

    static let onRead: curl_read_callback = { bytes, size, count, me in
        guard let me = unsafe me else { return Int(CURL_READFUNC_ABORT) }
        return unsafe Exchange.me(me).give(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }

    private static let onHeader: curl_write_callback = { bytes, size, count, me in
        guard let me = unsafe me else { return 0 }
        let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
        return unsafe Exchange.me(me).receive(header: line) ? line.count : Exchange.stop
    }

    /// Opens the socket after judging the very address it will be connected to: between this and `connect` no name is
    /// looked up again, so a name that changes its address (DNS rebinding) gains nothing.
    private static let onOpenSocket: curl_opensocket_callback = { me, _, address in
        guard let me = unsafe me, let address = unsafe address else { return -1 }
        let parsed = unsafe Exchange.ipAddress(in: address)
        let family = unsafe address.pointee.family
        guard unsafe Exchange.me(me).admits(parsed, named: parsed?.description ?? "address family \(family)") else {
            return -1  // CURL_SOCKET_BAD
        }
        return unsafe socket(
            family, address.pointee.socktype | Int32(bitPattern: SOCK_CLOEXEC.rawValue), address.pointee.protocol)
    }

    private static func ipAddress(in address: UnsafeMutablePointer<curl_sockaddr>) -> IPAddress? {
        unsafe withUnsafePointer(to: &address.pointee.addr) { start in
            unsafe IPAddress(
                UnsafeRawPointer(start), family: address.pointee.family, bytes: Int(address.pointee.addrlen))
        }
    }

    /// Judges the peer again before each request: a kept connection was opened for another call.
    private static let onRequest: curl_prereq_callback = { me, peer, _, _, _ in
        guard let me = unsafe me, let peer = unsafe peer else { return CURL_PREREQFUNC_ABORT }
        let name = unsafe String(cString: peer)
        return unsafe Exchange.me(me).admits(IPAddress(name), named: name) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    /// Stops what libcurl does after its own deadline, such as saying goodbye to a mail server that does not answer.
    private static let onProgress: curl_xferinfo_callback = { me, _, _, _, _ in
        guard let me = unsafe me else { return 1 }
        return unsafe Exchange.me(me).isLate ? 1 : 0
    }

    /// A count that no piece can have.
    private static let stop = Int.max
}
