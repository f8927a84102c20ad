import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Making, changing and ending integrations: the same for pages and scripts.
extension Platforms {
    /// What somebody asks for who makes an integration.
    struct Wanted: Sendable {
        let workspace: Identifier<Workspace>
        let platform: ChannelPlatform
        /// The name by which the platform was asked for.
        let platformName: String
        let config: PlatformConfig?
        let isEnabled: Bool
    }

    /// Makes an integration with a secret of its own for what comes in.
    ///
    /// - Throws: `Problem` 404 for a workspace of somebody else, 409 when it has this platform already.
    func create(
        _ wanted: Wanted, by scope: OrganizationScope
    ) throws -> (record: IntegrationRecord, webhookSecret: Secret<String>) {
        let id = Identifier<PlatformIntegration>(world)
        let secret = newWebhookSecret()
        let store = store(scope)
        // An outcome that is not known may have happened.
        defer { inboundChanged() }
        do {
            let made = try database.transaction { transaction in
                guard try neighbours.holdWorkspace(wanted.workspace, scope, transaction) else {
                    throw Problem(404, "workspace_not_found", "There is no such workspace.")
                }
                guard try store.count(in: transaction) < IntegrationStore.most else {
                    throw Problem(
                        409, "too_many_integrations", "At most \(IntegrationStore.most) integrations are allowed.")
                }
                try store.insert(
                    id,
                    .init(
                        workspace: wanted.workspace, platform: wanted.platform.key, platformName: wanted.platformName,
                        address: newAddress(), configSealed: try seal(wanted.config, of: id, scope, in: transaction),
                        webhookSecretSealed: try seal(
                            secret, of: id, "webhook_secret_sealed", scope, in: transaction),
                        isEnabled: wanted.isEnabled), in: transaction)
                guard let made = try store.find(id, in: transaction) else { throw Problem.notFound }
                try note("created", made, by: scope, in: transaction)
                return made
            }
            return (made, secret)
        } catch let error as DatabaseError where error.code == .duplicate {
            let detail = "This workspace has an integration of \(wanted.platform.name) already."
            throw Problem(
                409, "integration_exists", detail,
                errors: [.init(field: "platform", code: "taken", detail: detail)])
        }
    }

    /// Changes what is given.
    ///
    /// - Parameters:
    ///   - config: the whole configuration; `.some(nil)` for none.
    ///   - check: refuses when the caller has seen another version.
    func update(
        _ id: Identifier<PlatformIntegration>, config: PlatformConfig?? = nil, isEnabled: Bool? = nil,
        by scope: OrganizationScope, check: (IntegrationRecord) throws -> Void = { _ in }
    ) throws -> IntegrationRecord {
        let store = store(scope)
        defer { inboundChanged() }
        return try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(record)
            if let config {
                // Another one in the configuration counts alone, at once; ``rotate(_:_:by:check:)`` leaves time.
                if record.previousSigningSecret != nil, try !signsAlike(record, config, in: transaction) {
                    try store.endPreviousSigningSecret(of: id, in: transaction)
                }
                try store.setConfig(try seal(config, of: id, scope, in: transaction), of: id, in: transaction)
            }
            if let isEnabled, isEnabled != record.isEnabled {
                try store.setEnabled(isEnabled, id, in: transaction)
            }
            guard let changed = try store.find(id, in: transaction) else { throw Problem.notFound }
            guard changed.version != record.version else { return changed }
            try note(
                "updated", changed,
                ["config_changed": .bool(config != nil), "enabled": .bool(changed.isEnabled)], by: scope,
                in: transaction)
            return changed
        }
    }

    /// Removes an integration with its channels, for good.
    func remove(
        _ id: Identifier<PlatformIntegration>, by scope: OrganizationScope,
        check: (IntegrationRecord) throws -> Void = { _ in }
    ) throws {
        let store = store(scope)
        defer {
            instances.drop(id)
            inboundChanged()
        }
        try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(record)
            try channels(scope).deleteAll(of: id, in: transaction)
            try store.delete(id, in: transaction)
            try note("deleted", record, by: scope, in: transaction)
        }
    }

    // MARK: Keys

    /// Gives an integration a key, in the place of the one that it had.
    func makeKey(
        of id: Identifier<PlatformIntegration>, by scope: OrganizationScope
    ) throws -> (record: IntegrationRecord, key: PlatformKey) {
        let key = PlatformKey(world)
        return (try setKey(key, of: id, "key_created", by: scope), key)
    }

    /// Ends the key of an integration; one without a key stays as it is.
    func revokeKey(of id: Identifier<PlatformIntegration>, by scope: OrganizationScope) throws -> IntegrationRecord {
        try setKey(nil, of: id, "key_revoked", by: scope)
    }

    private func setKey(
        _ key: PlatformKey?, of id: Identifier<PlatformIntegration>, _ deed: String, by scope: OrganizationScope
    ) throws -> IntegrationRecord {
        let store = store(scope)
        defer { inboundChanged() }
        return try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            guard key != nil || record.keyCreatedAt != nil else { return record }
            try store.setKey(key, of: id, in: transaction)
            guard let changed = try store.find(id, in: transaction) else { throw Problem.notFound }
            let lastFour = (key?.lastFour ?? record.keyLastFour).map { JSON.string($0) } ?? .null
            try note(deed, changed, ["last_four": lastFour], by: scope, in: transaction)
            return changed
        }
    }

    // MARK: Channels

    /// Changes the settings of a channel.
    func update(
        channel id: Identifier<PlatformChannel>, _ settings: ChannelStore.Settings, by scope: OrganizationScope,
        check: (ChannelRecord) throws -> Void = { _ in }
    ) throws -> ChannelRecord {
        let store = channels(scope)
        return try database.transaction { transaction in
            guard let channel = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(channel)
            guard !settings.isEmpty else { return channel }
            try store.update(id, settings, in: transaction)
            guard let changed = try store.find(id, in: transaction) else { throw Problem.notFound }
            try audit.record(
                "platform_channel.updated", .init("platform_channel", id, name: changed.name),
                details: [
                    "auto_sync_messages": .bool(changed.isSynced),
                    "sync_direction": JSON(changed.direction?.rawValue),
                    "lvng_conversation_id": JSON(changed.conversation?.text),
                ], by: scope, in: transaction)
            return changed
        }
    }

    // MARK: -

    /// What an integration is called in the audit log.
    func title(of record: IntegrationRecord) -> String { registry[record.platform]?.name ?? record.platform }

    func note(
        _ deed: String, _ record: IntegrationRecord, _ details: JSON = [:], by scope: OrganizationScope,
        in transaction: Transaction
    ) throws {
        let which: [JSON.Member] = [
            .init("platform", .string(record.platformName)), .init("workspace_id", .string(record.workspace.text)),
        ]
        try audit.record(
            "platform_integration.\(deed)", .init("platform_integration", record.id, name: title(of: record)),
            details: .object(which + (details.members ?? [])), by: scope, in: transaction)
        // Last: the row stays locked until the transaction ends.
        try Generations.bump(Generations.inboundSources, in: transaction)
    }
}
