import AdminShell
import HTTPKit
import JSONKit

/// Signing in at services, renewing, disconnecting and passing calls on, as the API's description has them.
extension ConnectionRoute {
    private static func at(_ rest: String, _ operations: [Method: APIOperation]) -> APIPath {
        APIPath("/api/v1/connections/{connection}\(rest)", tag, parameters: [name], operations)
    }

    static let authorizeAPI = at(
        "/authorize",
        [
            .post: APIOperation(
                "beginSignIn", "Begins a sign-in: send the browser to `url`.",
                details: "Only the caller who began a sign-in can end it, once, within ten minutes.",
                body: .body(
                    .optional(
                        "return_to", .text(1...500, pattern: #"^/([!-\[\]-~][!-\[\]-~]*)?$"#, example: "/settings"),
                        "The path of this site where the browser goes in the end."),
                    .optional(
                        "scopes",
                        .list(of: .text(1...200, pattern: #"^[!#-\[\]-~]+$"#, example: "calendar.events"), atMost: 100),
                        "What to ask for; the same as before when left out.")
                ), isBodyOptional: true,
                answers: .ok(
                    .object(
                        .required(
                            "url", .url(example: "https://accounts.google.com/o/oauth2/v2/auth?state=…"),
                            "Where the browser goes."),
                        .required("state", .text(example: "Zx3…"), "By which the answer is recognised."),
                        .required("expires_at", .time, "Until when it can be ended."))),
                problems: [
                    undecryptable, unknownProvider, noSignIn,
                    APIProblem(409, "setup_incomplete", "Fields are missing."),
                ])
        ])

    static let exchangeAPI = at(
        "/exchange",
        [
            .post: APIOperation(
                "endSignIn", "Ends a sign-in with what the service sent back.",
                details: "Either `code` and `state`, or the whole `query` for services that sign it.",
                body: .body(
                    .optional("code", .text(1...4_096, example: "4/0AX4…"), "The authorization code."),
                    .optional("state", .text(1...4_096, example: "Zx3…"), "The state that the sign-in began with."),
                    .optional("query", .text(1...4_096, example: "code=4/0AX4…&state=Zx3…"), "The whole query.")
                ).example(["code": "4/0AX4…", "state": "Zx3…"]), answers: .ok(ConnectionSchema.connection),
                problems: [noSignIn] + failures)
        ])

    static let callbackAPI = APIPath(
        "/api/v1/connections/callback", tag,
        [
            .get: APIOperation(
                "getCallbackNotice",
                "Says that each service has a redirect address of its own: `/connections/callback/{provider}`.",
                problems: [APIProblem(404, "callback_per_provider", "There is none for all services.")])
        ])

    static let refreshAPI = at(
        "/refresh",
        [
            .post: APIOperation(
                "refreshConnection", "Renews the tokens; many who ask at once make one call to the service.",
                answers: .ok(ConnectionSchema.connection),
                problems: usable + renewal + [APIProblem(409, "not_refreshable", "The service gave no refresh token.")])
        ])

    static let disconnectAPI = at(
        "/disconnect",
        [
            .post: APIOperation(
                "disconnectConnection",
                "Drops the credentials, here and at the service, and keeps the rest of the set-up.",
                answers: .ok(
                    ConnectionSchema.connection.joined(
                        with: .required(
                            "revocation", ConnectionSchema.revocation, "What became of the grant at the service."))))
        ])

    private static let noSignIn = APIProblem(409, "no_sign_in", "Nobody signs in at this service.")

    /// What can become of a sign-in.
    private static let failures = [
        APIProblem(
            400, "state_unknown", "No sign-in began with this state (also `state_missing`, `malformed_callback`)."),
        APIProblem(400, "state_used", "The sign-in was ended already."),
        APIProblem(400, "state_expired", "The sign-in began too long ago."),
        APIProblem(400, "state_of_another_session", "Another caller began the sign-in."),
        APIProblem(
            409, "access_denied",
            "Nothing was granted; also `provider_error`, `invalid_grant`, `invalid_client`, `insufficient_scope`."),
        APIProblem(
            409, "wrong_provider",
            "Somebody else answered; also `wrong_issuer`, `wrong_tenant`, `bad_signature`."),
        APIProblem(409, "changed_meanwhile", "The connection was changed since the sign-in began."),
        APIProblem(502, "unreachable", "The service could not be reached, or its answer was lost."),
    ]

    // MARK: Passing on

    static let proxyAPI = APIPath(
        "/api/v1/connections/{connection}/proxy/{path}", tag,
        parameters: [
            name,
            .path(
                "path", .text(example: "drive/v3/about"),
                "The path at the service; it may hold slashes, and its query goes along."),
        ],
        isPassedOn: true,
        Dictionary(
            uniqueKeysWithValues: [Method.get, .options, .post, .put, .patch, .delete].map { ($0, passing($0)) }))

    private static func passing(_ method: Method) -> APIOperation {
        let verb = method.name.lowercased()
        return APIOperation(
            "proxy\(verb.prefix(1).uppercased() + verb.dropFirst())",
            "Passes a \(method.name) on to the service with the connection's credentials.",
            details:
                "On 401 the tokens are renewed and the call repeated once; 429 and 503 are waited for as `Retry-After` says, within the deadline."
                + (method == .get
                    ? " Where GET is no mere reading at the service, it needs `connections:write` as the other methods do."
                    : ""),
            answers: .passedOn("What the service answered, or a problem of the hub's own."))
    }
}
