import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// A message that the hub posts to a channel.
struct OutgoingChannelMessage: Sendable {
    /// How far it is.
    enum Status: String, Sendable, Bindable, Readable {
        /// On its way.
        case sending
        /// The platform took it.
        case sent
        /// The platform did not take it.
        case failed
        /// Nobody knows.
        case unknown
    }

    let id: Identifier<ChannelMessage>
    let channel: Identifier<PlatformChannel>
    let integration: Identifier<PlatformIntegration>
    let status: Status
    let platformID: String?
    let createdAt: Timestamp
}

/// Which messages passed through the channels of an organization.
struct ChannelMessageStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// For how long a message that was on its way when its sender died may still be so.
    static let patience = Duration.minutes(2)

    static func digest(_ text: String) -> [UInt8] { SHA256.digest(text.utf8) }

    /// Notes a message before the platform is called, so that its coming back is recognised however early that is.
    func begin(
        _ id: Identifier<ChannelMessage>, _ text: String, to channel: ChannelRecord
    ) throws -> OutgoingChannelMessage {
        let now = world.now()
        try database.execute(
            """
            INSERT INTO channel_messages
                   (id, organization_id, integration_id, channel_id, direction, status, text_digest, created_at,
                    updated_at)
            VALUES (\(id), \(scope.organization), \(channel.integration), \(channel.id), 'outbound', 'sending',
                    \(Self.digest(text)), \(now), \(now))
            """)
        return OutgoingChannelMessage(
            id: id, channel: channel.id, integration: channel.integration, status: .sending, platformID: nil,
            createdAt: now)
    }

    /// Notes what became of a message.
    ///
    /// - Returns: false when somebody else has noted it already.
    func end(
        _ id: Identifier<ChannelMessage>, _ status: OutgoingChannelMessage.Status, platformID: String?,
        because words: String? = nil, in transaction: Transaction
    ) throws -> Bool {
        if let platformID { try free(platformID, for: id, in: transaction) }
        return try transaction.execute(
            """
            UPDATE channel_messages
               SET status = \(status), platform_message_id = COALESCE(\(platformID), platform_message_id),
                   error = \(words),
                   updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization) AND status IN ('sending', 'unknown')
            """
        ).affectedRows == 1
    }

    /// Takes a platform's id from whoever holds it in the channel of a message: it is unique there.
    ///
    /// What came back before it was known here may stand there as heard, or as another message that says the same and is on
    /// its way; that one has yet to learn its own.
    private func free(
        _ platformID: String, for id: Identifier<ChannelMessage>, in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE channel_messages other
              JOIN channel_messages mine ON mine.channel_id = other.channel_id
               SET other.platform_message_id = NULL
             WHERE mine.id = \(id) AND other.id <> mine.id AND other.platform_message_id = \(platformID)
               AND other.direction = 'outbound' AND other.status IN ('sending', 'unknown')
            """)
        try transaction.execute(
            """
            DELETE other
              FROM channel_messages other
              JOIN channel_messages mine ON mine.channel_id = other.channel_id
             WHERE mine.id = \(id) AND other.id <> mine.id AND other.platform_message_id = \(platformID)
            """)
    }

    /// Whether the hub posted a message itself: by the platform's id, or by what it says while its id is not known yet.
    ///
    /// By what it says one message is taken for each that was posted, and its id noted: whoever writes the same next is heard.
    func isOurs(
        _ platformID: String, _ text: String, in channel: ChannelRecord, _ transaction: Transaction
    ) throws
        -> Bool
    {
        let known = try transaction.row(
            """
            SELECT m.direction
              FROM channel_messages m
             WHERE m.channel_id = \(channel.id) AND m.platform_message_id = \(platformID)
            """)
        if let known { return try known.get("direction", as: String.self) == "outbound" }
        return try transaction.execute(
            """
            UPDATE channel_messages
               SET platform_message_id = \(platformID)
             WHERE channel_id = \(channel.id) AND direction = 'outbound' AND text_digest = \(Self.digest(text))
               AND platform_message_id IS NULL AND status IN ('sending', 'unknown')
               AND created_at > \(world.now() - .hours(1))
             ORDER BY created_at, id
             LIMIT 1
            """
        ).affectedRows == 1
    }

    /// Notes a message that somebody wrote.
    ///
    /// - Returns: false when it was noted before.
    func hear(
        _ platformID: String, _ text: String, in channel: ChannelRecord, _ transaction: Transaction
    ) throws
        -> Bool
    {
        let now = world.now()
        let statement: SQL = """
            INSERT INTO channel_messages
                   (id, organization_id, integration_id, channel_id, direction, status, platform_message_id, text_digest,
                    created_at, updated_at)
            VALUES (\(Identifier<ChannelMessage>(world)), \(scope.organization), \(channel.integration), \(channel.id),
                    'inbound', 'received', \(platformID), \(Self.digest(text)), \(now), \(now))
            """
        do {
            try transaction.execute(statement)
            return true
        } catch {
            guard error.code == .duplicate, error.constraint == "message" else { throw error }
            return false
        }
    }
}
