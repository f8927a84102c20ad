import DatabaseKit
import Domain
import TimeKit

/// An integration as it stands in the database; what is sealed stays sealed.
struct IntegrationRecord: Sendable {
    let id: Identifier<PlatformIntegration>
    let organization: Identifier<Organization>
    let workspace: Identifier<Workspace>
    /// The key of the provider.
    let platform: String
    /// The name by which it was asked for.
    let platformName: String
    /// What stands in the address that its platform sends events to.
    let address: Identifier<InboundAddress>
    /// When the address before ends; nil when there is none.
    let previousAddressEndsAt: Timestamp?
    let configSealed: [UInt8]?
    /// How often the configuration was changed.
    let configVersion: Int64
    let webhookSecretSealed: [UInt8]
    /// The webhook secret before.
    let previousWebhookSecret: EndingSecret?
    /// What the platform signed with before.
    let previousSigningSecret: EndingSecret?
    let isEnabled: Bool
    /// Whether the last test succeeded; nil before the first one.
    let isConnected: Bool?
    let lastConnectedAt: Timestamp?
    let connectionError: String?
    /// As whom the platform knows the hub.
    let own: OwnIdentity
    let channelsSyncedAt: Timestamp?
    let keyLastFour: String?
    let keyCreatedAt: Timestamp?
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp

    /// What a row is read from, in a statement where the table is called `i`.
    static let columns: SQL = """
        i.id, i.organization_id, i.workspace_id, i.platform, i.platform_name, COALESCE(i.address, i.id) AS address,
        i.previous_address_ends_at, i.config_sealed, i.config_version, i.webhook_secret_sealed,
        i.previous_webhook_secret_sealed, i.previous_webhook_secret_ends_at, i.previous_signing_secret_sealed,
        i.previous_signing_secret_ends_at, i.enabled, i.connected, i.last_connected_at, i.connection_error, i.own_user_id,
        i.own_bot_id, i.own_application_id, i.channels_synced_at, i.api_key_last_four, i.api_key_created_at,
        i.version, i.created_at, i.updated_at
        """
}

/// A secret that another one took the place of, sealed.
struct EndingSecret: Sendable {
    let sealed: [UInt8]
    /// When it stops to count.
    let endsAt: Timestamp

    /// - Returns: nil when there is none.
    init?(_ sealed: [UInt8]?, endsAt: Timestamp?) {
        guard let sealed, let endsAt else { return nil }
        self.sealed = sealed
        self.endsAt = endsAt
    }
}

extension IntegrationRecord {
    init(_ row: Row) throws(DatabaseError) {
        let own = OwnIdentity(
            user: try row.get("own_user_id"), bot: try row.get("own_bot_id"),
            application: try row.get("own_application_id"))
        self.init(
            id: try row.get("id"), organization: try row.get("organization_id"),
            workspace: try row.get("workspace_id"), platform: try row.get("platform"),
            platformName: try row.get("platform_name"), address: try row.get("address"),
            previousAddressEndsAt: try row.get("previous_address_ends_at"),
            configSealed: try row.get("config_sealed"), configVersion: try row.get("config_version"),
            webhookSecretSealed: try row.get("webhook_secret_sealed"),
            previousWebhookSecret: EndingSecret(
                try row.get("previous_webhook_secret_sealed"),
                endsAt: try row.get("previous_webhook_secret_ends_at")),
            previousSigningSecret: EndingSecret(
                try row.get("previous_signing_secret_sealed"),
                endsAt: try row.get("previous_signing_secret_ends_at")), isEnabled: try row.get("enabled"),
            isConnected: try row.get("connected"), lastConnectedAt: try row.get("last_connected_at"),
            connectionError: try row.get("connection_error"), own: own,
            channelsSyncedAt: try row.get("channels_synced_at"), keyLastFour: try row.get("api_key_last_four"),
            keyCreatedAt: try row.get("api_key_created_at"), version: try row.get("version"),
            createdAt: try row.get("created_at"), updatedAt: try row.get("updated_at"))
    }
}

/// As whom a platform knows the hub, by the platform's own ids.
struct OwnIdentity: Sendable, Equatable {
    /// The user that messages come from.
    var user: String?
    /// The bot, where it has an id beside its user's.
    var bot: String?
    /// The application.
    var application: String?
}
