import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

extension Connections {
    /// Each template by its file name.
    public static let templates: [String: [UInt8]] = [
        "connection-confirm.html": PackageResources.connection_confirm_html,
        "connection-edit.html": PackageResources.connection_edit_html,
        "connection-guide.html": PackageResources.connection_guide_html,
        "connection-leaving.html": PackageResources.connection_leaving_html,
        "connection-messages.html": PackageResources.connection_messages_html,
        "connection-new.html": PackageResources.connection_new_html,
        "connection-sending.html": PackageResources.connection_sending_html,
        "connection.html": PackageResources.connection_html,
        "connections.html": PackageResources.connections_html,
        "guide-steps.html": PackageResources.guide_steps_html,
        "provider.html": PackageResources.provider_html,
        "provider-edit.html": PackageResources.provider_edit_html,
        "provider-fields.html": PackageResources.provider_fields_html,
        "provider-gallery.html": PackageResources.provider_gallery_html,
    ]

    /// Every page of this room.
    public static let pages: [any ShellPage.Type] = [
        ConnectionListPage.self, GalleryPage.self, ProviderPage.self, ProviderEditPage.self, ConnectionPage.self,
        ConnectionFormPage.self, ConnectionEditPage.self, ConnectionConfirmPage.self, LeavingPage.self,
        MessagesPage.self,
    ]
}

// MARK: Samples, by which `hub doctor` and the tests render each page

extension ConnectionView {
    /// A connection that failed its last test.
    static let sample = ConnectionView(
        record: .sample, secrets: .open(["bot_token": "110201543:AAH"]), tokens: .none, provider: .sample)
}

extension Provider {
    /// The provider of the samples.
    static let sample = Provider(
        key: "telegram", name: "Telegram", kind: .botToken, category: "Messaging",
        tile: Tile(letters: "Te", color: "sky"), summary: "Send messages as a bot.",
        guide: ["Open a chat with @BotFather."],
        documentation: Documentation(href: "https://core.telegram.org/bots", label: "Telegram: bots"),
        fields: [
            ProviderField(
                name: "bot_token", label: "Bot token", kind: .secret, isRequired: true, pattern: nil, refusal: nil,
                help: "Digits, a colon, letters.", standard: nil, options: [], range: 0...1, width: nil)
        ],
        hosts: [], tests: [ProviderTest(call: .smtp, access: "", metadata: [])], oauth: nil, isVerified: true, note: nil
    )
}

extension ConnectionRecord {
    /// The record of the samples.
    static let sample = ConnectionRecord(
        id: Identifier(.real), workspace: nil, provider: "telegram", name: "alerts", storedStatus: .error,
        statusDetail: "Telegram refused the token.", isEnabled: true, setup: ["chat_id": "42"], sealedSecrets: [1],
        grant: .none, metadata: ["access": "Bot @acme_alerts", "facts": [["label": "Bot", "value": "Acme alerts"]]],
        testedAt: Timestamp(seconds: 60), testDuration: .milliseconds(214), syncedAt: nil, syncError: nil, version: 1,
        createdAt: Timestamp(seconds: 0),
        updatedAt: Timestamp(seconds: 0), createdBy: "ana@acme.example")
}

extension ConnectionListPage {
    static let sample = ConnectionListPage(
        canWrite: true, listHref: "/connections", connectHref: "/connections/new",
        rows: [Row(view: .sample, href: "/connections/1", workspace: "General")], query: Form(pairs: [("search", "a")]),
        hasAny: true, providers: [.sample], workspaces: [(Identifier(.real), "General")], firstHref: "/connections",
        nextHref: "/connections?cursor=1", now: Timestamp(seconds: 90))
}

extension GalleryPage {
    static let sample = GalleryPage(
        listHref: "/connections", action: "/connections/new", addHref: "/providers/new",
        filter: Filter(kind: "bot_token"),
        categories: ["Messaging"], kinds: [.botToken],
        cards: [
            Card(
                provider: .sample, href: "/connections/new/telegram", guideHref: "/providers/telegram", count: 2)
        ])
}

extension ProviderPage {
    static let sample = ProviderPage(
        provider: .sample, galleryHref: "/connections/new", connectHref: "/connections/new/telegram",
        editHref: "/providers/telegram/edit", guide: .sample)
}

extension ProviderGuide {
    static let sample = ProviderGuide(.sample, for: nil, at: "https://acme.example")
}

extension ProviderEditPage {
    static let sample = ProviderEditPage(
        stored: nil, galleryHref: "/connections/new", action: "/providers/new", source: example,
        reading: ProviderReading(
            provider: .sample,
            mistakes: ProviderFile.check("pager.json", Array("{}".utf8)).mistakes),
        removal: Removal(action: "/providers/pager/remove", reason: nil, key: "pager"))
}

extension ConnectionPage {
    static let sample = ConnectionPage(
        view: .sample, canWrite: true, links: Links(sample: "/connections/1"), workspace: "General",
        activity: [Activity(action: "connection.created", actor: "Ana Kovač", at: Timestamp(seconds: 0))],
        checks: [
            .init(
                id: Identifier(.real), kind: .refresh, isSuccess: false, at: Timestamp(seconds: 60),
                duration: .milliseconds(214), detail: "Token refresh failed: Telegram has trouble.")
        ],
        siteURL: "https://acme.example", now: Timestamp(seconds: 90)
    ).sendingSample.usedSample

    static let usesSample: [TemplateValue] = [["href": "/inbound/1", "words": "Inbound source “Orders”"]]

    private var usedSample: ConnectionPage {
        var page = self
        page.uses = Self.usesSample
        let call: JSON = ["method": "GET", "host": "api.telegram.org", "path": "/getMe", "status": 200]
        page.calls = [
            PassedCall(
                entry: Activity(
                    action: "connection.called", actor: "billing", details: call, at: Timestamp(seconds: 30)))
        ]
        return page
    }
}

extension ConnectionFormPage {
    static let sample = ConnectionFormPage(
        provider: .sample, backHref: "/connections/new", action: "/connections/new/telegram", workspaces: [],
        guide: .sample, typed: nil,
        problem: .invalid("name", "taken", "There is one already."))
}

extension ConnectionEditPage {
    static let sample = ConnectionEditPage(
        view: .sample, provider: .sample, backHref: "/connections/1", action: "/connections/1/edit", workspaces: [],
        guide: .sample)
}
