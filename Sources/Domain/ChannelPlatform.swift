/// A channel of such a platform.
public enum PlatformChannel {}
/// A message that passed through a channel.
public enum ChannelMessage {}

/// A platform whose channels the hub can read and write, as a provider file declares it.
///
/// The room that reads provider files tells those that work with channels by this value alone.
public struct ChannelPlatform: Sendable {
    /// The interface that the platform speaks.
    public enum Kind: String, Sendable, CaseIterable {
        case discord
        case slack
        case microsoftTeams = "microsoft_teams"
        case telegram

        /// The values of a configuration that calls need; of each group one is enough.
        ///
        /// `access_token` is there where people sign in.
        public var needs: [[String]] {
            switch self {
            case .discord, .slack: [["bot_token", "access_token"]]
            case .microsoftTeams: [["access_token"]]
            case .telegram: [["bot_token"]]
            }
        }
    }

    /// A value of the configuration, as a form asks for it.
    public struct Field: Sendable {
        /// The name of the member.
        public let name: String
        /// What people call it.
        public let label: String
        /// What is worth knowing of it.
        public let help: String?
        /// Whether it is never shown again.
        public let isSecret: Bool

        /// A value of the configuration.
        public init(name: String, label: String, help: String?, isSecret: Bool) {
            self.name = name
            self.label = label
            self.help = help
            self.isSecret = isSecret
        }
    }

    /// The key of its provider.
    public let key: String
    /// What people call it.
    public let name: String
    /// What it is there for, in one sentence.
    public let summary: String
    /// Other names by which scripts may ask for it.
    public let aliases: [String]
    /// The interface that it speaks.
    public let kind: Kind
    /// Two letters that stand for it.
    public let letters: String
    /// The name of a colour of the house's palette.
    public let color: String
    /// What its configuration is usually made of.
    public let fields: [Field]

    /// A platform as its provider file declares it.
    public init(
        key: String, name: String, summary: String, aliases: [String], kind: Kind, letters: String, color: String,
        fields: [Field]
    ) {
        self.key = key
        self.name = name
        self.summary = summary
        self.aliases = aliases
        self.kind = kind
        self.letters = letters
        self.color = color
        self.fields = fields
    }
}
