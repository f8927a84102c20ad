import AdminShell
import HTTPKit
import JSONKit

/// Services that can be connected, as the API's description has them.
extension ConnectionRoute {
    private static let providersTag = APITag(
        "Providers",
        "Services that can be connected: those built in, and those that an organization describes by a provider file.")

    static let providersAPI = APIPath(
        "/api/v1/providers", providersTag,
        [
            .get: APIOperation(
                "listProviders", "Lists every service that can be connected, in one part.",
                answers: .ok(
                    .object(
                        .required("data", .list(of: ProviderSchema.provider), "The services."),
                        .required("next_cursor", .null, "There is one part only.")))),
            .post: APIOperation(
                "createProvider", "Describes a service of the organization's own by a provider file.",
                parameters: [dryRun], body: ProviderSchema.file,
                answers: .created(ProviderSchema.provider),
                .ok(ProviderSchema.provider, "With `dry_run`: how it would look."),
                problems: mistakes + [
                    APIProblem(409, "too_many_providers", "The organization has as many as are allowed."),
                    APIProblem(409, "key_taken", "Somebody has just added one with this key."),
                ]),
        ])

    static let providerAPI = APIPath(
        "/api/v1/providers/{key}", providersTag,
        parameters: [.path("key", ProviderSchema.key, "The provider's key.")], isVersioned: true,
        [
            .get: APIOperation(
                "getProvider", "Shows a service: its fields with their rules, its guide, what it can do.",
                details: "One of the organization's own comes with its `source` and an `ETag`.",
                answers: .ok(
                    ProviderSchema.provider.joined(
                        with: .optional("source", .anything, "The provider file, of one's own providers.")))),
            .put: APIOperation(
                "replaceProvider", "Stores another file for a service of the organization's own.",
                parameters: [dryRun], body: ProviderSchema.file,
                answers: .ok(
                    ProviderSchema.provider.joined(with: .optional("source", .anything, "The provider file."))),
                problems: mistakes + [
                    APIProblem(
                        403, "insufficient_scope", "There are connections to it, so `credentials:read` is needed, too.")
                ]),
            .delete: APIOperation(
                "removeProvider", "Removes a service of the organization's own that nothing is connected to.",
                answers: .nothing("It is removed."),
                problems: [APIProblem(409, "provider_in_use", "There are connections to it.")]),
        ])

    private static let dryRun = APIParameter.query(
        "dry_run", .word(of: ["true", "false"]), "Only says how it would look.")

    private static let mistakes = [
        APIProblem(422, "invalid_provider", "The file has mistakes, each named in `errors` with its line and column."),
        APIProblem(413, "content_too_large", "A provider file has at most 64 kB."),
    ]
}

/// What services look like.
enum ProviderSchema {
    static let key = JSONSchema.text(1...64, pattern: "^[a-z][a-z0-9_-]{0,63}$", example: "telegram")

    /// A provider file: `hub provider check` and the page for providers say everything about its members.
    static let file = JSONSchema.map(
        to: .anything,
        example: [
            "key": "pager", "name": "Pager", "kind": "api_key", "category": "Messages", "summary": "Sends pages.",
            "fields": [["name": "api_key", "label": "API key", "kind": "secret"]], "hosts": ["api.pager.example"],
            "test": ["method": "GET", "url": "https://api.pager.example/me"],
        ]
    ).named("ProviderFile")

    private static let texts = JSONSchema.list(of: .text(example: "api.telegram.org"))

    private static let field = JSONSchema.object(
        .required("name", .text(example: "bot_token"), "Its name in `setup`."),
        .required("label", .text(example: "Bot token"), "What people call it."),
        .required("kind", .word(of: ProviderField.Kind.self), "What kind of value it takes."),
        .required("secret", .truth(), "Whether it is sealed and never shown."),
        .required("required", .truth(), "Whether it must be given."),
        .required("unless", .list(of: .text(example: "access_token")), "Fields that stand in for it."),
        .required(
            "pattern", JSONSchema.text(example: "[0-9]{6,12}:[A-Za-z0-9_-]{35}").orNull,
            "What the whole of it must match."),
        .required("help", JSONSchema.text(example: "BotFather shows it.").orNull, "A sentence for people."),
        .required("hosts", texts, "Hosts that it may name."),
        .required(
            "default", JSONSchema.any(of: .text(example: "eu"), .truth(), .null).example("eu"),
            "What it is when it is left out."),
        .required(
            "options",
            .list(
                of: .object(
                    .required("value", .text(example: "eu"), "The value."),
                    .required("label", .text(example: "Europe"), "What people call it."))),
            "The values that it can have, where they are few.")
    ).named("ProviderField")

    private static let signIn = JSONSchema.object(
        .required("authorize", .text(example: "https://accounts.google.com/o/oauth2/v2/auth"), "Where people sign in."),
        .required("token", .text(example: "https://oauth2.googleapis.com/token"), "Where codes are exchanged."),
        .required("scopes", texts, "What is asked for when nobody says otherwise."),
        .required("scope_separator", .text(example: " "), "What stands between two of them."),
        .required("pkce", .truth(), "Whether PKCE is used (RFC 7636)."),
        .required(
            "redirect_uri", JSONSchema.text(example: "https://hub.example/connections/callback/google").orNull,
            "What to register there."),
        .required("redirect_uri_per_connection", .truth(example: false), "Whether each connection has one of its own."))

    private static let sunset = JSONSchema.object(
        .required("date", .day, "From which day on."),
        .required("sentence", .text(example: "The old API ends."), "What ends."),
        .required("href", .text(example: "https://docs.example/sunset"), "Where it is announced."))

    static let provider = JSONSchema.object(
        .required("key", key, "By which it is known."),
        .required("name", .text(example: "Telegram"), "What people call it."),
        .required("kind", .word(of: Provider.Kind.self), "How one connects."),
        .required("category", .text(example: "Messages"), "Where it stands in the gallery."),
        .required("summary", .text(example: "Sends messages as a bot."), "What it is for."),
        .required("own", .truth(example: false), "Whether the organization has described it."),
        .required("fields", .list(of: field), "What is entered, in order."),
        .required("guide", .list(of: .text(example: "Talk to BotFather.")), "How to set it up, step by step."),
        .required(
            "docs", JSONSchema.text(example: "https://core.telegram.org/bots/api").orNull, "Its own documentation."),
        .required("hosts", texts, "Hosts that calls go to."),
        .required("oauth", signIn.orNull, "How people sign in there; null where nobody does."),
        .required("capabilities", .list(of: .text(example: "messages")), "What the hub can do with it."),
        .required("sunset", .list(of: sunset), "What ends there, and when."),
        .required("verified", .truth(), "Whether the file was tried against the service."),
        .required("note", JSONSchema.text(example: "Unverified.").orNull, "What else is known.")
    ).named("Provider")
}
