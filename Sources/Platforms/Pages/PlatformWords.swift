import AdminShell
import Domain
import TemplateKit
import TimeKit

extension IntegrationRecord {
    /// The value of the partial `state`.
    var state: TemplateValue {
        let (tone, word) = standing
        return ["tone": .text(tone), "word": .text(word)]
    }

    private var standing: (String, String) {
        guard isEnabled else { return ("off", "Disabled") }
        guard configSealed != nil else { return ("warn", "Not configured") }
        return switch isConnected {
        case true?: ("good", "Connected")
        case false?: ("bad", "Does not answer")
        case nil: ("off", "Not tested")
        }
    }

    /// An integration for samples of pages.
    static var sample: IntegrationRecord { sample(connected: true, error: nil) }

    static func sample(connected: Bool?, error: String?) -> IntegrationRecord {
        IntegrationRecord(
            id: Identifier(.real), organization: Identifier(.real), workspace: Identifier(.real), platform: "slack",
            platformName: "slack", address: Identifier(.real), previousAddressEndsAt: Timestamp(seconds: 3_600),
            configSealed: [1], configVersion: 1, webhookSecretSealed: [],
            previousWebhookSecret: EndingSecret([1], endsAt: Timestamp(seconds: 3_600)),
            previousSigningSecret: EndingSecret([1], endsAt: Timestamp(seconds: 3_600)), isEnabled: true,
            isConnected: connected, lastConnectedAt: Timestamp(seconds: 60), connectionError: error,
            own: OwnIdentity(), channelsSyncedAt: Timestamp(seconds: 60), keyLastFour: "e3f4",
            keyCreatedAt: Timestamp(seconds: 30), version: 1, createdAt: Timestamp(seconds: 0),
            updatedAt: Timestamp(seconds: 0))
    }
}

extension ChannelRecord {
    /// A channel for samples of pages.
    static var sample: ChannelRecord {
        ChannelRecord(
            id: Identifier(.real), integration: Identifier(.real), platformID: "C0123456789", serverID: "T0123456789",
            name: "engineering", kind: "public", topic: "Engineering team discussions", autoSync: nil,
            direction: .both, conversation: nil, vanishedAt: Timestamp(seconds: 60), version: 1,
            createdAt: Timestamp(seconds: 0), updatedAt: Timestamp(seconds: 0))
    }
}

extension ChannelPlatform {
    /// The value of the partial `tile`.
    var tile: TemplateValue { ["letters": .text(letters), "color": .text(color)] }

    /// A platform for samples of pages.
    static let sample = ChannelPlatform(
        key: "slack", name: "Slack", summary: "Post to channels of a Slack workspace as an app.", aliases: [],
        kind: .slack, letters: "Sl", color: "plum",
        fields: [.init(name: "bot_token", label: "Bot token", help: "Begins with xoxb-.", isSecret: true)])
}

extension SyncDirection {
    /// The direction in words.
    var words: String {
        switch self {
        case .inbound: "In"
        case .outbound: "Out"
        case .both: "Both ways"
        }
    }
}
