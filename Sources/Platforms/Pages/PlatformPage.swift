import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// One integration: its channels with their settings in place, its key, where its platform sends events.
struct PlatformPage: ShellPage {
    /// The addresses of what can be done.
    struct Links: Sendable {
        let list, edit, remove, test, sync, enable, disable, makeKey, revokeKey, addChannel, rotate, activity: String
        /// The page of refused requests; nil for those who may not read them.
        let refusals: String?
        /// Where events are sent to; nil for those who may not change it.
        let inboundURL: String?
    }

    /// One channel.
    struct Line: Sendable {
        let channel: ChannelRecord
        let action: String
        let postHref: String
    }

    static let template = "platform"
    static let sample = PlatformPage(
        integration: .sample(connected: false, error: "Slack refused these credentials."), platform: .sample,
        workspace: "Main", canWrite: true, canSync: true, canPost: true, knowsPlatform: false,
        links: Links(
            list: "/platforms", edit: "/e", remove: "/r", test: "/t", sync: "/s", enable: "/on", disable: "/off",
            makeKey: "/k", revokeKey: "/k/r", addChannel: "/c", rotate: "/ro",
            activity: "/audit-log", refusals: "/d", inboundURL: "https://hub.example/inbound/1"),
        lines: [Line(channel: .sample, action: "/platforms/channels/1", postHref: "/platforms/channels/1/post")],
        hasChannels: true, search: "", firstHref: nil, nextHref: "/platforms/1?cursor=x", typed: nil, problem: nil,
        now: Timestamp(seconds: 120))

    let integration: IntegrationRecord
    let platform: ChannelPlatform?
    let workspace: String
    let canWrite: Bool
    let canSync: Bool
    let canPost: Bool
    /// Whether the platform's own requests can be known.
    let knowsPlatform: Bool
    let links: Links
    let lines: [Line]
    /// Whether there are any channels, whatever is searched for.
    let hasChannels: Bool
    let search: String
    let firstHref: String?
    let nextHref: String?
    /// What was typed of a chat's id that was refused.
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    private var name: String { platform?.name ?? integration.platform }

    var title: String { "\(name) of “\(workspace)”" }
    var place: Place? { .platforms }

    var view: TemplateValue {
        let chat = FormView(
            [
                FormField(
                    "platform_channel_id", "Chat", .code,
                    help: "Its id, such as -1001234567890, or @ and the name of a public channel.", maxLength: 200)
            ], typed: typed, problem: problem)
        let isByHand = platform?.kind.hasNoList ?? false
        return [
            "list_href": .text(links.list), "name": .text(name), "workspace": .text(workspace),
            "tile": platform?.tile ?? PlatformListPage.plainTile, "state": integration.state,
            "sentence": .text(sentence), "attention": .list(attention), "can_write": .bool(canWrite),
            "can_sync": .bool(canSync), "edit_href": .text(links.edit), "test_action": .text(links.test),
            "sync_action": .text(links.sync), "is_by_hand": .bool(isByHand),
            "sync_label": .text(isByHand ? "Look up chats" : "Sync channels"),
            "add_form": isByHand && canSync
                ? ["action": .text(links.addChannel), "form_errors": chat.summary, "fields": chat.quietList] : .null,
            "has_channels": .bool(hasChannels), "search": .text(search), "page_href": .text(pageHref),
            "channels": .list(lines.map(view)), "pagination": pagination,
            "synced": integration.channelsSyncedAt?.view(now: now) ?? .null,
            "key": integration.keyCreatedAt.map { made in
                ["masked": .text("lvng_plat_…\(integration.keyLastFour ?? "")"), "created": made.view(now: now)]
            } ?? .null,
            "make_key_action": .text(links.makeKey), "revoke_key_action": .text(links.revokeKey),
            "inbound_url": TemplateValue(links.inboundURL), "inbound_words": .text(inboundWords),
            "rotate_href": .text(links.rotate), "refusals_href": TemplateValue(links.refusals),
            "enable_action": integration.isEnabled || !canWrite ? .null : .text(links.enable),
            "disable_action": integration.isEnabled && canWrite ? .text(links.disable) : .null,
            "remove_href": .text(links.remove), "activity_href": .text(links.activity),
            "details": [
                "id": .text(integration.id.text), "asked_as": .text(integration.platformName),
                "connected": integration.lastConnectedAt?.view(now: now) ?? .null,
                "created": integration.createdAt.view(now: now),
                "previous_address_ends": ending(integration.previousAddressEndsAt),
                "previous_secret_ends": ending(integration.previousWebhookSecret?.endsAt),
                "previous_signing_ends": ending(integration.previousSigningSecret?.endsAt),
                "signing_words": .text(platform?.kind.signingWords ?? ""),
            ],
        ]
    }

    /// When something before ends; null for what has ended.
    private func ending(_ end: Timestamp?) -> TemplateValue {
        end.flatMap { $0 > now ? $0 : nil }?.view(now: now) ?? .null
    }

    private var pageHref: String { firstHref ?? "" }

    private var sentence: String {
        guard integration.isEnabled else { return "Disabled: nothing is read from it and nothing posted." }
        guard integration.configSealed != nil else { return "It has no token yet. Edit it to add one." }
        return switch integration.isConnected {
        case true?: "It answered when it was tried last."
        case false?: "It did not answer as it should when it was tried last."
        case nil: "It has not been tried with this configuration."
        }
    }

    private var attention: [TemplateValue] {
        guard integration.isEnabled else { return [] }
        var list: [TemplateValue] = []
        if integration.isConnected == false {
            list.append([
                "tone": "bad", "title": .text("\(name) does not answer."),
                "text": .text(integration.connectionError ?? ""), "href": .text(links.edit), "label": "Edit it",
            ])
        }
        // What Discord sends by HTTP is no message: what matters comes by another way.
        if let platform, platform.kind != .discord, !knowsPlatform {
            let words = platform.kind.signingWords
            list.append([
                "tone": "warn", "title": .text("Everything that \(name) sends is refused."),
                "text": .text(
                    "Without the \(words) nobody can tell that it comes from there. Add it, to hear of messages."),
                "href": canWrite ? .text(links.edit) : .null, "label": .text("Add \(words)"),
            ])
        }
        return list
    }

    private var inboundWords: String {
        switch platform?.kind {
        case .slack: "Enter it in Slack under Event Subscriptions. Slack’s events are known by the signing secret."
        case .discord:
            "Enter it in the Discord developer portal; what comes from there is known by the public key. Discord sends interactions that way and no messages of servers: to hear those, let a program that listens to Discord’s gateway pass them on to this address, with the platform key or the webhook secret as Authorization: Bearer."
        case .telegram: "Give it to setWebhook, with the secret token. Updates are known by that token."
        case .microsoftTeams:
            "Give it to a subscription of Microsoft Graph as notificationUrl, with the webhook secret as clientState: Graph’s notifications are known by that."
        case nil: "Whoever sends there proves it by the webhook secret or the platform key."
        }
    }

    private func view(_ line: Line) -> TemplateValue {
        let channel = line.channel
        let id = channel.id.text
        let directions = [(value: "", label: "Not synced")] + SyncDirection.allCases.map { ($0.rawValue, $0.words) }
        return [
            "name": .text(channel.name), "kind": .text(channel.kind), "topic": TemplateValue(channel.topic),
            "platform_id": .text(channel.platformID), "form_id": .text("channel-\(id)"), "action": .text(line.action),
            "can_change": .bool(canSync),
            "direction": .text(channel.direction?.words ?? "Not synced"),
            "directions": .list(
                directions.map { value, label in
                    [
                        "value": .text(value), "label": .text(label),
                        "selected": .bool(value == channel.direction?.rawValue ?? ""),
                    ]
                }),
            "is_synced": .bool(channel.isSynced), "conversation": .text(channel.conversation?.text ?? ""),
            "vanished": channel.vanishedAt?.view(now: now) ?? .null,
            "post_href": canPost && channel.vanishedAt == nil && channel.direction != .inbound
                ? .text(line.postHref) : .null,
        ]
    }

    private var pagination: TemplateValue {
        guard nextHref != nil || firstHref != nil else { return .null }
        return [
            "text": .text("\(lines.count.counted("channel", "channels")), by name"),
            "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref),
        ]
    }
}
