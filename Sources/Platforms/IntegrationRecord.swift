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
    let configSealed: [UInt8]?
    /// How often the configuration was changed.
    let configVersion: Int64
    let webhookSecretSealed: [UInt8]
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
        i.id, i.organization_id, i.workspace_id, i.platform, i.platform_name, i.config_sealed, i.config_version,
        i.webhook_secret_sealed, i.enabled, i.connected, i.last_connected_at, i.connection_error, i.own_user_id,
        i.own_bot_id, i.own_application_id, i.channels_synced_at, i.api_key_last_four, i.api_key_created_at,
        i.version, i.created_at, i.updated_at
        """

}

extension IntegrationRecord {
    init(_ row: Row) throws(DatabaseError) {
        let own = OwnIdentity(
            user: try row.get("own_user_id"), bot: try row.get("own_bot_id"),
            application: try row.get("own_application_id"))
        self.init(
            id: try row.get("id"), organization: try row.get("organization_id"),
            workspace: try row.get("workspace_id"), platform: try row.get("platform"),
            platformName: try row.get("platform_name"), configSealed: try row.get("config_sealed"),
            configVersion: try row.get("config_version"),
            webhookSecretSealed: try row.get("webhook_secret_sealed"), isEnabled: try row.get("enabled"),
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
