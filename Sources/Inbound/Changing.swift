import CipherKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Making, changing and ending sources: the same for pages and scripts.
extension Inbound {
    /// The most sources of an organization.
    static let mostSources = 1_000
    /// For how long an old secret or address counts beside a new one, unless somebody says otherwise, and at most.
    static let usualGrace = Duration.hours(24)
    static let longestGrace = Duration.days(30)

    func store(_ scope: OrganizationScope) -> SourceStore {
        SourceStore(database: database, world: world, scope: scope)
    }

    /// One source.
    ///
    /// - Throws: `Problem` 404.
    func find(_ id: Identifier<InboundSource>, _ scope: OrganizationScope) throws -> SourceRecord {
        guard let record = try store(scope).find(id) else { throw Problem.notFound }
        return record
    }

    /// What is shown this once.
    struct Made: Sendable {
        let record: SourceRecord
        /// The secret, when the hub made it.
        let secret: Secret<String>?
        /// What Meta is told to say first, which the hub always makes.
        let challenge: Secret<String>?
    }

    /// Makes a source.
    ///
    /// - Throws: `Problem` 409 `too_many_sources`.
    func create(_ new: NewSourceTerms, by scope: OrganizationScope) throws -> Made {
        let id = Identifier<InboundSource>(world)
        let own = new.secret == nil && new.scheme.isSecretOurs ? secret(for: new.scheme, new.terms.recipe) : nil
        let challenge: Secret<String>? = new.scheme == .meta ? Secret(Random.token()) : nil
        let store = store(scope)
        let record = try database.transaction { transaction in
            guard try store.count(in: transaction).all < Self.mostSources else {
                throw Problem(
                    409, "too_many_sources", "There are \(Self.mostSources) sources already, as many as are allowed.")
            }
            try store.insert(
                id,
                .init(
                    name: new.name, provider: new.provider, connection: new.connection?.id,
                    workspace: new.connection?.workspace, scheme: new.scheme, recipe: new.terms.recipe,
                    address: newAddress(),
                    secretSealed: try (new.secret ?? own).map {
                        try seal($0, "secret_sealed", id, scope, in: transaction)
                    },
                    challengeSealed: try challenge.map { try seal($0, "challenge_sealed", id, scope, in: transaction) },
                    bodyLimit: new.terms.bodyLimit ?? new.scheme.usualBodyLimit,
                    perMinute: new.terms.perMinute ?? SourceRecord.usualPerMinute), in: transaction)
            return try noted("inbound_source.created", id, store, in: transaction)
        }
        changed()
        return Made(record: record, secret: own, challenge: challenge)
    }

    /// Changes what is given.
    ///
    /// - Parameter check: refuses when the caller has seen another version.
    func update(
        _ id: Identifier<InboundSource>, _ terms: SourceTerms, by scope: OrganizationScope,
        check: (SourceRecord) throws -> Void
    ) throws -> SourceRecord {
        let record = try change(id, "inbound_source.updated", by: scope) { record, store, transaction in
            try check(record)
            try store.update(id, terms, in: transaction)
        }
        return record
    }

    /// Gives a source another secret; the one before counts beside it for the grace.
    ///
    /// - Parameter given: the new one; made when nil.
    /// - Throws: `Problem` 422 when none is given and only the service can make one.
    func rotateSecret(
        _ id: Identifier<InboundSource>, to given: Secret<String>?, grace: Duration, by scope: OrganizationScope
    ) throws -> Made {
        var own: Secret<String>?
        let record = try change(id, "inbound_source.secret_rotated", by: scope) { record, store, transaction in
            own = given == nil && record.scheme.isSecretOurs ? secret(for: record.scheme, record.recipe) : nil
            guard let next = given ?? own ?? (record.scheme == .notion ? Secret("") : nil) else {
                throw Problem.invalid("secret", "required", "The service makes this secret: paste it here.")
            }
            // An empty one is none: the source then waits for the service to send another.
            let sealed =
                try next.reveal { $0.isEmpty } ? nil : seal(next, "secret_sealed", id, scope, in: transaction)
            let end = world.now() + grace
            if record.secretSealed == nil {
                // The one before is still the last that counted: a new one beside it does not make it count longer.
                try store.setSecret(
                    id, sealed, previous: record.previousSealed, endsAt: record.previousEndsAt.map { min($0, end) },
                    in: transaction)
            } else {
                let old = try resealed(record, grace: grace, in: transaction)
                try store.setSecret(id, sealed, previous: old, endsAt: old == nil ? nil : end, in: transaction)
            }
        }
        return Made(record: record, secret: own, challenge: nil)
    }

    /// The present secret as the one before; without a grace it counts no more, and only explains refusals.
    private func resealed(
        _ record: SourceRecord, grace: Duration, in transaction: Transaction
    ) throws -> [UInt8]? {
        guard let sealed = record.secretSealed else { return nil }
        do {
            let text = try vault.open(
                sealed, at: SourceRecord.place(record.id, "secret_sealed"), for: record.organization, in: transaction)
            return try vault.seal(
                text, at: SourceRecord.place(record.id, "previous_sealed"), for: record.organization, in: transaction)
        } catch is VaultError where grace <= .zero {
            return nil
        }
    }

    /// Gives a source another address; the one before is good for the grace.
    func rotateAddress(
        _ id: Identifier<InboundSource>, grace: Duration, by scope: OrganizationScope
    ) throws -> SourceRecord {
        try change(id, "inbound_source.address_rotated", by: scope) { record, store, transaction in
            try store.setAddress(
                record, newAddress(), previousEndsAt: grace > .zero ? world.now() + grace : nil, in: transaction)
        }
    }

    /// The token that a service has sent by itself, for whoever enters it there: this once.
    ///
    /// - Throws: `Problem` 409 when there is none that nobody has seen.
    func takeToken(_ id: Identifier<InboundSource>, by scope: OrganizationScope) throws -> Secret<String> {
        var token = Secret("")
        _ = try change(id, "inbound_source.token_shown", by: scope) { record, store, transaction in
            guard record.hasNewToken, let sealed = record.secretSealed else {
                throw Problem(
                    409, "no_new_token", "No verification token has come that was not shown already.")
            }
            let bytes = try vault.open(
                sealed, at: SourceRecord.place(id, "secret_sealed"), for: scope.organization, in: transaction)
            token = Secret(String(decoding: bytes, as: UTF8.self))
            try store.noteToken(id, in: transaction)
        }
        return token
    }

    /// Removes a source; events that it brought stay.
    func remove(
        _ id: Identifier<InboundSource>, by scope: OrganizationScope, check: (SourceRecord) throws -> Void
    ) throws {
        let store = store(scope)
        try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(record)
            try store.delete(id, in: transaction)
            try note("inbound_source.deleted", record, scope, in: transaction)
            try Generations.bump(Generations.inboundSources, in: transaction)
        }
        changed()
    }

    // MARK: -

    private func change(
        _ id: Identifier<InboundSource>, _ action: String, by scope: OrganizationScope,
        _ act: (SourceRecord, SourceStore, Transaction) throws -> Void
    ) throws -> SourceRecord {
        let store = store(scope)
        let record = try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try act(record, store, transaction)
            return try noted(action, id, store, in: transaction)
        }
        changed()
        return record
    }

    private func noted(
        _ action: String, _ id: Identifier<InboundSource>, _ store: SourceStore, in transaction: Transaction
    ) throws -> SourceRecord {
        guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
        try note(action, record, store.scope, in: transaction)
        try Generations.bump(Generations.inboundSources, in: transaction)
        return record
    }

    private func note(
        _ action: String, _ record: SourceRecord, _ scope: OrganizationScope, in transaction: Transaction
    ) throws {
        try audit.record(
            action, .init("inbound_source", record.id, name: record.name),
            details: [
                "provider": .string(record.provider), "scheme": .string(record.scheme.rawValue),
                "body_limit": JSON(record.bodyLimit), "per_minute": JSON(record.perMinute),
            ], by: scope, in: transaction)
    }

    private func newAddress() -> Identifier<InboundAddress> {
        guard let address = Identifier<InboundAddress>(bytes: world.randomBytes(16)) else {
            preconditionFailure("sixteen bytes make an address")
        }
        return address
    }

    /// A secret of 256 bits, as the scheme takes it.
    private func secret(for scheme: SchemeName, _ recipe: Recipe?) -> Secret<String> {
        let bytes = world.randomBytes(32)
        return switch (scheme, recipe?.keyForm) {
        case (.standardWebhooks, _): Secret("whsec_" + Base64.encode(bytes))
        case (.hmac, .base64): Secret(Base64.encode(bytes))
        case (.hmac, .hex): Secret(Hex.encode(bytes))
        default: Secret(Base64URL.encode(bytes))
        }
    }

    private func seal(
        _ secret: Secret<String>, _ column: String, _ id: Identifier<InboundSource>, _ scope: OrganizationScope,
        in querying: some Querying
    ) throws -> [UInt8] {
        try vault.seal(
            secret.reveal { Array($0.utf8) }, at: SourceRecord.place(id, column), for: scope.organization, in: querying)
    }
}
