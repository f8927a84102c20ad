internal import CCurl
import Synchronization
import TimeKit

/// The body of a request that is read while it is sent.
public struct OutboundUpload: Sendable {
    /// How many bytes there will be; nil sends them in chunks (RFC 9112 §7.1).
    public let length: Int?
    /// The next bytes, at most as many as asked for: none at the end, nil when the body broke off.
    let read: @Sendable (_ atMost: Int) -> [UInt8]?

    /// A body of pieces.
    ///
    /// - Parameter read: gives the next bytes, at most as many as asked for: none at the end, nil when the body breaks off.
    public init(length: Int?, read: @escaping @Sendable (_ atMost: Int) -> [UInt8]?) {
        self.length = length
        self.read = read
    }
}

/// The answer to an outbound call whose body is taken while it arrives.
///
/// Whoever drops it before the end drops the connection with it.
public final class OutboundStream: Sendable {
    /// The status code, 200 to 999.
    public let status: Int
    /// The header fields.
    public let headers: OutboundResponse.Headers
    /// The running transfer as an address, since it may not be used by two threads; 0 once somebody has taken it.
    private let transfer: Atomic<UInt>

    init(_ transfer: Transfer) {
        status = transfer.status
        headers = transfer.headers
        self.transfer = unsafe Atomic(UInt(bitPattern: Unmanaged.passRetained(transfer).toOpaque()))
    }

    deinit { _ = taken() }

    /// Hands on the body piece by piece, once; the server waits while a piece is being taken.
    ///
    /// - Parameters:
    ///   - take: takes a piece; what it throws ends the call.
    ///   - isWanted: asked before each wait, at least twice a second, whether anybody still wants the rest.
    /// - Throws: what `take` throws; `ClientError`, also when nobody wants it any more (`abandoned`).
    public func forEachPiece(_ take: ([UInt8]) throws -> Void, while isWanted: () -> Bool = { true }) throws {
        guard let transfer = taken() else { return }
        try transfer.handOn(take, while: isWanted)
    }

    /// Reads the body to its end and forgets it, so that the connection can serve the next call; gives up after this many
    /// bytes, or when it takes more than a second.
    public func discard(atMost limit: Int = 65_536) {
        struct Enough: Error {}
        let end = ContinuousClock.now + .seconds(1)
        var count = 0
        try? forEachPiece { piece in
            count += piece.count
            if count > limit { throw Enough() }
        } while: {
            ContinuousClock.now < end
        }
    }

    private func taken() -> Transfer? {
        guard let address = unsafe UnsafeRawPointer(bitPattern: transfer.exchange(0, ordering: .acquiringAndReleasing))
        else { return nil }
        return unsafe Unmanaged<Transfer>.fromOpaque(address).takeRetainedValue()
    }
}

extension Client {
    /// Makes a call and waits for the header of its answer; the body is taken from the stream that is returned.
    ///
    /// Never follows a redirect. The deadline of the request is one for everything, upload and download included.
    ///
    /// - Parameters:
    ///   - upload: the body, in place of the request's own. Such a call is made on a connection of its own, since it could
    ///     not be repeated when a kept one turns out to be closed.
    ///   - idle: how long neither side may send anything.
    ///   - isWanted: asked before each wait, at least twice a second, whether anybody still wants the answer.
    /// - Throws: `abandoned` when nobody does, or when the body broke off; else as ``send(_:)``.
    public func open(
        _ request: OutboundRequest, sending upload: OutboundUpload? = nil, idle: Duration = .seconds(30),
        while isWanted: () -> Bool = { true }
    ) throws(ClientError) -> OutboundStream {
        let deadline = ContinuousClock.now + request.deadline
        let url = try ParsedURL(request.url, schemes: ["https", "http"])
        let host = url.origin
        let target = origins.targets[host]
        if let target { try url.redirect(to: target) }
        let exchange = Exchange(
            policy: target == nil ? policy : nil, bodyLimit: request.responseLimit, headerLimit: request.headerLimit,
            giveUpAt: deadline, isStreamed: true)
        exchange.upload = upload
        let transfer = Transfer(
            try sessions.take(), of: sessions, exchange, try request.lines(host: target == nil ? nil : host.authority),
            url, idle: idle)
        try transfer.begin { handle throws(ClientError) in
            try configure(handle, until: deadline, connectDeadline: request.connectDeadline)
            try request.configure(handle, isBodyStreamed: upload != nil)
            if let upload { try upload.configure(handle, exchange) }
        }
        try transfer.awaitHead(limit: request.responseLimit, while: isWanted)
        return OutboundStream(transfer)
    }
}

extension OutboundUpload {
    /// Sets where the body comes from.
    fileprivate func configure(_ handle: borrowing EasyHandle, _ exchange: Exchange) throws(ClientError) {
        try unsafe handle.set { handle in
            unsafe [
                c_curl_set_long(handle, CURLOPT_UPLOAD, 1),
                c_curl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(length ?? -1)),
                c_curl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(exchange).toOpaque()),
                c_curl_set_read(handle, Exchange.onRead),
                c_curl_set_long(handle, CURLOPT_FRESH_CONNECT, 1),
            ]
        }
    }
}

/// A call under way: the session that it runs on, and all that libcurl was lent for it.
@safe final class Transfer {
    private let session: Session
    private let pool: SessionPool
    private let exchange: Exchange
    private let lines: HeaderLines
    private let url: ParsedURL
    private let idle: Duration
    /// Whether the whole answer has come.
    private var isOver = false
    private(set) var headers = OutboundResponse.Headers()

    init(
        _ session: Session, of pool: SessionPool, _ exchange: Exchange, _ lines: consuming HeaderLines,
        _ url: consuming ParsedURL, idle: Duration
    ) {
        self.session = session
        self.pool = pool
        self.exchange = exchange
        self.lines = lines
        self.url = url
        self.idle = idle
    }

    deinit {
        session.end()
        pool.give(session)
    }

    var status: Int { session.easy.number(CURLINFO_RESPONSE_CODE) }

    /// Sets everything and begins.
    func begin(_ configure: (borrowing EasyHandle) throws(ClientError) -> Void) throws(ClientError) {
        try configure(session.easy)
        try exchange.attach(to: session.easy)
        try unsafe lines.lend { lines throws(ClientError) in
            try unsafe url.lend { url throws(ClientError) in
                try unsafe session.easy.set { handle in
                    unsafe [
                        c_curl_set_url(handle, url), c_curl_set_list(handle, CURLOPT_HTTPHEADER, lines),
                        // Fewer and larger pieces: each is handed on by itself.
                        c_curl_set_long(handle, CURLOPT_BUFFERSIZE, 65_536),
                    ]
                }
            }
        }
        try session.begin()
    }

    /// Waits for the header of the answer.
    func awaitHead(limit: Int, while isWanted: () -> Bool) throws(ClientError) {
        try drive(while: isWanted) { exchange.isHeadWhole }
        guard exchange.isHeadWhole else { throw error(.badResponse, "no answer of HTTP") }
        headers = exchange.headers
        if let length = headers["content-length"].flatMap({ Int($0) }), length > limit {
            throw error(.tooLarge, "a body announced with more than \(limit) bytes")
        }
    }

    func handOn(_ take: ([UInt8]) throws -> Void, while isWanted: () -> Bool) throws {
        var refusal: (any Error)?
        try withoutActuallyEscaping(take) { take in
            exchange.consumer = { piece in
                do {
                    try take(piece)
                    return true
                } catch {
                    refusal = error
                    return false
                }
            }
            defer { exchange.consumer = nil }
            do throws(ClientError) {
                guard !isOver else { return }
                let code = session.resume()
                guard code == CURLE_OK else { throw session.easy.error(code, of: exchange, target: url.target) }
                try drive(while: isWanted) { false }
            } catch {
                throw refusal ?? error
            }
        }
    }

    /// Goes on until it is enough or the transfer is over.
    private func drive(while isWanted: () -> Bool, until isEnough: () -> Bool) throws(ClientError) {
        while true {
            if let verdict = try session.step() {
                guard verdict == CURLE_OK else {
                    throw exchange.isUploadBroken
                        ? error(.abandoned, "the request's body broke off")
                        : session.easy.error(verdict, of: exchange, target: url.target)
                }
                isOver = true
                return
            }
            if isEnough() { return }
            guard isWanted() else { throw error(.abandoned, "nobody waits for the answer") }
            let left = idle - (ContinuousClock.now - exchange.moved)
            guard left > .zero else { throw error(.timedOut, "nothing was sent or received for too long") }
            session.wait(milliseconds: min(500, 1 + Int(left.milliseconds)))
        }
    }

    private func error(_ code: ClientError.Code, _ detail: String) -> ClientError {
        ClientError(code, target: url.target, detail: detail, isConcealed: exchange.triedInside)
    }
}
