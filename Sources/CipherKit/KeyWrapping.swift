/// Why a wrapped data key did not open.
public enum WrapError: Error, Equatable, CustomStringConvertible {
    /// It was wrapped by a master key that the ring does not have.
    case unknownMasterKey(MasterKeyID)
    /// It is no wrapped key, was altered, or belongs to another number or context: nobody can tell which.
    case damaged

    /// The cause, in words safe to show.
    public var description: String {
        switch self {
        case .unknownMasterKey(let id): "the data key was wrapped by master key \(id), which the key ring does not have"
        case .damaged: "the wrapped data key is damaged or out of its place"
        }
    }
}

// A wrapped key is `version ‖ master key id (4) ‖ nonce (12) ‖ ciphertext (32) ‖ tag (16)`, 65 bytes. The key that
// wraps is not the master key itself but derived from it, so that other uses of the master key are other keys.
extension KeyRing {
    /// The length of a wrapped data key, in bytes.
    public static let wrappedSize = bodyStart + SymmetricKey.size + AES256GCM.tagSize

    private static let version: UInt8 = 1
    private static let nonceStart = 5
    private static let bodyStart = nonceStart + AES256GCM.nonceSize
    private static let label: StaticString = "data key wrapping"

    /// Wraps a data key by the primary master key.
    ///
    /// - Parameter context: Whose key it is, such as the organization's id: it must be the same when unwrapped.
    public func wrap(_ dataKey: DataKey, context: [UInt8]) -> [UInt8] {
        let nonce = Random.bytes(AES256GCM.nonceSize)
        let first = [Self.version] + bytes(of: primary.raw) + nonce
        let associated = Self.associatedData(number: dataKey.number, id: primary, context: context)
        let wrapping = derivedKey(label: Self.label)
        return dataKey.key.withBytes { key in
            AES256GCM.seal(key, key: wrapping, nonce: nonce, authenticating: associated.span, after: first.span)
        }
    }

    /// Unwraps the data key with this number in this context, by whichever master key wrapped it.
    public func unwrap(_ wrapped: [UInt8], number: UInt32, context: [UInt8]) throws(WrapError) -> DataKey {
        guard let id = Self.masterKey(of: wrapped) else { throw .damaged }
        guard let wrapping = derivedKey(label: Self.label, of: id) else { throw .unknownMasterKey(id) }
        let opened = AES256GCM.open(
            wrapped.span.extracting(Self.bodyStart...), key: wrapping,
            nonce: wrapped.span.extracting(Self.nonceStart..<Self.bodyStart),
            authenticating: Self.associatedData(number: number, id: id, context: context).span)
        guard var opened else { throw .damaged }
        defer { wipe(&opened) }
        guard let key = SymmetricKey(opened) else { throw .damaged }
        return DataKey(number: number, key: key)
    }

    /// The id of the master key that wrapped a data key, or nil when the bytes are no wrapped key.
    ///
    /// It stands in the second to fifth byte, so SQL finds the rows that name a key: `SUBSTRING(wrapped, 2, 4)`.
    public static func masterKey(of wrapped: [UInt8]) -> MasterKeyID? {
        guard wrapped.count == wrappedSize, wrapped[0] == version else { return nil }
        return MasterKeyID(raw: CipherKit.number(of: wrapped[1..<nonceStart]))
    }

    private static func associatedData(number: UInt32, id: MasterKeyID, context: [UInt8]) -> [UInt8] {
        var data = AssociatedData(use: "wrapped data key", version: version)
        data.append(CipherKit.bytes(of: id.raw))
        data.append(CipherKit.bytes(of: number))
        data.append(context)
        return data.bytes
    }
}
