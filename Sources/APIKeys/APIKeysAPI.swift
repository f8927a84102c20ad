import AdminShell
import HTTPKit
import JSONKit

/// API keys as the API's description has them.
extension APIKeyRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .listJSON: Self.keysAPI
        case .keyJSON: Self.keyAPI
        default: nil
        }
    }

    private static let tag = APITag("API keys", "The credentials of scripts. A key is shown once, when it is made.")

    private static let keysAPI = APIPath(
        "/api/v1/api-keys", tag,
        [
            .get: APIOperation("listAPIKeys", "Lists the keys, without what they open with.", answers: .list(of: key)),
            .post: APIOperation(
                "createAPIKey", "Makes a key and shows it, this once.",
                details: "A key never exceeds its maker: a scope that the caller lacks is refused with 403.",
                body: .body(
                    .required("name", name, "What it is called."),
                    .required("scopes", .list(of: scope, atMost: 50), "What it may do."),
                    .optional(
                        "expires_at", JSONSchema.anyTime.orNull,
                        "When it ends; null for never, by the setting when left out.")
                ),
                answers: .created(
                    key.joined(
                        with: .required(
                            "key", .text(example: "sk_3f9a1c7e_0123456789abcdefghijklmnopqrstuv1xYz9Q"),
                            "The key itself, in this answer only.")
                    )
                    .named("NewAPIKey")),
                problems: [APIProblem(409, "too_many_keys", "The user has as many living keys as are allowed.")]),
        ])

    private static let keyAPI = APIPath(
        "/api/v1/api-keys/{id}", tag, isVersioned: true,
        [
            .get: APIOperation("getAPIKey", "Shows a key, without what it opens with.", answers: .ok(key)),
            .patch: APIOperation(
                "changeAPIKey", "Gives a key another name.",
                body: .body(.required("name", name, "What it is called.")), answers: .ok(key)),
            .delete: APIOperation(
                "revokeAPIKey", "Revokes a key, at once and for good.", answers: .nothing("It opens nothing any more.")),
        ])

    private static let name = JSONSchema.words(1...100, example: "billing")
    private static let scope = JSONSchema.text(
        1...200, pattern: #"^[a-z][a-z0-9_-]*:([a-z][a-z0-9_-]*|\*)$"#, example: "connections:read")

    private static let key = JSONSchema.object(
        .required("id", .id, "The key's id."),
        .required("name", .text(1...100, example: "billing"), "What it is called."),
        .required("prefix", .text(example: "sk_3f9a1c7e"), "How it begins."),
        .required("last_four", .text(4...4, example: "Yz9Q"), "How it ends."),
        .required("scopes", .list(of: .text(example: "connections:read")), "What it may do."),
        .required("state", .word(of: KeyRecord.State.self), "Whether it opens anything now."),
        .required("user_id", JSONSchema.id.orNull, "Whose it is; null for keys of the command line."),
        .required("created_at", .time, "When it was made."),
        .required("expires_at", JSONSchema.time.orNull, "When it ends by itself."),
        .required("revoked_at", JSONSchema.time.orNull, "When it was revoked."),
        .required("last_used_at", JSONSchema.time.orNull, "When it was used last."),
        .required("last_used_address", JSONSchema.text(example: "203.0.113.9").orNull, "From where it was used last.")
    ).named("APIKey")
}
