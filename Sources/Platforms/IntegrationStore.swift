import DatabaseKit
import Domain
import TimeKit

/// The integrations of an organization. A platform key sees its own one and no other.
struct IntegrationStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// How many integrations an organization may have: a list of all of them is one answer.
    static let most = 1_000

    /// Which integrations may be seen: a condition on `i`.
    private var visible: SQL {
        let ours: SQL = "i.organization_id = \(scope.organization)"
        guard scope.actor.kind == .platformKey else { return ours }
        return "\(ours) AND i.id = \(scope.actor.id)"
    }

    // MARK: Reading

    /// All integrations, the oldest first.
    func list() throws -> [IntegrationRecord] {
        try database.rows(
            """
            SELECT \(IntegrationRecord.columns)
              FROM platform_integrations i
             WHERE \(visible)
             ORDER BY i.id
             LIMIT \(Self.most)
            """
        ).map(IntegrationRecord.init)
    }

    func find(_ id: Identifier<PlatformIntegration>, in querying: some Querying) throws -> IntegrationRecord? {
        try find(id, locking: "", in: querying)
    }

    /// The integration, held until the transaction ends.
    func lock(_ id: Identifier<PlatformIntegration>, in transaction: Transaction) throws -> IntegrationRecord? {
        try find(id, locking: "FOR UPDATE", in: transaction)
    }

    private func find(
        _ id: Identifier<PlatformIntegration>, locking: SQL, in querying: some Querying
    ) throws -> IntegrationRecord? {
        try querying.row(
            """
            SELECT \(IntegrationRecord.columns)
              FROM platform_integrations i
             WHERE i.id = \(id) AND \(visible)
             \(locking)
            """
        ).map(IntegrationRecord.init)
    }

    func count(in querying: some Querying) throws -> Int {
        try querying.row("SELECT COUNT(*) AS count FROM platform_integrations i WHERE \(visible)")?.get("count") ?? 0
    }

    func count(in workspace: Identifier<Workspace>, in querying: some Querying) throws -> Int {
        try querying.row(
            """
            SELECT COUNT(*) AS count
              FROM platform_integrations i
             WHERE i.workspace_id = \(workspace) AND \(visible)
            """)?.get("count") ?? 0
    }

    /// How many are in use and did not answer when they were tried last.
    func failing() throws -> Int {
        try database.row(
            """
            SELECT COUNT(*) AS count
              FROM platform_integrations i
             WHERE \(visible) AND i.enabled = 1 AND i.connected = 0
            """)?.get("count") ?? 0
    }

    /// How many channels each integration has that its platform still has.
    func channelCounts() throws -> [Identifier<PlatformIntegration>: Int] {
        let rows = try database.rows(
            """
            SELECT c.integration_id, COUNT(*) AS count
              FROM platform_channels c
              JOIN platform_integrations i ON i.id = c.integration_id
             WHERE \(visible) AND c.vanished_at IS NULL
             GROUP BY c.integration_id
             LIMIT \(Self.most)
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.get("integration_id"), try $0.get("count", as: Int.self)) })
    }

    // MARK: Changing

    /// What a new integration is made of.
    struct New {
        let workspace: Identifier<Workspace>
        let platform: String
        let platformName: String
        let address: Identifier<InboundAddress>
        let configSealed: [UInt8]?
        let webhookSecretSealed: [UInt8]
        let isEnabled: Bool
    }

    func insert(_ id: Identifier<PlatformIntegration>, _ new: New, in transaction: Transaction) throws {
        let now = world.now()
        try transaction.execute(
            """
            INSERT INTO platform_integrations
                   (id, organization_id, workspace_id, platform, platform_name, address, config_sealed,
                    webhook_secret_sealed, enabled, created_at, updated_at)
            VALUES (\(id), \(scope.organization), \(new.workspace), \(new.platform), \(new.platformName),
                    \(new.address), \(new.configSealed), \(new.webhookSecretSealed), \(new.isEnabled), \(now), \(now))
            """)
    }

    /// Sets the configuration. Another one has yet to be tried.
    func setConfig(
        _ sealed: [UInt8]?, of id: Identifier<PlatformIntegration>, in transaction: Transaction
    ) throws {
        try touch(
            id,
            """
            config_sealed = \(sealed), config_version = config_version + 1, connected = NULL, connection_error = NULL,
            own_user_id = NULL, own_bot_id = NULL, own_application_id = NULL
            """, in: transaction)
    }

    /// Ends what the platform signed with before, though its time is not over.
    func endPreviousSigningSecret(
        of id: Identifier<PlatformIntegration>, in transaction: Transaction
    ) throws {
        try touch(
            id, "previous_signing_secret_sealed = NULL, previous_signing_secret_ends_at = NULL", in: transaction)
    }

    func setEnabled(_ isEnabled: Bool, _ id: Identifier<PlatformIntegration>, in transaction: Transaction) throws {
        try touch(id, "enabled = \(isEnabled)", in: transaction)
    }

    /// Sets or drops the key by which scripts come in.
    func setKey(
        _ key: PlatformKey?, of id: Identifier<PlatformIntegration>, in transaction: Transaction
    ) throws {
        let createdAt = key == nil ? nil : world.now()
        try touch(
            id,
            """
            api_key_hash = \(key?.digest), api_key_last_four = \(key?.lastFour), api_key_created_at = \(createdAt)
            """, in: transaction)
    }

    /// Notes that the platform answered, and as whom it knows the hub.
    func noteAnswer(
        _ own: OwnIdentity, of id: Identifier<PlatformIntegration>, in transaction: Transaction
    ) throws {
        try touch(
            id,
            """
            connected = 1, last_connected_at = \(world.now()), connection_error = NULL, own_user_id = \(own.user),
            own_bot_id = \(own.bot), own_application_id = \(own.application)
            """, in: transaction)
    }

    func noteFailure(_ words: String, of id: Identifier<PlatformIntegration>, in transaction: Transaction) throws {
        try touch(id, "connected = 0, connection_error = \(words)", in: transaction)
    }

    /// Notes that the list of channels is as the platform has it now.
    func noteSync(of id: Identifier<PlatformIntegration>, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE platform_integrations
               SET channels_synced_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }

    /// What is replaced of what an integration is reached and known by; nil leaves one as it is.
    struct Renewal {
        var address: Identifier<InboundAddress>?
        var webhookSecretSealed: [UInt8]?
        /// A configuration in which only what the platform signs with is another.
        var configSealed: [UInt8]?
        /// Those before, as far as they count for a while.
        var previousWebhookSecret: EndingSecret?
        var previousSigningSecret: EndingSecret?
        /// When the address before ends; nil for at once.
        var previousAddressEndsAt: Timestamp?
    }

    /// Replaces what is given; what was before the one before ends.
    func renew(_ record: IntegrationRecord, _ new: Renewal, in transaction: Transaction) throws {
        var changes: [SQL] = []
        if let address = new.address {
            let previous = new.previousAddressEndsAt == nil ? nil : record.address
            changes.append(
                """
                address = \(address), previous_address = \(previous),
                previous_address_ends_at = \(new.previousAddressEndsAt)
                """)
        }
        if let sealed = new.webhookSecretSealed {
            changes.append(
                """
                webhook_secret_sealed = \(sealed),
                previous_webhook_secret_sealed = \(new.previousWebhookSecret?.sealed),
                previous_webhook_secret_ends_at = \(new.previousWebhookSecret?.endsAt)
                """)
        }
        if let sealed = new.configSealed {
            changes.append(
                """
                config_sealed = \(sealed), config_version = config_version + 1,
                previous_signing_secret_sealed = \(new.previousSigningSecret?.sealed),
                previous_signing_secret_ends_at = \(new.previousSigningSecret?.endsAt)
                """)
        }
        guard !changes.isEmpty else { return }
        try touch(record.id, SQL(joining: changes, by: ", "), in: transaction)
    }

    func delete(_ id: Identifier<PlatformIntegration>, in transaction: Transaction) throws {
        try transaction.execute(
            "DELETE FROM platform_integrations WHERE id = \(id) AND organization_id = \(scope.organization)")
    }

    private func touch(
        _ id: Identifier<PlatformIntegration>, _ changes: SQL, in transaction: Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE platform_integrations
               SET \(changes), version = version + 1, updated_at = \(world.now())
             WHERE id = \(id) AND organization_id = \(scope.organization)
            """)
    }
}
