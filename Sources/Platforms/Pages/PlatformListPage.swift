import AdminShell
import Domain
import TemplateKit
import TimeKit

/// The organization's platform integrations, workspace by workspace.
struct PlatformListPage: ShellPage {
    /// One integration.
    struct Line: Sendable {
        let integration: IntegrationRecord
        let platform: ChannelPlatform?
        let channels: Int
        let href: String
    }

    /// A workspace with what it is tied to.
    struct Group: Sendable {
        let name: String
        let lines: [Line]
    }

    static let template = "platforms"
    static let sample = PlatformListPage(
        canWrite: true, newHref: "/platforms/new", organizationHref: "/organization", hasWorkspaces: true,
        groups: [
            Group(
                name: "Main",
                lines: [
                    Line(
                        integration: .sample(connected: false, error: "Slack refused these credentials."),
                        platform: .sample, channels: 5, href: "/platforms/1")
                ])
        ], now: Timestamp(seconds: 120))

    let canWrite: Bool
    let newHref: String
    let organizationHref: String
    let hasWorkspaces: Bool
    let groups: [Group]
    let now: Timestamp

    var title: String { "Chat platforms" }
    var place: Place? { .platforms }

    var view: TemplateValue {
        [
            "can_write": .bool(canWrite), "new_href": .text(newHref), "organization_href": .text(organizationHref),
            "has_workspaces": .bool(hasWorkspaces), "has_integrations": .bool(!groups.isEmpty),
            "attention": .list(attention),
            "groups": .list(
                groups.enumerated().map { index, group in
                    [
                        "id": .text("workspace-\(index)"), "name": .text(group.name),
                        "integrations": .list(group.lines.map(view)),
                    ]
                }),
        ]
    }

    private var attention: [TemplateValue] {
        groups.flatMap { group in group.lines.map { (group.name, $0) } }.filter { _, line in
            line.integration.isEnabled && line.integration.isConnected == false
        }.prefix(3).map { workspace, line in
            [
                "tone": "bad",
                "title": .text(
                    "\(line.platform?.name ?? line.integration.platform) of “\(workspace)” does not answer."),
                "text": .text(line.integration.connectionError ?? ""), "href": .text(line.href),
                "label": "Look at it",
            ]
        }
    }

    private func view(_ line: Line) -> TemplateValue {
        let integration = line.integration
        return [
            "href": .text(line.href), "platform": .text(line.platform?.name ?? integration.platform),
            "name": .text(integration.platformName), "tile": line.platform?.tile ?? Self.plainTile,
            "state": integration.state, "channels": .text("\(line.channels)"),
            "connected": integration.lastConnectedAt?.view(now: now) ?? .null,
            "key": integration.keyLastFour.map { .text("…\($0)") } ?? .null,
        ]
    }

    static let plainTile: TemplateValue = ["letters": "?", "color": "slate"]
}

/// The platforms that a workspace can be tied to.
struct PlatformChoicePage: ShellPage {
    static let template = "platform-choice"
    static let sample = PlatformChoicePage(listHref: "/platforms", platforms: [(.sample, "/platforms/new/slack")])

    let listHref: String
    let platforms: [(platform: ChannelPlatform, href: String)]

    var title: String { "Add a chat platform" }
    var place: Place? { .platforms }

    var view: TemplateValue {
        [
            "list_href": .text(listHref),
            "platforms": .list(
                platforms.map { platform, href in
                    [
                        "href": .text(href), "name": .text(platform.name), "tile": platform.tile,
                        "summary": .text(platform.summary),
                        "how": .text(
                            platform.kind.hasNoList
                                ? "Chats are added by their ids" : "Channels are fetched from its list"),
                    ]
                }),
        ]
    }
}
