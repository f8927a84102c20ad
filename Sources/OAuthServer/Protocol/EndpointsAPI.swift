import AdminShell
import HTTPKit
import JSONKit

/// The protocol's addresses that clients call, as the API's description has them.
extension OAuthEndpointRoute {
    /// What clients can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .authorize, .continueAuthorization: nil
        case .token: Self.tokenAPI
        case .revoke: Self.revokeAPI
        case .introspect: Self.introspectAPI
        case .push: Self.pushAPI
        case .deviceAuthorization: Self.deviceAPI
        case .metadata: Self.metadataAPI
        case .resourceMetadata: Self.resourceMetadataAPI
        }
    }

    private static let tag = APITag(
        "OAuth 2.0", "How apps get tokens (RFC 6749); everything about these addresses is told by the metadata.")

    private static let failures: [APIAnswer] = [
        .status(400, error, "What was sent is refused (RFC 6749 §5.2)."),
        .status(401, error, "The client has not proved itself: `invalid_client`."),
        .status(415, error, "The body is no form."),
        .status(429, error, "There were too many wrong secrets; `Retry-After` says for how long."),
        .status(500, error, "Something went wrong here: `server_error`."),
        .status(503, error, "Not just now: `temporarily_unavailable`."),
    ]

    private static func post(
        _ path: String, _ id: String, _ summary: String, _ body: JSONSchema, _ answer: APIAnswer
    ) -> APIPath {
        APIPath(
            path, tag,
            [.post: APIOperation(id, summary, form: body, answers: [answer] + failures)])
    }

    private static let tokenAPI = post(
        "/oauth/token", "getToken", "Gives an app tokens for a code, a refresh token, a device code, or for itself.",
        .body(
            .required("grant_type", .word(of: GrantType.allCases.map(\.rawValue)), "What the tokens are given for."),
            .optional("code", secret, "The authorization code."),
            .optional("redirect_uri", uri, "Where the code was sent."),
            .optional("code_verifier", .text(43...128, example: verifier), "What the code's challenge was made of."),
            .optional("refresh_token", secret, "The refresh token."),
            .optional("device_code", secret, "The device code."), .optional("scope", scope, "Less than was granted."),
            .optional("resource", uri, "What the token is for (RFC 8707)."), clientID, clientSecret), .ok(tokens))

    private static let revokeAPI = post(
        "/oauth/revoke", "revokeToken", "Gives a token back (RFC 7009); one that is not known is revoked already.",
        .body(
            .required("token", secret, "An access or refresh token."),
            .optional("token_type_hint", .text(0...100, example: "refresh_token"), "Is not needed."), clientID,
            clientSecret), .status(200, nil, "It opens nothing any more."))

    private static let introspectAPI = post(
        "/oauth/introspect", "introspectToken", "Tells what a token is good for (RFC 7662).",
        .body(
            .required("token", secret, "An access or refresh token."),
            .optional("token_type_hint", .text(0...100, example: "access_token"), "Is not needed."), clientID,
            clientSecret), .ok(introspection))

    private static let pushAPI = post(
        "/oauth/par", "pushAuthorizationRequest", "Takes an authorization request before anybody is sent (RFC 9126).",
        .body(
            .required("response_type", .word(of: ["code"]), "Codes alone are given."),
            .required("redirect_uri", uri, "Where the code is sent."),
            .required("code_challenge", .text(43...43, example: challenge), "The SHA-256 of the verifier."),
            .required("code_challenge_method", .word(of: ["S256"]), "How it was made."),
            .optional("scope", scope, "What is asked for."),
            .optional("state", .text(0...8_000, example: "af0ifjsldkj"), "What comes back as it is."),
            .optional("resource", uri, "What the tokens are for (RFC 8707)."), clientID, clientSecret),
        .status(
            201,
            .object(
                .required(
                    "request_uri", .text(example: "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"),
                    "By which it is named, once."),
                .required("expires_in", .integer(1...600, example: 60), "For how many seconds.")), "It waits."))

    private static let deviceAPI = post(
        "/oauth/device_authorization", "authorizeDevice",
        "Begins the sign-in of a device without a browser (RFC 8628).",
        .body(
            .optional("scope", scope, "What is asked for."),
            .optional("resource", uri, "What the tokens are for (RFC 8707)."), clientID, clientSecret),
        .ok(
            .object(
                .required("device_code", secret, "By which the device asks."),
                .required("user_code", .text(9...9, example: "WDJB-MJHT"), "What a person types."),
                .required("verification_uri", uri, "Where they type it."),
                .required("verification_uri_complete", uri, "The same with the code."),
                .required("expires_in", .integer(1...3_600, example: 600), "For how many seconds."),
                .required("interval", .integer(1...60, example: 5), "How many seconds lie between two questions."))))

    private static let metadataAPI = APIPath(
        "/.well-known/oauth-authorization-server", tag,
        [.get: APIOperation("getOAuthMetadata", "Tells what this server can do (RFC 8414).", answers: .ok(document))])

    private static let resourceMetadataAPI = APIPath(
        "/.well-known/oauth-protected-resource", tag,
        [
            .get: APIOperation(
                "getOAuthResourceMetadata", "Tells who gives tokens for this interface (RFC 9728).",
                answers: .ok(
                    .object(
                        .required("resource", uri, "What tokens are meant for."),
                        .required("authorization_servers", .list(of: uri), "Who gives them."),
                        .required("scopes_supported", .list(of: scope), "What can be asked for."),
                        .required("bearer_methods_supported", .list(of: .word(of: ["header"])), "How they are sent."),
                        .required("resource_documentation", uri, "For people."))))
        ])

    // MARK: Parts

    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    private static let uri = JSONSchema.text(3...2_000, example: "https://site.example/hub")
    private static let scope = JSONSchema.text(0...2_000, example: "connections:read")
    private static let secret = JSONSchema.text(1...200, example: "hub_at_00Fh1yR8mP0bQp6M5sX0aT")
    private static let clientID = JSONSchema.Field.optional(
        "client_id", .text(1...64, example: "app_00Fh1yR8mP0bQp6M5sX0aT"), "Which app asks, unless Basic says so.")
    private static let clientSecret = JSONSchema.Field.optional(
        "client_secret", .text(1...200, example: "hub_cs_kJ4Qm"), "Its secret, unless Basic says so.")

    private static let error = JSONSchema.object(
        .required("error", .text(1...64, example: "invalid_grant"), "A registered word."),
        .required("error_description", .text(1...300, example: "The code has ended."), "A hint for the app's author.")
    ).named("OAuthError")

    private static let tokens = JSONSchema.object(
        .required("access_token", secret, "What opens the interface."),
        .required("token_type", .word(of: ["Bearer"]), "How it is sent."),
        .required("expires_in", .integer(0...86_400, example: 3_600), "For how many seconds."),
        .optional("refresh_token", secret, "By which it is renewed, once."),
        .required("scope", scope, "What it may do.")
    ).named("OAuthTokens")

    private static let introspection = JSONSchema.object(
        .required("active", .truth(example: true), "Whether it opens anything; if not, nothing more is said."),
        .optional("scope", scope, "What it may do."),
        .optional("client_id", .text(1...64, example: "app_00Fh1yR8mP0bQp6M5sX0aT"), "Which app holds it."),
        .optional("token_type", .text(1...20, example: "Bearer"), "What it is."),
        .optional("exp", .integer(0...253_402_300_799, example: 1_800_003_600), "When it ends, in seconds since 1970."),
        .optional("iat", .integer(0...253_402_300_799, example: 1_800_000_000), "When it was given."),
        .optional("sub", .text(1...64, example: "app_00Fh1yR8mP0bQp6M5sX0aT"), "For whom: a person's id, or the app."),
        .optional("aud", .list(of: uri), "For which servers."), .optional("iss", uri, "Who gave it."),
        .optional("organization_id", .id, "Which organization it is about."),
        .optional("username", .text(1...254, example: "ana@acme.example"), "The person's address.")
    ).named("OAuthIntrospection")

    private static let document = JSONSchema.object(
        .required("issuer", uri, "Who gives the tokens."),
        .required("authorization_endpoint", uri, "Where browsers are sent."),
        .required("token_endpoint", uri, "Where tokens are given."),
        .required("revocation_endpoint", uri, "Where they are given back."),
        .required("introspection_endpoint", uri, "Where it is told what they are good for."),
        .required("pushed_authorization_request_endpoint", uri, "Where requests are pushed."),
        .required("device_authorization_endpoint", uri, "Where devices begin."),
        .optional("registration_endpoint", uri, "Where programs register themselves."),
        .required("scopes_supported", .list(of: scope), "What can be asked for."),
        .required("response_types_supported", .list(of: .word(of: ["code"])), "Codes alone."),
        .required("response_modes_supported", .list(of: .word(of: ["query"])), "How they come."),
        .required("grant_types_supported", .list(of: .word(of: GrantType.allCases.map(\.rawValue))), "For what."),
        .required("token_endpoint_auth_methods_supported", .list(of: proof), "How clients prove themselves."),
        .required("revocation_endpoint_auth_methods_supported", .list(of: proof), "The same there."),
        .required("introspection_endpoint_auth_methods_supported", .list(of: proof), "The same there."),
        .required("code_challenge_methods_supported", .list(of: .word(of: ["S256"])), "PKCE is required."),
        .required("authorization_response_iss_parameter_supported", .truth(example: true), "RFC 9207."),
        .required("require_pushed_authorization_requests", .truth(example: false), "Some apps must."),
        .required("protected_resources", .list(of: uri), "What tokens open.")
    ).named("OAuthMetadata")

    private static let proof = JSONSchema.word(of: ["client_secret_basic", "client_secret_post", "none"])
}
