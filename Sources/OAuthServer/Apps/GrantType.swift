/// A way in which an app gets tokens, by its registered word.
enum GrantType: String, CaseIterable, Sendable {
    /// A person signs in and allows it (RFC 6749 §4.1).
    case authorizationCode = "authorization_code"
    /// A token that has ended is renewed (RFC 6749 §6).
    case refreshToken = "refresh_token"
    /// The app acts for itself (RFC 6749 §4.4).
    case clientCredentials = "client_credentials"
    /// A person allows it on another device (RFC 8628).
    case deviceCode = "urn:ietf:params:oauth:grant-type:device_code"

    /// What an app may do when nothing is said: only one that can keep a secret acts for itself.
    static func usual(isConfidential: Bool) -> Set<GrantType> {
        isConfidential
            ? Set(allCases) : [.authorizationCode, .refreshToken, .deviceCode]
    }
}

extension Set<GrantType> {
    /// The ways in the order of their declaration.
    var sorted: [GrantType] { GrantType.allCases.filter(contains) }

    /// As they are stored: words separated by spaces.
    var stored: String { sorted.map(\.rawValue).joined(separator: " ") }

    /// As ``stored`` wrote them.
    init(stored text: String) { self.init(text.split(separator: " ").compactMap { GrantType(rawValue: String($0)) }) }
}
