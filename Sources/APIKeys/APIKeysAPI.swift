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
        case .verify: Self.verifyAPI
        case .rollJSON: Self.rollAPI
        case .previousJSON: Self.previousAPI
        case .disableJSON: Self.disableAPI
        case .enableJSON: Self.enableAPI
        case .revokeUnusedJSON: Self.unusedAPI
        case .list, .create, .show, .edit, .roll, .endPrevious, .disable, .enable, .revoke, .revokeUnused: nil
        }
    }

    private static let tag = APITag("API keys", "The credentials of scripts. A key is shown once, when it is made.")

    private static let keysAPI = APIPath(
        "/api/v1/api-keys", tag,
        [
            .get: APIOperation(
                "listAPIKeys", "Lists the keys, without what they open with.",
                parameters: [
                    .query("state", .word(of: KeyFilter.Shown.self), "Keys of this kind alone."),
                    .query("owner", .text(1...200, example: "me"), "Those of a user by their id, or `me`."),
                    .query(
                        "q", .words(1...100, example: "billing"), "A part of the name, or the beginning of the key."),
                ], answers: .list(of: key)),
            .post: APIOperation(
                "createAPIKey", "Makes a key and shows it, this once.",
                details: "A key never exceeds its maker: a scope that the caller lacks is refused with 403.",
                body: .body(
                    .required("name", name, "What it is called."),
                    .required("scopes", .list(of: scope, atLeast: 1, atMost: 50), "What it may do."),
                    .optional(
                        "rate_limit", wantedLimit.orNull, "How often it may be used; by the settings when left out."),
                    .optional(
                        "expires_at", JSONSchema.anyTime.orNull,
                        "When it ends; null for never, by the setting when left out."),
                    .optional(
                        "allowed_ips", addresses.orNull, "From where it may be used; from anywhere when left out."),
                    .optional("metadata", metadata.orNull, "Whatever else its owner wants to keep with it.")
                ),
                answers: .created(newKey),
                problems: [APIProblem(409, "too_many_keys", "The user has as many living keys as are allowed.")]),
        ])

    private static let keyAPI = APIPath(
        "/api/v1/api-keys/{id}", tag, isVersioned: true,
        [
            .get: APIOperation("getAPIKey", "Shows a key, without what it opens with.", answers: .ok(key)),
            .patch: APIOperation(
                "changeAPIKey", "Changes what is given of a key; null stands for what is usual, if anything is.",
                body: .body(
                    .optional("name", name, "What it is called."),
                    .optional("scopes", .list(of: scope, atLeast: 1, atMost: 50), "What it may do."),
                    .optional("rate_limit", wantedLimit.orNull, "How often it may be used."),
                    .optional("expires_at", JSONSchema.anyTime.orNull, "When it ends; null for never."),
                    .optional("allowed_ips", addresses.orNull, "From where it may be used; null for anywhere."),
                    .optional("metadata", metadata.orNull, "Whatever else its owner wants to keep with it.")),
                answers: .ok(key), problems: ended),
            .delete: APIOperation(
                "revokeAPIKey", "Revokes a key, at once and for good.", answers: .nothing("It opens nothing any more.")),
        ])

    private static let rollAPI = APIPath(
        "/api/v1/api-keys/{id}/roll", tag, isVersioned: true,
        [
            .post: APIOperation(
                "rollAPIKey", "Gives a key another secret and shows it, this once; the old one lives on for a while.",
                body: .body(
                    .optional(
                        "grace_seconds", .integer(0...APIKeys.longestGrace, example: 86_400),
                        "How long the old secret lives on; a day when left out.")), isBodyOptional: true,
                answers: .ok(newKey), problems: ended)
        ])

    private static let previousAPI = APIPath(
        "/api/v1/api-keys/{id}/previous", tag,
        [
            .delete: APIOperation(
                "endPreviousSecret", "Ends the secret before the last roll at once.",
                answers: .nothing("It opens nothing any more."))
        ])

    private static let disableAPI = APIPath(
        "/api/v1/api-keys/{id}/disable", tag, isVersioned: true,
        [
            .post: APIOperation(
                "disableAPIKey", "Puts a key aside; nothing gets in with it until it is enabled.", answers: .ok(key),
                problems: ended)
        ])

    private static let enableAPI = APIPath(
        "/api/v1/api-keys/{id}/enable", tag, isVersioned: true,
        [.post: APIOperation("enableAPIKey", "Takes a key back into use.", answers: .ok(key), problems: ended)])

    private static let unusedAPI = APIPath(
        "/api/v1/api-keys/revoke-unused", tag,
        [
            .post: APIOperation(
                "revokeUnusedAPIKeys", "Revokes all keys that nobody has used for 90 days.",
                details: "The caller says how many they expect, so that nothing is revoked that they have not seen.",
                body: .body(
                    .required("count", .integer(0...Int64(KeyStore.mostUnused), example: 3), "How many are expected.")),
                answers: .ok(.object(.required("revoked", .integer(example: 3), "How many were revoked."))))
        ])

    private static let verifyAPI = APIPath(
        "/api/v1/api-keys/verify", tag,
        [
            .post: APIOperation(
                "verifyAPIKey", "Judges a key for the back end of a site, and counts the request against its limits.",
                details: "Keys of other organizations are not found.",
                body: .body(
                    .required("key", .text(1...4_096, example: exampleKey), "The key that somebody sent."),
                    .optional("scope", scope, "What is asked for."),
                    .optional("ip", address, "From where."),
                    .optional(
                        "cost", .integer(0...1_000_000, example: 1), "As how many requests it counts; 0 only looks.")
                ), answers: .ok(verdict))
        ])

    // MARK: What things look like

    private static let ended = [
        APIProblem(409, "key_revoked", "The key was revoked."), APIProblem(409, "key_expired", "The key has expired."),
    ]
    private static let exampleKey = "sk_3f9a1c7e_0123456789abcdefghijklmnopqrstuv1xYz9Q"
    private static let name = JSONSchema.words(1...100, example: "billing")
    private static let scope = JSONSchema.text(
        3...129, pattern: #"^[a-z0-9_-]{1,64}:([a-z0-9_-]{1,64}|\*)$"#, example: "connections:read")
    private static let addresses = JSONSchema.list(
        of: .text(2...49, example: "203.0.113.0/24"), atMost: TermsReader.mostNetworks)
    private static let address = JSONSchema.any(
        of: .text(7...15, format: "ipv4", example: "203.0.113.9"), .text(2...45, format: "ipv6", example: "2001:db8::9")
    )
    private static let metadata = JSONSchema.map(
        to: .text(0...4_096, example: "blue"), names: "^[A-Za-z0-9._:-]{1,64}$", atMost: TermsReader.mostMembers,
        example: ["team": "blue"])
    private static let count = JSONSchema.integer(1...4_000_000_000, example: 60)

    private static let wantedLimit = JSONSchema.body(
        .optional("requests_per_minute", count.orNull, "In a minute."),
        .optional("requests_per_hour", count.orNull, "In an hour."),
        .optional("requests_per_day", count.orNull, "In a day."))

    private static let limit = JSONSchema.object(
        .required("requests_per_minute", count, "In a minute."), .required("requests_per_hour", count, "In an hour."),
        .required("requests_per_day", count, "In a day."))

    private static let previous = JSONSchema.object(
        .required("prefix", .text(example: "sk_3f9a1c7e"), "How it begins."),
        .required("last_four", .text(4...4, example: "Yz9Q"), "How it ends."),
        .required("ends_at", .time, "Until when it opens the same."))

    private static let verdict = JSONSchema.object(
        .required("valid", .truth(), "Whether it opens what was asked for."),
        .required("code", .word(of: KeyVerdict.self), "Why not, or `valid`."),
        .required("key_id", JSONSchema.id.orNull, "The key's id; null for one that is not found."),
        .required("name", JSONSchema.text(example: "billing").orNull, "What the key is called."),
        .required("scopes", .list(of: .text(example: "items:read")), "What the key may do."),
        .required("rate_limit", .list(of: standing), "How its limits stand."))

    private static let standing = JSONSchema.object(
        .required("name", .text(example: "minute"), "Which limit."),
        .required("limit", .integer(example: 60), "How many in that time."),
        .required("remaining", .integer(example: 59), "How many are left."),
        .required("reset", .integer(example: 42), "In how many seconds more are free."))

    private static let newKey = key.joined(
        with: .required("key", .text(example: exampleKey), "The key itself, in this answer only.")
    ).named("NewAPIKey")

    private static let key = JSONSchema.object(
        .required("id", .id, "The key's id."),
        .required("prefix", .text(example: "sk_3f9a1c7e"), "How it begins."),
        .required("last_four", .text(4...4, example: "Yz9Q"), "How it ends."),
        .required("state", .word(of: KeyRecord.State.self), "Whether it opens anything now."),
        .required("user_id", JSONSchema.id.orNull, "Whose it is; null for keys of the command line."),
        .required("name", .text(1...100, example: "billing"), "What it is called."),
        .required("scopes", .list(of: .text(example: "connections:read")), "What it may do."),
        .required("rate_limit", limit, "How often it may be used."),
        .required("expires_at", JSONSchema.time.orNull, "When it ends by itself."),
        .required(
            "allowed_ips", .list(of: .text(example: "203.0.113.0/24")), "From where it may be used; empty for anywhere."
        ),
        .required("metadata", metadata, "What its owner keeps with it."),
        .required("previous", previous.orNull, "The secret before the last roll, while it opens the same."),
        .required("created_at", .time, "When it was made."),
        .required("disabled_at", JSONSchema.time.orNull, "Since when it is put aside."),
        .required("revoked_at", JSONSchema.time.orNull, "When it was revoked."),
        .required("last_used_at", JSONSchema.time.orNull, "When it was used last."),
        .required("last_used_address", JSONSchema.text(example: "203.0.113.9").orNull, "From where it was used last.")
    ).named("APIKey")
}
