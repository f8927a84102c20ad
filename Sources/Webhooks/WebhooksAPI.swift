import AdminShell
import ClientKit
import Domain
import HTTPKit
import JSONKit

/// Webhooks as the API's description has them.
extension WebhookRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .listJSON: Self.webhooksAPI
        case .json: Self.webhookAPI
        case .testJSON: Self.testAPI
        case .rollJSON: Self.rollAPI
        case .statsJSON: Self.statsAPI
        case .deliveriesJSON: Self.deliveriesAPI
        case .replayJSON: Self.replayAPI
        case .replayStatusJSON: Self.replayStatusAPI
        case .deliveryJSON: Self.deliveryAPI
        case .retryJSON: Self.retryAPI
        case .eventsJSON: Self.eventsAPI
        case .batchJSON: Self.batchAPI
        case .eventJSON: Self.eventAPI
        case .typesJSON: Self.typesAPI
        case .typeJSON: Self.typeAPI
        }
    }

    static let tag = APITag(
        "Webhooks",
        "Addresses that are told of events, signed as Standard Webhooks 1.0 says. A secret is shown once, when it is made."
    )

    private static let webhooksAPI = APIPath(
        "/api/v1/webhooks", tag,
        [
            .get: APIOperation(
                "listWebhooks", "Lists the webhooks, without what they sign with.", answers: .list(of: webhook)),
            .post: APIOperation(
                "createWebhook", "Makes a webhook and shows what it signs with, this once.",
                details:
                    "The address must be public and, unless the hub is told otherwise, `https`. It is judged again whenever something is sent there.",
                body: .body(
                    .optional(
                        "url", url, "Where events are sent, without user name and fragment. This or `connection_id`."),
                    .optional(
                        "connection_id", JSONSchema.id.orNull,
                        "A connection that takes events, such as one to Zapier, Make or n8n: they are sent to its address, wherever that moves."
                    ),
                    .required("events", patterns, "Which events: by name, all that begin alike (`custom.*`), or `*`."),
                    .optional(
                        "secret", secret.orNull,
                        "What it signs with: `whsec_` and the base64 of 24 to 64 bytes; `whsk_` and that of an Ed25519 seed of 32 bytes; or 8 to 256 characters. Made when left out."
                    ),
                    .optional(
                        "signature_scheme", madeScheme.orNull,
                        "What is made when no secret is given: a shared one (`v1`), or an Ed25519 key (`v1a`)."),
                    .optional("active", JSONSchema.truth().orNull, "Whether it begins at once; yes when left out."),
                    .optional("description", words.orNull, "What it is for."),
                    .optional("headers", headers.orNull, "Header fields that go along; what they hold is never shown."),
                    .optional(
                        "per_second", perSecond.orNull, "How many deliveries a second at most, of each host of the hub."
                    ),
                    .optional("ordering", ordering.orNull, "The order of events with the same ordering key."),
                    .optional("skip_after", skipAfter.orNull, "With `skip`: after how many failures; 3 when left out.")),
                answers: .created(newWebhook),
                problems: [
                    APIProblem(409, "too_many_webhooks", "There are as many webhooks as are allowed."),
                    APIProblem(
                        403, "account_required", "The bearer of a site's token has no account here that could hold it."),
                ]),
        ])

    private static let webhookAPI = APIPath(
        "/api/v1/webhooks/{id}", tag, isVersioned: true,
        [
            .get: APIOperation("getWebhook", "Shows a webhook, without what it signs with.", answers: .ok(webhook)),
            .patch: APIOperation(
                "changeWebhook", "Changes what is given of a webhook; null stands for what is usual.",
                details:
                    "`active: false` pauses it: events are kept until it goes on. `active: true` lets it go on, a disabled one too. An event list and header fields are replaced as a whole.",
                body: .body(
                    .optional("url", url, "Where events are sent; no longer to a connection."),
                    .optional(
                        "connection_id", JSONSchema.id.orNull,
                        "The connection that takes events from now on; null goes with a `url`."),
                    .optional("events", patterns, "Which events."),
                    .optional("active", JSONSchema.truth().orNull, "Whether it is to go on or to wait."),
                    .optional("description", words.orNull, "What it is for."),
                    .optional("headers", headers.orNull, "Header fields that go along; null for none."),
                    .optional(
                        "per_second", perSecond.orNull,
                        "How many deliveries a second at most, of each host of the hub; null for any number."),
                    .optional("ordering", ordering.orNull, "The order of events with the same ordering key."),
                    .optional("skip_after", skipAfter.orNull, "With `skip`: after how many failures.")),
                answers: .ok(webhook)),
            .delete: APIOperation(
                "deleteWebhook", "Removes a webhook; what was on its way there ends.",
                answers: .nothing("Nothing more is sent there.")),
        ])

    private static let testAPI = APIPath(
        "/api/v1/webhooks/{id}/test", tag,
        [
            .post: APIOperation(
                "testWebhook", "Sends a signed event of a test now and answers with what came of it.",
                details: "It is sent whatever the webhook's state, stands in the log, and is not tried again.",
                body: .body(
                    .optional(
                        "type", eventName.orNull,
                        "Send the example of this kind of event; `webhook.test` when left out."
                    )), isBodyOptional: true, answers: .ok(trial),
                problems: [
                    APIProblem(429, "test_under_way", "It is being tested at this very moment."),
                    APIProblem(503, "busy", "Many webhooks are being tested just now."),
                ])
        ])

    private static let rollAPI = APIPath(
        "/api/v1/webhooks/{id}/roll-secret", tag, isVersioned: true,
        [
            .post: APIOperation(
                "rollWebhookSecret", "Gives a webhook another secret and shows it, this once.",
                details: "Until the grace ends every delivery is signed with both.",
                body: .body(
                    .optional(
                        "grace_seconds",
                        JSONSchema.integer(0...Webhooks.longestGrace.components.seconds, example: 86_400).orNull,
                        "How long the old secret signs, too; a day when left out."),
                    .optional("secret", secret.orNull, "The new one; made when left out."),
                    .optional(
                        "signature_scheme", madeScheme.orNull, "What is made; as the old one when left out.")),
                isBodyOptional: true,
                answers: .ok(newWebhook))
        ])

    // MARK: What things look like

    static let eventName = JSONSchema.text(
        1...128, pattern: #"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$"#, example: "user.created")
    static let pattern = JSONSchema.text(
        1...130, pattern: #"^(\*|[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*(\.\*)?)$"#, example: "user.*")
    private static let url = JSONSchema.text(1...2_048, format: "uri", example: "https://example.com/webhook")
    private static let patterns = JSONSchema.list(of: pattern, atMost: WebhookTermsReader.mostEvents)
    private static let secret = JSONSchema.text(
        8...256, example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")
    private static let madeScheme = JSONSchema.word(of: ["v1", "v1a"])
    private static let words = JSONSchema.text(0...200, example: "Orders to the warehouse")
    private static let perSecond = JSONSchema.integer(1...WebhookTermsReader.fastest, example: 50)
    private static let ordering = JSONSchema.word(of: ["none", "block", "skip"])
    private static let skipAfter = JSONSchema.integer(1...WebhookTermsReader.mostSkips, example: 3)
    private static let headers = JSONSchema.map(
        to: .text(0...1_024, example: "blue"), names: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$",
        atMost: WebhookTermsReader.mostHeaders, example: ["X-Team": "blue"])

    static let failure = JSONSchema.object(
        .required("code", .text(example: "timed_out"), "A stable word."),
        .required(
            "detail", JSONSchema.text(example: "The receiver did not answer within 30 seconds.").orNull,
            "The same in words."))

    private static let trial = JSONSchema.object(
        .required("delivery_id", .id, "The delivery, as it stands in the log."),
        .required("delivered", .truth(), "Whether the receiver took it."),
        .required("status", JSONSchema.integer(example: 204).orNull, "What it answered; null when it did not."),
        .required("response", JSONSchema.text(example: "ok").orNull, "The first 20 kB of what it said."),
        .required("duration_ms", .integer(example: 42), "How long it took."),
        .required("error", failure.orNull, "Why it failed."))

    private static let newWebhook = webhook.joined(
        with: .required(
            "secret", secret, "What the receiver checks with, in this answer only; with `v1a` the public key."),
        .required("signature_scheme", .word(of: ["v1", "v1a", "legacy"]), "How it is used.")
    ).named("NewWebhook")

    private static let webhook = JSONSchema.object(
        .required("id", .id, "The webhook's id."),
        .required(
            "url", .text(example: "https://example.com/webhook"),
            "Where events are sent; partly hidden from those who cannot change it."),
        .required("description", .text(example: "Orders to the warehouse"), "What it is for."),
        .required("events", .list(of: .text(example: "user.*")), "Which events."),
        .required("active", .truth(), "Whether events are sent now."),
        .required("state", .word(of: WebhookRecord.State.self), "Paused ones keep events, disabled ones do not."),
        .required(
            "disabled_reason", JSONSchema.word(of: WebhookRecord.DisabledReason.self).orNull,
            "Why it is disabled, or, where its connection cannot be used, paused."),
        .required("disabled_at", JSONSchema.time.orNull, "Since when it is disabled."),
        .required("failing_since", JSONSchema.time.orNull, "Since when everything has failed."),
        .required("slow_until", JSONSchema.time.orNull, "Until when its receiver wants to be left in peace."),
        .required("per_second", perSecond.orNull, "How many deliveries a second at most, of each host of the hub."),
        .required("ordering", ordering, "The order of events with the same ordering key."),
        .required("skip_after", skipAfter.orNull, "With `skip`: after how many failures."),
        .required("previous_secret_ends_at", JSONSchema.time.orNull, "Until when the secret before signs, too."),
        .required("has_headers", .truth(example: false), "Whether header fields go along."),
        .required(
            "connection_id", JSONSchema.id.orNull, "The connection that events are sent to; null where a URL was given."
        ),
        .required("user_id", JSONSchema.id.orNull, "Whose it is; null for those of the command line."),
        .required("created_at", .time, "When it was made.")
    ).named("Webhook")
}
