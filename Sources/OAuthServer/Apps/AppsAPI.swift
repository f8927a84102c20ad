import AdminShell
import HTTPKit
import JSONKit

/// Apps as the API's description has them.
extension OAuthAppRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .listJSON: Self.appsAPI
        case .appJSON: Self.appAPI
        case .rollJSON: Self.rollAPI
        case .previousJSON: Self.previousAPI
        case .disableJSON: Self.disableAPI
        case .enableJSON: Self.enableAPI
        case .tokensJSON: Self.tokensAPI
        case .tokenJSON: Self.tokenAPI
        case .list, .create, .show, .edit, .roll, .endPrevious, .disable, .enable, .delete, .tokens, .revokeTokens,
            .revokeToken:
            nil
        }
    }

    private static let tag = APITag(
        "OAuth apps", "Programs that ask for access by OAuth 2.0. A secret is shown once, when it is made.")

    private static let appsAPI = APIPath(
        "/api/v1/oauth-apps", tag,
        [
            .get: APIOperation(
                "listOAuthApps", "Lists the apps of the organization, without their secrets.",
                parameters: [
                    .query("state", .word(of: AppFilter.State.self), "Apps in this state alone."),
                    .query("q", .words(1...100, example: "export"), "A part of the name, or a client id."),
                ], answers: .list(of: app)),
            .post: APIOperation(
                "createOAuthApp", "Makes an app; shows the secret of a confidential one, this once.",
                details: "An app never exceeds its maker: a scope that the caller lacks is refused with 403.",
                body: .body(
                    .required("name", name, "What it is called; people read it when they are asked."),
                    .optional("description", about.orNull, "What it is for."),
                    .optional("redirect_uris", uris.orNull, "Where the browser comes back to, exactly."),
                    .required("scopes", .list(of: scope, atLeast: 1, atMost: Input.mostScopes), "What it may ask for."),
                    .optional("website_url", link.orNull, "Where people learn more."),
                    .optional("privacy_policy_url", link.orNull, "What it does with what it learns."),
                    .optional("confidential", .truth(), "Whether it can keep a secret; true when left out."),
                    .optional("grant_types", grants.orNull, "How it may ask; by `confidential` when left out."),
                    .optional(
                        "require_pushed_authorization_requests", JSONSchema.truth(example: false).orNull,
                        "Whether it must push what it asks for (RFC 9126)."),
                    .optional("rate_limit", wantedLimit.orNull, "How often all its tokens may be used.")),
                answers: .created(newApp),
                problems: [APIProblem(409, "too_many_apps", "The user has as many apps as are allowed.")]),
        ])

    private static let appAPI = APIPath(
        "/api/v1/oauth-apps/{id}", tag, isVersioned: true,
        [
            .get: APIOperation("getOAuthApp", "Shows an app, without its secret.", answers: .ok(app)),
            .patch: APIOperation(
                "changeOAuthApp", "Changes what is given of an app; null stands for what is usual, if anything is.",
                details: "Whether an app can keep a secret is decided when it is made.",
                body: .body(
                    .optional("name", name, "What it is called."),
                    .optional("description", about.orNull, "What it is for."),
                    .optional("redirect_uris", uris.orNull, "Where the browser comes back to, exactly."),
                    .optional("scopes", .list(of: scope, atLeast: 1, atMost: Input.mostScopes), "What it may ask for."),
                    .optional("website_url", link.orNull, "Where people learn more."),
                    .optional("privacy_policy_url", link.orNull, "What it does with what it learns."),
                    .optional("grant_types", grants.orNull, "How it may ask."),
                    .optional(
                        "require_pushed_authorization_requests", JSONSchema.truth(example: false).orNull,
                        "Whether it must push what it asks for (RFC 9126)."),
                    .optional("rate_limit", wantedLimit.orNull, "How often all its tokens may be used.")),
                answers: .ok(app)),
            .delete: APIOperation(
                "deleteOAuthApp", "Removes an app for good, with all that it holds.",
                answers: .nothing("It is gone; nothing it held opens anything.")),
        ])

    private static let rollAPI = APIPath(
        "/api/v1/oauth-apps/{id}/roll-secret", tag, isVersioned: true,
        [
            .post: APIOperation(
                "rollOAuthAppSecret",
                "Gives an app another secret and shows it, this once; the old one lives on for a while.",
                body: .body(
                    .optional(
                        "grace_seconds", .integer(0...OAuthServer.longestGrace, example: 86_400),
                        "How long the old secret lives on; a day when left out.")), isBodyOptional: true,
                answers: .ok(newApp), problems: [APIProblem(409, "public_app", "A public app has no secret.")])
        ])

    private static let previousAPI = APIPath(
        "/api/v1/oauth-apps/{id}/previous-secret", tag,
        [
            .delete: APIOperation(
                "endPreviousOAuthAppSecret", "Ends the secret before the last roll at once.",
                answers: .nothing("It proves nothing any more."))
        ])

    private static let disableAPI = APIPath(
        "/api/v1/oauth-apps/{id}/disable", tag, isVersioned: true,
        [
            .post: APIOperation(
                "disableOAuthApp", "Puts an app aside; nothing it holds opens anything until it is enabled.",
                answers: .ok(app))
        ])

    private static let enableAPI = APIPath(
        "/api/v1/oauth-apps/{id}/enable", tag, isVersioned: true,
        [.post: APIOperation("enableOAuthApp", "Takes an app back into use.", answers: .ok(app))])

    private static let tokensAPI = APIPath(
        "/api/v1/oauth-apps/{id}/tokens", tag,
        [
            .get: APIOperation(
                "listOAuthAppTokens", "Lists what an app holds: grants of people, and tokens of its own.",
                details: "People of other organizations are not named.", answers: .list(of: token)),
            .delete: APIOperation(
                "revokeOAuthAppTokens", "Ends all that an app holds; people must allow it anew.",
                answers: .nothing("Nothing it held opens anything.")),
        ])

    private static let tokenAPI = APIPath(
        "/api/v1/oauth-tokens/{id}", tag,
        [
            .delete: APIOperation(
                "revokeOAuthToken", "Ends what a person let an app do, or a token that an app got for itself.",
                details: "A grant ends with all others of that person to the app in the same organization.",
                answers: .nothing("It opens nothing any more."))
        ])

    // MARK: What things look like

    private static let name = JSONSchema.words(1...100, example: "Nightly export")
    private static let about = JSONSchema.text(0...500, example: "Copies orders to the warehouse")
    private static let link = JSONSchema.text(8...500, format: "uri", example: "https://export.example")
    private static let scope = JSONSchema.text(
        3...129, pattern: #"^[a-z0-9_-]{1,64}:([a-z0-9_-]{1,64}|\*)$"#, example: "connections:read")
    private static let uris = JSONSchema.list(
        of: .text(10...RedirectURI.longest, format: "uri", example: "https://export.example/callback"),
        atMost: TermsReader.mostURIs)
    private static let grants = JSONSchema.list(
        of: .word(of: GrantType.allCases.map(\.rawValue)), atMost: GrantType.allCases.count)
    private static let count = JSONSchema.integer(1...4_000_000_000, example: 60)

    private static let wantedLimit = JSONSchema.body(
        .optional("requests_per_minute", count.orNull, "In a minute."),
        .optional("requests_per_hour", count.orNull, "In an hour."),
        .optional("requests_per_day", count.orNull, "In a day."))

    private static let limit = JSONSchema.object(
        .required("requests_per_minute", count, "In a minute."), .required("requests_per_hour", count, "In an hour."),
        .required("requests_per_day", count, "In a day."))

    private static let previous = JSONSchema.object(
        .required("last_four", .text(4...4, example: "Yz9Q"), "How it ends."),
        .required("ends_at", .time, "Until when it proves the same."))

    private static let newApp = app.joined(
        with: .optional(
            "client_secret", .text(example: "hub_cs_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG1xYz9Q"),
            "The secret, in this answer only; public apps have none.")
    ).named("NewOAuthApp")

    private static let app = JSONSchema.object(
        .required("id", .id, "The app's id."),
        .required("client_id", .text(example: "app_00BuqSfyMDaMt1tN6HNcwX"), "The id as the app sends it."),
        .required("state", .word(of: AppFilter.State.self), "Whether anything can be had with it now."),
        .required("confidential", .truth(), "Whether it can keep a secret."),
        .required("dynamic", .truth(example: false), "Whether it registered itself."),
        .required("user_id", JSONSchema.id.orNull, "Whose it is; null for those of the command line."),
        .required("name", .text(1...100, example: "Nightly export"), "What it is called."),
        .required("description", about, "What it is for."),
        .required("redirect_uris", uris, "Where the browser comes back to, exactly."),
        .required("scopes", .list(of: .text(example: "connections:read")), "What it may ask for."),
        .required("grant_types", grants, "How it may ask."),
        .required("website_url", link.orNull, "Where people learn more."),
        .required("privacy_policy_url", link.orNull, "What it does with what it learns."),
        .required(
            "require_pushed_authorization_requests", .truth(example: false), "Whether it must push what it asks for."),
        .required("rate_limit", limit, "How often all its tokens together may be used."),
        .required("secret_last_four", JSONSchema.text(4...4, example: "Yz9Q").orNull, "How the secret ends."),
        .required("previous_secret", previous.orNull, "The secret before the last roll, while it lives."),
        .required("created_at", .time, "When it was made."),
        .required("disabled_at", JSONSchema.time.orNull, "When it was put aside."),
        .required("last_used_at", JSONSchema.time.orNull, "When it was last used.")
    ).named("OAuthApp")

    private static let token = JSONSchema.object(
        .required("id", .id, "The id."),
        .required("kind", .word(of: HeldToken.Kind.self), "A person's grant, or the app's own token."),
        .required("user_id", JSONSchema.id.orNull, "The person; null unless of the app's organization."),
        .required("user", JSONSchema.text(example: "Mia Novak").orNull, "The person's name."),
        .required("organization_id", .id, "Where it opens anything."),
        .required("scopes", .list(of: .text(example: "connections:read")), "What it may do."),
        .required("created_at", .time, "Since when."), .required("expires_at", .time, "Until when."),
        .required("last_used_at", JSONSchema.time.orNull, "When it was last used.")
    ).named("OAuthAppToken")
}
