import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Asking the platform: whether it answers, and which channels it has. Never inside a transaction.
extension Platforms {
    /// How long all calls of a sync may take together; below the time that a request has.
    static let longestSync = Duration.seconds(22)
    /// How long a test or a message may take.
    static let longestCall = Duration.seconds(12)

    /// Tries the configuration out and notes what came of it.
    ///
    /// - Returns: why it does not work; nil when it does.
    func tryOut(_ id: Identifier<PlatformIntegration>, by scope: OrganizationScope) throws -> String? {
        let record = try find(id, scope)
        let outcome = try ask(record, scope)
        try database.transaction { transaction in
            guard let now = try store(scope).lock(id, in: transaction) else { throw Problem.notFound }
            // What was found out of another configuration tells nothing of this one.
            guard now.configVersion == record.configVersion else { return }
            try note(outcome, of: now, by: scope, in: transaction)
            let error = outcome.failure.map { JSON.string($0) } ?? .null
            try audit.record(
                "platform_integration.tested", .init("platform_integration", id, name: title(of: record)),
                details: ["error": error], by: scope, in: transaction)
        }
        return outcome.failure
    }

    /// What became of a test.
    private enum Outcome {
        case answered(OwnIdentity)
        case failed(String)

        var failure: String? {
            if case .failed(let sentence) = self { sentence } else { nil }
        }
    }

    private func ask(_ record: IntegrationRecord, _ scope: OrganizationScope) throws -> Outcome {
        do {
            let instance = try instance(of: record, scope)
            return .answered(try instance.service.identity(calls(record, instance, within: Self.longestCall)))
        } catch let failure as PlatformFailure {
            return .failed(failure.sentence)
        } catch let problem as Problem {
            return .failed(problem.detail)
        }
    }

    /// Notes what came of a test, and tells others when it is another outcome than before.
    private func note(
        _ outcome: Outcome, of record: IntegrationRecord, by scope: OrganizationScope, in transaction: Transaction
    ) throws {
        let store = store(scope)
        switch outcome {
        case .answered(let own):
            try store.noteAnswer(own, of: record.id, in: transaction)
            guard record.isConnected != true else { return }
            try tell(.platformConnected, record, error: nil, in: transaction)
        case .failed(let sentence):
            let words = String(String.UnicodeScalarView(sentence.unicodeScalars.prefix(1_000)))
            try store.noteFailure(words, of: record.id, in: transaction)
            guard record.isConnected != false else { return }
            try tell(.platformError, record, error: words, in: transaction)
        }
    }

    private func tell(
        _ type: DomainEventType, _ record: IntegrationRecord, error: String?, in transaction: Transaction
    ) throws {
        try events.publish(
            type, about: record.id,
            [
                "integration_id": .string(record.id.text), "workspace_id": .string(record.workspace.text),
                "platform": .string(record.platformName), "error": JSON(error),
            ], for: record.organization, in: transaction)
    }

    // MARK: Channels

    /// Fetches the channels and takes them over: new ones added, known ones renewed, vanished ones marked.
    ///
    /// - Returns: the channels as the platform has them, in its order.
    func sync(_ id: Identifier<PlatformIntegration>, by scope: OrganizationScope) throws -> [FoundChannel] {
        let record = try find(id, scope)
        try Self.requireEnabled(record)
        let known = try channels(scope).list(of: id)
        let (found, own) = try reporting(record, scope) { instance, calls in
            let found = try instance.service.channels(calls, known: known.map(\.platformID))
            // Whose messages are the hub's own must be known before the first one comes in.
            return (found, record.own.user == nil ? try instance.service.identity(calls) : nil)
        }
        try database.transaction { transaction in
            guard let now = try store(scope).lock(id, in: transaction) else { throw Problem.notFound }
            let store = channels(scope)
            try store.upsert(found, of: id, in: transaction)
            // What was added while the platform was asked is not in its answer and stands there none the less.
            let there = Set(found.map(\.id))
            let missed = known.filter { $0.vanishedAt == nil && !there.contains($0.platformID) }
            let gone = try store.markVanished(missed.map(\.id), of: id, in: transaction)
            try self.store(scope).noteSync(of: id, in: transaction)
            if let own, now.configVersion == record.configVersion {
                try note(.answered(own), of: now, by: scope, in: transaction)
            }
            try audit.record(
                "platform_integration.channels_synced",
                .init("platform_integration", id, name: title(of: record)),
                details: ["channels": JSON(found.count), "vanished": JSON(gone)], by: scope, in: transaction)
        }
        return found
    }

    /// Adds a channel of a platform that has no list of them, by its id there.
    func addChannel(
        _ platformID: String, to id: Identifier<PlatformIntegration>, by scope: OrganizationScope
    ) throws -> ChannelRecord {
        let record = try find(id, scope)
        try Self.requireEnabled(record)
        guard let platform = registry[record.platform], platform.kind.hasNoList else {
            throw Problem(409, "channels_are_listed", "Sync the channels: this platform has a list of them.")
        }
        let found = try reporting(record, scope) { instance, calls in
            try (instance.service as? any ChatService)?.channel(platformID, calls)
        }
        guard let found else {
            throw Problem.invalid(
                "platform_channel_id", "not_found", "There is no such chat, or the bot has not been added to it.")
        }
        return try database.transaction { transaction in
            guard try store(scope).lock(id, in: transaction) != nil else { throw Problem.notFound }
            let store = channels(scope)
            guard try store.count(of: id, in: transaction) < ChannelStore.most else {
                throw Problem(409, "too_many_channels", "At most \(ChannelStore.most) channels are kept.")
            }
            try store.upsert([found], of: id, in: transaction)
            guard let channel = try store.find(platformID: found.id, of: id, in: transaction) else {
                throw Problem.notFound
            }
            try audit.record(
                "platform_channel.added", .init("platform_channel", channel.id, name: channel.name), by: scope,
                in: transaction)
            return channel
        }
    }

    static func requireEnabled(_ record: IntegrationRecord) throws(Problem) {
        guard record.isEnabled else {
            throw Problem(409, "integration_disabled", "This integration is disabled. Enable it to use it.")
        }
    }

    /// Calls the platform; a refusal of its credentials is noted on the integration, as a test would.
    private func reporting<Result>(
        _ record: IntegrationRecord, _ scope: OrganizationScope,
        _ call: (PlatformInstance, PlatformCalls) throws -> Result
    ) throws -> Result {
        let instance = try instance(of: record, scope)
        do {
            return try call(instance, calls(record, instance, within: Self.longestSync))
        } catch let failure as PlatformFailure {
            if failure.kind == .unauthorized { try noteRefusal(failure, of: record, by: scope) }
            throw failure.problem
        }
    }

    /// Notes that the platform refuses the credentials.
    func noteRefusal(_ failure: PlatformFailure, of record: IntegrationRecord, by scope: OrganizationScope) throws {
        try database.transaction { transaction in
            guard let now = try store(scope).lock(record.id, in: transaction),
                now.configVersion == record.configVersion
            else { return }
            try note(.failed(failure.sentence), of: now, by: scope, in: transaction)
        }
    }
}
