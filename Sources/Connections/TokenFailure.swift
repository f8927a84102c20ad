import ClientKit
import HTTPKit
import JSONKit
import TimeKit

/// Why a token endpoint gave nothing.
struct TokenFailure: Error, Sendable {
    /// What is to be done about it.
    enum Code: String, Sendable {
        /// The grant has ended: a person must sign in again (`invalid_grant`).
        case grantEnded = "invalid_grant"
        /// The service does not know the client, or refuses it: the set-up is wrong.
        case clientRefused = "invalid_client"
        /// Less was granted than is needed.
        case insufficientScope = "insufficient_scope"
        /// The service refused for another reason, which will not pass by waiting.
        case refused
        /// The service has trouble or asks to wait; nothing was decided.
        case later
        /// Nobody knows whether the service did it: the answer was lost or made no sense.
        case ambiguous
    }

    let code: Code
    /// What happened and what to do, without secrets.
    let sentence: String
    /// How long the service asks to be left in peace.
    let retryAfter: Duration?

    init(_ code: Code, _ sentence: String, retryAfter: Duration? = nil) {
        self.code = code
        self.sentence = sentence
        self.retryAfter = retryAfter
    }
}

extension TokenFailure {
    /// No answer came: whether the service did what was asked is known only where nothing reached it.
    init(unreachable error: ClientError, _ service: String) {
        let sentence = "\(service) could not be reached. \(error.tenantSentence)"
        switch error.code {
        case .badURL, .badHeader, .refusedAddress: self.init(.refused, sentence)
        case .unresolvable, .unreachable, .tls: self.init(.later, sentence)
        default: self.init(.ambiguous, sentence)
        }
    }

    /// What an answer of failure means (RFC 6749 §5.2), in the words of the seed with what to do next.
    init(_ answer: JSON, status: Int, retryAfter: Duration?, service: String, concealing conceal: Concealing) {
        let words = Self.words(answer)
        let said = words.map { " It said: “\(conceal($0))”." } ?? ""
        let wait = retryAfter.map { min($0, .days(1)) }
        switch Self.code(answer, status: status, words: words) {
        case .grantEnded:
            self.init(
                .grantEnded,
                "Invalid grant: the authorization code or refresh token expired, was used already or was revoked at \(service).\(said) Sign in again."
            )
        case .clientRefused:
            self.init(
                .clientRefused,
                "\(service) does not know this client or its secret.\(said) Check client ID and client secret.")
        case .insufficientScope:
            self.init(
                .insufficientScope,
                "Insufficient scope: \(service) did not grant what is needed.\(said) Sign in again and allow it, or ask for less."
            )
        case .later:
            self.init(
                .later, "\(service) has trouble or asks to be called less often (\(status)).\(said) Try again later.",
                retryAfter: wait)
        case .refused, .ambiguous: self.init(.refused, "\(service) refused (\(status)).\(said)")
        }
    }

    /// The names that services give each failure, besides those of RFC 6749 §5.2.
    private static let names: [String: Code] = [
        "invalid_grant": .grantEnded, "invalid_refresh_token": .grantEnded, "token_revoked": .grantEnded,
        "token_expired": .grantEnded, "bad_refresh_token": .grantEnded, "bad_auth_code": .grantEnded,
        "bad_verification_code": .grantEnded, "invalid_code": .grantEnded, "code_already_used": .grantEnded,
        "190": .grantEnded, "interaction_required": .grantEnded, "consent_required": .grantEnded,
        "login_required": .grantEnded, "invalid_client": .clientRefused, "unauthorized_client": .clientRefused,
        "bad_client_secret": .clientRefused, "bad_client_id": .clientRefused, "invalid_client_id": .clientRefused,
        "incorrect_client_credentials": .clientRefused, "invalid_scope": .insufficientScope,
        "insufficient_scope": .insufficientScope, "missing_scope": .insufficientScope,
    ]

    private static func code(_ answer: JSON, status: Int, words: String?) -> Code {
        if status == 429 || status >= 500 { return .later }
        let places = [answer["error"], answer.at("error.code"), answer["code"], answer["status"]]
        let named = places.compactMap { $0?.words?.lowercased() }.compactMap { names[$0] }.first
        if let named { return named }
        // Shopify, Meta and OpenRouter have no name for a code that was used, nor Shopify for a refresh token that has
        // ended, only words.
        let ended = /(?is).*\b(authorization code|code_verifier|invalid code|active refresh_token)\b.*/
        if let words, words.wholeMatch(of: ended) != nil { return .grantEnded }
        return status == 401 ? .clientRefused : .refused
    }

    /// What the answer says in words, wherever services write them.
    private static func words(_ answer: JSON) -> String? {
        [
            answer["error_description"], answer["error_message"], answer.at("error.message"), answer["message"],
            answer["error"],
        ].compactMap { $0?.words }.first
    }
}
