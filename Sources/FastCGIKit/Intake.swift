internal import CFastCGI
import HTTPKit
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// The body of a request that is passed on, as the gateway sends it.
///
/// libfcgi's stream lives as long as the request: after ``end()`` there is nothing to read, whoever kept this.
final class Intake: IncomingBody.Source {
    /// The stream's address, since pointers do not travel between threads; 0 once the request is over.
    private let stream: Atomic<UInt>
    private let connection: Int32
    private let length: Int?
    private let limit: Int
    private let taken = Atomic<Int>(0)
    private let hasEnded = Atomic<Bool>(false)
    private let moved: @Sendable () -> Void

    init(_ request: FCGX_Request, length: Int?, limit: Int, moved: @escaping @Sendable () -> Void) {
        unsafe stream = Atomic(UInt(bitPattern: request.in))
        unsafe connection = request.ipcFd
        self.length = length
        self.limit = limit
        self.moved = moved
    }

    /// Whether everything was read that was announced, or that came.
    var isWhole: Bool { hasEnded.load(ordering: .relaxed) || taken.load(ordering: .relaxed) == length }

    /// The request is over.
    func end() { stream.store(0, ordering: .releasing) }

    var isAbandoned: Bool {
        moved()
        return stream.load(ordering: .acquiring) == 0 || isHungUp(connection)
    }

    func read(atMost count: Int) throws(Problem) -> [UInt8] {
        moved()
        let taken = taken.load(ordering: .relaxed)
        let wanted = min(count, (length ?? limit + 1) - taken)
        guard wanted > 0 else { return [] }
        guard let stream = unsafe UnsafeMutablePointer<FCGX_Stream>(bitPattern: stream.load(ordering: .acquiring))
        else { throw Self.brokenOff }
        let bytes = unsafe available(in: stream, atMost: wanted)
        // The end of the stream, or of the connection.
        if bytes.isEmpty { hasEnded.store(true, ordering: .relaxed) }
        if bytes.isEmpty, unsafe length != nil || FCGX_GetError(stream) != 0 { throw Self.brokenOff }
        self.taken.store(taken + bytes.count, ordering: .relaxed)
        guard taken + bytes.count <= limit else { throw Self.tooLarge(limit) }
        return bytes
    }

    /// What has arrived, once something has.
    ///
    /// `FCGX_GetStr` alone waits until it has all that was asked for, which a slow sender can make last for hours.
    private func available(in stream: UnsafeMutablePointer<FCGX_Stream>, atMost count: Int) -> [UInt8] {
        let first = unsafe FCGX_GetChar(stream)
        guard first >= 0 else { return [] }
        let more = unsafe min(count - 1, stream.pointee.stop - stream.pointee.rdNext)
        return unsafe [UInt8](unsafeUninitializedCapacity: 1 + more) { buffer, filled in
            unsafe buffer[0] = UInt8(truncatingIfNeeded: first)
            filled = 1
            guard more > 0 else { return }
            let start = unsafe UnsafeMutableRawPointer(buffer.baseAddress! + 1).assumingMemoryBound(to: CChar.self)
            filled += max(0, Int(unsafe FCGX_GetStr(start, Int32(clamping: more), stream)))
        }
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(413, "body_too_large", "The body may have at most \(limit) bytes.")
    }

    private static let brokenOff = Problem(400, "body_broke_off", "The body is shorter than announced.")
}

/// Whether the gateway has closed its end: it does when the browser goes away.
func isHungUp(_ connection: Int32) -> Bool {
    var watched = pollfd(fd: connection, events: c_pollrdhup, revents: 0)
    return unsafe poll(&watched, 1, 0) > 0
}
