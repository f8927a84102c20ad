internal import CFastCGI
import CipherKit
import HTTPKit
import TimeKit

#if canImport(Glibc)
import Glibc
#endif

/// A request that never became one: what the gateway sent is beyond the limits or makes no sense.
public struct Refusal: Error, Sendable {
    /// Why, with its status.
    public let problem: Problem
    /// The id of the request, as far as it was read.
    public let requestID: String
    /// What the gateway adds to the answer, as far as it was read.
    public let gatewayFields: GatewayFields
}

/// Reads one FastCGI request into an HTTP request.
@safe
struct RequestReader {
    private let request: FCGX_Request
    private let lane: Lane
    /// Where the body of a request that is passed on comes from; it ends with the request.
    private(set) var intake: Intake?

    init(request: FCGX_Request, on lane: Lane) {
        unsafe self.request = request
        self.lane = lane
    }

    /// The parameters that matter, as they stand in the environment of a responder (RFC 3875 §4.1).
    @safe
    private struct Parameters {
        /// Nil when it is none that is known here.
        var method: HTTPKit.Method?
        var mount = ""
        /// Path and query where libfcgi keeps them, since they are taken apart at once.
        var target = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        var contentLength = ""
        var remoteAddress = ""
        /// The gateway's id, when it is one.
        var requestID: String?
        var isSecure = false
        var isChunked = false
        var gatewayFields: GatewayFields = []
        var headers: [Headers.Field] = []

        /// The gateway's id, or one of ours.
        var id: String { requestID ?? RequestReader.newID() }
        /// What the gateway adds: an id that was none was not taken, and then ours must be told.
        var added: GatewayFields { requestID == nil ? gatewayFields.subtracting(.requestID) : gatewayFields }
    }

    mutating func read() throws(Refusal) -> Request {
        var found = Parameters()
        do throws(Problem) {
            try collect(&found)
            return try request(found)
        } catch {
            throw Refusal(problem: error, requestID: found.id, gatewayFields: found.added)
        }
    }

    /// What the gateway asks for a site of its own; nil when this is a request.
    ///
    /// Told by its first parameter, whose name no header of a client can have: headers arrive as `HTTP_…`. So an ordinary
    /// request is held up by one comparison, and of a question only what it consists of is read.
    func question() throws(Refusal) -> GateQuestion? {
        // libfcgi puts FCGI_ROLE before what the gateway sent.
        guard let all = unsafe request.envp, unsafe all[0] != nil, let first = unsafe all[1],
            unsafe strncmp(first, "GATE_SCOPE=", 11) == 0, unsafe request.role == 1
        else { return nil }
        var found = GateQuestion()
        var bearer: String?
        var key: String?
        do throws(Problem) {
            try unsafe forEach { (name, value) in
                switch name {
                case "GATE_SCOPE": unsafe found.scope = text(value)
                case "GATE_ORGANIZATION": unsafe found.organization = text(value)
                case "GATE_COST": unsafe found.cost = text(value)
                case "GATE_URI": unsafe found.uri = text(value)
                case "GATE_AUTHORIZATION": if !value.isEmpty { unsafe bearer = text(value) }
                case "GATE_API_KEY": if !value.isEmpty { unsafe key = text(value) }
                case "REMOTE_ADDR": unsafe found.remoteAddress = text(value)
                case "REQUEST_ID": if unsafe Self.isID(value) { unsafe found.requestID = text(value) }
                default: break
                }
            }
        } catch {
            throw Refusal(problem: error, requestID: Self.newID(), gatewayFields: [])
        }
        found.credential = Credential(
            authorization: bearer.map { [$0] } ?? [], apiKey: key.map { [$0] } ?? [])
        return found
    }

    private mutating func request(_ parameters: Parameters) throws(Problem) -> Request {
        // FCGI_RESPONDER; an authorizer's or a filter's request has another meaning (FastCGI specification §6).
        guard unsafe request.role == 1 else {
            throw Problem(501, "unknown_role", "Only the responder role is served here.")
        }
        guard let method = parameters.method else {
            throw Problem(501, "unknown_method", "This method is not known here.")
        }
        let (path, query) = try target(parameters)
        let length = try length(parameters.contentLength)
        let incoming = try incoming(to: path, length, isChunked: parameters.isChunked)
        let body = try incoming == nil ? body(length ?? 0) : []
        return Request(
            method, path: path, mount: parameters.mount, query: query,
            headers: Headers(parameters.headers), body: body, incoming: incoming,
            remoteAddress: parameters.remoteAddress, isSecure: parameters.isSecure,
            gatewayFields: parameters.added, id: parameters.id, received: .now())
    }

    private func collect(_ found: inout Parameters) throws(Problem) {
        found.headers.reserveCapacity(24)
        try unsafe forEach { unsafe take($0, value: $1, into: &found) }
    }

    /// Calls for each parameter, none of which is copied for that, and refuses more than there may be.
    private func forEach(_ body: (Name, UnsafeBufferPointer<UInt8>) -> Void) throws(Problem) {
        var count = 0
        var total = 0
        guard var entry = unsafe request.envp else { return }
        while let text = unsafe entry.pointee {
            let length = unsafe strlen(text)
            count += 1
            total += length
            guard count <= lane.limits.parameterCount, total <= lane.limits.parameterBytes,
                length <= lane.limits.parameterLength
            else {
                throw Problem(431, "header_too_large", "The header fields are too large.")
            }
            let bytes = unsafe UnsafeBufferPointer(
                start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: length)
            if let equals = unsafe memchr(text, 0x3d, length) {
                let cut = unsafe UnsafeRawPointer(equals) - UnsafeRawPointer(text)
                let value = unsafe UnsafeBufferPointer(rebasing: bytes[(cut + 1)...])
                unsafe body(Name(bytes: .init(rebasing: bytes[..<cut])), value)
            }
            unsafe entry += 1
        }
    }

    /// Keeps one parameter. `HTTP_PROXY` is dropped, since programs take it for a setting of their own (httpoxy), and
    /// `HTTP_CONTENT_TYPE`, which nginx passes beside `CONTENT_TYPE` (RFC 3875 §4.1.18 lets it).
    private func take(_ name: Name, value: UnsafeBufferPointer<UInt8>, into found: inout Parameters) {
        switch name {
        case "REQUEST_METHOD": found.method = unsafe HTTPKit.Method(text(value))
        case "SCRIPT_NAME": found.mount = unsafe text(value)
        case "REQUEST_URI": unsafe found.target = value
        case "CONTENT_LENGTH": found.contentLength = unsafe text(value)
        case "CONTENT_TYPE":
            if !value.isEmpty { found.headers.append(unsafe .init(lowercased: "content-type", text(value))) }
        case "REMOTE_ADDR": found.remoteAddress = unsafe text(value)
        case "REQUEST_ID": if unsafe Self.isID(value) { unsafe found.requestID = text(value) }
        case "HTTPS": found.isSecure = unsafe Self.isEqual(value, "on")
        case "SECURITY_FIELDS":
            if unsafe Self.isEqual(value, "gateway+id") { found.gatewayFields = [.security, .requestID] }
            // From before the gateway told the id.
            if unsafe Self.isEqual(value, "gateway") { found.gatewayFields = .security }
        case "HTTP_PROXY", "HTTP_CONTENT_TYPE": break
        default:
            guard let header = name.header else { return }
            if header == "transfer-encoding" { found.isChunked = true }
            found.headers.append(unsafe .init(lowercased: header, text(value)))
        }
    }

    private func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        unsafe String(decoding: bytes, as: UTF8.self)
    }

    private static func isEqual(_ bytes: UnsafeBufferPointer<UInt8>, _ known: StaticString) -> Bool {
        unsafe known.utf8CodeUnitCount == bytes.count
            && memcmp(known.utf8Start, bytes.baseAddress!, bytes.count) == 0
    }

    /// The name of a parameter where libfcgi keeps it: most are compared and dropped, so none is copied for that.
    @safe
    private struct Name {
        let bytes: UnsafeBufferPointer<UInt8>

        static func ~= (known: StaticString, name: Name) -> Bool { unsafe isEqual(name.bytes, known) }

        /// `HTTP_X_API_KEY` as `x-api-key`; nil when it is no header.
        var header: String? {
            let prefix = 5
            let count = unsafe bytes.count - prefix
            guard count > 0, unsafe memcmp(bytes.baseAddress!, "HTTP_", prefix) == 0 else { return nil }
            return unsafe String(unsafeUninitializedCapacity: count) { buffer in
                for index in 0..<count {
                    let byte = unsafe bytes[index + prefix]
                    unsafe buffer[index] = byte == 0x5f ? 0x2d : (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
                }
                return count
            }
        }
    }

    /// The path below the mount prefix, and the query.
    ///
    /// Taken from `REQUEST_URI`, decoded once: `SCRIPT_NAME` and `DOCUMENT_URI` arrive decoded and merged by nginx.
    private func target(_ parameters: Parameters) throws(Problem) -> (Path, String) {
        let target = unsafe parameters.target
        guard target.count <= lane.limits.targetBytes else {
            throw Problem(414, "address_too_long", "The address is too long.")
        }
        let cut = unsafe target.firstIndex(of: 0x3f)
        let raw = unsafe target[..<(cut ?? target.endIndex)]
        let query = cut.map { unsafe text(.init(rebasing: target[($0 + 1)...])) } ?? ""
        let below = unsafe raw.dropFirst(parameters.mount.utf8.count)
        // To the end of a step: /hubble does not stand below /hub.
        guard unsafe raw.starts(with: parameters.mount.utf8),
            unsafe parameters.mount.isEmpty || below.isEmpty || below.first == 0x2f
        else { throw Problem(404, "not_found", "There is nothing here.") }
        let path =
            unsafe below.isEmpty
            ? Path("/") : Path(UnsafeBufferPointer(rebasing: below).span, passing: lane.limits.passThrough)
        guard let path else {
            throw Problem(400, "malformed_request", "The address has a broken escape or an empty step.")
        }
        return (path, query)
    }

    /// How long the body was announced to be; nil when nothing was said.
    private func length(_ length: String) throws(Problem) -> Int? {
        if length.isEmpty { return nil }
        guard length.utf8.allSatisfy({ (0x30...0x39).contains($0) }), length.utf8.count <= 12, let count = Int(length)
        else {
            throw Problem(400, "malformed_request", "The length of the body makes no sense.")
        }
        return count
    }

    /// The body of a request whose answerer reads it; nil for all others.
    private mutating func incoming(
        to path: Path, _ length: Int?, isChunked: Bool
    ) throws(Problem) -> IncomingBody? {
        if path.rest != nil { return try incoming(length, isChunked: isChunked) }
        guard let length, length > lane.limits.bodyBytes, path[0] == lane.limits.largeBodyPlace else { return nil }
        guard length <= lane.limits.largeBodyBytes else { throw Intake.tooLarge(lane.limits.largeBodyBytes) }
        let made = unsafe Intake(request, length: length, limit: lane.limits.largeBodyBytes, moved: lane.moved)
        intake = made
        return IncomingBody(length: length, from: made)
    }

    /// The body of a request that is passed on, still unread.
    private mutating func incoming(_ length: Int?, isChunked: Bool) throws(Problem) -> IncomingBody {
        // Without a length there is a body only if it comes in chunks (RFC 9112 §6.3).
        let length = length ?? (isChunked ? nil : 0)
        guard length ?? 0 <= lane.limits.passedBodyBytes else { throw Intake.tooLarge(lane.limits.passedBodyBytes) }
        let made = unsafe Intake(request, length: length, limit: lane.limits.passedBodyBytes, moved: lane.moved)
        intake = made
        return IncomingBody(length: length, from: made)
    }

    /// The body, exactly as long as announced.
    private func body(_ count: Int) throws(Problem) -> [UInt8] {
        guard count <= lane.limits.bodyBytes else {
            throw Problem(413, "body_too_large", "The body may have at most \(lane.limits.bodyBytes) bytes.")
        }
        if count == 0 { return [] }
        let body = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let start = unsafe UnsafeMutableRawPointer(buffer.baseAddress! + filled).assumingMemoryBound(
                    to: CChar.self)
                let read = unsafe FCGX_GetStr(start, Int32(count - filled), request.in)
                guard read > 0 else { break }
                filled += Int(read)
            }
        }
        guard body.count == count else {
            throw Problem(400, "malformed_request", "The body is shorter than announced.")
        }
        return body
    }

    /// Whether the gateway's id is one: it is written into logs and headers as it came.
    private static func isID(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard (8...64).contains(bytes.count) else { return false }
        // Letters, digits, `-`, `.` and `_`; to the end whatever is found, so that many bytes are looked at in one step.
        var isWhole: UInt8 = 1
        for place in bytes.indices {
            let byte = unsafe bytes[place]
            let isLetter: UInt8 = (byte | 0x20) &- 0x61 < 26 ? 1 : 0
            let isDigit: UInt8 = byte &- 0x30 < 10 ? 1 : 0
            let isMark: UInt8 = (byte &- 0x2d < 2 ? 1 : 0) | (byte == 0x5f ? 1 : 0)
            isWhole &= isLetter | isDigit | isMark
        }
        return isWhole == 1
    }

    fileprivate static func newID() -> String { Hex.encode(Random.bytes(16)) }
}
