import CipherKit
import TimeKit

/// How a request is signed with a secret that both sides know: which bytes, by which digest, and where it is written.
struct Recipe: Sendable, Equatable {
    /// The digest of the HMAC (RFC 2104).
    enum Digest: String, Sendable, CaseIterable {
        case sha1
        case sha256
        case sha512
    }

    /// How bytes are written.
    enum Encoding: String, Sendable, CaseIterable {
        case hex
        case base64

        func decode(_ text: String) -> [UInt8]? {
            switch self {
            case .hex: Hex.decode(text)
            case .base64: Base64.decode(text)
            }
        }

        var words: String {
            switch self {
            case .hex: "hexadecimal digits"
            case .base64: "base64"
            }
        }
    }

    /// How the secret stands for the bytes of the key.
    enum KeyForm: String, Sendable, CaseIterable {
        case text
        case base64
        case hex
    }

    /// Where the time of signing is written.
    struct TimeField: Sendable, Equatable {
        let header: String
        var isInMilliseconds = false
    }

    /// A piece of what is signed.
    enum Piece: Sendable, Equatable {
        case text(String)
        case time
        case method
        case address
        case body
    }

    var header: String
    var prefix = ""
    var digest = Digest.sha256
    var encoding = Encoding.hex
    var keyForm = KeyForm.text
    var time: TimeField?
    var content: [Piece] = [.body]
    /// Where the sender writes its own id of the event, and its kind, when it does.
    var idHeader: String?
    var typeHeader: String?

    /// The time of signing as written.
    func time(of arrival: Arrival, now: Timestamp) throws(Failure) -> String {
        guard let time else { return "" }
        let (text, value) = try arrival.number(time.header)
        try Scheme.requireFresh(time.isInMilliseconds ? value / 1_000 : value, now: now)
        return text
    }

    /// The signature as bytes.
    func signature(of arrival: Arrival) throws(Failure) -> [UInt8] {
        let text = try arrival.only(header)
        guard text.hasPrefix(prefix) else { throw .malformed(header, "what begins with \(prefix)") }
        guard let bytes = encoding.decode(String(text.dropFirst(prefix.count))), bytes.count == size else {
            throw .malformed(header, "\(prefix.isEmpty ? "" : "\(prefix) and ")\(size) bytes as \(encoding.words)")
        }
        return bytes
    }

    /// How many bytes a signature has.
    var size: Int {
        switch digest {
        case .sha1: 20
        case .sha256: 32
        case .sha512: 64
        }
    }

    /// The bytes of the key; nil when the secret is not written as it should be.
    func key(_ secret: String) -> [UInt8]? {
        switch keyForm {
        case .text: Array(secret.utf8)
        case .base64: Base64.decode(secret)
        case .hex: Hex.decode(secret)
        }
    }

    /// The signature that a key gives.
    func code(of arrival: Arrival, time: String, key: [UInt8]) -> [UInt8] {
        // Most sign the body alone, which then is not copied.
        guard content != [.body] else { return code(arrival.body, key: key) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(arrival.body.count + 128)
        for piece in content {
            switch piece {
            case .text(let text): bytes += Array(text.utf8)
            case .time: bytes += Array(time.utf8)
            case .method: bytes += Array(arrival.method.utf8)
            case .address: bytes += Array(Self.decoded(arrival.url).utf8)
            case .body: bytes += arrival.body
            }
        }
        return code(bytes, key: key)
    }

    private func code(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        switch digest {
        case .sha1: HMAC.sha1(bytes, key: key)
        case .sha256: HMAC.sha256(bytes, key: key)
        case .sha512: HMAC.sha512(bytes, key: key)
        }
    }

    /// An address with those escapes decoded that HubSpot decodes before it signs, and no others.
    ///
    /// > Decode any URL-encoded characters in the requestUri listed in the table     HubSpot, Validating requests, v3
    private static func decoded(_ url: String) -> String {
        guard url.utf8.contains(0x25) else { return url }
        var text = url
        for (escape, character) in escapes {
            text = text.replacing(escape, with: character).replacing(escape.lowercased(), with: character)
        }
        return text
    }

    private static let escapes = [
        ("%3A", ":"), ("%2F", "/"), ("%3F", "?"), ("%40", "@"), ("%21", "!"), ("%24", "$"), ("%27", "'"), ("%28", "("),
        ("%29", ")"), ("%2A", "*"), ("%2C", ","), ("%3B", ";"),
    ]
}

extension Recipe {
    static let slack = Recipe(
        header: "x-slack-signature", prefix: "v0=", time: TimeField(header: "x-slack-request-timestamp"),
        content: [.text("v0:"), .time, .text(":"), .body])
    static let shopify = Recipe(header: "x-shopify-hmac-sha256", encoding: .base64)
    static let github = Recipe(header: "x-hub-signature-256", prefix: "sha256=")
    static let notion = Recipe(header: "x-notion-signature", prefix: "sha256=")
    static let hubspot = Recipe(
        header: "x-hubspot-signature-v3", encoding: .base64,
        time: TimeField(header: "x-hubspot-request-timestamp", isInMilliseconds: true),
        content: [.method, .address, .body, .time])
    /// What a sender of one's own is asked to do unless somebody says otherwise.
    static let usual = Recipe(header: "x-signature", prefix: "sha256=")
}
