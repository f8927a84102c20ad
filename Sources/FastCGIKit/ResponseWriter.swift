internal import CFastCGI
import HTTPKit
import LogKit

/// Writes an answer in the form of a CGI responder (RFC 3875 §6): header block, empty line, body.
@safe
struct ResponseWriter {
    private let stream: UnsafeMutablePointer<FCGX_Stream>?
    private let connection: Int32
    private let moved: @Sendable () -> Void

    init(stream: UnsafeMutablePointer<FCGX_Stream>?, connection: Int32, moved: @escaping @Sendable () -> Void) {
        unsafe self.stream = stream
        self.connection = connection
        self.moved = moved
    }

    private struct Gone: Error {}

    /// Writes all of it; false when a stream broke off after its head was sent.
    func write(_ response: Response, withBody: Bool, log: Log) -> Bool {
        switch response.body {
        case .bytes(let body):
            var block = head(response)
            if response.status != 304, response.status != 204 {
                block.append(text: "Content-Length: ")
                block.append(text: String(body.count))
                block.append(text: "\r\n")
            }
            block.append(text: "\r\n")
            return put(block) && (!withBody || body.isEmpty || put(body))
        case .stream(let produce):
            return write(response, withBody: withBody, log: log) { () throws in try produce(putOrThrow) }
        case .relay(let produce):
            return write(response, withBody: withBody, log: log) { () throws in try produce(putOrThrow, flush) }
        }
    }

    /// Writes an answer that is nothing but a header block, its empty line included.
    func write(block: [UInt8]) { _ = put(block) }

    private func write(_ response: Response, withBody: Bool, log: Log, body: () throws -> Void) -> Bool {
        guard put(head(response) + Array("\r\n".utf8)), withBody else { return true }
        do {
            try body()
            return true
        } catch is Gone {
            return true
        } catch {
            log.error("a streamed answer broke off", ["error": .init(String(reflecting: error))])
            return false
        }
    }

    private func putOrThrow(_ bytes: [UInt8]) throws {
        moved()
        guard put(bytes) else { throw Gone() }
    }

    /// Sends what was written so far; false when nobody reads it.
    private func flush() -> Bool {
        moved()
        return unsafe FCGX_FFlush(stream) == 0 && !isHungUp(connection)
    }

    private func head(_ response: Response) -> [UInt8] {
        var block: [UInt8] = []
        block.reserveCapacity(1_024)
        if response.status == 200 {
            block.append(text: "Status: 200 OK\r\n")
        } else {
            block.append(text: "Status: \(response.status.code) \(response.status.phrase)\r\n")
        }
        response.headers.write(to: &block)
        return block
    }

    private func put(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe FCGX_PutStr(start, Int32(buffer.count), stream) >= 0
        }
    }
}
