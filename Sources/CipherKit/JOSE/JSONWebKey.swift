public import JSONKit

/// A key as JSON tells it (RFC 7517), of the kinds that a site's tokens may be signed with.
public struct JSONWebKey: Sendable {
    /// What tokens call it: `kid`.
    public let id: String?
    /// The key, bound to one algorithm.
    public let key: VerificationKey

    /// Why a key of a set is not used, in words safe to show: nothing of the key is repeated.
    public struct Refusal: Error, Equatable, CustomStringConvertible {
        /// A clause that follows the name of a key.
        public let description: String
        /// Whether the key is too weak, or known to others, rather than meant for something else.
        public let isDangerous: Bool

        init(_ description: String, isDangerous: Bool = false) {
            self.description = description
            self.isDangerous = isDangerous
        }
    }

    /// The longest `kid`, in bytes.
    static let longestID = 256

    /// Reads one key.
    ///
    /// Its algorithm is what `alg` says; where that is missing, the only one here that its `kty` has. Whoever holds a
    /// public key may not use it as a secret, so no key ever checks a second algorithm (RFC 8725 §3.1).
    ///
    /// - Parameter takesSecrets: whether a secret may stand here; one that everybody can fetch is none.
    public init(_ json: JSON, takesSecrets: Bool) throws(Refusal) {
        guard json.members != nil else { throw Refusal("is no object") }
        if let kid = json["kid"] {
            guard let text = kid.text, (1...Self.longestID).contains(text.utf8.count) else {
                throw Refusal("has a kid that is no text of 1 to \(Self.longestID) bytes")
            }
            id = text
        } else {
            id = nil
        }
        try Self.requireSignatures(json)
        switch json["kty"]?.text {
        case "oct":
            try Self.requireAlgorithm(.hs256, json)
            guard takesSecrets else {
                throw Refusal("is a shared secret, which everybody could read here", isDangerous: true)
            }
            key = try Self.make { () throws(VerificationKeyError) in try .secret(Self.bytes("k", json)) }
        case "RSA":
            try Self.requireAlgorithm(.rs256, json)
            try Self.requirePublic(json)
            key = try Self.make { () throws(VerificationKeyError) in
                try .rsa(modulus: Self.bytes("n", json), exponent: Self.bytes("e", json))
            }
        case "EC":
            try Self.requireAlgorithm(.es256, json)
            guard json["crv"]?.text == "P-256" else { throw Refusal("is on another curve than P-256") }
            try Self.requirePublic(json)
            key = try Self.make { () throws(VerificationKeyError) in
                try .p256(x: Self.bytes("x", json), y: Self.bytes("y", json))
            }
        default: throw Refusal("is of another kind than RSA, EC and oct")
        }
    }

    /// Refuses a key that is meant for something else than signatures (RFC 7517 §4.2, §4.3).
    private static func requireSignatures(_ json: JSON) throws(Refusal) {
        if let use = json["use"], use.text != "sig" { throw Refusal("is not for signatures") }
        if let operations = json["key_ops"] {
            guard operations.elements?.contains("verify") == true else {
                throw Refusal("is not for checking signatures")
            }
        }
    }

    private static func requireAlgorithm(_ algorithm: SignatureAlgorithm, _ json: JSON) throws(Refusal) {
        guard let given = json["alg"] else { return }
        guard given.text == algorithm.rawValue else {
            throw Refusal("is for another algorithm than \(algorithm.rawValue)")
        }
    }

    /// Refuses a private key: whoever publishes one has lost it.
    private static func requirePublic(_ json: JSON) throws(Refusal) {
        guard json["d"] == nil else {
            throw Refusal("is a private key, which belongs to its issuer alone", isDangerous: true)
        }
    }

    /// The bytes of a member; none when it is missing or no base64url, which no key takes.
    private static func bytes(_ name: String, _ json: JSON) -> [UInt8] {
        json[name]?.text.flatMap(Base64URL.decode) ?? []
    }

    private static func make(
        _ body: () throws(VerificationKeyError) -> VerificationKey
    ) throws(Refusal) -> VerificationKey {
        do {
            return try body()
        } catch {
            throw Refusal("cannot be used: \(error)", isDangerous: error != .invalid)
        }
    }
}

/// The keys of an issuer (RFC 7517 §5), each checked before it is used.
public struct JSONWebKeySet: Sendable {
    /// A key of the set that is not used.
    public struct Skipped: Sendable, Equatable, CustomStringConvertible {
        /// Its `kid`, or its place in the set.
        public let name: String
        /// Why.
        public let refusal: JSONWebKey.Refusal

        /// The name and why.
        public var description: String { "\(name) \(refusal)" }
    }

    /// Why a text is no set of keys.
    public enum Failure: Error, Equatable, CustomStringConvertible {
        /// Not JSON, or no object with an array `keys`.
        case malformed
        /// More than ``longest`` bytes, or more than ``mostKeys`` keys.
        case tooLarge

        /// The cause, in words safe to show.
        public var description: String {
            switch self {
            case .malformed: "it is no JSON Web Key Set: an object with an array “keys”"
            case .tooLarge: "it has more than \(mostKeys) keys or \(longest) bytes"
            }
        }
    }

    /// The longest text, in bytes.
    public static let longest = 65_536
    /// The most keys.
    public static let mostKeys = 32

    /// The keys that can be used.
    public let keys: [JSONWebKey]
    /// The others.
    ///
    /// > Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not understood by
    /// > them, that are missing required members, or for which values are out of the supported ranges.     RFC 7517 §5
    public let skipped: [Skipped]

    /// Reads a set.
    ///
    /// - Parameter takesSecrets: whether secrets for `HS256` may stand in it.
    public init(parsing bytes: [UInt8], takesSecrets: Bool) throws(Failure) {
        guard bytes.count <= Self.longest else { throw .tooLarge }
        guard let json = try? JSON(parsing: bytes), let elements = json["keys"]?.elements else { throw .malformed }
        guard elements.count <= Self.mostKeys else { throw .tooLarge }
        var keys: [(name: String, key: JSONWebKey)] = []
        var skipped: [Skipped] = []
        for (index, element) in elements.enumerated() {
            let name = element["kid"]?.text.map { "“\($0.prefix(64))”" } ?? "number \(index + 1)"
            do throws(JSONWebKey.Refusal) {
                keys.append((name, try JSONWebKey(element, takesSecrets: takesSecrets)))
            } catch {
                skipped.append(Skipped(name: name, refusal: error))
            }
        }
        // Of two keys that one token could mean neither is used.
        let twins = Dictionary(grouping: keys) { "\($0.key.key.algorithm.rawValue) \($0.key.id ?? "")" }
            .filter { $1.count > 1 && $1[0].key.id != nil }
        for (name, _) in twins.values.flatMap(\.self) {
            skipped.append(Skipped(name: name, refusal: .init("has the kid of another", isDangerous: true)))
        }
        self.keys = keys.filter { entry in
            twins["\(entry.key.key.algorithm.rawValue) \(entry.key.id ?? "")"] == nil
        }.map(\.key)
        self.skipped = skipped
    }

    /// Whether the set has a key of this name, for whatever algorithm.
    public func knows(_ id: String) -> Bool {
        keys.contains { $0.id == id }
    }

    /// The one key that a token means; nil when there is none, or several could be meant.
    ///
    /// A token that names its key means the key of that name, or the only one of its algorithm that has no name. A token
    /// that names none means the only one of its algorithm: trying many would make each forgery cost many checks.
    public func key(for token: CompactJWS) -> VerificationKey? {
        let suited = keys.filter { $0.key.algorithm == token.algorithm }
        guard let id = token.keyID else { return suited.count == 1 ? suited[0].key : nil }
        if let named = suited.first(where: { $0.id == id }) { return named.key }
        let nameless = suited.filter { $0.id == nil }
        return nameless.count == 1 && !knows(id) ? nameless[0].key : nil
    }
}
