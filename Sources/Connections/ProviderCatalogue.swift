/// Every service that can be connected.
public struct ProviderCatalogue: Sendable {
    /// The services, by name.
    public let providers: [Provider]
    private let byKey: [String: Provider]

    private static let builtIn: [(String, [UInt8])] = [
        ("airtable.json", PackageResources.airtable_json),
        ("aws.json", PackageResources.aws_json),
        ("custom_api_key.json", PackageResources.custom_api_key_json),
        ("custom_oauth2.json", PackageResources.custom_oauth2_json),
        ("custom_webhook.json", PackageResources.custom_webhook_json),
        ("discord.json", PackageResources.discord_json),
        ("facebook.json", PackageResources.facebook_json),
        ("github.json", PackageResources.github_json),
        ("google.json", PackageResources.google_json),
        ("google_calendar.json", PackageResources.google_calendar_json),
        ("google_drive.json", PackageResources.google_drive_json),
        ("hubspot.json", PackageResources.hubspot_json),
        ("instagram.json", PackageResources.instagram_json),
        ("make.json", PackageResources.make_json),
        ("microsoft.json", PackageResources.microsoft_json),
        ("microsoft_teams.json", PackageResources.microsoft_teams_json),
        ("n8n.json", PackageResources.n8n_json),
        ("notion.json", PackageResources.notion_json),
        ("openrouter.json", PackageResources.openrouter_json),
        ("sendgrid.json", PackageResources.sendgrid_json),
        ("shopify.json", PackageResources.shopify_json),
        ("slack.json", PackageResources.slack_json),
        ("smtp.json", PackageResources.smtp_json),
        ("stripe.json", PackageResources.stripe_json),
        ("telegram.json", PackageResources.telegram_json),
        ("twilio.json", PackageResources.twilio_json),
        ("whatsapp.json", PackageResources.whatsapp_json),
        ("zapier.json", PackageResources.zapier_json),
    ]

    /// The services built in, and those of a site's own files, which add or replace;
    /// two of them for one service are a mistake.
    ///
    /// - Parameter permissions: what their fields may stand for that harms when it is switched on without thought.
    /// - Throws: ``ProviderFileError`` with file, line and column of the first mistake.
    public init(
        overlay files: [(name: String, bytes: [UInt8])] = [], permitting permissions: Set<ProviderPermission> = []
    ) throws(ProviderFileError) {
        var byKey: [String: Provider] = [:]
        for layer in [Self.builtIn, files.map { ($0.name, $0.bytes) }] {
            var taken: [String: String] = [:]
            for (name, bytes) in layer {
                let provider = try ProviderFile.read(name, bytes, besides: taken)
                byKey[provider.key] = provider.permitting(permissions)
                taken[provider.key] = name
            }
        }
        self.init(byKey: byKey)
    }

    private init(byKey: [String: Provider]) {
        self.byKey = byKey
        providers = byKey.values.sorted { $0.name.lowercased() < $1.name.lowercased() }
    }

    /// These services, and further ones beside them: whoever adds replaces none.
    func adding(_ more: [Provider]) -> ProviderCatalogue {
        guard !more.isEmpty else { return self }
        return ProviderCatalogue(byKey: byKey.merging(more.map { ($0.key, $0) }) { old, _ in old })
    }

    /// Every mistake of a site's own file; empty when it is fine.
    public static func mistakes(in name: String, _ bytes: [UInt8]) -> [ProviderFileError] {
        ProviderFile.check(name, bytes).mistakes
    }

    /// A service by its key.
    public subscript(key: String) -> Provider? { byKey[key] }
}
