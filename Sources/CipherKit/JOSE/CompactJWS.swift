import JSONKit

/// A signed text in the compact form of RFC 7515 §7.1, `header.payload.signature`, of which nothing is believed yet.
public struct CompactJWS: Sendable {
    /// Why a text is no signed text that we take.
    public enum Failure: Error, Equatable, CustomStringConvertible {
        /// Not three parts of base64url, or a header that is no JSON object.
        case malformed
        /// More than ``longest`` bytes.
        case tooLong
        /// A header that asks for what is not done here.
        case refusedHeader

        /// The cause, in words safe to show.
        public var description: String {
            switch self {
            case .malformed: "the token is no signed JSON Web Token"
            case .tooLong: "the token is longer than \(longest) bytes"
            case .refusedHeader: "the token's header asks for what is not allowed here"
            }
        }
    }

    /// The longest text, in bytes.
    public static let longest = 8_192

    /// The algorithm that the header names, one of ours.
    public let algorithm: SignatureAlgorithm
    /// The key that the header names.
    public let keyID: String?
    /// What the text says it is: `typ`, in lower case and without `application/` (RFC 7515 §4.1.9).
    public let type: String?
    private let signed: [UInt8]
    private let payload: [UInt8]
    private let signature: [UInt8]

    /// Parameters by which a token would bring its own key, or change how it is read (RFC 7515 §4.1, RFC 7797 §3).
    ///
    /// > If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS
    /// > is invalid.     RFC 7515 §4.1.11
    private static let refused: Set<String> = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"]

    /// Reads a text; whose it is shows ``verified(by:)`` alone.
    public init(_ text: String) throws(Failure) {
        guard text.utf8.count <= Self.longest else { throw .tooLong }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]), let json = try? JSON(parsing: header),
            let members = json.members
        else { throw .malformed }
        guard members.allSatisfy({ !Self.refused.contains($0.name) }),
            let algorithm = json["alg"]?.text.flatMap(SignatureAlgorithm.init(rawValue:))
        else { throw .refusedHeader }
        self.algorithm = algorithm
        keyID = try Self.text("kid", json, atMost: JSONWebKey.longestID)
        type = try Self.text("typ", json, atMost: 64).map { type in
            let type = type.lowercased()
            return type.hasPrefix("application/") ? String(type.dropFirst("application/".count)) : type
        }
        signed = Array("\(parts[0]).\(parts[1])".utf8)
        self.payload = payload
        self.signature = signature
    }

    private static func text(_ name: String, _ header: JSON, atMost length: Int) throws(Failure) -> String? {
        guard let value = header[name] else { return nil }
        guard let text = value.text, (1...length).contains(text.utf8.count) else { throw .refusedHeader }
        return text
    }

    /// What was signed by this key; nil when it was another, or the key is for another algorithm than the header names.
    public func verified(by key: VerificationKey) -> VerifiedPayload? {
        guard key.algorithm == algorithm, key.verifies(signature, of: signed) else { return nil }
        return VerifiedPayload(bytes: payload)
    }
}

/// What somebody has signed; the only way to it is a signature that was found to be good.
public struct VerifiedPayload: Sendable {
    /// The bytes as signed.
    public let bytes: [UInt8]

    fileprivate init(bytes: [UInt8]) { self.bytes = bytes }
}
