import CipherKit
import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Making, changing and ending webhooks: the same for pages and scripts.
extension Webhooks {
    func store(_ scope: OrganizationScope) -> WebhookStore {
        WebhookStore(database: database, world: world, scope: scope)
    }

    func reader(_ scope: OrganizationScope) -> WebhookTermsReader {
        WebhookTermsReader(
            settings: settings,
            objection: { url in
                guard let parsed = url.text.reveal({ try? OutboundURL($0) }), client.mayCall(parsed) else {
                    return "This hub may not call that address."
                }
                return nil
            },
            receiver: { id in
                guard scope.allows(.read(.connections)) else { return nil }
                return try neighbours.receiver(id, scope, database)
            })
    }

    /// One webhook.
    ///
    /// - Throws: `Problem` 404.
    func find(_ id: Identifier<Webhook>, _ scope: OrganizationScope) throws -> WebhookRecord {
        guard let record = try store(scope).find(id) else { throw Problem.notFound }
        return record
    }

    /// Makes a webhook, unless its holder has as many as are allowed.
    ///
    /// - Throws: `Problem` 409 `too_many_webhooks`.
    func create(
        _ terms: WebhookTerms, by scope: OrganizationScope
    ) throws -> (record: WebhookRecord, secret: SigningSecret) {
        let id = Identifier<Webhook>(world)
        let secret = terms.secret ?? .random(isAsymmetric: terms.isAsymmetric ?? false)
        let store = store(scope)
        guard let holder = try Holder(scope, in: database) else {
            throw Problem(
                403, "account_required",
                "A webhook would outlive this token, whose bearer has no account here that could hold it.")
        }
        // Not one picture of the data: the count must see what others stored while the lock was waited for.
        let made = try database.transaction(isolation: .readCommitted) { transaction in
            try holder.lock(in: transaction)
            if let count = try store.count(of: holder, in: transaction), count >= settings.maxPerUser {
                throw Problem(
                    409, "too_many_webhooks",
                    "There are \(count) webhooks already, and at most \(settings.maxPerUser) are allowed.")
            }
            let sealed = try seal(secret.text.reveal { Array($0.utf8) }, "secret_sealed", id, scope, in: transaction)
            try store.insert(
                id, try writing(terms, id, scope, in: transaction), secretSealed: sealed,
                state: terms.isActive == false ? .paused : .active, holder: holder, in: transaction)
            let made = try store.lock(id, in: transaction)
            if let made { try note(.webhookCreated, made, by: scope, in: transaction) }
            try noteChange(in: transaction)
            return made
        }
        guard let made else { throw Problem.notFound }
        return (made, secret)
    }

    /// Changes what is given.
    ///
    /// - Parameter check: refuses when the caller has seen another version.
    func update(
        _ id: Identifier<Webhook>, _ terms: WebhookTerms, by scope: OrganizationScope,
        check: (WebhookRecord) throws -> Void = { _ in }
    ) throws -> WebhookRecord {
        let store = store(scope)
        let changed = try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(record)
            let writing = try writing(terms, id, scope, in: transaction)
            try store.update(id, writing, in: transaction)
            let turn = terms.isActive.flatMap { $0 == (record.state == .active) ? nil : $0 }
            if turn == true, terms.url == nil { try requireReceiver(of: record, scope, in: transaction) }
            if let turn { try store.setActive(turn, id, in: transaction) }
            guard let changed = try store.lock(id, in: transaction) else { throw Problem.notFound }
            if !writing.isEmpty { try note(.webhookUpdated, changed, by: scope, in: transaction) }
            if let turn { try note(Self.deed(turn), changed, by: scope, in: transaction) }
            try noteChange(in: transaction)
            return changed
        }
        wake()
        return changed
    }

    /// Lets a webhook go on, a disabled one too, or wait; once more changes nothing.
    func setActive(_ isActive: Bool, _ id: Identifier<Webhook>, by scope: OrganizationScope) throws -> WebhookRecord {
        let store = store(scope)
        let changed = try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            guard record.state != (isActive ? .active : .paused) else { return record }
            if isActive { try requireReceiver(of: record, scope, in: transaction) }
            try store.setActive(isActive, id, in: transaction)
            guard let changed = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try note(Self.deed(isActive), changed, by: scope, in: transaction)
            try noteChange(in: transaction)
            return changed
        }
        wake()
        return changed
    }

    /// What it is called that a webhook goes on, or waits.
    private static func deed(_ isActive: Bool) -> DomainEventType { isActive ? .webhookEnabled : .webhookPaused }

    /// Gives a webhook another secret, which its owner is shown this once; the old one signs beside it for the grace.
    ///
    /// - Parameters:
    ///   - given: the new one; made when nil.
    ///   - isAsymmetric: whether one that is made is an Ed25519 key; as the old one when nil.
    func roll(
        _ id: Identifier<Webhook>, to given: SigningSecret?, isAsymmetric: Bool? = nil, grace: Duration,
        by scope: OrganizationScope
    ) throws -> (record: WebhookRecord, secret: SigningSecret) {
        let store = store(scope)
        let rolled = try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            let old = try vault.open(
                record.secretSealed, at: Self.place(id, "secret_sealed"), for: scope.organization, in: transaction)
            let wasAsymmetric = SigningSecret(String(decoding: old, as: UTF8.self))?.scheme == "v1a"
            let secret = given ?? .random(isAsymmetric: isAsymmetric ?? wasAsymmetric)
            let sealed = try seal(secret.text.reveal { Array($0.utf8) }, "secret_sealed", id, scope, in: transaction)
            let previous = grace > .zero ? try seal(old, "previous_sealed", id, scope, in: transaction) : nil
            try store.roll(
                id, secretSealed: sealed, previousSealed: previous,
                previousEndsAt: grace > .zero ? world.now() + grace : nil, in: transaction)
            guard let changed = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try note(.webhookSecretRolled, changed, by: scope, in: transaction)
            return (record: changed, secret: secret)
        }
        return rolled
    }

    /// Removes a webhook; what was on its way there ends.
    func remove(
        _ id: Identifier<Webhook>, by scope: OrganizationScope, check: (WebhookRecord) throws -> Void = { _ in }
    ) throws {
        let store = store(scope)
        try database.transaction { transaction in
            guard let record = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(record)
            try store.delete(id, in: transaction)
            try note(.webhookDeleted, record, by: scope, in: transaction)
            try noteChange(in: transaction)
        }
        wake()
    }

    // MARK: -

    func writing(
        _ terms: WebhookTerms, _ id: Identifier<Webhook>, _ scope: OrganizationScope, in querying: some Querying
    ) throws -> WebhookStore.Writing {
        var writing = WebhookStore.Writing()
        if let url = terms.url {
            let sealed = try seal(url.text.reveal { Array($0.utf8) }, "url_sealed", id, scope, in: querying)
            writing.url = (sealed, url.shown, url.receiver)
        }
        writing.connection = terms.connection
        writing.events = terms.events
        writing.description = terms.description
        if let headers = terms.headers {
            let members = headers.map { field in JSON.Member(field.name, .string(field.value.reveal { $0 })) }
            writing.headersSealed = .some(
                try headers.isEmpty
                    ? nil : seal(JSON.object(members).bytes, "headers_sealed", id, scope, in: querying))
        }
        writing.perSecond = terms.perSecond
        writing.ordering = terms.ordering
        return writing
    }

    private func seal(
        _ bytes: [UInt8], _ column: String, _ id: Identifier<Webhook>, _ scope: OrganizationScope,
        in querying: some Querying
    ) throws -> [UInt8] {
        try vault.seal(bytes, at: Self.place(id, column), for: scope.organization, in: querying)
    }

    /// Notes in the audit log what happened to a webhook, and tells of it.
    func note(
        _ deed: DomainEventType, _ record: WebhookRecord, by scope: OrganizationScope, in transaction: Transaction
    ) throws {
        let name = record.description.isEmpty ? record.urlShown : record.description
        try audit.record(
            deed.rawValue, .init("webhook", record.id, name: name),
            details: [
                "url": .string(record.urlShown), "events": .array(record.events.map { .string($0.description) }),
                "state": .string(record.state.rawValue),
            ], by: scope, in: transaction)
        try tell(deed, of: record, in: transaction)
    }
}
