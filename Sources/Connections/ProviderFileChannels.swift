import Domain

/// The member `channels` of a provider file: how the service's channels are read and written.
struct ProviderChannels: Sendable {
    /// The interface that it speaks.
    let kind: ChannelPlatform.Kind
    /// Other names by which scripts may ask for it.
    let aliases: [String]
    /// The fields of the set-up that a configuration is made of.
    let config: [String]
}

extension ProviderFile {
    /// `"channels": {"kind": "slack", "aliases": [], "config": ["bot_token", "signing_secret"]}`
    func channels(_ top: Object, fields: [ProviderField]) throws(ProviderFileError) -> ProviderChannels? {
        guard let value = top.members["channels"] else { return nil }
        guard audience == .site else {
            throw wrong(top, "channels", "channels are declared by whoever runs the hub, not by an organization.")
        }
        let channels = try object("/channels", value, ["kind", "aliases", "config"])
        guard let kind = ChannelPlatform.Kind(rawValue: try text(channels, "kind")) else {
            throw wrong(
                channels, "kind",
                "kind is one of \(ChannelPlatform.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        try require(kind.needs, fields: fields, top, of: channels)
        let aliases = try optionalTexts(channels, "aliases") ?? []
        for alias in aliases where !Spelling.isKey(alias) {
            throw wrong(channels, "aliases", "an alias is lower-case letters, digits and underscores.")
        }
        let config = try optionalTexts(channels, "config") ?? []
        for name in config where !fields.contains(where: { $0.name == name }) {
            throw wrong(channels, "config", "there is no field \(name).")
        }
        return ProviderChannels(kind: kind, aliases: aliases, config: config)
    }
}

extension ProviderCatalogue {
    /// The services whose channels can be read and written, as other rooms are told of them.
    ///
    /// A name that is a key, or that an earlier service has, is no alias of another.
    public var channelPlatforms: [ChannelPlatform] {
        var taken = Set(providers.map(\.key))
        return providers.compactMap { provider in
            guard let channels = provider.channels else { return nil }
            return ChannelPlatform(
                key: provider.key, name: provider.name, summary: provider.summary,
                aliases: channels.aliases.filter { taken.insert($0).inserted }, kind: channels.kind,
                letters: provider.tile.letters, color: provider.tile.color,
                fields: channels.config.compactMap { provider.field($0) }.map { field in
                    .init(name: field.name, label: field.label, help: field.help, isSecret: field.kind == .secret)
                })
        }
    }
}
