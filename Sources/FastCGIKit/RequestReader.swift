internal import CFastCGI
import CipherKit
import HTTPKit
import TimeKit

#if canImport(Glibc)
import Glibc
#endif

/// A request that never became one: what the gateway sent is beyond the limits or makes no sense.
struct Refusal: Error {
    let status: Status
    let detail: String
    var requestID = "-"

    /// A problem document, with the headers that keep a browser from making anything else of it.
    var response: Response {
        Problem(status, code, detail).response(requestID: requestID).with("x-request-id", requestID)
            .with("x-content-type-options", "nosniff").with("x-frame-options", "DENY")
            .with("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
    }

    private var code: String {
        switch status.code {
        case 404: "not_found"
        case 413: "body_too_large"
        case 414: "address_too_long"
        case 431: "headers_too_large"
        case 501: "method_unknown"
        default: "malformed_request"
        }
    }
}

/// Reads one FastCGI request into an HTTP request.
@safe
struct RequestReader {
    private let request: FCGX_Request
    private let limits: Limits

    init(request: FCGX_Request, limits: Limits) {
        unsafe self.request = request
        self.limits = limits
    }

    /// The parameters that matter, as they stand in the environment of a responder (RFC 3875 §4.1).
    private struct Parameters {
        var method = ""
        var mount = ""
        var target = ""
        var contentLength = ""
        var remoteAddress = ""
        var requestID = ""
        var isSecure = false
        var headers: [(name: String, value: String)] = []
    }

    func read() throws(Refusal) -> Request {
        let parameters = try parameters()
        let id = identifier(parameters.requestID)
        do throws(Refusal) {
            return try request(of: parameters, id: id)
        } catch {
            throw Refusal(status: error.status, detail: error.detail, requestID: id)
        }
    }

    private func request(of parameters: Parameters, id: String) throws(Refusal) -> Request {
        guard let method = HTTPKit.Method(rawValue: parameters.method) else {
            throw Refusal(status: 501, detail: "This method is not known here.")
        }
        let (path, query) = try target(parameters)
        let body = try body(length: parameters.contentLength)
        return Request(
            method, path: path, mount: parameters.mount, query: query,
            headers: Headers(lowercased: parameters.headers), body: body, remoteAddress: parameters.remoteAddress,
            isSecure: parameters.isSecure, id: id, received: .now())
    }

    private func parameters() throws(Refusal) -> Parameters {
        var found = Parameters()
        found.headers.reserveCapacity(24)
        var count = 0
        var total = 0
        guard var entry = unsafe request.envp else { return found }
        while let text = unsafe entry.pointee {
            let length = unsafe strlen(text)
            count += 1
            total += length
            guard count <= limits.parameterCount, total <= limits.parameterBytes, length <= limits.parameterLength
            else {
                throw Refusal(status: 431, detail: "The header fields are too large.")
            }
            if let equals = unsafe strchr(text, 0x3d) {
                let name = unsafe UnsafeBufferPointer(start: text, count: equals - text)
                unsafe take(name, value: equals + 1, into: &found)
            }
            unsafe entry += 1
        }
        return found
    }

    /// Keeps one parameter. `HTTP_PROXY` is dropped, since programs take it for a setting of their own (httpoxy).
    private func take(
        _ name: UnsafeBufferPointer<CChar>, value: UnsafePointer<CChar>, into found: inout Parameters
    ) {
        if name.count > 5, unsafe strncmp(name.baseAddress!, "HTTP_", 5) == 0 {
            let header = unsafe headerName(UnsafeBufferPointer(rebasing: name[5...]))
            if header != "proxy" { found.headers.append((header, unsafe String(cString: value))) }
            return
        }
        switch unsafe String(decoding: UnsafeRawBufferPointer(name), as: UTF8.self) {
        case "REQUEST_METHOD": found.method = unsafe String(cString: value)
        case "SCRIPT_NAME": found.mount = unsafe String(cString: value)
        case "REQUEST_URI": found.target = unsafe String(cString: value)
        case "CONTENT_LENGTH": found.contentLength = unsafe String(cString: value)
        case "CONTENT_TYPE":
            let type = unsafe String(cString: value)
            if !type.isEmpty { found.headers.append(("content-type", type)) }
        case "REMOTE_ADDR": found.remoteAddress = unsafe String(cString: value)
        case "REQUEST_ID": found.requestID = unsafe String(cString: value)
        case "HTTPS": found.isSecure = unsafe strcmp(value, "on") == 0
        default: break
        }
    }

    /// `X_API_KEY` as `x-api-key`.
    private func headerName(_ name: UnsafeBufferPointer<CChar>) -> String {
        unsafe String(unsafeUninitializedCapacity: name.count) { buffer in
            for index in name.indices {
                let byte = unsafe UInt8(bitPattern: name[index])
                unsafe buffer[index] = byte == 0x5f ? 0x2d : (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
            }
            return name.count
        }
    }

    /// The path below the mount prefix, and the query.
    ///
    /// Taken from `REQUEST_URI`, decoded once: `SCRIPT_NAME` and `DOCUMENT_URI` arrive decoded and merged by nginx.
    private func target(_ parameters: Parameters) throws(Refusal) -> (Path, String) {
        let target = parameters.target
        guard target.utf8.count <= limits.targetBytes else {
            throw Refusal(status: 414, detail: "The address is too long.")
        }
        let cut = target.firstIndex(of: "?")
        let raw = target[..<(cut ?? target.endIndex)]
        let query = cut.map { String(target[target.index(after: $0)...]) } ?? ""
        // Byte by byte, and to the end of a step: /hubble does not stand below /hub.
        let rest = raw.utf8.dropFirst(parameters.mount.utf8.count)
        guard raw.utf8.starts(with: parameters.mount.utf8),
            parameters.mount.isEmpty || rest.isEmpty || rest.first == 0x2f,
            let rest = String(rest)
        else { throw Refusal(status: 404, detail: "There is nothing here.") }
        guard let path = Path(rest.isEmpty ? "/" : rest) else {
            throw Refusal(status: 400, detail: "The address has a broken escape or an empty step.")
        }
        return (path, query)
    }

    /// The body, exactly as long as announced.
    private func body(length: String) throws(Refusal) -> [UInt8] {
        if length.isEmpty { return [] }
        guard length.utf8.allSatisfy({ (0x30...0x39).contains($0) }), length.utf8.count <= 12, let count = Int(length)
        else {
            throw Refusal(status: 400, detail: "The length of the body makes no sense.")
        }
        guard count <= limits.bodyBytes else {
            throw Refusal(status: 413, detail: "The body may have at most \(limits.bodyBytes) bytes.")
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
        guard body.count == count else { throw Refusal(status: 400, detail: "The body is shorter than announced.") }
        return body
    }

    /// The gateway's id when it is one, else a new one.
    private func identifier(_ given: String) -> String {
        let isFine =
            (8...64).contains(given.utf8.count)
            && given.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
                default: false
                }
            }
        return isFine ? given : Hex.encode(Random.bytes(16))
    }
}
