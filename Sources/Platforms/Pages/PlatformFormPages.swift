import AdminShell
import Domain
import HTTPKit
import JSONKit
import LogKit
import TemplateKit
import TimeKit

/// The form of an integration: where it belongs, and what it is configured with.
struct PlatformForm: Sendable {
    let platform: ChannelPlatform
    /// What is stored; nil for a new one.
    let stored: PlatformConfig?
    let isNew: Bool
    let isEnabled: Bool
    let workspaces: [(id: Identifier<Workspace>, name: String)]
    let connections: [(id: Identifier<Connection>, name: String)]
    let typed: Form?
    let problem: Problem?

    /// The form, or the form again.
    var view: FormView { FormView(placeFields + configFields + [enabledField], typed: typed, problem: problem) }

    var placeNames: [String] { placeFields.map(\.name) }
    var configNames: [String] { configFields.map(\.name) }
    var enabledNames: [String] { [enabledField.name] }

    private var placeFields: [FormField] {
        guard isNew else { return [] }
        return [
            FormField(
                "workspace_id", "Workspace", .select(workspaces.map { .init($0.id.text, $0.name) }),
                help: "A workspace has one integration of each platform.")
        ]
    }

    private var configFields: [FormField] {
        let lent =
            connections.isEmpty
            ? []
            : [
                FormField(
                    "config.connection_id", "Use a connection",
                    .select([.init("", "None: a token of its own")] + connections.map { .init($0.id.text, $0.name) }),
                    help: "Its credentials are used and renewed; a token below is then not needed.", isOptional: true,
                    initial: [stored?.connection?.text ?? ""])
            ]
        return lent
            + Self.fields(of: platform).map { field in
                FormField(
                    "config.\(field.name)", field.label, field.isSecret ? .secret : .code, help: field.help,
                    isOptional: true, isStored: field.isSecret && stored?[field.name] != nil, width: .wide,
                    maxLength: 4_096, initial: field.isSecret ? [] : [stored?[field.name] ?? ""])
            }
    }

    private var enabledField: FormField {
        FormField("enabled", "In use", .checkbox, isOptional: true, initial: [isEnabled ? "true" : "false"])
    }

    /// What the provider file names, and what only an integration needs.
    static func fields(of platform: ChannelPlatform) -> [ChannelPlatform.Field] {
        let own: [ChannelPlatform.Field] =
            switch platform.kind {
            case .slack:
                [
                    .init(
                        name: "team_id", label: "Team ID", help: "Begins with T; noted on each channel.",
                        isSecret: false)
                ]
            case .discord:
                [
                    .init(
                        name: "guild_id", label: "Server ID",
                        help: "Only this server’s channels; empty for every server that the bot is in.",
                        isSecret: false)
                ]
            case .microsoftTeams:
                [
                    .init(
                        name: "access_token", label: "Access token",
                        help: "Of Microsoft Graph. It ends after an hour: a connection renews its own.", isSecret: true),
                    .init(
                        name: "team_id", label: "Team ID",
                        help: "Only this team’s channels; empty for every team that the person has joined.",
                        isSecret: false),
                ]
            case .telegram:
                [
                    .init(
                        name: "secret_token", label: "Secret token",
                        help: "What you gave setWebhook as secret_token: it proves that updates come from Telegram.",
                        isSecret: true)
                ]
            }
        let named = platform.fields.filter { field in !own.contains { $0.name == field.name } }
        return named + own
    }

    /// Reads what was filled in over what is stored: an empty secret keeps its own, any other empty value goes.
    static func config(
        _ input: inout Input, _ platform: ChannelPlatform, over stored: PlatformConfig?
    ) -> PlatformConfig? {
        var members = stored?.members ?? []
        func set(_ name: String, _ value: String?) {
            let place = members.firstIndex { $0.name == name }
            switch (place, value) {
            case (let place?, let value?): members[place] = .init(name, .string(value))
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(.init(name, .string(value)))
            case (nil, nil): break
            }
        }
        set("connection_id", input.optionalText("config.connection_id", 1...36))
        for field in fields(of: platform) {
            let name = "config.\(field.name)"
            if field.isSecret {
                if let typed = input.secret(name)?.reveal({ $0 }) { set(field.name, typed) }
            } else {
                set(field.name, input.optionalText(name, 1...4_096))
            }
        }
        return PlatformConfig.read(members, &input) { "config.\($0)" }
    }
}

/// Making an integration, and changing one.
struct PlatformFormPage: ShellPage {
    static let template = "platform-form"
    static let sample = PlatformFormPage(
        form: PlatformForm(
            platform: .sample, stored: nil, isNew: true, isEnabled: true, workspaces: [(Identifier(.real), "Main")],
            connections: [(Identifier(.real), "Slack (default)")], typed: nil, problem: nil),
        workspace: nil, version: nil, backHref: "/platforms/new", action: "/platforms/new/slack")

    let form: PlatformForm
    /// The workspace of an integration that is changed.
    let workspace: String?
    let version: Int64?
    let backHref: String
    let action: String

    var title: String {
        workspace.map { "Edit \(form.platform.name) of “\($0)”" } ?? "Add \(form.platform.name)"
    }
    var place: Place? { .platforms }

    var view: TemplateValue {
        let drawn = form.view
        return [
            "title": .text(title), "is_new": .bool(form.isNew), "platform": .text(form.platform.name),
            "tile": form.platform.tile, "summary": .text(form.platform.summary), "back_href": .text(backHref),
            "action": .text(action), "version": version.map { .text("\($0)") } ?? .null,
            "form_errors": drawn.summary, "place_fields": drawn.list(form.placeNames),
            "config_fields": drawn.list(form.configNames), "enabled_fields": drawn.list(form.enabledNames),
        ]
    }
}

/// What is shown once: the secret of what comes in, or a key.
struct PlatformSecretPage: ShellPage {
    /// What it is.
    enum What: Sendable {
        /// The secret of a new integration.
        case first
        /// The secret in the place of another.
        case another
        /// A key.
        case key
    }

    static let template = "platform-secret"
    static let sample = PlatformSecretPage(
        platform: "Slack", workspace: "Main", secret: Secret("lvng_plat_…"), what: .key,
        inboundURL: "https://hub.example/inbound/1", showHref: "/platforms/1")

    let platform: String
    let workspace: String
    let secret: Secret<String>
    let what: What
    let inboundURL: String
    let showHref: String

    var title: String {
        switch what {
        case .first: "\(platform) added"
        case .another: "Secret of \(platform) replaced"
        case .key: "Key of \(platform) made"
        }
    }
    var place: Place? { .platforms }

    private var heading: String {
        switch what {
        case .first: "\(platform) of “\(workspace)” is ready"
        case .another: "\(platform) of “\(workspace)” has a new secret"
        case .key: "\(platform) of “\(workspace)” has a new key"
        }
    }

    private var lead: String {
        switch what {
        case .first:
            "Whoever has no signature of \(platform) proves by the secret below that what they send comes from you."
        case .another: "Give it to whoever sends to this integration before the old one ends."
        case .key: "It opens this integration alone. The key before opens nothing any more."
        }
    }

    var view: TemplateValue {
        [
            "heading": .text(heading), "lead": .text(lead), "secret": .text(secret.reveal { $0 }),
            "words": .text(
                what == .key
                    ? "The hub keeps only a fingerprint of this key."
                    : "It is sent as Authorization: Bearer to the address below."),
            "copy_label": .text(what == .key ? "Copy key" : "Copy secret"), "inbound_url": .text(inboundURL),
            "show_href": .text(showHref),
        ]
    }
}

/// Asks before an integration is removed.
struct PlatformRemovePage: ShellPage {
    static let template = "platform-remove"
    static let sample = PlatformRemovePage(
        platform: "Slack", workspace: "Main", channels: 5, showHref: "/platforms/1", action: "/platforms/1/remove",
        typed: nil, problem: nil)

    let platform: String
    let workspace: String
    let channels: Int
    let showHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Remove \(platform) from “\(workspace)”" }
    var place: Place? { .platforms }

    var view: TemplateValue {
        let form = FormView(
            [FormField("confirm_name", "Type “\(platform)” to go on", .code)], typed: typed, problem: problem)
        return [
            "platform": .text(platform), "workspace": .text(workspace),
            "channels": .text(channels.counted("channel", "channels")), "show_href": .text(showHref),
            "action": .text(action), "form_errors": form.summary, "fields": form.list,
        ]
    }
}

/// Writing to a channel.
struct PlatformPostPage: ShellPage {
    static let template = "platform-post"
    static let sample = PlatformPostPage(
        channel: .sample, platform: .sample, showHref: "/platforms/1", action: "/platforms/channels/1/post",
        typed: nil, problem: nil)

    let channel: ChannelRecord
    let platform: ChannelPlatform?
    let showHref: String
    let action: String
    let typed: Form?
    let problem: Problem?

    var title: String { "Write to “\(channel.name)”" }
    var place: Place? { .platforms }

    var view: TemplateValue {
        let longest = platform?.kind.longestText ?? 2_000
        let form = FormView(
            [FormField("text", "Text", .lines(rows: 5), help: "At most \(longest) characters.", width: .wide)],
            typed: typed, problem: problem)
        return [
            "name": .text(channel.name), "platform": .text(platform?.name ?? ""), "show_href": .text(showHref),
            "action": .text(action), "form_errors": form.summary, "fields": form.list,
        ]
    }
}
