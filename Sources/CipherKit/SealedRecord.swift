/// A key of one organization, under which its secret columns are sealed.
public struct DataKey: Sendable {
    /// Its number among the organization's data keys, written into each record sealed under it.
    public let number: UInt32
    /// The key itself.
    public let key: SymmetricKey

    /// A data key with this number; a new random one unless its bytes are given.
    public init(number: UInt32, key: SymmetricKey = SymmetricKey()) {
        self.number = number
        self.key = key
    }

    /// A key for one use, derived from this one by HKDF with the use as label: whichever master key wraps this one.
    public func derivedKey(label: StaticString) -> SymmetricKey { HKDF.sha256(key: key, info: "hub: \(label)".utf8) }
}

/// Where a sealed record lives: it opens there and nowhere else.
///
/// All of it is authenticated, so a value copied into another row, column, table or organization is refused.
public struct SealedPlace: Sendable, Equatable {
    /// The 16 bytes of the organization's id.
    public let organization: [UInt8]
    /// The table's name.
    public let table: String
    /// The bytes of the row's primary key.
    public let row: [UInt8]
    /// The column's name.
    public let column: String

    /// A place.
    public init(organization: [UInt8], table: String, row: [UInt8], column: String) {
        self.organization = organization
        self.table = table
        self.row = row
        self.column = column
    }

    /// The associated data of a record here: every part with its length before it, so that no two places read alike.
    func associatedData(number: UInt32) -> [UInt8] {
        var data = AssociatedData(use: "sealed record", version: SealedRecord.version)
        data.append(bytes(of: number))
        data.append(organization)
        data.append(table.utf8)
        data.append(row)
        data.append(column.utf8)
        return data.bytes
    }
}

/// Why a sealed record did not open.
public enum SealError: Error, Equatable, CustomStringConvertible {
    /// The bytes are no sealed record of a version known here.
    case malformed
    /// It was sealed under a data key with this number, which is not the one at hand.
    case unknownKey(UInt32)
    /// It was altered, moved from elsewhere, or sealed under another key of that number: nobody can tell which.
    case damaged

    /// The cause, in words safe to show.
    public var description: String {
        switch self {
        case .malformed: "the bytes are no sealed record"
        case .unknownKey(let number): "the record was sealed under data key \(number), which is not known"
        case .damaged: "the sealed record is damaged or out of its place"
        }
    }
}

/// What stands in a secret column: `version ‖ data key number ‖ nonce ‖ ciphertext ‖ tag`.
///
/// One byte of version, now 1; four of the data key's number, big-endian; 12 of a nonce, random each time; 16 of the
/// tag. A record is 33 bytes longer than its plaintext. With random nonces one data key is good for 2³² records (NIST
/// SP 800-38D §8.3); an organization gets its next data key long before.
public enum SealedRecord {
    /// How much longer a record is than its plaintext, in bytes.
    public static let overhead = headerSize + AES256GCM.nonceSize + AES256GCM.tagSize

    static let version: UInt8 = 1
    private static let headerSize = 5

    /// Seals some bytes for one place.
    public static func seal(_ plaintext: [UInt8], with key: DataKey, place: SealedPlace) -> [UInt8] {
        let nonce = Random.bytes(AES256GCM.nonceSize)
        let first = [version] + bytes(of: key.number) + nonce
        return AES256GCM.seal(
            plaintext.span, key: key.key, nonce: nonce,
            authenticating: place.associatedData(number: key.number).span, after: first.span)
    }

    /// Opens a record in the place it was sealed for.
    ///
    /// - Throws: ``SealError``; which part did not fit is not told.
    public static func open(
        _ record: [UInt8], with key: DataKey, place: SealedPlace
    ) throws(SealError) -> [UInt8] {
        let number = try keyNumber(of: record)
        guard number == key.number else { throw .unknownKey(number) }
        let body = headerSize + AES256GCM.nonceSize
        let plaintext = AES256GCM.open(
            record.span.extracting(body..<record.count), key: key.key,
            nonce: record.span.extracting(headerSize..<body),
            authenticating: place.associatedData(number: number).span)
        guard let plaintext else { throw .damaged }
        return plaintext
    }

    /// The number of the data key a record was sealed under, to fetch that key by; it is authenticated when opened.
    ///
    /// - Throws: ``SealError/malformed``.
    public static func keyNumber(of record: [UInt8]) throws(SealError) -> UInt32 {
        guard record.count >= overhead, record[0] == version else { throw .malformed }
        return number(of: record[1..<headerSize])
    }
}

/// Associated data in the making: the product, the use and the format's version, then each part after its length.
struct AssociatedData {
    private(set) var bytes: [UInt8] = []

    init(use: String, version: UInt8) {
        bytes.reserveCapacity(160)
        append("hub".utf8)
        append(use.utf8)
        append([version])
    }

    /// Appends one part: its length in four bytes, big-endian, and itself.
    mutating func append(_ part: some Collection<UInt8>) {
        let count = UInt32(part.count)
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
        bytes += part
    }
}

/// The four bytes of a number, big-endian.
func bytes(of number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}

/// The number of up to four bytes, big-endian.
func number(of bytes: some Collection<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 << 8 | UInt32($1) }
}
