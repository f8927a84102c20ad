import CipherKit
import Domain
import HTTPKit
import LogKit
import TimeKit

/// How a service proves that a request is its own.
///
/// Checking is a function of the request, the secrets and the time, and of nothing else. Every comparison is over decoded
/// bytes in constant time, and every secret that counts is tried, so that the time tells nothing about which one fitted.
enum Scheme: Sendable, Equatable {
    /// An HMAC over parts of the request.
    case code(Recipe)
    /// `Stripe-Signature`: a time and several signatures in one field.
    case stripe
    /// Standard Webhooks 1.0, under its own names or those of Svix.
    case standardWebhooks
    /// The whole address and the sorted fields of a form (Twilio).
    case twilio
    /// Ed25519 over time and body (Discord).
    case discord
    /// ECDSA on P-256 over time and body (SendGrid's event webhook).
    case sendgrid
    /// A token in each notification of the body (Microsoft Graph).
    case graph
    /// A token in a header field.
    case token(header: String)
    /// A token in `Authorization: Bearer`, or in `X-API-Key`.
    case bearer

    /// How far a timestamp may lie from the clock, to either side, in seconds.
    static let tolerance: Int64 = 300

    /// What is proved: that whoever sent the request knew a secret of the source.
    struct Proof: Sendable, Equatable {
        /// Which one they knew.
        enum Key: String, Sendable, CaseIterable {
            case current
            case previous
            case platformKey = "platform_key"
        }

        let key: Key
        /// Whether it was a token that any sender may be given: that does not prove that the service itself sends.
        let isBearer: Bool

        fileprivate init(_ key: Key, isBearer: Bool) {
            self.key = key
            self.isBearer = isBearer
        }
    }

    /// Checks a request.
    ///
    /// - Throws: the first check that it did not pass.
    func verify(_ arrival: Arrival, by secrets: [InboundSecret], now: Timestamp) throws(Failure) -> Proof {
        let living = secrets.filter { $0.until.map { $0 > now } ?? true }
        guard !living.isEmpty else { throw .noSecret }
        let fits = try check(arrival, living, now: now)
        var found: Proof.Key?
        for (secret, isRight) in zip(living, fits) where isRight {
            found = found ?? (secret.until == nil ? .current : .previous)
        }
        guard let found else {
            switch self {
            case .token, .bearer, .graph: throw .wrongToken
            default: throw .wrongSignature
            }
        }
        return Proof(found, isBearer: self == .bearer)
    }

    /// Checks a bearer against the digest of a platform key.
    static func verify(_ arrival: Arrival, byDigest digest: [UInt8]) throws(Failure) -> Proof {
        let sent = Array(try bearer(of: arrival).utf8)
        guard equalInConstantTime(SHA256.digest(sent), digest) else { throw .wrongToken }
        return Proof(.platformKey, isBearer: true)
    }

    /// Refuses a time of signing, in whole seconds as the other side counts them, that lies too far from the clock.
    static func requireFresh(_ seconds: Int64, now: Timestamp) throws(Failure) {
        let distance = now.seconds - seconds
        guard distance <= tolerance else { throw .late(distance) }
        guard distance >= -tolerance else { throw .early(-distance) }
    }

    // MARK: Each scheme

    /// Whether each secret fits.
    private func check(
        _ arrival: Arrival, _ secrets: [InboundSecret], now: Timestamp
    ) throws(Failure) -> [Bool] {
        switch self {
        case .code(let recipe): try Self.check(arrival, recipe, secrets, now)
        case .stripe: try Self.stripe(arrival, secrets, now)
        case .standardWebhooks: try Self.standardWebhooks(arrival, secrets, now)
        case .twilio: try Self.twilio(arrival, secrets)
        case .discord: try Self.discord(arrival, secrets, now)
        case .sendgrid: try Self.sendgrid(arrival, secrets, now)
        case .graph: try Graph.check(arrival, secrets)
        case .token(let header): Self.equal(try arrival.only(header), secrets)
        case .bearer: Self.equal(try Self.bearer(of: arrival), secrets)
        }
    }

    private static func check(
        _ arrival: Arrival, _ recipe: Recipe, _ secrets: [InboundSecret], _ now: Timestamp
    ) throws(Failure) -> [Bool] {
        let given = try recipe.signature(of: arrival)
        let time = try recipe.time(of: arrival, now: now)
        let keys = try usable(secrets) { recipe.key($0) }
        return keys.map { key in
            key.map { equalInConstantTime(recipe.code(of: arrival, time: time, key: $0), given) } ?? false
        }
    }

    /// > Stripe-Signature: t=1492774577,v1=5257a869…,v1=…     Stripe, Verify webhook signatures manually
    private static func stripe(
        _ arrival: Arrival, _ secrets: [InboundSecret], _ now: Timestamp
    ) throws(Failure) -> [Bool] {
        let name = "stripe-signature"
        let parts = try arrival.only(name).split(separator: ",").prefix(32).map { $0.trimmed }
        let times = parts.filter { $0.hasPrefix("t=") }
        let given = parts.filter { $0.hasPrefix("v1=") }.prefix(16).map { Hex.decode(String($0.dropFirst(3))) }
        guard times.count == 1, !given.isEmpty, given.allSatisfy({ $0?.count == 32 }) else {
            throw .malformed(name, "t= and a number, then v1= and 32 bytes as hexadecimal digits")
        }
        let time = String(times[0].dropFirst(2))
        guard let seconds = Arrival.number(time) else {
            throw .malformed(name, "t= and a number of seconds since 1970")
        }
        try requireFresh(seconds, now: now)
        let content = Array("\(time).".utf8) + arrival.body
        return secrets.map { secret in
            // The whole text is the key, `whsec_` included.
            let expected = secret.value.reveal { HMAC.sha256(content, key: Array($0.utf8)) }
            return anyEqual(given.compactMap(\.self), expected)
        }
    }

    /// > {msg_id}.{timestamp}.{payload}     Standard Webhooks 1.0, Signature scheme
    private static func standardWebhooks(
        _ arrival: Arrival, _ secrets: [InboundSecret], _ now: Timestamp
    ) throws(Failure) -> [Bool] {
        let family = standardFamily(of: arrival)
        let id = try arrival.only("\(family)-id")
        let time = try arrival.number("\(family)-timestamp")
        let header = try arrival.only("\(family)-signature")
        let marked = header.split(separator: " ").prefix(16)
        let plain = marked.filter { $0.hasPrefix("v1,") }.map { Base64.decode(String($0.dropFirst(3))) }
        let asymmetric = marked.filter { $0.hasPrefix("v1a,") }.map { Base64.decode(String($0.dropFirst(4))) }
        guard !marked.isEmpty, plain.count + asymmetric.count > 0, plain.allSatisfy({ $0?.count == 32 }),
            asymmetric.allSatisfy({ $0?.count == Ed25519.signatureSize })
        else { throw .malformed("\(family)-signature", "v1, and base64 of 32 bytes, or v1a, and that of 64") }
        try requireFresh(time.value, now: now)
        let content = Array("\(id).\(time.text).".utf8) + arrival.body
        let keys = try usable(secrets) { StandardKey($0) }
        return keys.map { key in
            switch key {
            case .shared(let bytes): anyEqual(plain.compactMap(\.self), HMAC.sha256(content, key: bytes))
            case .published(let key):
                asymmetric.contains { $0.map { Ed25519.isValid($0, of: content, by: key) } ?? false }
            case nil: false
            }
        }
    }

    /// Svix writes the same under its own name.
    static func standardFamily(of arrival: Arrival) -> String {
        let parts = ["id", "timestamp", "signature"]
        let isPlain = parts.contains { arrival.headers["webhook-\($0)"] != nil }
        return !isPlain && parts.contains { arrival.headers["svix-\($0)"] != nil } ? "svix" : "webhook"
    }

    /// Time and body are signed with nothing between them: only digits that are a fresh time end in one place alone.
    private static func discord(
        _ arrival: Arrival, _ secrets: [InboundSecret], _ now: Timestamp
    ) throws(Failure) -> [Bool] {
        let name = "x-signature-ed25519"
        guard let given = Hex.decode(try arrival.only(name)), given.count == Ed25519.signatureSize else {
            throw .malformed(name, "64 bytes as hexadecimal digits")
        }
        let time = try arrival.number("x-signature-timestamp")
        try requireFresh(time.value, now: now)
        let content = Array(time.text.utf8) + arrival.body
        let keys = try usable(secrets) { text in Hex.decode(text).flatMap { $0.count == Ed25519.keySize ? $0 : nil } }
        return keys.map { key in key.map { Ed25519.isValid(given, of: content, by: $0) } ?? false }
    }

    private static func sendgrid(
        _ arrival: Arrival, _ secrets: [InboundSecret], _ now: Timestamp
    ) throws(Failure) -> [Bool] {
        let name = "x-twilio-email-event-webhook-signature"
        guard let given = Base64.decode(try arrival.only(name)).flatMap({ PublicKey.pair(der: $0) }) else {
            throw .malformed(name, "the base64 of a signature by ECDSA")
        }
        let time = try arrival.number("x-twilio-email-event-webhook-timestamp")
        try requireFresh(time.value, now: now)
        let content = Array(time.text.utf8) + arrival.body
        let keys = try usable(secrets) { PublicKey.p256($0) }
        return keys.map { key in key?.verifies(given, of: content) ?? false }
    }

    // MARK: Comparing

    private static func bearer(of arrival: Arrival) throws(Failure) -> String {
        switch Credential(arrival.headers) {
        case .sent(let sent): return sent.reveal { $0 }
        case .missing: throw .missing("authorization")
        case .ambiguous: throw .repeated("authorization")
        case .malformed: throw .malformed("authorization", "Bearer and a token")
        }
    }

    private static func equal(_ sent: String, _ secrets: [InboundSecret]) -> [Bool] {
        let sent = Array(sent.utf8)
        return secrets.map { secret in secret.value.reveal { equalInConstantTime(Array($0.utf8), sent) } }
    }

    /// Each is compared, whatever the ones before were.
    static func anyEqual(_ given: [[UInt8]], _ expected: [UInt8]) -> Bool {
        given.reduce(false) { found, one in equalInConstantTime(one, expected) || found }
    }

    /// What the secrets stand for; nil for one that is no key. One at least must be.
    private static func usable<Key>(
        _ secrets: [InboundSecret], _ read: (String) -> Key?
    ) throws(Failure) -> [Key?] {
        let keys = secrets.map { $0.value.reveal(read) }
        guard keys.contains(where: { $0 != nil }) else { throw .unusableSecret }
        return keys
    }
}
