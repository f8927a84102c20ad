import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Messages of the hub to channels.
extension Platforms {
    /// Posts a text to a channel and waits for the platform's answer.
    ///
    /// The message is noted before the platform is called: what comes back as an event is recognised however early it
    /// comes, and one whose sender died is found and told of as of unknown outcome.
    ///
    /// - Throws: `Problem` 404; 409 `integration_disabled`, `channel_gone`, `channel_inbound_only`, `not_configured`; 422
    ///   for a text that the platform would not take; 502 and 503 as the platform answers.
    func post(
        _ text: String, to id: Identifier<PlatformChannel>, of integration: Identifier<PlatformIntegration>,
        by scope: OrganizationScope
    ) throws -> OutgoingChannelMessage {
        let record = try find(integration, scope)
        guard let channel = try channels(scope).find(id, in: database), channel.integration == integration else {
            throw Problem.notFound
        }
        try requirePostable(text, channel, record)
        let instance = try instance(of: record, scope)
        let message = try messages(scope).begin(Identifier(world), text, to: channel)
        do throws(PlatformFailure) {
            let platformID = try instance.service.post(
                text, to: channel, message.id, calls(record, instance, within: Self.longestCall))
            end(message, .sent, platformID, nil, channel, record, by: scope)
            return OutgoingChannelMessage(
                id: message.id, channel: id, integration: integration, status: .sent, platformID: platformID,
                createdAt: message.createdAt)
        } catch {
            end(message, error.outcome, nil, error.sentence, channel, record, by: scope)
            if error.kind == .unauthorized { try noteRefusal(error, of: record, by: scope) }
            throw error.problem
        }
    }

    private func requirePostable(
        _ text: String, _ channel: ChannelRecord, _ record: IntegrationRecord
    ) throws(Problem) {
        try Self.requireEnabled(record)
        guard channel.vanishedAt == nil else {
            throw Problem(409, "channel_gone", "The platform no longer has this channel. Sync the channels.")
        }
        guard channel.direction != .inbound else {
            throw Problem(
                409, "channel_inbound_only", "This channel is set to inbound. Set it to outbound or both to post there."
            )
        }
        let longest = registry[record.platform]?.kind.longestText ?? 2_000
        guard text.unicodeScalars.count <= longest else {
            throw Problem.invalid("text", "too_long", "\(title(of: record)) takes at most \(longest) characters.")
        }
    }

    /// Notes what became of a message and tells others, in one transaction.
    private func end(
        _ message: OutgoingChannelMessage, _ status: OutgoingChannelMessage.Status, _ platformID: String?,
        _ error: String?, _ channel: ChannelRecord, _ record: IntegrationRecord, by scope: OrganizationScope
    ) {
        do {
            try database.transaction { transaction in
                guard
                    try messages(scope).end(
                        message.id, status, platformID: platformID, because: error, in: transaction)
                else { return }
                var data = record.data(of: channel)
                data.append(.init("message_id", .string(message.id.text)))
                data.append(
                    status == .sent ? .init("platform_message_id", JSON(platformID)) : .init("error", JSON(error)))
                try events.publish(
                    status == .sent ? .channelMessageSent : .channelMessageFailed, about: channel.id, .object(data),
                    for: record.organization, in: transaction)
                try audit.record(
                    status == .sent ? "channel_message.sent" : "channel_message.failed",
                    .init("platform_channel", channel.id, name: channel.name),
                    details: ["message_id": .string(message.id.text), "error": JSON(error)], by: scope,
                    in: transaction)
            }
        } catch {
            // It stays as being sent, and is told of as of unknown outcome later.
            log.error(
                "what became of a message could not be noted",
                ["message": .init(message.id.text), "error": .init(String(reflecting: error))])
        }
    }

    // MARK: Cut off

    /// Tells of messages whose sender died before the platform's answer was noted, and forgets old ones.
    public func tidy() throws {
        let rows = try database.rows(
            """
            SELECT m.id AS message_id, m.organization_id, m.channel_id
              FROM channel_messages m
             WHERE m.status = 'sending' AND m.updated_at < \(world.now() - ChannelMessageStore.patience)
             ORDER BY m.updated_at
             LIMIT 200
            """)
        for row in rows {
            try tell(
                cutOff: try row.get("message_id"), in: try row.get("channel_id"), of: try row.get("organization_id"))
        }
        while try database.execute(
            "DELETE FROM channel_messages WHERE created_at < \(world.now() - .days(30)) LIMIT 1000"
        ).affectedRows == 1_000 {}
    }

    private func tell(
        cutOff id: Identifier<ChannelMessage>, in channel: Identifier<PlatformChannel>,
        of organization: Identifier<Organization>
    ) throws {
        let scope = Self.hub(organization)
        let sentence = "The hub was cut off while it sent this: the platform may have taken it, or not."
        try database.transaction { transaction in
            guard try messages(scope).end(id, .unknown, platformID: nil, because: sentence, in: transaction),
                let channel = try channels(scope).find(channel, in: transaction),
                let record = try store(scope).find(channel.integration, in: transaction)
            else { return }
            let more: [JSON.Member] = [
                .init("message_id", .string(id.text)), .init("error", .string(sentence)),
            ]
            try events.publish(
                .channelMessageFailed, about: channel.id, .object(record.data(of: channel) + more),
                for: organization, in: transaction)
        }
    }

    /// The scope of the hub's own work.
    static func hub(_ organization: Identifier<Organization>) -> OrganizationScope {
        OrganizationScope(
            trusted: organization, name: "", actor: Actor(kind: .hub, name: "Hub"), requestID: "-")
    }
}

extension PlatformFailure {
    /// What is known of a message after this.
    fileprivate var outcome: OutgoingChannelMessage.Status { kind == .ambiguous ? .unknown : .failed }
}

extension IntegrationRecord {
    /// What every event of a channel says of it.
    func data(of channel: ChannelRecord) -> [JSON.Member] {
        [
            .init("integration_id", .string(id.text)), .init("workspace_id", .string(workspace.text)),
            .init("platform", .string(platformName)), .init("channel_id", .string(channel.id.text)),
            .init("platform_channel_id", .string(channel.platformID)), .init("channel_name", .string(channel.name)),
            .init("lvng_conversation_id", JSON(channel.conversation?.text)),
        ]
    }
}
