import CipherKit
import ClientKit
import Domain
import HTTPKit
import LogKit

/// Why a sign-in came to nothing.
struct AuthorizationFailure: Error, Sendable {
    /// What went wrong, for scripts and the audit log.
    enum Code: String, Sendable {
        case stateMissing = "state_missing"
        case stateUnknown = "state_unknown"
        case stateUsed = "state_used"
        case stateExpired = "state_expired"
        /// Another session, or another script, began it.
        case otherOwner = "state_of_another_session"
        /// It came back to the address of another service.
        case otherProvider = "wrong_provider"
        case wrongIssuer = "wrong_issuer"
        case malformed = "malformed_callback"
        case badSignature = "bad_signature"
        case otherTenant = "wrong_tenant"
        case accessDenied = "access_denied"
        /// The service ended it for another reason.
        case refused = "provider_error"
        /// Somebody changed the connection meanwhile.
        case changed = "changed_meanwhile"
        case invalidGrant = "invalid_grant"
        case invalidClient = "invalid_client"
        case insufficientScope = "insufficient_scope"
        /// The service could not be reached, or its answer was lost.
        case unreachable
    }

    let code: Code
    /// What happened and what to do, without secrets.
    let sentence: String
}

extension AuthorizationFailure {
    init(_ failure: TokenFailure) {
        sentence = failure.sentence
        code =
            switch failure.code {
            case .grantEnded: .invalidGrant
            case .clientRefused: .invalidClient
            case .insufficientScope: .insufficientScope
            case .refused: .refused
            case .later, .ambiguous: .unreachable
            }
    }
}

/// What a service sent the browser back with.
struct Callback: Sendable {
    /// The query, taken apart.
    let query: Form
    /// The address where it arrived, without its query.
    let redirectURI: String

    /// A parameter that must not come twice (RFC 6749 §3.1); nil for none, and for an empty one.
    func one(_ name: String) throws(AuthorizationFailure) -> String? {
        let values = query.all(name)
        guard values.count <= 1 else {
            throw AuthorizationFailure(
                code: .malformed, sentence: "The answer has \(name) more than once. Start again.")
        }
        return values.first.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The state, of the form that the hub gives it.
    func state() throws(AuthorizationFailure) -> FlowState {
        guard let text = try one("state") else {
            throw AuthorizationFailure(
                code: .stateMissing, sentence: "The answer does not say which sign-in it belongs to. Start again.")
        }
        guard let state = FlowState(text) else { throw .unknownState }
        return state
    }
}

extension AuthorizationFailure {
    /// A state that the hub never made, or forgot.
    static let unknownState = AuthorizationFailure(
        code: .stateUnknown, sentence: "This sign-in is unknown or ended long ago. Start again.")

    /// Why a state cannot be used.
    init(unusable flow: AuthorizationFlow, by owner: FlowOwner) {
        if !equalInConstantTime(flow.owner, owner.digest) {
            self.init(
                code: .otherOwner,
                sentence:
                    "This sign-in was begun in another session, which alone can end it. Nothing was connected. Start it here if you want it."
            )
        } else if flow.usedAt != nil {
            self.init(code: .stateUsed, sentence: "This sign-in was used already. Start again if it did not connect.")
        } else {
            self.init(code: .stateExpired, sentence: "This sign-in took longer than ten minutes. Start again.")
        }
    }
}

/// A callback held against the sign-in that it claims to end.
struct CallbackCheck: Sendable {
    let callback: Callback
    let flow: AuthorizationFlow
    let provider: Provider
    let oauth: ProviderOAuth
    let values: [String: String]

    /// The code, once everything about the answer was found to be right.
    func code() throws(AuthorizationFailure) -> Secret<String> {
        // Distinct redirect addresses tell services apart that send no `iss` (RFC 9700 §4.4.2.2).
        guard callback.redirectURI == flow.redirectURI, flow.provider == provider.key else {
            throw AuthorizationFailure(
                code: .otherProvider,
                sentence:
                    "The answer came to the address of another service than \(provider.name). Nothing was connected."
            )
        }
        try checkIssuer()
        try checkError()
        if oauth.signsCallback { try checkSignature() }
        try checkTenant()
        guard var code = try callback.one("code"), code.utf8.count <= 4_096,
            code.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        else {
            throw AuthorizationFailure(code: .malformed, sentence: "\(provider.name) sent no code back. Start again.")
        }
        // Instagram appends it, and it is no part of the code.
        if code.hasSuffix("#_") { code.removeLast(2) }
        return Secret(code)
    }

    /// > clients that support this specification MUST extract the value of the "iss" parameter … and compare the result
    /// > to the issuer identifier of the authorization server where the authorization request was sent     RFC 9207 §2.4
    ///
    /// Of a service that names no issuer beforehand the one that comes must be at the server where people sign in:
    /// services begin to send it without a word, and §2.4 leaves it to the client which of them it believes.
    private func checkIssuer() throws(AuthorizationFailure) {
        let given = try callback.one("iss")
        let expected = oauth.issuer(values)
        guard let given else {
            if expected != nil, oauth.requiresIssuer { throw wrongIssuer }
            return
        }
        guard expected.map({ $0 == given }) ?? isHere(given) else { throw wrongIssuer }
    }

    /// Whether an address is at the server where people sign in.
    private func isHere(_ issuer: String) -> Bool {
        let asked = (try? provider.address(oauth.authorizeURL, values)).flatMap { try? OutboundURL($0).origin }
        return asked != nil && (try? OutboundURL(issuer).origin) == asked
    }

    private var wrongIssuer: AuthorizationFailure {
        // Where the set-up has a place for it, it may be that nobody has entered it yet.
        let isOpen = oauth.issuer != nil && oauth.issuer(values) == nil
        let hint = isOpen ? " If its issuer is at another address, enter it." : ""
        return AuthorizationFailure(
            code: .wrongIssuer,
            sentence: "The answer does not come from \(provider.name), as it ought to. Nothing was connected.\(hint)")
    }

    private func checkError() throws(AuthorizationFailure) {
        guard let error = try callback.one("error") else { return }
        let conceal = Concealing(provider, values)
        let (description, message) = (try callback.one("error_description"), try callback.one("error_message"))
        let words = description ?? message
        let said = words.map { " It said: “\(conceal($0))”." } ?? ""
        switch error {
        case "access_denied", "user_denied", "user_cancelled_authorize":
            throw AuthorizationFailure(
                code: .accessDenied,
                sentence: "Access denied at \(provider.name).\(said) Connect again and allow it, or ask for less.")
        case "invalid_scope", "insufficient_scope":
            throw AuthorizationFailure(
                code: .insufficientScope,
                sentence:
                    "Insufficient scope: \(provider.name) does not grant what was asked for.\(said) Ask for less, or let the app have it there."
            )
        default:
            let name = conceal(error, atMost: 60)
            throw AuthorizationFailure(
                code: .refused, sentence: "\(provider.name) ended the sign-in (\(name)).\(said) Start again.")
        }
    }

    /// The hex HMAC-SHA256 of the query's other parameters in the order of their names, joined as a query, with the
    /// client's secret: shopify.dev, "Verify the installation request".
    private func checkSignature() throws(AuthorizationFailure) {
        let given = try callback.one("hmac") ?? ""
        let signed = callback.query.pairs.filter { $0.name != "hmac" && $0.name != "signature" }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
        let message = signed.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let expected = Hex.encode(
            HMAC.sha256(Array(message.utf8), key: Array((values["client_secret"] ?? "").utf8)))
        guard equalInConstantTime(Array(given.lowercased().utf8), Array(expected.utf8)) else {
            throw AuthorizationFailure(
                code: .badSignature,
                sentence:
                    "The answer is not signed with this client's secret. Check the client secret, then connect again.")
        }
    }

    /// The tenant that answers must be the one that was asked.
    private func checkTenant() throws(AuthorizationFailure) {
        guard let field = oauth.tenantField else { return }
        let asked = (try? provider.address(oauth.authorizeURL, values)).flatMap { try? OutboundURL($0).origin.host }
        let answered = try callback.one(field)?.lowercased()
        guard let asked, answered == asked || answered == values[field]?.lowercased() else {
            throw AuthorizationFailure(
                code: .otherTenant,
                sentence:
                    "Somebody signed in at another \(provider.field(field)?.label ?? field) than this connection names. Nothing was connected."
            )
        }
    }
}
