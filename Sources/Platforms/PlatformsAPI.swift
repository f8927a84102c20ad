import AdminShell
import HTTPKit
import JSONKit

/// Platform integrations as the API's description has them.
extension PlatformRoute {
    /// What scripts can do at this address.
    public var api: APIPath? {
        switch self {
        case .list: Self.listAPI
        case .one: Self.oneAPI
        case .test: Self.testAPI
        case .sync: Self.syncAPI
        case .channels: Self.channelsAPI
        case .channel: Self.channelAPI
        case .messages: Self.messagesAPI
        case .key: Self.keyAPI
        case .inbound: Self.inboundAPI
        case .rotate: Self.rotateAPI
        }
    }

    static let tag = APITag(
        "Platform integrations",
        "Chat platforms that workspaces are tied to, their channels, and the messages that pass through these. A platform key (`lvng_plat_…`) opens its own integration and nothing else."
    )

    private static let listAPI = APIPath(
        "/api/v2/platform-integrations", tag,
        [
            .get: APIOperation(
                "listPlatformIntegrations",
                "Lists the integrations of all workspaces, in each organization where the caller may read them.",
                details: "`X-Org-ID` narrows it to one organization.", answers: .ok(integrations)),
            .post: APIOperation(
                "createPlatformIntegration", "Ties a workspace to a platform and shows the secret of what comes in.",
                details:
                    "The `webhook_secret` is made by the hub and shown in this answer alone. Where its platform sends events to stands at `/inbound` below it.",
                body: .body(
                    .required("workspace_id", .id, "The workspace."),
                    .required(
                        "platform", .text(1...64, example: "slack"),
                        "The platform: the key of a provider whose file declares channels, or another name of it."),
                    .optional(
                        "config", config.orNull, "Tokens, ids of servers, and what else belongs to the platform."),
                    .optional("enabled", JSONSchema.truth().orNull, "Whether it is in use; yes when left out.")),
                answers: .created(.object(.required("integration", newIntegration, "The integration."))),
                problems: [
                    APIProblem(409, "integration_exists", "The workspace has an integration of this platform already."),
                    APIProblem(409, "too_many_integrations", "There are as many integrations as are allowed."),
                    APIProblem(404, "workspace_not_found", "There is no such workspace, or none of this organization."),
                ]),
        ])

    private static let oneAPI = APIPath(
        "/api/v2/platform-integrations/{id}", tag, isVersioned: true,
        [
            .get: APIOperation(
                "getPlatformIntegration", "Shows an integration, what is secret masked.",
                answers: .ok(.object(.required("integration", integration, "The integration.")))),
            .patch: APIOperation(
                "changePlatformIntegration", "Changes the configuration of an integration or switches it on or off.",
                details:
                    "A configuration is replaced as a whole; null takes it away. From the answer on every worker uses the new one.",
                body: .body(
                    .optional("config", config.orNull, "The configuration."),
                    .optional("enabled", JSONSchema.truth().orNull, "Whether it is in use.")),
                answers: .ok(.object(.required("integration", changedIntegration, "The integration.")))),
            .delete: APIOperation(
                "deletePlatformIntegration", "Removes an integration with its channels, for good.",
                answers: .ok(success)),
        ])

    private static let testAPI = APIPath(
        "/api/v2/platform-integrations/{id}/test", tag,
        [
            .post: APIOperation(
                "testPlatformIntegration",
                "Asks the platform whether it takes the configuration, and notes the outcome.",
                answers: .ok(
                    .object(
                        .required("success", .truth(), "Whether it does."),
                        .optional(
                            "error", .text(example: "Slack refused these credentials."), "Why it does not."))))
        ])

    private static let syncAPI = APIPath(
        "/api/v2/platform-integrations/{id}/sync-channels", tag,
        [
            .post: APIOperation(
                "syncPlatformChannels", "Fetches all channels from the platform and takes them over.",
                details:
                    "New ones are added, known ones renewed with their settings kept, those that vanished marked. Of a platform without a list of channels the chats that were added are looked up.",
                answers: .ok(
                    .object(
                        .required("success", .truth(), "It was done."),
                        .required("channelCount", .integer(0...10_000, example: 1), "How many there are."),
                        .required("channels", .list(of: foundChannel), "The channels in the platform's order."))),
                problems: platformProblems)
        ])

    private static let channelsAPI = APIPath(
        "/api/v2/platform-integrations/{id}/channels", tag,
        [
            .get: APIOperation(
                "listPlatformChannels", "Lists the channels that were fetched, by name.",
                answers: .ok(.object(.required("channels", .list(of: channel), "The channels.")))),
            .post: APIOperation(
                "addPlatformChannel", "Adds a chat by its id, for platforms that have no list of them (Telegram).",
                body: .body(
                    .required(
                        "platform_channel_id", .words(1...200, example: "-1001234567890"), "The platform's id of it.")),
                answers: .status(
                    201, .object(.required("channel", channel, "The channel.")), "It is among the channels."),
                problems: [
                    APIProblem(409, "channels_are_listed", "This platform has a list of channels: sync them."),
                    APIProblem(409, "too_many_channels", "There are as many channels as are kept."),
                ] + platformProblems),
        ])

    private static let channelAPI = APIPath(
        "/api/v2/platform-integrations/channels/{id}", tag,
        isVersioned: true,
        [
            .patch: APIOperation(
                "changePlatformChannel", "Changes how the messages of a channel are synced.",
                details:
                    "Messages that people write there become events when the direction is `inbound` or `both`, unless `auto_sync_messages` is set to false. Settings stay over syncs; null takes one away.",
                body: .body(
                    .optional("auto_sync_messages", JSONSchema.truth().orNull, "Whether messages are synced."),
                    .optional("sync_direction", direction.orNull, "Which way messages go."),
                    .optional(
                        "lvng_conversation_id", JSONSchema.id.orNull,
                        "The conversation of the site that it is mapped to.")
                ),
                answers: .ok(.object(.required("channel", changedChannel, "The channel."))))
        ])

    private static let messagesAPI = APIPath(
        "/api/v2/platform-integrations/{id}/channels/{channel_id}/messages", tag,
        [
            .post: APIOperation(
                "postChannelMessage", "Posts a text to a channel and waits for the platform's answer.",
                details:
                    "`channel.message_sent` tells of it; its coming back as an event of the platform is recognised.",
                body: .body(
                    .required(
                        "text", .words(1...20_000, example: "Order 7 is paid."),
                        "The text. Discord takes 2 000 characters, Telegram 4 096, Slack 12 000, Teams 20 000.")),
                answers: .status(201, .object(.required("message", message, "The message.")), "The platform took it."),
                problems: [
                    APIProblem(409, "channel_gone", "The platform no longer has this channel."),
                    APIProblem(409, "channel_inbound_only", "The channel is set to inbound."),
                ] + platformProblems)
        ])

    private static let keyAPI = APIPath(
        "/api/v2/platform-integrations/{id}/api-key", tag,
        [
            .post: APIOperation(
                "makePlatformKey", "Gives an integration a key, in the place of the one that it had.",
                answers: .status(
                    201,
                    .object(
                        .required(
                            "api_key",
                            .text(
                                pattern: "^lvng_plat_[0-9a-f]{48}$",
                                example: "lvng_plat_a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4"),
                            "The key, this once."),
                        .required("api_key_created_at", .time, "When it was made."),
                        .required(
                            "message",
                            .text(example: "API key generated successfully. This key will only be shown once."),
                            "What to do with it.")), "The key before opens nothing any more.")),
            .delete: APIOperation(
                "revokePlatformKey", "Ends the key of an integration, at once and everywhere.",
                answers: .ok(
                    .object(
                        .required("success", .truth(), "It was done."),
                        .required("message", .text(example: "API key revoked successfully"), "The same in words.")))),
        ])

    // MARK: What things look like

    private static let config = JSONSchema.map(
        to: .anything, atMost: PlatformConfig.mostMembers,
        example: ["bot_token": "xoxb-xxxxxxxxxxxx-xxxxxxxxxxxx", "team_id": "T0123456789"])
    private static let direction = JSONSchema.word(of: SyncDirection.self)
    private static let success = JSONSchema.object(.required("success", .truth(), "It was done."))
    private static let configured = JSONSchema.object(
        .required("configured", .truth(), "Whether there is a configuration."))
    private static let platformName = JSONSchema.text(example: "slack")

    private static let platformProblems = [
        APIProblem(409, "not_configured", "The configuration lacks what calls need."),
        APIProblem(409, "integration_disabled", "The integration is disabled."),
        APIProblem(502, "platform_unauthorized", "The platform refuses the credentials."),
        APIProblem(502, "platform_refused", "The platform refuses this."),
        APIProblem(502, "platform_unreachable", "Nothing reached the platform."),
        APIProblem(502, "platform_silent", "It is not known whether the platform did it."),
        APIProblem(503, "platform_busy", "The platform asks to be called less often; `Retry-After` says when."),
    ]

    private static func shape(secret: JSONSchema, _ meaning: String) -> JSONSchema {
        .object(
            .required("id", .id, "Its id."), .required("workspace_id", .id, "The workspace."),
            .required("platform", platformName, "The platform, by the name that it was asked for."),
            .required("config", configured, "The configuration, masked."),
            .required("webhook_secret", secret, meaning),
            .required("enabled", .truth(), "Whether it is in use."),
            .required(
                "connected", JSONSchema.truth().orNull, "Whether the last test succeeded; null before the first."),
            .required("last_connected_at", JSONSchema.time.orNull, "When a test succeeded last."),
            .required(
                "connection_error", JSONSchema.text(example: "").orNull.example(.null), "Why the last one failed."),
            .required(
                "api_key", JSONSchema.text(example: "lvng_plat_***e3f4").orNull,
                "The platform key, masked; null for none."),
            .required("api_key_created_at", JSONSchema.time.orNull, "When it was made."),
            .required("created_at", .time, "When it was made."),
            .required("updated_at", .time, "When it was changed last."))
    }

    private static let integration = shape(
        secret: JSONSchema.text(example: "***").orNull, "The secret of what comes in, masked."
    ).named("PlatformIntegration")
    private static let newIntegration = shape(
        secret: .text(example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="),
        "The secret of what comes in, this once.")
    private static let integrations = JSONSchema.object(
        .required(
            "integrations", .list(of: integration), "The integrations, those of each organization the oldest first."))
    private static let changedIntegration = JSONSchema.object(
        .required("id", .id, "Its id."), .required("workspace_id", .id, "The workspace."),
        .required("platform", platformName, "The platform."),
        .required("config", configured, "The configuration, masked."),
        .required("enabled", .truth(), "Whether it is in use."),
        .required("connected", JSONSchema.truth().orNull, "Whether the last test succeeded."),
        .required("created_at", .time, "When it was made."), .required("updated_at", .time, "When it was changed last.")
    )

    private static let foundChannel = JSONSchema.object(
        .required("id", .text(example: "1234567890123456789"), "The platform's id."),
        .required("name", .text(example: "general"), "Its name."),
        .required("type", .text(example: "text"), "Its kind, as the platform has it."),
        .required("topic", JSONSchema.text(example: "General discussion").orNull, "What it is about."),
        .required("serverId", JSONSchema.text(example: "9876543210987654321").orNull, "The server or team."))

    private static let channel = JSONSchema.object(
        .required("id", .id, "Its id here."), .required("integration_id", .id, "The integration."),
        .required("platform_channel_id", .text(example: "1234567890123456789"), "The platform's id."),
        .required("platform_server_id", JSONSchema.text(example: "9876543210987654321").orNull, "The server or team."),
        .required("channel_name", .text(example: "engineering"), "Its name."),
        .required("channel_type", .text(example: "text"), "Its kind."),
        .required(
            "channel_topic", JSONSchema.text(example: "Engineering team discussions").orNull, "What it is about."),
        .required(
            "auto_sync_messages", .truth(example: false),
            "Whether messages are synced: as somebody said, else when there is a direction."),
        .required("sync_direction", direction.orNull, "Which way messages go."),
        .required("lvng_conversation_id", JSONSchema.id.orNull, "The conversation that it is mapped to."),
        .required("created_at", .time, "When it was found."),
        .required("updated_at", .time, "When it was changed last."),
        .optional("vanished_at", .time, "Since when the platform no longer has it; left out as long as it does.")
    ).named("PlatformChannel")

    private static let changedChannel = JSONSchema.object(
        .required("id", .id, "Its id here."), .required("integration_id", .id, "The integration."),
        .required("platform_channel_id", .text(example: "1234567890123456789"), "The platform's id."),
        .required("channel_name", .text(example: "engineering"), "Its name."),
        .required("auto_sync_messages", .truth(), "Whether messages are synced."),
        .required("sync_direction", direction.orNull, "Which way messages go."),
        .required("lvng_conversation_id", JSONSchema.id.orNull, "The conversation that it is mapped to."),
        .required("updated_at", .time, "When it was changed last."))

    private static let message = JSONSchema.object(
        .required("id", .id, "Its id here."), .required("integration_id", .id, "The integration."),
        .required("channel_id", .id, "The channel."),
        .required("platform_message_id", JSONSchema.text(example: "1763719200.000100").orNull, "The platform's id."),
        .required("status", .word(of: ["sent"]), "The platform took it."),
        .required("created_at", .time, "When it was sent."))
}
