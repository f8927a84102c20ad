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
    ]

    /// What brings a database to this schema.
    static func migrator(_ url: DatabaseURL, log: Log) throws(MigrationError) -> Migrator {
        try Migrator(url, migrations, log: log) { SHA256.digest($0.utf8) }
    }

    private static func step(_ name: String, _ bytes: [UInt8]) -> Migration {
        Migration(name: name, sql: String(decoding: bytes, as: UTF8.self))
    }
}
