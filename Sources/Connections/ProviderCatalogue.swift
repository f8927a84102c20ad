/// Every service that can be connected.
public struct ProviderCatalogue: Sendable {
    /// The services, by name.
    public let providers: [Provider]
    private let byKey: [String: Provider]

    private static let builtIn: [(String, [UInt8])] = [
        ("aws.json", PackageResources.aws_json),
        ("google.json", PackageResources.google_json),
        ("openrouter.json", PackageResources.openrouter_json),
        ("sendgrid.json", PackageResources.sendgrid_json),
        ("smtp.json", PackageResources.smtp_json),
        ("telegram.json", PackageResources.telegram_json),
        ("whatsapp.json", PackageResources.whatsapp_json),
    ]

    /// The services built in, and those of a site's own files, which add or replace;
    /// two of them for one service are a mistake.
    ///
    /// - Throws: ``ProviderFileError`` with file, line and column of the first mistake.
    public init(overlay files: [(name: String, bytes: [UInt8])] = []) throws(ProviderFileError) {
        var byKey: [String: Provider] = [:]
        for layer in [Self.builtIn, files.map { ($0.name, $0.bytes) }] {
            var taken: [String: String] = [:]
            for (name, bytes) in layer {
                let provider = try ProviderFile.read(name, bytes, besides: taken)
                byKey[provider.key] = provider
                taken[provider.key] = name
            }
        }
        self.byKey = byKey
        providers = byKey.values.sorted { $0.name.lowercased() < $1.name.lowercased() }
    }

    /// A service by its key.
    public subscript(key: String) -> Provider? { byKey[key] }
}
