import CipherKit
import DatabaseKit
import LogKit

/// The steps of `sql/`, embedded in the program.
enum Schema {
    /// Every step, by its file name.
    static let migrations: [Migration] = [
        step("0001_organizations", PackageResources._001_organizations_sql),
        step("0002_workspaces", PackageResources._002_workspaces_sql),
        step("0003_users", PackageResources._003_users_sql),
        step("0004_memberships", PackageResources._004_memberships_sql),
        step("0005_sessions", PackageResources._005_sessions_sql),
        step("0006_set_up_links", PackageResources._006_set_up_links_sql),
        step("0007_sign_in_failures", PackageResources._007_sign_in_failures_sql),
        step("0008_data_keys", PackageResources._008_data_keys_sql),
        step("0009_connections", PackageResources._009_connections_sql),
        step("0010_api_keys", PackageResources._010_api_keys_sql),
        step("0011_audit_events", PackageResources._011_audit_events_sql),
        step("0012_jobs", PackageResources._012_jobs_sql),
        step("0013_idempotent_answers", PackageResources._013_idempotent_answers_sql),
        step("0014_connection_tokens", PackageResources._014_connection_tokens_sql),
        step("0015_authorization_flows", PackageResources._015_authorization_flows_sql),
        step("0016_domain_events", PackageResources._016_domain_events_sql),
        step("0017_connection_checks", PackageResources._017_connection_checks_sql),
        step("0018_outgoing_messages", PackageResources._018_outgoing_messages_sql),
        step("0019_providers", PackageResources._019_providers_sql),
        step("0020_legacy_imports", PackageResources._020_legacy_imports_sql),
        step("0021_connection_listing", PackageResources._021_connection_listing_sql),
        step("0022_api_key_rules", PackageResources._022_api_key_rules_sql),
        step("0023_api_key_previous", PackageResources._023_api_key_previous_sql),
        step("0024_generations", PackageResources._024_generations_sql),
        step("0025_api_keys_generation", PackageResources._025_api_keys_generation_sql),
        step("0028_limit_counts", PackageResources._028_limit_counts_sql),
        step("0029_limit_hosts", PackageResources._029_limit_hosts_sql),
        step("0030_request_logs", PackageResources._030_request_logs_sql),
        step("0031_spool_positions", PackageResources._031_spool_positions_sql),
        step("0032_usage_minutes", PackageResources._032_usage_minutes_sql),
        step("0033_usage_hours", PackageResources._033_usage_hours_sql),
        step("0034_usage_days", PackageResources._034_usage_days_sql),
        step("0035_shared_grants", PackageResources._035_shared_grants_sql),
        step("0036_authorization_tenants", PackageResources._036_authorization_tenants_sql),
        step("0037_sync_turns", PackageResources._037_sync_turns_sql),
        step("0041_webhooks", PackageResources._041_webhooks_sql),
        step("0042_events", PackageResources._042_events_sql),
        step("0043_deliveries", PackageResources._043_deliveries_sql),
        step("0044_delivery_attempts", PackageResources._044_delivery_attempts_sql),
        step("0045_event_types", PackageResources._045_event_types_sql),
        step("0046_replays", PackageResources._046_replays_sql),
        step("0047_delivery_holds", PackageResources._047_delivery_holds_sql),
        step("0048_webhook_failures", PackageResources._048_webhook_failures_sql),
        step("0049_webhook_hours", PackageResources._049_webhook_hours_sql),
        step("0050_notices", PackageResources._050_notices_sql),
        step("0054_platform_integrations", PackageResources._054_platform_integrations_sql),
        step("0055_platform_channels", PackageResources._055_platform_channels_sql),
        step("0056_channel_messages", PackageResources._056_channel_messages_sql),
        step("0057_integration_addresses", PackageResources._057_integration_addresses_sql),
        step("0060_inbound_sources", PackageResources._060_inbound_sources_sql),
        step("0061_inbound_events", PackageResources._061_inbound_events_sql),
        step("0062_inbound_parts", PackageResources._062_inbound_parts_sql),
        step("0063_inbound_refusals", PackageResources._063_inbound_refusals_sql),
        step("0064_domain_event_widths", PackageResources._064_domain_event_widths_sql),
        step("0065_inbound_batch_ids", PackageResources._065_inbound_batch_ids_sql),
        step("0070_oauth_apps", PackageResources._070_oauth_apps_sql),
        step("0071_oauth_consents", PackageResources._071_oauth_consents_sql),
        step("0072_oauth_grants", PackageResources._072_oauth_grants_sql),
        step("0073_oauth_codes", PackageResources._073_oauth_codes_sql),
        step("0074_oauth_refresh_tokens", PackageResources._074_oauth_refresh_tokens_sql),
        step("0075_oauth_access_tokens", PackageResources._075_oauth_access_tokens_sql),
        step("0076_oauth_requests", PackageResources._076_oauth_requests_sql),
        step("0077_oauth_device_codes", PackageResources._077_oauth_device_codes_sql),
        step("0078_oauth_own_tokens", PackageResources._078_oauth_own_tokens_sql),
        step("0079_oauth_auth_methods", PackageResources._079_oauth_auth_methods_sql),
        step("0080_oauth_grants_by_organization", PackageResources._080_oauth_grants_by_organization_sql),
        step("0081_keyring_processes", PackageResources._081_keyring_processes_sql),
    ]

    /// What brings a database to this schema.
    static func migrator(_ url: DatabaseURL, log: Log) throws(MigrationError) -> Migrator {
        try Migrator(url, migrations, log: log) { SHA256.digest($0.utf8) }
    }

    private static func step(_ name: String, _ bytes: [UInt8]) -> Migration {
        Migration(name: name, sql: String(decoding: bytes, as: UTF8.self))
    }
}
