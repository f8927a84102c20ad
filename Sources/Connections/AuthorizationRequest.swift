import CipherKit
import ClientKit
import Domain
import HTTPKit
import LogKit

/// Where a person is sent to sign in (RFC 6749 §4.1.1), with the proof of possession of the code to come (RFC 7636 §4.3).
struct AuthorizationRequest: Sendable {
    let provider: Provider
    let oauth: ProviderOAuth
    /// The values of the set-up.
    let values: [String: String]
    let redirectURI: String
    let scopes: [String]
    let state: Secret<String>
    let verifier: Secret<String>?

    /// A fresh verifier of 256 random bits, for services that take one.
    static func verifier(_ oauth: ProviderOAuth, _ world: World) -> Secret<String>? {
        oauth.usesPKCE ? Secret(Base64URL.encode(world.randomBytes(32))) : nil
    }

    /// The whole address.
    ///
    /// - Throws: ``AddressProblem`` when the set-up makes no address that may be called.
    func url() throws(AddressProblem) -> Secret<String> {
        let address = try provider.address(oauth.authorizeURL, values)
        return Secret(address + (address.contains("?") ? "&" : "?") + Form(parameters).urlencoded)
    }

    private var parameters: [(String, String)] {
        var parameters: [(String, String)] = []
        let state = state.reveal { $0 }
        if oauth.exchange == .key {
            // It knows no state of its own, and sends the address back with whatever query it had.
            let mark = redirectURI.contains("?") ? "&" : "?"
            parameters.append((oauth.redirectParameter, "\(redirectURI)\(mark)state=\(state)"))
        } else {
            parameters += [
                ("response_type", "code"), ("client_id", values["client_id"] ?? ""),
                (oauth.redirectParameter, redirectURI), ("state", state),
            ]
            if !scopes.isEmpty {
                parameters.append((oauth.scopeParameter, scopes.joined(separator: oauth.scopeSeparator)))
            }
        }
        if let verifier {
            parameters += [("code_challenge", verifier.reveal(Self.challenge)), ("code_challenge_method", "S256")]
        }
        let own = oauth.authorizeParameters.map { ($0.name, Holes.fill($0.value) { values[$0] }) }
        return parameters + own.filter { !$0.1.isEmpty }
    }

    /// > code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))     RFC 7636 §4.2
    static func challenge(of verifier: String) -> String {
        Base64URL.encode(SHA256.digest(Array(verifier.utf8)))
    }
}

/// Why a set-up makes no address that may be called.
struct AddressProblem: Error {
    /// What is wrong, for people.
    let sentence: String
}

extension Provider {
    /// An address of the service with the set-up's values in its holes.
    ///
    /// A value that says which host is called is held against its field's rules once more: what was stored under an
    /// older pattern must not name a host of its own (RFC 9700 §4.4, requirement A2-29).
    func address(_ text: String, _ values: [String: String]) throws(AddressProblem) -> String {
        let missing = Holes.names(in: text).first { values[$0]?.isEmpty ?? true }
        if let missing {
            throw AddressProblem(sentence: "Enter \(field(missing)?.label ?? missing) first.")
        }
        let first = Holes.names(in: text).first
        if text.hasPrefix("{"), let first, let objection = values[first].flatMap({ field(first)?.objection(to: $0) }) {
            throw AddressProblem(sentence: "\(field(first)?.label ?? first): \(objection)")
        }
        let host = text.hasPrefix("{") ? "" : text.dropFirst("https://".count).prefix { !"/?#".contains($0) }
        for hole in Holes.names(in: String(host)) where field(hole)?.pattern?.matches(values[hole] ?? "") != true {
            throw AddressProblem(sentence: "\(field(hole)?.label ?? hole) has not the form that \(name) gives it.")
        }
        let address = Holes.address(text, values)
        guard address.hasPrefix("https://"), (try? OutboundURL(address)) != nil else {
            throw AddressProblem(sentence: "\(name) can only be reached at an address that begins with https://.")
        }
        return address
    }
}

extension Provider {
    /// Whether each connection has a redirect address of its own: where its set-up names the server, or an organization
    /// described the service. Such a server is trusted by that connection alone, and a code that was meant for one never
    /// reaches another (RFC 9700 §4.4.2.2; draft-ietf-oauth-security-topics-update §2.2).
    var hasOwnRedirects: Bool {
        isOwn || [oauth?.authorizeURL, oauth?.tokenURL].contains { $0?.hasPrefix("{") == true }
    }
}
