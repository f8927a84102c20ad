internal import CFastCGI
import HTTPKit
import LogKit
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// Prepares libfcgi, once a process.
public func startFastCGI() {
    _ = libraryStart
}

private let libraryStart: Int32 = FCGX_Init()

/// One thread's way of serving: a connection at a time, on it a request at a time.
///
/// A kept connection is never closed by us while nginx may use it, not even when the worker drains: nginx may be sending
/// the next request at that very moment, and a POST lost so is not repeated. nginx closes it, after `keepalive_timeout`
/// of rest or `keepalive_time` of use, and then the lane leaves.
///
/// An object for each: what a request needs of it on its way is counted by one thread alone.
public final class Lane: Sendable {
    private let acceptor: Acceptor
    let limits: Limits
    let log: Log
    private let respond: @Sendable (Request) -> Response
    private let refuse: @Sendable (Refusal) -> Response
    private let admit: @Sendable (GateQuestion) -> [UInt8]
    private let began: @Sendable () -> Void
    let moved: @Sendable () -> Void
    private let ended: @Sendable () -> Void

    /// A lane that answers with `respond`, or with `refuse` what never became a request, and tells when one begins, has
    /// moved on although it takes long, and ends.
    ///
    /// - Parameter admit: answers what nginx asks for a site of its own with a whole header block; unless given, nothing
    ///   of a site is let through.
    public init(
        acceptor: Acceptor, limits: Limits, log: Log, began: @escaping @Sendable () -> Void,
        moved: @escaping @Sendable () -> Void = {}, ended: @escaping @Sendable () -> Void,
        refuse: @escaping @Sendable (Refusal) -> Response,
        admit: @escaping @Sendable (GateQuestion) -> [UInt8] = { _ in Array("Status: 403 Forbidden\r\n\r\n".utf8) },
        respond: @escaping @Sendable (Request) -> Response
    ) {
        self.acceptor = acceptor
        self.limits = limits
        self.log = log
        self.began = began
        self.moved = moved
        self.ended = ended
        self.refuse = refuse
        self.admit = admit
        self.respond = respond
    }

    /// Serves until the worker drains and nginx has closed the connection at hand.
    public func run() {
        startFastCGI()
        while let connection = acceptor.next() {
            setTimeouts(connection)
            serve(connection)
        }
    }

    private func serve(_ connection: Int32) {
        var request = unsafe FCGX_Request()
        guard unsafe FCGX_InitRequest(&request, -1, 0) == 0 else { return }
        unsafe c_fcgi_adopt(&request, connection)
        while unsafe request.ipcFd >= 0, unsafe FCGX_Accept_r(&request) == 0 {
            began()
            unsafe answer(&request)
            unsafe FCGX_Finish_r(&request)
            ended()
        }
        unsafe FCGX_Free(&request, 1)
    }

    private func answer(_ request: inout FCGX_Request) {
        let writer = unsafe ResponseWriter(stream: request.out, connection: request.ipcFd, of: self)
        var reader = unsafe RequestReader(request: request, on: self)
        defer { reader.intake?.end() }
        do throws(Refusal) {
            if let question = try reader.question() {
                writer.write(block: admit(question))
            } else if try !respond(&reader, writer) {
                // The head said more than the body gave: the only honest end is a broken connection. libfcgi would end
                // the request as if nothing had happened, so it may no longer write.
                unsafe shutdown(request.ipcFd, Int32(SHUT_RDWR))
                unsafe request.keepConnection = 0
            }
        } catch {
            _ = writer.write(refuse(error), withBody: true)
        }
        // Whoever sends a large body may wait for the answer before going on, so its rest is not waited for: the answer
        // goes out first, and libfcgi reads on while it closes, so that the gateway gets to read it.
        let isLeft = reader.intake.map { !$0.isWhole } ?? false
        if unsafe isLeft || !skipRest(of: request) { unsafe request.keepConnection = 0 }
    }

    /// Answers a request; false when the answer broke off.
    private func respond(_ reader: inout RequestReader, _ writer: ResponseWriter) throws(Refusal) -> Bool {
        let parsed = try reader.read()
        let wantsBody = parsed.method != .head
        return writer.write(respond(parsed), withBody: wantsBody)
    }

    /// Reads what the gateway still sends of this request, to the record that ends it; false when that is too much.
    ///
    /// libfcgi does not: what is left would be taken for the beginning of the next request of a kept connection.
    private func skipRest(of request: FCGX_Request) -> Bool {
        var left = limits.skippedBytes
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1_024) { buffer in
            while left > 0 {
                let read = unsafe FCGX_GetStr(buffer.baseAddress, Int32(buffer.count), request.in)
                if read < buffer.count { return true }
                left -= Int(read)
            }
            return false
        }
    }

    private func setTimeouts(_ connection: Int32) {
        var wait = timeval(tv_sec: limits.silence, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &wait, size)
        unsafe setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &wait, size)
    }
}
