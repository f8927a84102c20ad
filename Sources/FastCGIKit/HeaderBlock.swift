import HTTPKit

#if canImport(Glibc)
import Glibc
#endif

/// The header block of a CGI responder in the making (RFC 3875 §6.3), in memory that holds all of it.
///
/// Every answer has one: it is written where it stands, since an array that grows line by line takes three times as long.
@safe
struct HeaderBlock {
    private let memory: UnsafeMutableBufferPointer<UInt8>
    private var count = 0

    /// What fits besides the fields: the status, the length, line breaks.
    private static let room = 128

    /// A block in memory of at least ``size(of:)`` bytes.
    init(_ memory: UnsafeMutableBufferPointer<UInt8>) { unsafe self.memory = memory }

    /// The most bytes that an answer's block can have.
    static func size(of response: Response) -> Int {
        var size = room
        if let (first, second, third) = response.headers.prepared?.parts {
            size += first.utf8CodeUnitCount + second.utf8CodeUnitCount + third.utf8CodeUnitCount
        }
        for field in response.headers.fields { size += field.name.utf8.count + field.value.utf8.count + 4 }
        return size
    }

    /// What was written so far.
    var written: UnsafeMutableBufferPointer<UInt8> { unsafe .init(rebasing: memory[..<count]) }

    /// Writes the whole block, its empty line included.
    ///
    /// - Parameter length: how long the body is, unless that is left out or stands among the fields.
    mutating func append(_ response: Response, length: Int?) {
        if response.status == 200 {
            append(literal: "Status: 200 OK\r\n")
        } else {
            append("Status: \(response.status.code) \(response.status.phrase)\r\n")
        }
        for field in response.headers.fields { line(field.name, field.value) }
        if let (first, second, third) = response.headers.prepared?.parts {
            append(literal: first)
            append(literal: second)
            append(literal: third)
        }
        if let length {
            append(literal: "Content-Length: ")
            append(String(length))
            append(literal: "\r\n")
        }
        append(literal: "\r\n")
    }

    /// A line break in a value would begin a header of somebody else's choosing, so such a field is left out.
    private mutating func line(_ name: String, _ value: String) {
        let start = count
        append(name)
        append(literal: ": ")
        let first = count
        append(value)
        if unsafe Self.breaksLine(.init(rebasing: memory[first..<count])) {
            count = start
        } else {
            append(literal: "\r\n")
        }
    }

    /// To the end whatever is found, so that many bytes are looked at in one step.
    private static func breaksLine(_ bytes: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        var found: UInt8 = 0
        for place in bytes.indices {
            let byte = unsafe bytes[place]
            found |= (byte == 0x0d ? 1 : 0) | (byte == 0x0a ? 1 : 0) | (byte == 0 ? 1 : 0)
        }
        return found != 0
    }

    private mutating func append(literal text: StaticString) {
        unsafe append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ text: String) {
        let isWhole: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe append($0) }
        if isWhole == nil { append(Array(text.utf8)) }
    }

    private mutating func append(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBufferPointer { unsafe append($0) } }

    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        precondition(unsafe memory.count - count >= bytes.count)
        unsafe memcpy(memory.baseAddress! + count, source, bytes.count)
        count += bytes.count
    }
}
