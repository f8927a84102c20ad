import CipherKit
import Domain
import JSONKit
import TimeKit

/// What a token says of its bearer, after everything that limits it was found to be fulfilled.
struct SiteClaims: Sendable {
    /// Why a token that the site did sign does not count. Its holder may know: the site gave it to them.
    enum Refusal: Error {
        case malformed, wrongIssuer, wrongAudience, expired, notYetValid, noSubject, invalidOrganization

        var sentence: String {
            switch self {
            case .malformed: "The token's claims are no JSON object with exp as a time."
            case .wrongIssuer: "The token is of another issuer."
            case .wrongAudience: "The token is meant for another audience."
            case .expired: "The token has expired."
            case .notYetValid: "The token is not valid yet."
            case .noSubject: "The token has no sub of 1 to 255 printable characters."
            case .invalidOrganization: "The token's claim for the organization is no id of one."
            }
        }
    }

    /// How far the clocks of site and hub may differ.
    ///
    /// > Implementers MAY provide for some small leeway, usually no more than a few minutes, to account for clock skew.
    /// >     RFC 7519 §4.1.4
    static let leeway = Duration.seconds(60)

    /// Words of OpenID Connect that ask for claims, not for rights.
    private static let identityScopes: Set<String> = [
        "openid", "profile", "email", "address", "phone", "offline_access",
    ]

    let issuer: String
    let subject: String
    /// The address that the site says to have checked; nil when it does not say so.
    let email: String?
    /// The organization that the site speaks of.
    let organization: Identifier<Organization>?
    /// The rights stated.
    let scopes: [Scope]
    /// Whether any right is stated, be it one that the hub can read or not.
    let statesRights: Bool

    /// Reads and checks claims.
    init(_ payload: VerifiedPayload, _ settings: SiteTokens.Settings, at now: Timestamp) throws(Refusal) {
        guard let claims = try? JSON(parsing: payload.bytes), claims.members != nil else { throw .malformed }
        guard claims["iss"]?.text == settings.issuer else { throw .wrongIssuer }
        issuer = settings.issuer
        try Self.checkAudience(claims["aud"], settings.audiences)
        guard let expires = try Self.moment("exp", claims) else { throw .malformed }
        guard expires > now - Self.leeway else { throw .expired }
        for name in ["nbf", "iat"] {
            if let from = try Self.moment(name, claims), from > now + Self.leeway { throw .notYetValid }
        }
        guard let subject = claims["sub"]?.text, Self.isName(subject) else { throw .noSubject }
        self.subject = subject
        email = claims["email_verified"]?.truth == true ? claims["email"]?.text.flatMap(Self.email) : nil
        organization = try Self.organization(claims[settings.organizationClaim])
        let words = ["scope", "scopes"].flatMap { Self.words(claims[$0]) }
        statesRights = words.contains { !Self.identityScopes.contains($0) }
        scopes = Array(Set(words.compactMap { Scope($0) }))
    }

    /// The sixteen bytes by which the audit log and limits know a subject that has no account: of issuer and subject
    /// together, since a subject is unique within its issuer only (RFC 7519 §4.1.2).
    var subjectID: [UInt8] { Array(SHA256.digest("site-token\n\(issuer)\n\(subject)".utf8).prefix(16)) }

    /// > If the principal processing the claim does not identify itself with a value in the "aud" claim when this claim is
    /// > present, then the JWT MUST be rejected.     RFC 7519 §4.1.3
    private static func checkAudience(_ claim: JSON?, _ expected: [String]) throws(Refusal) {
        guard let claim else {
            guard expected.isEmpty else { throw .wrongAudience }
            return
        }
        let named = claim.text.map { [$0] } ?? claim.elements?.compactMap(\.text) ?? []
        guard named.contains(where: expected.contains) else { throw .wrongAudience }
    }

    /// > NumericDate: A JSON numeric value representing the number of seconds from 1970-01-01T00:00:00Z UTC, … in which
    /// > non-integer values can be represented.     RFC 7519 §2
    private static func moment(_ name: String, _ claims: JSON) throws(Refusal) -> Timestamp? {
        switch claims[name] {
        case nil: return nil
        case .integer(let seconds) where latest.contains(Double(seconds)): return Timestamp(seconds: seconds)
        case .number(let seconds) where latest.contains(seconds):
            return Timestamp(microseconds: Int64(seconds * 1_000_000))
        default: throw .malformed
        }
    }

    /// Up to the end of the year 9999, beyond which no calendar of ours reaches.
    private static let latest = 0...Double(Timestamp.latest.seconds)

    private static func organization(_ claim: JSON?) throws(Refusal) -> Identifier<Organization>? {
        guard let claim, claim != .null else { return nil }
        guard let id = claim.text.flatMap({ Identifier<Organization>($0) }) else { throw .invalidOrganization }
        return id
    }

    /// Words separated by spaces (RFC 8693 §4.2), or an array of them.
    private static func words(_ claim: JSON?) -> [String] {
        claim?.text.map { $0.split(separator: " ").map(String.init) } ?? claim?.elements?.compactMap(\.text) ?? []
    }

    private static func isName(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f }
    }

    /// An address as accounts keep it: in lower case.
    private static func email(_ text: String) -> String? {
        text.utf8.count <= 254 && text.contains("@") && isName(text) ? text.lowercased() : nil
    }
}
