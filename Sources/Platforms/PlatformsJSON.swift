import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Integrations as seed 4 shows them: each answer has its own shape, members in the order of the document.
extension Platforms {
    func listJSON(_ call: Call) throws -> Response {
        let listed = try scopes(call).flatMap { try store($0).list() }
        return .json(["integrations": .array(listed.map { Self.json($0) })])
    }

    /// The organizations of whoever asks in which they may read integrations; the one that is named, where one is.
    private func scopes(_ call: Call) throws -> [OrganizationScope] {
        let right = Scope.read(.connections)
        if let scope = call.organization {
            guard scope.allows(right) else { throw Problem.missing(right) }
            return [scope]
        }
        guard let principal = call.principal else { throw Problem.unauthorized() }
        let scopes = principal.memberships.compactMap { membership in
            OrganizationScope(
                of: principal, in: membership.organization, remoteAddress: call.request.remoteAddress,
                requestID: call.request.id)
        }
        let readable = scopes.filter { $0.allows(right) }
        guard !readable.isEmpty || scopes.isEmpty else { throw Problem.missing(right) }
        return readable
    }

    func integrationJSON(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        let record = try find(id, call.scope())
        return Response.json(["integration": Self.json(record)]).tagged(entityTag(version: record.version))
    }

    /// The only answer that holds the secret.
    func postIntegration(_ call: Call) throws -> Response {
        var input = try call.json()
        let wanted = read(&input)
        guard let wanted, input.isComplete else { throw input.refusal }
        let made = try create(wanted, by: call.scope())
        return Response.json(
            ["integration": Self.json(made.record, webhookSecret: made.webhookSecret)], status: 201
        ).with("location", call.link(PlatformRoute.one(made.record.id)))
            .tagged(entityTag(version: made.record.version)).neverStored()
    }

    private func read(_ input: inout Input) -> Wanted? {
        let workspace = input.required(
            "workspace_id", input.parsed("workspace_id", orSay: "This is no id.") { Identifier<Workspace>($0) })
        let name = input.text("platform", 1...64)
        let platform = name.flatMap { registry[$0] }
        if name != nil, platform == nil {
            input.refuse(
                "platform", "unknown_platform",
                "There is no such platform. Known are: \(registry.names.joined(separator: ", ")).")
        }
        let config = PlatformConfig.read(&input)
        let isEnabled = input.truth("enabled") ?? true
        guard let workspace, let name, let platform else { return nil }
        return Wanted(
            workspace: workspace, platform: platform, platformName: name, config: config, isEnabled: isEnabled)
    }

    func patchIntegration(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        var input = try call.json()
        let given = PlatformConfig.read(&input)
        let config: PlatformConfig?? = input.isNull("config") ? .some(nil) : given.map { .some($0) }
        let isEnabled = input.truth("enabled")
        guard input.isComplete else { throw input.refusal }
        let record = try update(id, config: config, isEnabled: isEnabled, by: call.scope()) {
            try call.request.requireMatch(entityTag(version: $0.version))
        }
        return Response.json([
            "integration": [
                "id": .string(record.id.text), "workspace_id": .string(record.workspace.text),
                "platform": .string(record.platformName), "config": Self.config(record),
                "enabled": .bool(record.isEnabled), "connected": record.isConnected.map { .bool($0) } ?? .null,
                "created_at": JSON(record.createdAt), "updated_at": JSON(record.updatedAt),
            ]
        ]).tagged(entityTag(version: record.version))
    }

    func deleteIntegration(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try remove(id, by: call.scope()) { try call.request.requireMatch(entityTag(version: $0.version)) }
        return .json(["success": true])
    }

    /// Whether it works; a platform that does not answer is no failure of this request.
    func testJSON(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.json().requireNothing()
        guard let failure = try tryOut(id, by: call.scope()) else { return .json(["success": true]) }
        return .json(["success": false, "error": .string(failure)])
    }

    // MARK: Channels

    func syncJSON(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.json().requireNothing()
        let found = try sync(id, by: call.scope())
        return .json([
            "success": true, "channelCount": JSON(found.count),
            "channels": .array(
                found.map { channel in
                    [
                        "id": .string(channel.id), "name": .string(channel.name), "type": .string(channel.kind),
                        "topic": JSON(channel.topic), "serverId": JSON(channel.serverID),
                    ]
                }),
        ])
    }

    func channelsJSON(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        let record = try find(id, scope)
        return .json(["channels": .array(try channels(scope).list(of: record.id).map(Self.json))])
    }

    /// Adds a chat of a platform that has no list of them.
    func postChannel(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        var input = try call.json()
        guard let platformID = input.text("platform_channel_id", 1...200), input.isComplete else {
            throw input.refusal
        }
        let channel = try addChannel(platformID, to: id, by: call.scope())
        return .json(["channel": Self.json(channel)], status: 201)
    }

    func patchChannel(_ id: Identifier<PlatformChannel>, _ call: Call) throws -> Response {
        var input = try call.json()
        let settings = Self.settings(&input)
        guard input.isComplete else { throw input.refusal }
        let channel = try update(channel: id, settings, by: call.scope()) {
            try call.request.requireMatch(entityTag(version: $0.version))
        }
        return Response.json([
            "channel": [
                "id": .string(channel.id.text), "integration_id": .string(channel.integration.text),
                "platform_channel_id": .string(channel.platformID), "channel_name": .string(channel.name),
                "auto_sync_messages": .bool(channel.isSynced),
                "sync_direction": JSON(channel.direction?.rawValue),
                "lvng_conversation_id": JSON(channel.conversation?.text), "updated_at": JSON(channel.updatedAt),
            ]
        ]).tagged(entityTag(version: channel.version))
    }

    /// What is given of a channel's settings; null takes a setting away.
    static func settings(_ input: inout Input) -> ChannelStore.Settings {
        var settings = ChannelStore.Settings()
        settings.autoSync = input.truth("auto_sync_messages")
        let direction = input.parsed("sync_direction", orSay: "This is inbound, outbound or both.") {
            SyncDirection(rawValue: $0)
        }
        settings.direction = input.isNull("sync_direction") ? .some(nil) : direction.map { .some($0) }
        let conversation = input.parsed("lvng_conversation_id", orSay: "This is no id.") {
            Identifier<Conversation>($0)
        }
        settings.conversation =
            input.isNull("lvng_conversation_id") ? .some(nil) : conversation.map { .some($0) }
        return settings
    }

    func postMessage(
        to channel: Identifier<PlatformChannel>, of id: Identifier<PlatformIntegration>, _ call: Call
    ) throws -> Response {
        var input = try call.json()
        guard let text = input.text("text", 1...20_000), input.isComplete else { throw input.refusal }
        let message = try post(text, to: channel, of: id, by: call.scope())
        return .json(
            [
                "message": [
                    "id": .string(message.id.text), "integration_id": .string(message.integration.text),
                    "channel_id": .string(message.channel.text), "platform_message_id": JSON(message.platformID),
                    "status": .string(message.status.rawValue), "created_at": JSON(message.createdAt),
                ]
            ], status: 201)
    }

    // MARK: Keys

    /// The only answer that holds the key.
    func postKey(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        try call.json().requireNothing()
        let made = try makeKey(of: id, by: call.scope())
        return Response.json(
            [
                "api_key": .string(made.key.text.reveal { $0 }), "api_key_created_at": JSON(made.record.keyCreatedAt),
                "message": "API key generated successfully. This key will only be shown once.",
            ], status: 201
        ).neverStored()
    }

    func deleteKey(_ id: Identifier<PlatformIntegration>, _ call: Call) throws -> Response {
        _ = try revokeKey(of: id, by: call.scope())
        return .json(["success": true, "message": "API key revoked successfully"])
    }

    // MARK: Shapes

    /// An integration with what is secret masked.
    ///
    /// - Parameter webhookSecret: shown instead of its mask, in the answer that makes the integration.
    static func json(_ record: IntegrationRecord, webhookSecret: Secret<String>? = nil) -> JSON {
        [
            "id": .string(record.id.text), "workspace_id": .string(record.workspace.text),
            "platform": .string(record.platformName), "config": config(record),
            "webhook_secret": .string(webhookSecret?.reveal { $0 } ?? "***"), "enabled": .bool(record.isEnabled),
            "connected": record.isConnected.map { .bool($0) } ?? .null,
            "last_connected_at": JSON(record.lastConnectedAt), "connection_error": JSON(record.connectionError),
            "api_key": JSON(record.keyLastFour.map { "lvng_plat_***\($0)" }),
            "api_key_created_at": JSON(record.keyCreatedAt), "created_at": JSON(record.createdAt),
            "updated_at": JSON(record.updatedAt),
        ]
    }

    private static func config(_ record: IntegrationRecord) -> JSON {
        ["configured": .bool(record.configSealed != nil)]
    }

    /// A channel; one that its platform no longer has says since when.
    static func json(_ channel: ChannelRecord) -> JSON {
        let members: JSON = [
            "id": .string(channel.id.text), "integration_id": .string(channel.integration.text),
            "platform_channel_id": .string(channel.platformID), "platform_server_id": JSON(channel.serverID),
            "channel_name": .string(channel.name), "channel_type": .string(channel.kind),
            "channel_topic": JSON(channel.topic), "auto_sync_messages": .bool(channel.isSynced),
            "sync_direction": JSON(channel.direction?.rawValue),
            "lvng_conversation_id": JSON(channel.conversation?.text), "created_at": JSON(channel.createdAt),
            "updated_at": JSON(channel.updatedAt),
        ]
        guard let vanished = channel.vanishedAt else { return members }
        return .object((members.members ?? []) + [.init("vanished_at", JSON(vanished))])
    }
}
