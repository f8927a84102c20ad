internal import CFastCGI
import HTTPKit
import LogKit

/// Writes an answer in the form of a CGI responder (RFC 3875 §6): header block, empty line, body.
@safe
struct ResponseWriter {
    private let stream: UnsafeMutablePointer<FCGX_Stream>?
    private let connection: Int32
    private let lane: Lane

    init(stream: UnsafeMutablePointer<FCGX_Stream>?, connection: Int32, of lane: Lane) {
        unsafe self.stream = stream
        self.connection = connection
        self.lane = lane
    }

    private struct Gone: Error {}

    /// Writes all of it; false when a stream broke off after its head was sent.
    func write(_ response: Response, withBody: Bool) -> Bool {
        switch response.body {
        case .bytes(let body):
            let isCounted = response.status != 304 && response.status != 204
            return putHead(response, length: isCounted ? body.count : nil) && (!withBody || body.isEmpty || put(body))
        case .stream(let produce):
            return write(response, withBody: withBody) { () throws in try produce(putOrThrow) }
        case .relay(let produce):
            return write(response, withBody: withBody) { () throws in try produce(putOrThrow, flush) }
        }
    }

    /// Writes an answer that is nothing but a header block, its empty line included.
    func write(block: [UInt8]) { _ = put(block) }

    private func write(_ response: Response, withBody: Bool, body: () throws -> Void) -> Bool {
        guard putHead(response, length: nil), withBody else { return true }
        do {
            try body()
            return true
        } catch is Gone {
            return true
        } catch {
            lane.log.error("a streamed answer broke off", ["error": .init(String(reflecting: error))])
            return false
        }
    }

    private func putOrThrow(_ bytes: [UInt8]) throws {
        lane.moved()
        guard put(bytes) else { throw Gone() }
    }

    /// Sends what was written so far; false when nobody reads it.
    private func flush() -> Bool {
        lane.moved()
        return unsafe FCGX_FFlush(stream) == 0 && !isHungUp(connection)
    }

    /// Writes the header block, its empty line included.
    private func putHead(_ response: Response, length: Int?) -> Bool {
        let size = HeaderBlock.size(of: response)
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { memory in
            var block = unsafe HeaderBlock(memory)
            block.append(response, length: length)
            return unsafe put(UnsafeRawBufferPointer(block.written))
        }
    }

    private func put(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe put($0) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        return unsafe FCGX_PutStr(start, Int32(bytes.count), stream) >= 0
    }
}
