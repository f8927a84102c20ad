import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// What platforms tell of: messages in channels that are set to be heard become events of the hub.
extension Platforms {
    /// How many bytes a text may have in an event, written as JSON.
    static let longestHeard = 30_000

    /// Hears an event of a platform, in the transaction that publishes it.
    ///
    /// Each message is told once, whatever the platform repeats; what the hub posted itself is told by its being sent and
    /// not again by its coming back.
    public func hear(_ event: InboundEvent, in transaction: Transaction) throws {
        guard let id = event.origin.integration else { return }
        let scope = Self.hub(event.origin.organization)
        guard let record = try store(scope).find(id, in: transaction), record.isEnabled,
            let kind = registry[record.platform]?.kind, let body = try? JSON(parsing: event.body)
        else { return }
        for message in HeardMessage.read(body, from: kind) {
            try hear(message, of: record, kind, scope, in: transaction)
        }
        if kind == .microsoftTeams { try fetchLater(body, of: record, in: transaction) }
    }

    /// - Returns: whether it was told of.
    @discardableResult
    func hear(
        _ message: HeardMessage, of record: IntegrationRecord, _ kind: ChannelPlatform.Kind,
        _ scope: OrganizationScope, in transaction: Transaction
    ) throws -> Bool {
        guard
            let channel = try channels(scope).find(platformID: message.channel, of: record.id, in: transaction),
            channel.isHeard
        else { return false }
        let messages = messages(scope)
        // Asked first: one that its author tells to be ours stands for no other any more.
        let isPosted = try messages.isOurs(message.id, message.plainText, in: channel, transaction)
        guard !isPosted, !message.isOwn(record.own, kind),
            try messages.hear(message.id, message.plainText, in: channel, transaction)
        else { return false }
        try events.publish(
            .channelMessageReceived, about: channel.id, .object(record.data(of: channel) + message.members),
            for: record.organization, in: transaction)
        return true
    }
}

extension HeardMessage {
    /// What an event says of the message.
    fileprivate var members: [JSON.Member] {
        let (said, isCut) = Self.cut(text, to: Platforms.longestHeard)
        let author: JSON = [
            "id": JSON(author.id.map(Self.short)), "name": JSON(author.name.map(Self.short)),
            "is_bot": .bool(author.isBot),
        ]
        return [
            .init("platform_message_id", .string(id)), .init("author", author), .init("text", .string(said)),
            .init("is_cut", .bool(isCut)), .init("sent_at", JSON(sentAt)),
            .init("thread_id", JSON(thread.map(Self.short))),
        ]
    }

    private static func short(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(200)))
    }

    /// As much of a text as fits, written as JSON.
    static func cut(_ text: String, to bytes: Int) -> (text: String, isCut: Bool) {
        var (kept, size) = (String.UnicodeScalarView(), 2)
        for mark in text.unicodeScalars {
            // A control character becomes six bytes, a quote and a backslash two.
            size += mark.value < 0x20 || mark.value == 0x7f ? 6 : mark == "\"" || mark == "\\" ? 2 : UTF8.width(mark)
            guard size <= bytes else { return (String(kept), true) }
            kept.append(mark)
        }
        return (text, false)
    }
}
