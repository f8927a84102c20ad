import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// What a token endpoint granted (RFC 6749 §5.1).
struct TokenAnswer: Sendable {
    let access: Secret<String>
    /// Nil when the answer has none: the one that is there stays (RFC 6749 §6).
    let refresh: Secret<String>?
    let type: String
    /// How long the access token lives; nil when nobody says.
    let lifetime: Duration?
    /// How long the refresh token lives, where the service says.
    let refreshLifetime: Duration?
    /// What was granted; nil when the answer does not say, which means all that was asked for.
    let scopes: [String]?
    /// The whole answer, for the facts that the provider file names: it holds secrets and is never stored whole.
    let whole: JSON
}

extension TokenAnswer {
    /// Reads the answer of a token endpoint.
    ///
    /// - Throws: ``TokenFailure`` when it holds no token that can be used: a type other than bearer is refused (§7.1).
    init(_ answer: JSON, _ oauth: ProviderOAuth, service: String) throws(TokenFailure) {
        // A user's token may stand below the answer's top, beside a bot's.
        var granted = answer
        if let part = oauth.tokenPath.flatMap({ answer.at($0) }), part["access_token"]?.text != nil { granted = part }
        guard let token = granted["access_token"]?.text ?? (oauth.exchange == .key ? granted["key"]?.text : nil),
            (1...16_384).contains(token.utf8.count), token.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw TokenFailure(.ambiguous, "\(service) answered without an access token.") }
        let named = granted["token_type"]?.text ?? "bearer"
        // Slack names the kind of token here: bot or user.
        guard ["bearer", "bot", "user"].contains(named.lowercased()) else {
            throw TokenFailure(.refused, "\(service) gave a token of a type that the hub does not know.")
        }
        access = Secret(token)
        refresh = granted["refresh_token"]?.text.flatMap { $0.isEmpty ? nil : Secret($0) }
        type = "bearer"
        lifetime = Self.duration(granted["expires_in"]) ?? oauth.lifetime
        refreshLifetime = Self.duration(granted["refresh_token_expires_in"] ?? granted["refresh_expires_in"])
        scopes = Self.scopes(granted["scope"] ?? granted["permissions"], oauth.scopeSeparator)
        whole = answer
    }

    /// The answer of a second exchange, which lengthens the life of this one.
    func lengthened(by second: TokenAnswer) -> TokenAnswer {
        TokenAnswer(
            access: second.access, refresh: second.refresh ?? refresh, type: second.type, lifetime: second.lifetime,
            refreshLifetime: second.refreshLifetime, scopes: second.scopes ?? scopes, whole: whole)
    }

    /// Seconds as a number or as text (A2-23); nil for nothing and for nonsense.
    private static func duration(_ value: JSON?) -> Duration? {
        let seconds = value?.wholeNumber.map { Int($0) } ?? value?.text.flatMap { Int($0) }
        guard let seconds, (1...10_000_000_000).contains(seconds) else { return nil }
        return .seconds(seconds)
    }

    /// Scopes in any of the forms that services write: a list, or a text with spaces or commas.
    private static func scopes(_ value: JSON?, _ separator: String) -> [String]? {
        if let list = value?.elements { return list.compactMap(\.text) }
        guard let text = value?.text else { return nil }
        return text.split { $0 == " " || $0 == "," || separator.contains($0) }.map(String.init)
    }
}
