import Domain
import JSONKit

/// What a program says of itself when it registers (RFC 7591 §2), checked and as an app's terms.
///
/// > The authorization server MUST ignore any client metadata sent by the client that it does not understand.
/// >     RFC 7591 §2
struct RegistrationMetadata: Sendable {
    /// How the program proves who it is.
    enum AuthMethod: String, CaseIterable, Sendable {
        case basic = "client_secret_basic"
        case post = "client_secret_post"
        case none
    }

    /// The most characters that `scope` has.
    static let longestScope = 8_000

    let terms: AppTerms
    let authMethod: AuthMethod
    var isConfidential: Bool { authMethod != .none }

    /// Reads the body of a registration.
    ///
    /// - Throws: ``OAuthError`` `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591 §3.2.2).
    init(_ json: JSON, settings: OAuthServer.Settings) throws(OAuthError) {
        guard json.members != nil else { throw OAuthError(.invalidClientMetadata, "Send a JSON object.") }
        authMethod = try Self.word(json, "token_endpoint_auth_method") ?? .basic
        var terms = AppTerms(name: "", rateLimit: settings.rateLimit)
        terms.authMethod = authMethod
        terms.name = try Self.text(json, "client_name", atMost: 100) ?? "An app without a name"
        terms.websiteURL = try Self.link(json, "client_uri")
        terms.privacyPolicyURL = try Self.link(json, "policy_uri")
        terms.grants = try Self.grants(json)
        terms.redirectURIs = try Self.redirectURIs(json)
        terms.scopes = try Self.scopes(json)
        let types = try Self.texts(json, "response_types", atMost: 10) ?? ["code"]
        guard types.allSatisfy({ $0 == "code" }) else {
            throw OAuthError(.invalidClientMetadata, "response_types must be code; nothing else is given here.")
        }
        guard !terms.grants.contains(.authorizationCode) || !terms.redirectURIs.isEmpty else {
            throw OAuthError(.invalidRedirectURI, "redirect_uris is missing.")
        }
        guard authMethod != .none || !terms.grants.contains(.clientCredentials) else {
            throw OAuthError(.invalidClientMetadata, "Only a client with a secret may use client_credentials.")
        }
        self.terms = terms
    }

    private static func grants(_ json: JSON) throws(OAuthError) -> Set<GrantType> {
        var grants: Set<GrantType> = []
        for text in try texts(json, "grant_types", atMost: 10) ?? [GrantType.authorizationCode.rawValue] {
            guard let grant = GrantType(rawValue: text) else {
                throw OAuthError(.invalidClientMetadata, "A grant type is asked for that is not given here.")
            }
            grants.insert(grant)
        }
        guard !grants.subtracting([.refreshToken]).isEmpty else {
            throw OAuthError(.invalidClientMetadata, "grant_types names no way to a first token.")
        }
        return grants
    }

    private static func redirectURIs(_ json: JSON) throws(OAuthError) -> [RedirectURI] {
        var uris: [RedirectURI] = []
        for text in try texts(json, "redirect_uris", atMost: TermsReader.mostURIs) ?? [] {
            do throws(RedirectURI.Refusal) {
                let uri = try RedirectURI(text)
                if !uris.contains(uri) { uris.append(uri) }
            } catch {
                throw OAuthError(.invalidRedirectURI, error.sentence)
            }
        }
        return uris
    }

    private static func scopes(_ json: JSON) throws(OAuthError) -> [Scope] {
        guard let text = try text(json, "scope", atMost: longestScope) else {
            throw OAuthError(.invalidClientMetadata, "scope is missing: say what the app will ask for.")
        }
        do throws(OAuthError) {
            return try Scope.asked(text) ?? []
        } catch {
            throw OAuthError(.invalidClientMetadata, error.hint)
        }
    }

    // MARK: Members

    private static func text(_ json: JSON, _ name: String, atMost length: Int) throws(OAuthError) -> String? {
        guard let value = json[name], value != .null else { return nil }
        guard let text = value.text, (1...length).contains(text.unicodeScalars.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw OAuthError(.invalidClientMetadata, "\(name) must be a text of at most \(length) characters.") }
        return text
    }

    private static func link(_ json: JSON, _ name: String) throws(OAuthError) -> String? {
        guard let text = try text(json, name, atMost: 500) else { return nil }
        guard WebAddress.isLink(text) else {
            throw OAuthError(.invalidClientMetadata, "\(name) must be a whole https or http address.")
        }
        return text
    }

    private static func texts(_ json: JSON, _ name: String, atMost limit: Int) throws(OAuthError) -> [String]? {
        guard let value = json[name], value != .null else { return nil }
        let texts = value.elements?.compactMap(\.text)
        guard let texts, texts.count == value.elements?.count, texts.count <= limit else {
            throw OAuthError(.invalidClientMetadata, "\(name) must be a list of at most \(limit) texts.")
        }
        return texts
    }

    private static func word(_ json: JSON, _ name: String) throws(OAuthError) -> AuthMethod? {
        guard let text = try text(json, name, atMost: 100) else { return nil }
        guard let method = AuthMethod(rawValue: text) else {
            throw OAuthError(.invalidClientMetadata, "\(name) is asked for that is not known here.")
        }
        return method
    }
}
