import CipherKit

/// How a record stands in a file: four letters, its length, its checksum, its bytes.
///
/// Numbers are of 32 bits with the lowest byte first. A process that is killed leaves a last record broken off; the length
/// and the CRC-32 tell it from a whole one, and the letters say where the next one begins should a disk have lost some.
enum SpoolFrame {
    static let letters: [UInt8] = Array("HRL1".utf8)
    static let headBytes = 12
    /// The largest record; whoever appends keeps far below it.
    static let longest = 65_536

    /// A record with its head.
    static func framed(_ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headBytes + payload.count)
        bytes += letters
        append(UInt32(payload.count), to: &bytes)
        append(CRC32.checksum(payload), to: &bytes)
        bytes += payload
        return bytes
    }

    /// What stands at a place.
    enum Finding: Equatable {
        /// A whole record, and where the next begins.
        case record(Range<Int>, next: Int)
        /// The beginning of one, as far as it can be seen.
        case incomplete
        /// No record.
        case damaged
    }

    /// Looks at a place among bytes.
    static func look(at place: Int, in bytes: [UInt8]) -> Finding {
        let seen = min(letters.count, bytes.count - place)
        guard bytes[place..<place + seen].elementsEqual(letters[..<seen]) else { return .damaged }
        guard bytes.count - place >= headBytes else { return .incomplete }
        let length = Int(number(at: place + 4, in: bytes))
        guard length <= longest else { return .damaged }
        let payload = place + headBytes..<place + headBytes + length
        guard payload.upperBound <= bytes.count else { return .incomplete }
        guard CRC32.checksum(bytes[payload]) == number(at: place + 8, in: bytes) else { return .damaged }
        return .record(payload, next: payload.upperBound)
    }

    /// Where the next record may begin after a place that holds none: at the letters, or where they may still follow.
    static func next(after place: Int, in bytes: [UInt8]) -> Int {
        var candidate = place + 1
        while candidate < bytes.count {
            let seen = min(letters.count, bytes.count - candidate)
            if bytes[candidate..<candidate + seen].elementsEqual(letters[..<seen]) { return candidate }
            candidate += 1
        }
        return bytes.count
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    private static func number(at place: Int, in bytes: [UInt8]) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }
}
