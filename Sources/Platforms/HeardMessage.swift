import Domain
import JSONKit
import TimeKit

/// A message in a channel, as a platform's event tells of it. Everything in it is somebody else's word.
struct HeardMessage: Sendable, Equatable {
    /// The platform's id of the channel.
    let channel: String
    /// The platform's id of the message.
    let id: String
    /// What was written, as the platform writes it.
    let text: String
    /// The same as whoever posts it by the platform's interface gave it.
    let plainText: String
    let author: Author
    /// The application that posted it, where one did.
    let application: String?
    let sentAt: Timestamp?
    /// The platform's id of the thread, where it stands in one.
    let thread: String?
    /// Whether the event itself says that the application which is told of it wrote it.
    let isByReceiver: Bool

    /// Who wrote it.
    struct Author: Sendable, Equatable {
        let id: String?
        let name: String?
        let isBot: Bool
        /// The bot's own id, where it has one beside its user's.
        let bot: String?
    }

    /// The new messages that an event tells of; none for events of other things.
    static func read(_ event: JSON, from kind: ChannelPlatform.Kind) -> [HeardMessage] {
        let found: [HeardMessage?] =
            switch kind {
            case .slack: [slack(event)]
            case .discord: [discord(event)]
            case .telegram: [telegram(event)]
            case .microsoftTeams: (event["value"]?.elements ?? [event]).prefix(100).map(teams)
            }
        return found.compactMap(\.self).filter {
            (1...200).contains($0.channel.unicodeScalars.count) && (1...200).contains($0.id.unicodeScalars.count)
        }
    }

    /// Whether the hub wrote it, as far as the author tells.
    func isOwn(_ own: OwnIdentity, _ kind: ChannelPlatform.Kind) -> Bool {
        if isByReceiver { return true }
        if let application, application == own.application { return true }
        switch kind {
        case .slack:
            if let bot = author.bot, bot == own.bot { return true }
            // The user of a person's token writes by hand, too.
            return own.bot != nil && author.id != nil && author.id == own.user
        case .discord, .telegram: return author.isBot && author.id != nil && author.id == own.user
        // The hub posts in the name of whoever signed in: only the message's own id can tell.
        case .microsoftTeams: return false
        }
    }
}

// MARK: The platforms' shapes

extension HeardMessage {
    /// What tells of a message that is new; others tell of changes, deletions, and people who come and go.
    private static let slackSubtypes: Set<String> = ["bot_message", "file_share", "thread_broadcast", "me_message"]

    /// https://docs.slack.dev/reference/events/message
    private static func slack(_ body: JSON) -> HeardMessage? {
        guard let event = body["event"], event["type"]?.text == "message" || event["type"]?.text == "app_mention",
            event["subtype"]?.text.map(slackSubtypes.contains) ?? true, let channel = event["channel"]?.text,
            let stamp = event["ts"]?.text
        else { return nil }
        let text = event["text"]?.text ?? ""
        let (bot, application) = (event["bot_id"]?.text, event["app_id"]?.text)
        return HeardMessage(
            channel: channel, id: stamp, text: text,
            plainText: text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&"),
            author: Author(
                id: event["user"]?.text, name: event["username"]?.text, isBot: bot != nil, bot: bot),
            application: application, sentAt: Double(stamp).flatMap(moment), thread: event["thread_ts"]?.text,
            isByReceiver: application != nil && application == body["api_app_id"]?.text)
    }

    /// A message as Discord's gateway gives it (`t`, `d`), as its webhook events do (`event`), or by itself.
    private static func discord(_ body: JSON) -> HeardMessage? {
        let type = body["t"]?.text ?? body["event"]?["type"]?.text
        guard type == nil || type == "MESSAGE_CREATE" else { return nil }
        let message = body["d"] ?? body["event"]?["data"] ?? body
        guard let channel = message["channel_id"]?.text, let id = message["id"]?.text, let author = message["author"]
        else { return nil }
        let text = message["content"]?.text ?? ""
        return HeardMessage(
            channel: channel, id: id, text: text, plainText: text,
            author: Author(
                id: author["id"]?.text, name: author["global_name"]?.text ?? author["username"]?.text,
                isBot: author["bot"]?.truth == true, bot: nil),
            application: message["application_id"]?.text,
            sentAt: message["timestamp"]?.text.flatMap { Timestamp(rfc3339: $0) },
            thread: message["thread"]?["id"]?.text, isByReceiver: false)
    }

    /// https://core.telegram.org/bots/api#update
    private static func telegram(_ body: JSON) -> HeardMessage? {
        guard let message = body["message"] ?? body["channel_post"],
            let chat = message["chat"]?["id"]?.wholeNumber, let id = message["message_id"]?.wholeNumber
        else { return nil }
        let text = message["text"]?.text ?? message["caption"]?.text ?? ""
        let from = message["from"]
        return HeardMessage(
            channel: String(chat), id: String(id), text: text, plainText: text,
            author: Author(
                id: from?["id"]?.wholeNumber.map { String($0) },
                name: from?["username"]?.text ?? from?["first_name"]?.text ?? message["author_signature"]?.text,
                isBot: from?["is_bot"]?.truth == true, bot: nil),
            application: nil, sentAt: message["date"]?.wholeNumber.flatMap { moment(Double($0)) },
            thread: message["message_thread_id"]?.wholeNumber.map { String($0) }, isByReceiver: false)
    }

    /// A chatMessage of Graph, by itself or as the data of a notification.
    private static func teams(_ notification: JSON) -> HeardMessage? {
        guard notification["changeType"]?.text.map({ $0 == "created" }) ?? true else { return nil }
        return graph(notification["resourceData"] ?? notification)
    }

    /// https://learn.microsoft.com/graph/api/resources/chatmessage
    static func graph(_ message: JSON) -> HeardMessage? {
        guard let channel = message["channelIdentity"]?["channelId"]?.text, let id = message["id"]?.text,
            let content = message["body"]?["content"]?.text, message["messageType"]?.text ?? "message" == "message"
        else { return nil }
        let isHTML = message["body"]?["contentType"]?.text == "html"
        let (user, application) = (message["from"]?["user"], message["from"]?["application"])
        let text = isHTML ? plain(html: content) : content
        return HeardMessage(
            channel: channel, id: id, text: text, plainText: text,
            author: Author(
                id: user?["id"]?.text ?? application?["id"]?.text,
                name: user?["displayName"]?.text ?? application?["displayName"]?.text, isBot: user?["id"] == nil,
                bot: nil),
            application: application?["id"]?.text,
            sentAt: message["createdDateTime"]?.text.flatMap { Timestamp(rfc3339: $0) },
            thread: message["replyToId"]?.text, isByReceiver: false)
    }

    /// What a person reads of HTML: its tags left out.
    static func plain(html: String) -> String {
        var (text, isTag) = ("", false)
        for mark in html.unicodeScalars {
            switch mark {
            case "<": isTag = true
            case ">" where isTag: isTag = false
            default: if !isTag { text.unicodeScalars.append(mark) }
            }
        }
        let names = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        return names.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    /// A moment in seconds since 1970; nil for one that no platform means.
    private static func moment(_ seconds: Double) -> Timestamp? {
        guard seconds.isFinite, (0...4_102_444_800).contains(seconds) else { return nil }
        return Timestamp(microseconds: Int64(seconds * 1_000_000))
    }
}
