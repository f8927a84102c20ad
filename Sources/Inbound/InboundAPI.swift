import AdminShell
import Domain
import HTTPKit
import JSONKit

/// What other services and scripts call, as the API's description has it.
extension InboundRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .receive: Self.receiveAPI
        case .sources: Self.sourcesAPI
        case .source: Self.sourceAPI
        case .rotateSecret: Self.rotateSecretAPI
        case .rotateAddress: Self.rotateAddressAPI
        case .token: Self.tokenAPI
        case .refusals: Self.refusalsAPI
        case .refusal: Self.refusalAPI
        case .debug: Self.debugAPI
        case .events: Self.eventsAPI
        case .event: Self.eventAPI
        case .replay: Self.replayAPI
        case .replayAll: Self.replayAllAPI
        }
    }

    static let tag = APITag(
        "Inbound",
        "Webhooks of other services: proved to be theirs, stored before they are answered, known again when they repeat, and published as `inbound.{provider}.{type}`."
    )

    private static let receiveAPI = APIPath(
        "/inbound/{id}", tag,
        parameters: [.path("id", .id, "What stands in the address of a source.")],
        [
            .post: APIOperation(
                "receiveInbound", "Takes a webhook of another service.",
                details:
                    "Signed as the service signs; how is a matter of the source. It is answered once it is committed. Whatever is wrong with a request, and whether there is such an address at all, nobody learns but the owner of the source.",
                body: .anything,
                answers: .status(
                    200, nil, "It is stored, or was already. Microsoft Graph hears its `validationToken`."),
                .status(204, nil, "The same, as Discord wants to hear it."),
                problems: [
                    APIProblem(401, "unauthenticated", "It is not known to come from the service."),
                    noAddress,
                    APIProblem(400, "malformed_body", "It comes from the service, and is no JSON although it says so."),
                    APIProblem(413, "body_too_large", "The body is larger than the source takes."),
                    APIProblem(
                        429, "rate_limited",
                        "More came than the source takes in a minute, or addresses were tried that there are not."),
                ]),
            .get: APIOperation(
                "answerInboundChallenge", "Answers Meta's question before it sends anything.",
                parameters: [
                    .query("hub.mode", .text(example: "subscribe"), "What is asked."),
                    .query("hub.verify_token", .text(example: "token"), "What only Meta was told."),
                    .query("hub.challenge", .text(example: "1158201444"), "What is to be answered."),
                ],
                answers: .media("text/plain", "The challenge."),
                problems: [
                    APIProblem(401, "unauthenticated", "It is another token, or the source is asked nothing."),
                    noAddress,
                    APIProblem(429, "rate_limited", "Addresses were tried that there are not."),
                ]),
        ])

    private static let noAddress = APIProblem(404, "not_found", "What stands in the address is no id at all.")

    // MARK: Sources

    private static let sourcesAPI = APIPath(
        "/api/v1/inbound-sources", tag,
        [
            .get: APIOperation(
                "listInboundSources", "Lists the sources, without their secrets.",
                parameters: [
                    .query("provider", .text(1...64, example: "slack"), "Those of this service alone."),
                    .query("connection_id", .id, "Those of this connection alone."),
                ],
                answers: .list(of: source)),
            .post: APIOperation(
                "createInboundSource", "Makes a source and shows what was made for it, this once.",
                details:
                    "Without a secret it is closed: it refuses everything. `secret` is only left out where the hub makes one, or where it is to be sent later.",
                body: .body(
                    .optional("provider", provider.orNull, "The service; that of the connection when left out."),
                    .optional("connection_id", JSONSchema.id.orNull, "The connection that it belongs to."),
                    .optional("name", name.orNull, "What it is called."),
                    .optional("scheme", JSONSchema.word(of: SchemeName.self).orNull, "How the sender is known."),
                    .optional("secret", secret.orNull, "What the service signs with, or its public key."),
                    .optional("hmac", recipe.orNull, "How a sender of your own signs; for the scheme `hmac`."),
                    .optional("body_limit", bodyLimit.orNull, "The most bytes of a body."),
                    .optional("per_minute", perMinute.orNull, "The most requests of a minute.")),
                answers: .created(newSource),
                problems: [APIProblem(409, "too_many_sources", "There are as many as are allowed.")]),
        ])

    private static let sourceAPI = APIPath(
        "/api/v1/inbound-sources/{id}", tag, isVersioned: true,
        [
            .get: APIOperation("getInboundSource", "Shows a source, without its secrets.", answers: .ok(source)),
            .patch: APIOperation(
                "changeInboundSource", "Changes what is given of a source.",
                body: .body(
                    .optional("name", name.orNull, "What it is called."),
                    .optional("hmac", recipe.orNull, "How a sender of your own signs."),
                    .optional("body_limit", bodyLimit.orNull, "The most bytes of a body."),
                    .optional("per_minute", perMinute.orNull, "The most requests of a minute.")),
                answers: .ok(source)),
            .delete: APIOperation(
                "deleteInboundSource", "Removes a source; what it brought stays.",
                answers: .nothing("Its address takes nothing any more.")),
        ])

    private static let rotateSecretAPI = APIPath(
        "/api/v1/inbound-sources/{id}/rotate-secret", tag, isVersioned: true,
        [
            .post: APIOperation(
                "rotateInboundSecret", "Gives a source another secret; the one before counts until the grace ends.",
                details: "Of Notion's, none is given: the source then waits for the next verification token.",
                body: .body(
                    .optional("secret", secret.orNull, "The new one; made when left out, where the hub makes it."),
                    .optional("grace_seconds", grace.orNull, "How long the old one counts, too; a day when left out.")),
                isBodyOptional: true, answers: .ok(newSource))
        ])

    private static let rotateAddressAPI = APIPath(
        "/api/v1/inbound-sources/{id}/rotate-address", tag, isVersioned: true,
        [
            .post: APIOperation(
                "rotateInboundAddress", "Gives a source another address; the one before is good until the grace ends.",
                body: .body(
                    .optional(
                        "grace_seconds", grace.orNull, "How long the old one is good, too; a day when left out.")),
                isBodyOptional: true, answers: .ok(source))
        ])

    private static let tokenAPI = APIPath(
        "/api/v1/inbound-sources/{id}/verification-token", tag,
        [
            .post: APIOperation(
                "takeInboundVerificationToken", "Shows the token that Notion has sent, this once.",
                answers: .ok(
                    .object(.required("verification_token", .text(example: "secret_…"), "What Notion asks for."))),
                problems: [APIProblem(409, "no_new_token", "None has come that was not shown already.")])
        ])

    // MARK: Why requests were refused

    private static let refusalsAPI = APIPath(
        "/api/v1/inbound-sources/{id}/refusals", tag,
        [
            .get: APIOperation(
                "listInboundRefusals", "Lists the latest requests that a source refused, 50 at most.",
                details: "Of a flood only some are kept. A platform integration is a source by its own id.",
                answers: .list(of: JSONSchema.object(refusalFields).named("InboundRefusal")))
        ])

    private static let refusalAPI = APIPath(
        "/api/v1/inbound-refusals/{id}", tag,
        [
            .get: APIOperation(
                "getInboundRefusal", "Shows a request that was refused, without the tokens in it.",
                answers: .ok(wholeRefusal))
        ])

    private static let wholeRefusal = JSONSchema.object(
        refusalFields + [
            .required("source_id", .id, "The source, or the platform integration."),
            .required("headers", sentHeaders.orNull, "Its header fields; null when it cannot be opened."),
            .required("body", JSONSchema.text(example: "{}").orNull, "Its body, where it is text."),
            .required("body_base64", JSONSchema.text(example: "AP8=").orNull, "The same, where it is none."),
        ])

    private static let sentHeaders = JSONSchema.list(
        of: .object(
            .required("name", .text(example: "content-type"), "In lower case."),
            .required("value", .text(example: "application/json"), "As it came.")))

    private static let refusalFields: [JSONSchema.Field] = [
        .required("id", .id, "Its id."),
        .required("reason", .word(of: Failure.codes), "Which check it did not pass."),
        .required("detail", .text(example: "The header x-slack-signature is missing."), "In words."),
        .required("remote_address", .text(example: "203.0.113.9"), "From where it came."),
        .required("bytes", .integer(example: 143), "How long its body was."),
        .required("is_whole", .truth(), "Whether all of its body is kept."),
        .required("received_at", .time, "When it came."),
    ]

    private static let debugAPI = APIPath(
        "/api/v1/inbound-sources/{id}/debug", tag,
        [
            .post: APIOperation(
                "debugInboundRequest", "Says which check a request does not pass, and how close it is.",
                details: "Either one that was refused and kept, or one that is sent along. No secret is told.",
                body: .body(
                    .optional("refusal_id", JSONSchema.id.orNull, "A request that was refused."),
                    .optional("method", JSONSchema.word(of: ["POST"]).orNull, "What was asked."),
                    .optional(
                        "url", JSONSchema.text(1...8_192, example: "https://hub.example/inbound/…").orNull,
                        "The address as the sender has it; the source's when left out."),
                    .optional(
                        "headers",
                        JSONSchema.map(to: .anything, example: ["X-Slack-Signature": "v0=…"]).orNull,
                        "Its header fields: each a text, or a list of texts."),
                    .optional("body", JSONSchema.text(0...1_048_576, example: "{}").orNull, "Its body as text."),
                    .optional(
                        "body_base64", JSONSchema.text(1...1_398_104, example: "e30=").orNull, "Its body as bytes."),
                    .optional(
                        "received_at", JSONSchema.anyTime.orNull, "By which clock it is judged; now when left out.")),
                answers: .ok(examination))
        ])

    private static let examination = JSONSchema.object(
        .required("verdict", .word(of: ["accepted", "refused"]), "What becomes of it."),
        .required("key", JSONSchema.word(of: Scheme.Proof.Key.self).orNull, "Which secret fits."),
        .required("code", JSONSchema.word(of: Failure.codes).orNull, "What is wrong."),
        .required("detail", .text(example: "The timestamp is 412 s old; at most 300 s are allowed."), "In words."),
        .required(
            "checks",
            .list(
                of: .object(
                    .required("check", .word(of: Failure.Check.self), "What is checked."),
                    .required("outcome", .word(of: Examination.Outcome.self), "What came of it."))),
            "Each check, in order."),
        .required(
            "hints",
            .list(
                of: .object(
                    .required("code", .word(of: Examination.hintCodes), "What would have been right."),
                    .required(
                        "detail", .text(example: "It matches the body with another line end behind it."), "In words."))),
            "How close it was.")
    ).named("InboundExamination")

    // MARK: What things look like

    private static let provider = JSONSchema.text(1...64, example: "slack")
    private static let name = JSONSchema.words(1...100, example: "Slack of the shop")
    private static let secret = JSONSchema.text(1...1_024, example: "8f742231b10e8888abcd99baac2bcd1e")
    private static let bodyLimit = JSONSchema.integer(1_024...Int64(SchemeName.mostBytes), example: 1_048_576)
    private static let perMinute = JSONSchema.integer(1...Int64(SourceRecord.mostPerMinute), example: 60_000)
    private static let grace = JSONSchema.integer(0...Inbound.longestGrace.components.seconds, example: 86_400)
    private static let header = JSONSchema.text(1...100, example: "x-signature")

    private static let recipe = JSONSchema.body(
        .required("header", header, "Where the signature stands."),
        .optional("prefix", JSONSchema.text(0...40, example: "sha256=").orNull, "What stands before it."),
        .optional("algorithm", JSONSchema.word(of: Recipe.Digest.self).orNull, "The digest; `sha256` when left out."),
        .optional(
            "encoding", JSONSchema.word(of: Recipe.Encoding.self).orNull, "How it is written; `hex` when left out."),
        .optional(
            "secret_encoding", JSONSchema.word(of: Recipe.KeyForm.self).orNull,
            "How the secret is written; `text` when left out."),
        .optional(
            "timestamp_header", header.orNull,
            "Where the time stands: then time, a dot and the body are signed, else the body alone."),
        .optional("id_header", header.orNull, "Where the sender's own id of the event stands."),
        .optional("type_header", header.orNull, "Where its kind stands.")
    ).named("InboundHMAC")

    private static let source = JSONSchema.object(sourceFields).named("InboundSource")
    private static let newSource = JSONSchema.object(
        sourceFields + [
            .optional("secret", .text(example: "whsec_…"), "What the hub has made, this once."),
            .optional("verify_token", .text(example: "token"), "What Meta is told to say, this once."),
        ])
    private static let sourceFields: [JSONSchema.Field] = [
        .required("id", .id, "Its id."), .required("name", .text(example: "Slack"), "What it is called."),
        .required("provider", .text(example: "slack"), "The service."),
        .required("scheme", .word(of: SchemeName.self), "How the sender is known."),
        .required(
            "hmac", JSONSchema.map(to: .anything, example: ["header": "x-signature"]).orNull,
            "How a sender of your own signs."),
        .required(
            "url", JSONSchema.url(example: "https://hub.example/inbound/8c1f…").orNull,
            "Where the service sends to; null for those who may not change it."),
        .required("previous_url_ends_at", JSONSchema.time.orNull, "When the address before it ends."),
        .required(
            "state", .word(of: ["open", "closed"]),
            "Closed while there is no secret and none before it that still counts: everything is refused."),
        .required("has_secret", .truth(), "Whether there is one, apart from the one before it."),
        .required("has_new_verification_token", .truth(example: false), "Whether a token came that nobody has seen."),
        .required("previous_secret_ends_at", JSONSchema.time.orNull, "When the secret before it ends."),
        .required("connection_id", JSONSchema.id.orNull, "The connection that it belongs to."),
        .required("workspace_id", JSONSchema.id.orNull, "The workspace of that."),
        .required("body_limit", .integer(example: 1_048_576), "The most bytes of a body."),
        .required("per_minute", .integer(example: 60_000), "The most requests of a minute."),
        .required("created_at", .time, "When it was made."),
    ]
}
