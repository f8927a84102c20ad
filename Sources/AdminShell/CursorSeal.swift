import CipherKit
import Domain
import HTTPKit

/// Seals the cursors of lists: none but ours is taken, and each only from the organization that it was given to.
public struct CursorSeal: Sendable {
    private let keys: @Sendable () -> [SymmetricKey]

    /// A seal; what is sealed with the first key can be opened as long as the key is among them.
    public init(_ keys: [SymmetricKey] = [SymmetricKey()]) { self.keys = { keys } }

    /// A seal whose keys are fetched when they are wanted, outside of any transaction.
    public init(fetching keys: @escaping @Sendable () -> [SymmetricKey]) { self.keys = keys }

    /// How many bytes of the code are kept: guessing 128 bits is hopeless, and addresses stay short.
    private static let length = 16

    /// A place in a list as it goes out.
    func seal(_ place: [UInt8], for organization: Identifier<Organization>?) -> String {
        Base64URL.encode(place + (keys().first.map { Self.code(place, organization, $0) } ?? []))
    }

    /// The place behind a cursor; nil for one that is not ours, or was given to somebody else.
    func open(_ cursor: String, for organization: Identifier<Organization>?) -> [UInt8]? {
        guard let bytes = Base64URL.decode(cursor), bytes.count > Self.length else { return nil }
        let (place, code) = (Array(bytes.dropLast(Self.length)), Array(bytes.suffix(Self.length)))
        let isOurs = keys().contains { equalInConstantTime(Self.code(place, organization, $0), code) }
        return isOurs ? place : nil
    }

    private static func code(
        _ place: [UInt8], _ organization: Identifier<Organization>?, _ key: SymmetricKey
    ) -> [UInt8] {
        Array(HMAC.sha256((organization?.bytes ?? []) + place, key: key).prefix(length))
    }
}

extension Request {
    /// The same request with its cursor opened, for ``Listing`` to read; one that cannot be opened becomes one that no
    /// list takes. What is passed on is not ours to read.
    func openingCursor(_ seal: CursorSeal, for organization: Identifier<Organization>?) -> Request {
        guard path.rest == nil, !rawQuery.isEmpty, rawQuery.contains("cursor="), let query = Form(urlencoded: rawQuery)
        else {
            return self
        }
        let opened = query.pairs.map { pair -> (name: String, value: String) in
            guard pair.name == "cursor", !pair.value.isEmpty else { return pair }
            return (pair.name, seal.open(pair.value, for: organization).map(Base64URL.encode) ?? "~")
        }
        return asking(Form(pairs: opened).urlencoded)
    }
}
