/// The number of a master key: 32 random bits, written as eight hexadecimal digits.
public struct MasterKeyID: Hashable, Sendable, LosslessStringConvertible {
    /// The number.
    public let raw: UInt32

    /// The id with this number.
    public init(raw: UInt32) { self.raw = raw }

    /// The id of eight hexadecimal digits in lower case, or nil.
    public init?(_ description: String) {
        guard description.utf8.count == 8, let decoded = Hex.decode(description) else { return nil }
        raw = number(of: decoded)
        guard self.description == description else { return nil }
    }

    /// Eight hexadecimal digits in lower case.
    public var description: String { Hex.encode(bytes(of: raw)) }
}

/// The master keys of this hub: one wraps new data keys, all of them unwrap.
///
/// A value: rotating makes a new ring, and ``write(to:)`` puts it in the place of the old one. No process can be told
/// of a new key at the same instant as the others, so a rotation has two steps: ``adding(_:)`` and let every process
/// load the ring; then ``promoting(_:)``, load, rewrap all data keys, and ``removing(_:)`` when no row names the old
/// key. Which of these comes next can be seen: a key that was added and not promoted yet is ``next``.
public struct KeyRing: Sendable {
    /// One key of the ring.
    struct Entry: Sendable {
        let id: MasterKeyID
        let key: SymmetricKey
        var isNext = false
    }

    let primaryEntry: Entry
    let others: [Entry]

    /// A ring of one new random key.
    public init() {
        self.init(primary: Entry(id: Self.newID(besides: []), key: SymmetricKey()), others: [])
    }

    init(primary: Entry, others: [Entry]) {
        primaryEntry = primary
        self.others = others
    }

    /// The key that wraps new data keys.
    public var primary: MasterKeyID { primaryEntry.id }

    /// All keys, the primary first.
    public var ids: [MasterKeyID] { [primary] + others.map(\.id) }

    /// The key that was added to become primary and is not yet; nil when no rotation has begun.
    public var next: MasterKeyID? { others.first(where: \.isNext)?.id }

    /// The keys that were primary and go on unwrapping.
    public var former: [MasterKeyID] { others.filter { !$0.isNext }.map(\.id) }

    /// The key with this id, or nil when the ring has none.
    public func key(_ id: MasterKeyID) -> SymmetricKey? {
        entries.first { $0.id == id }?.key
    }

    /// A key for one use, derived from the primary key by HKDF with the use as label.
    ///
    /// It changes when another key becomes primary: what must outlive that keeps ``primary`` beside what it made, and
    /// asks for ``derivedKey(label:of:)`` later. Deriving takes some microseconds; where it is used often, hold on to it.
    public func derivedKey(label: StaticString) -> SymmetricKey {
        Self.derive(label, from: primaryEntry.key)
    }

    /// The key for one use, derived from the key with this id; nil when the ring has none.
    public func derivedKey(label: StaticString, of id: MasterKeyID) -> SymmetricKey? {
        key(id).map { Self.derive(label, from: $0) }
    }

    /// A ring with one more key, which unwraps but does not wrap yet, and that key's id: it is ``next`` from now on.
    public func adding(_ key: SymmetricKey = SymmetricKey()) -> (ring: KeyRing, id: MasterKeyID) {
        let id = Self.newID(besides: ids)
        let passedOver = others.map { Entry(id: $0.id, key: $0.key) }
        return (KeyRing(primary: primaryEntry, others: passedOver + [Entry(id: id, key: key, isNext: true)]), id)
    }

    /// A ring in which another of its keys is primary; the former one goes on unwrapping.
    ///
    /// - Throws: ``KeyRingError`` with the code `unknownKey`.
    public func promoting(_ id: MasterKeyID) throws(KeyRingError) -> KeyRing {
        guard let promoted = entries.first(where: { $0.id == id }) else {
            throw KeyRingError(.unknownKey, "The key ring has no key \(id).")
        }
        return KeyRing(
            primary: Entry(id: promoted.id, key: promoted.key), others: entries.filter { $0.id != id })
    }

    /// A ring without a key; what that key wrapped can never be opened again, so prove first that nothing names it.
    ///
    /// - Throws: ``KeyRingError`` with the code `unknownKey`, or `primaryInUse` for the primary key.
    public func removing(_ id: MasterKeyID) throws(KeyRingError) -> KeyRing {
        guard id != primary else { throw KeyRingError(.primaryInUse, "The primary key \(id) cannot be removed.") }
        guard key(id) != nil else { throw KeyRingError(.unknownKey, "The key ring has no key \(id).") }
        return KeyRing(primary: primaryEntry, others: others.filter { $0.id != id })
    }

    private var entries: [Entry] { [primaryEntry] + others }

    private static func derive(_ label: StaticString, from key: SymmetricKey) -> SymmetricKey {
        HKDF.sha256(key: key, info: "hub: \(label)".utf8)
    }

    private static func newID(besides ids: [MasterKeyID]) -> MasterKeyID {
        while true {
            let id = MasterKeyID(raw: number(of: Random.bytes(4)))
            if !ids.contains(id) { return id }
        }
    }
}

/// Why a key ring cannot be used: a code, and the sentence for the person who must mend it.
public struct KeyRingError: Error, Equatable, CustomStringConvertible {
    /// What is to be done about it.
    public enum Code: Sendable {
        /// There is no such file: make one, or say where it is.
        case missing
        /// There is a file already, and it is not overwritten.
        case exists
        /// It is no regular file, a symbolic link, another's, or others may read it: correct that.
        case exposed
        /// It is no key ring: restore it.
        case malformed
        /// The system would not read or write it.
        case inaccessible
        /// It has no key with that id.
        case unknownKey
        /// The key is the primary one: promote another first.
        case primaryInUse
        /// Somebody else has changed the file since it was read: look again.
        case changed
    }

    /// The code.
    public let code: Code
    /// One sentence that names the file or key, and never a key's bytes.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Errors are equal by code.
    public static func == (one: Self, other: Self) -> Bool { one.code == other.code }
}
