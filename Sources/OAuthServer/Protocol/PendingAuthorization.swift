import Domain
import HTTPKit

/// A client's request for somebody's consent, everything about it checked against the app as it is registered.
struct PendingAuthorization: Sendable {
    /// Under which name it waits for its person; empty while it waits nowhere.
    var id = ""
    let app: AppRecord
    /// Where the browser is sent back to, exactly as the client wrote it.
    let redirectURI: String
    let scopes: [Scope]
    /// What the client wants to hear again, byte for byte.
    let state: String?
    let challenge: CodeChallenge
    let resources: [String]
    /// The client wants the person to be asked whatever was consented to before.
    let forcesConsent: Bool
}

/// Why a request for consent goes no further.
enum AuthorizationRefusal: Error {
    /// Nobody may be sent anywhere: the client or the address of return is not known.
    ///
    /// > the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the
    /// > user agent to the invalid redirection URI.     RFC 6749 §4.1.2.1
    case shown(Problem)
    /// The client is told by way of the browser.
    case returned(OAuthError, AuthorizationReturn)
}

/// Where a browser goes back to, and what the client wants to hear again.
struct AuthorizationReturn: Sendable {
    let redirectURI: String
    let state: String?

    /// The address with the client's state, the issuer and more parameters.
    ///
    /// > The endpoint URI MAY include an "application/x-www-form-urlencoded" formatted query component, which MUST be
    /// > retained when adding additional query parameters.     RFC 6749 §3.1.2
    ///
    /// > the authorization server MUST indicate its identity by including the iss parameter in the response.
    /// >     RFC 9207 §2
    func address(_ parameters: [(String, String)], issuer: String) -> String {
        var pairs = parameters
        if let state { pairs.append(("state", state)) }
        pairs.append(("iss", issuer))
        return redirectURI + (redirectURI.contains("?") ? "&" : "?") + Form(pairs).urlencoded
    }

    /// The address that tells of an error.
    func address(_ error: OAuthError, issuer: String) -> String {
        address([("error", error.code.rawValue), ("error_description", error.hint)], issuer: issuer)
    }
}

/// Reads requests for consent.
struct AuthorizationReader {
    /// The parameters that are read: others are not kept, so that what is kept stays within bounds.
    static let names: Set<String> = [
        "client_id", "redirect_uri", "state", "response_type", "response_mode", "request", "scope", "resource",
        "code_challenge", "code_challenge_method", "prompt",
    ]

    /// Scheme, host and port of this site.
    let origin: String
    /// Finds an app by its client id.
    let find: (String) throws -> AppRecord?
    /// Takes out what an app has pushed under a name; nil when there is nothing, or no longer.
    let pushed: (String, AppRecord) throws -> Form?

    /// Reads the parameters of a request, just sent or kept since: a client that nobody knows and an address that is not
    /// its own come first, since the browser must not be sent there. The app may have been changed since they were kept.
    ///
    /// - Throws: ``AuthorizationRefusal``; `DatabaseError`.
    func request(_ parameters: Form) throws -> PendingAuthorization {
        let app = try app(parameters)
        guard let redirectURI = OAuthForm.lone("redirect_uri", in: parameters),
            app.redirectURI(matching: redirectURI) != nil
        else { throw AuthorizationRefusal.shown(.unknownReturnAddress) }
        let back = AuthorizationReturn(redirectURI: redirectURI, state: OAuthForm.lone("state", in: parameters))
        do throws(OAuthError) {
            let form = try OAuthForm(parameters)
            guard !app.requiresPushedRequests || form["request_uri"] != nil else {
                throw OAuthError(.invalidRequest, "This app must push its requests first (RFC 9126).")
            }
            return try Self.request(form, of: app, back, at: origin)
        } catch {
            throw AuthorizationRefusal.returned(error, back)
        }
    }

    /// The app that a request is of, if it may be used.
    func app(_ query: Form) throws -> AppRecord {
        guard let clientID = OAuthForm.lone("client_id", in: query), let app = try find(clientID), app.isUsable else {
            throw AuthorizationRefusal.shown(.unknownApp)
        }
        return app
    }

    /// The parameters that count: those of a pushed request when one is named, which is taken out and whose name stays
    /// with them, and then no others.
    func parameters(_ query: Form) throws -> Form {
        let named = query.all("request_uri").filter { !$0.isEmpty }
        guard let name = named.first else { return query }
        guard named.count == 1, let found = try pushed(name, app(query)) else {
            throw AuthorizationRefusal.shown(
                Problem(
                    400, "invalid_request_uri",
                    "The app's request is not known, has ended, or was used before. Go back to the app and begin again."
                ))
        }
        return Form(pairs: found.pairs + [(name: "request_uri", value: name)])
    }

    /// Reads what a client asks for, once it is known who it is and where its answer goes.
    static func request(
        _ form: OAuthForm, of app: AppRecord, _ back: AuthorizationReturn, at origin: String
    ) throws(OAuthError) -> PendingAuthorization {
        guard form["request"] == nil else {
            throw OAuthError(.invalidRequest, "Request objects are not taken; push the request instead (RFC 9126).")
        }
        guard let type = form["response_type"] else {
            throw OAuthError(.invalidRequest, "response_type is missing; it must be code.")
        }
        guard type == "code" else {
            throw OAuthError(.unsupportedResponseType, "response_type must be code; nothing else is given here.")
        }
        guard form["response_mode"] ?? "query" == "query" else {
            throw OAuthError(.invalidRequest, "response_mode must be query.")
        }
        guard app.grants.contains(.authorizationCode) else {
            throw OAuthError(.unauthorizedClient, "This app is not registered for authorization codes.")
        }
        let challenge = try CodeChallenge(challenge: form["code_challenge"], method: form["code_challenge_method"])
        let scopes = try Self.scopes(form, of: app)
        return PendingAuthorization(
            app: app, redirectURI: back.redirectURI, scopes: scopes, state: back.state, challenge: challenge,
            resources: try ResourceIndicator.list(form.all("resource"), at: origin),
            forcesConsent: try forcesConsent(form))
    }

    /// The scopes asked for; all that the app is registered for when it says nothing.
    ///
    /// > If the client omits the scope parameter when requesting authorization, the authorization server MUST either process
    /// > the request using a pre-defined default value or fail the request indicating an invalid scope.     RFC 6749 §3.3
    static func scopes(_ form: OAuthForm, of app: AppRecord) throws(OAuthError) -> [Scope] {
        let scopes = try Scope.asked(form["scope"]) ?? app.scopes
        guard !scopes.isEmpty, scopes.areCovered(by: app.scopes) else {
            throw OAuthError(.invalidScope, "A scope is asked for that this app is not registered for.")
        }
        return scopes
    }

    private static func forcesConsent(_ form: OAuthForm) throws(OAuthError) -> Bool {
        switch form["prompt"] {
        case nil, "login", "select_account": return false
        case "consent": return true
        case "none":
            throw OAuthError(.accessDenied, "prompt=none cannot be granted: a person is always asked here first.")
        default: throw OAuthError(.invalidRequest, "prompt may be consent; nothing else is known here.")
        }
    }
}

extension Problem {
    static let unknownApp = Problem(
        400, "invalid_client",
        "The address that led here names no app that is registered and in use here. Nobody was sent back to it.")
    static let unknownReturnAddress = Problem(
        400, "invalid_redirect_uri",
        "The app wants you sent to an address that is not registered for it, so nobody was sent anywhere. "
            + "Its author must send redirect_uri exactly as it is registered.")
    static let authorizationOver = Problem(
        410, "authorization_request_over",
        "The app's request has ended or was answered already. Go back to the app and begin again.")
}
