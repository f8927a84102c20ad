import AdminShell
import HTTPKit
import JSONKit

/// Connections as the API's description has them.
extension ConnectionRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .providersJSON: Self.providersAPI
        case .providerJSON: Self.providerAPI
        case .listJSON: Self.listAPI
        case .json: Self.connectionAPI
        case .statusJSON: Self.statusAPI
        case .testJSON: Self.testAPI
        case .checksJSON: Self.checksAPI
        case .syncJSON: Self.syncAPI
        case .credentialsJSON: Self.credentialsAPI
        case .authorizeJSON: Self.authorizeAPI
        case .exchangeJSON: Self.exchangeAPI
        case .callbackNoticeJSON: Self.callbackAPI
        case .refreshJSON: Self.refreshAPI
        case .disconnectJSON: Self.disconnectAPI
        case .proxy: Self.proxyAPI
        default: nil
        }
    }

    static let tag = APITag(
        "Connections",
        "Services that the organization is connected to. Wherever a connection is named, its id, `provider:name` or the provider alone, for the one named `default`, will do."
    )

    /// By what scripts call a connection.
    static let name = APIParameter.path(
        "connection", .text(1...129, pattern: "^[A-Za-z0-9_:-]+$", example: "telegram:alerts"),
        "The connection's id, `provider:name`, or `provider` alone.")

    private static func at(
        _ rest: String, isVersioned: Bool = false, _ operations: [Method: APIOperation]
    ) -> APIPath {
        APIPath(
            "/api/v1/connections/{connection}\(rest)", tag, parameters: [name], isVersioned: isVersioned, operations)
    }

    // MARK: Looking and changing

    private static let listAPI = APIPath(
        "/api/v1/connections", tag,
        [
            .get: APIOperation(
                "listConnections", "Lists the connections, those named `default` first.",
                parameters: [
                    .query("provider", .list(of: ProviderSchema.key, atMost: 50), "Those of these providers only."),
                    .query(
                        "search", .words(1...200, example: "tele"),
                        "Those whose name, provider or provider's name holds this."),
                    .query("workspace_id", .id, "Those of this workspace only."),
                    .query("status", .word(of: ConnectionStatus.self), "Those in this state only."),
                ], answers: .list(of: ConnectionSchema.connection)),
            .post: APIOperation(
                "createConnection", "Makes a connection.",
                details: "`setup` holds the fields of the provider, as `GET /api/v1/providers/{key}` lists them.",
                body: .body(
                    .required("provider", ProviderSchema.key, "The provider's key."),
                    .optional("name", ConnectionSchema.name, "`default` when it is left out."),
                    .optional("workspace_id", JSONSchema.id.orNull, "The workspace it belongs to."),
                    .optional("setup", ConnectionSchema.setUp, "The values of the provider's fields.")),
                answers: .created(ConnectionSchema.connection), problems: [nameTaken]),
        ])

    private static let connectionAPI = at(
        "", isVersioned: true,
        [
            .get: APIOperation(
                "getConnection", "Shows a connection, its secrets as `***`.", answers: .ok(ConnectionSchema.connection)
            ),
            .patch: APIOperation(
                "changeConnection", "Changes what is sent and keeps the rest, secrets and tokens included.",
                details: "Giving another connection the name `default` swaps the two names.",
                body: .body(
                    .optional("name", ConnectionSchema.name, "Another name."),
                    .optional("workspace_id", JSONSchema.id.orNull, "Another workspace; null for none."),
                    .optional("enabled", .truth(), "Whether it may be used."),
                    .optional("setup", ConnectionSchema.setUp, "Values that change; null takes one away.")),
                answers: .ok(ConnectionSchema.connection), problems: [nameTaken, undecryptable, unknownProvider]),
            .delete: APIOperation(
                "removeConnection", "Removes a connection and ends at the service what was granted.",
                answers: .nothing("It is removed; nothing had been granted."),
                .ok(ConnectionSchema.removed, "It is removed."),
                problems: [
                    APIProblem(
                        409, "default_connection",
                        "The one named `default` stays: disconnect it, or give another this name.")
                ]),
        ])

    private static let statusAPI = at(
        "/status",
        [
            .get: APIOperation(
                "getConnectionStatus", "Says whether a connection works.",
                answers: .ok(
                    .object(
                        .required("connected", .truth(), "Whether it can be used now."),
                        .required("status", .word(of: ConnectionStatus.self), "Its state."),
                        .required("checked_at", JSONSchema.time.orNull, "When it was tried last."))))
        ])

    private static let testAPI = at(
        "/test",
        [
            .post: APIOperation(
                "testConnection", "Tries a connection with the service's cheapest read.",
                answers: .ok(
                    .object(
                        .required("ok", .truth(), "Whether it worked."),
                        .required("status", .word(of: ConnectionStatus.self), "The state after it."),
                        .required(
                            "detail", .text(example: "Telegram answered as @acme_bot."),
                            "What the service said, for people."),
                        .required("duration_ms", .integer(0...600_000, example: 240), "How long it took."),
                        .required("checked_at", JSONSchema.time.orNull, "When it was tried."))),
                problems: usable + [
                    APIProblem(409, "setup_incomplete", "Fields are missing."),
                    APIProblem(409, "sign_in_needed", "Nobody has signed in yet."),
                    APIProblem(429, "tested_just_now", "It is being tested, or was a moment ago."),
                ])
        ])

    private static let checksAPI = at(
        "/checks",
        [
            .get: APIOperation(
                "listConnectionChecks", "Lists how a connection has fared, the newest first.",
                answers: .list(
                    of: .object(
                        .required("id", .id, "The check's id."),
                        .required("kind", .word(of: CheckStore.Kind.self), "What was done."),
                        .required("ok", .truth(), "Whether it worked."),
                        .required("checked_at", .time, "When."),
                        .required("duration_ms", .integer(0...3_600_000, example: 240), "How long it took."),
                        .required(
                            "detail", JSONSchema.text(example: "The token was refused.").orNull, "What went wrong.")
                    ).named("ConnectionCheck")))
        ])

    private static let syncAPI = at(
        "/sync",
        [
            .post: APIOperation(
                "syncConnection", "Reads now what the service says of itself; by itself that happens every hour.",
                answers: .ok(
                    .object(
                        .required("ok", .truth(), "Whether all of it could be read."),
                        .required(
                            "detail", JSONSchema.text(example: "The service did not answer.").orNull, "What could not."),
                        .required("metadata", ConnectionSchema.facts, "What is known now."),
                        .required("last_sync_at", JSONSchema.time.orNull, "When it was read."))),
                problems: usable + [
                    APIProblem(409, "not_connected", "It has no credentials."),
                    APIProblem(409, "nothing_to_sync", "The service has nothing to be read."),
                    APIProblem(429, "synced_just_now", "It was read a moment ago."),
                ])
        ])

    private static let credentialsAPI = at(
        "/credentials",
        [
            .get: APIOperation(
                "getCredentials",
                "Gives the live credentials, renewed if they end soon, and notes it in the audit log.",
                answers: .ok(
                    .object(
                        .required("id", .id, "The connection's id."),
                        .required("provider", ProviderSchema.key, "The provider's key."),
                        .required("name", ConnectionSchema.name, "The connection's name."),
                        .required("kind", JSONSchema.word(of: Provider.Kind.self).orNull, "How one connects."),
                        .required(
                            "credentials", .map(to: .anything, example: ["bot_token": "123456:…"]),
                            "Every value of the set-up, and `access_token` where there is one."))),
                problems: usable + renewal)
        ])

    // MARK: Problems

    static let nameTaken = APIProblem(409, "name_taken", "Another connection to this service has this name.")
    static let undecryptable = APIProblem(409, "undecryptable", "Its secrets cannot be opened.")
    static let unknownProvider = APIProblem(409, "unknown_provider", "Its provider file is gone.")
    static let usable = [
        undecryptable, unknownProvider, APIProblem(409, "connection_disabled", "It is disabled."),
    ]
    static let renewal = [
        APIProblem(409, "not_connected", "Nobody has signed in, or it was disconnected."),
        APIProblem(409, "needs_reauth", "Somebody must sign in again."),
        APIProblem(502, "refresh_failed", "The service does not renew the tokens just now."),
    ]
}

/// What connections look like.
enum ConnectionSchema {
    static let name = JSONSchema.text(1...64, pattern: "^[a-z0-9-]{1,64}$", example: "alerts")

    static let setUp = JSONSchema.map(
        to: .any(of: .text(0...4_096, example: "a value"), .truth(), .integer(example: 1), .null),
        names: "^[a-z][a-z0-9_]{0,63}$", atMost: 64,
        example: ["bot_token": "123456:abcdefghijklmnopqrstuvwxyz012345678"])

    static let facts = JSONSchema.list(
        of: .object(
            .required("label", .text(example: "Bot"), "What it is."),
            .required("value", .text(example: "@acme_bot"), "What the service says.")))

    static let revocation = JSONSchema.object(
        .required(
            "outcome", .word(of: ["revoked", "not_supported", "shared", "nothing", "queued", "failed"]),
            "What became of the grant at the service."),
        .required("detail", .text(example: "Google has revoked the access."), "The same for people."))

    static let removed = JSONSchema.object(
        .required("id", .id, "The connection's id."),
        .required("revocation", revocation, "What became of the grant at the service."))

    private static let scopes = JSONSchema.object(
        .required("requested", list, "What was asked for."),
        .required("granted", list.orNull, "What was granted; null where the service does not say."),
        .required("missing", list, "What was asked for and not granted."))
    private static let list = JSONSchema.list(of: .text(example: "calendar.events"))

    static let connection = JSONSchema.object(
        .required("id", .id, "The connection's id."),
        .required("provider", ProviderSchema.key, "The provider's key."),
        .required("name", name, "The connection's name."),
        .required("workspace_id", JSONSchema.id.orNull, "The workspace it belongs to."),
        .required(
            "kind", JSONSchema.word(of: Provider.Kind.self).orNull,
            "How one connects; null when the provider file is gone."),
        .required("status", .word(of: ConnectionStatus.self), "Its state."),
        .required(
            "status_detail", .text(example: "It worked when it was tried last."),
            "The state in a sentence that says what to do."),
        .required("enabled", .truth(), "Whether it may be used."),
        .required(
            "setup", .map(to: .anything, example: ["bot_token": "***", "chat_id": "42"]),
            "The set-up; a secret is `***` when it is there, null when not."),
        .required("access", JSONSchema.text(example: "@acme_bot").orNull, "As whom the service knows us."),
        .required("metadata", facts, "What the service says of itself."),
        .required("scopes", scopes.orNull, "What was asked for beside what was granted; null where nobody signs in."),
        .required("checked_at", JSONSchema.time.orNull, "When it was tried last."),
        .required("authorized_at", JSONSchema.time.orNull, "When somebody signed in."),
        .required("expires_at", JSONSchema.time.orNull, "When the access token ends."),
        .required("refreshed_at", JSONSchema.time.orNull, "When it was renewed last."),
        .required("grant_ends_at", JSONSchema.time.orNull, "When somebody must sign in again."),
        .required("last_sync_at", JSONSchema.time.orNull, "When the metadata was read."),
        .required(
            "sync_error", JSONSchema.text(example: "The service did not answer.").orNull,
            "What of it could not be read."),
        .required("created_at", .time, "When it was made."),
        .required("updated_at", .time, "When it was changed last.")
    ).named("Connection")
}
