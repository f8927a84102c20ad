import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Making, changing and ending keys: the same for pages, scripts and the command line.
extension APIKeys {
    /// Reads the terms of keys at this moment.
    var termsReader: TermsReader { TermsReader(settings: settings, now: world.now()) }

    /// A key never exceeds the one who makes it, nor the one who gives it more.
    private static func requireRights(_ scopes: [Scope], of scope: OrganizationScope) throws {
        let missing = scopes.filter { !scope.allows($0) }
        guard !missing.isEmpty else { return }
        let errors = missing.map { missing in
            Problem.FieldError(
                field: "scopes", code: "insufficient_scope",
                detail: "You do not hold \(missing) yourself, so you cannot give it away.")
        }
        let names = missing.map(\.description).joined(separator: ", ")
        throw Problem(403, "insufficient_scope", "A key cannot exceed its maker, who lacks \(names).", errors: errors)
    }

    /// Makes a key, unless its holder has as many as are allowed.
    ///
    /// - Throws: `Problem` 409 `too_many_keys`, 403 for a right that the maker does not hold.
    func create(_ terms: KeyTerms, by scope: OrganizationScope) throws -> (record: KeyRecord, text: KeyText) {
        try Self.requireRights(terms.scopes, of: scope)
        let id = Identifier<APIKey>(world)
        let text = KeyText(for: id, prefix: settings.prefix)
        let store = store(scope)
        let holder = try store.holder(in: database)
        // Not one picture of the data: the count must see what others stored while the lock was waited for.
        let made = try change(isolation: .readCommitted) { transaction in
            try holder.lock(in: transaction)
            if let count = try store.count(of: holder, in: transaction), count >= settings.maxPerUser {
                throw tooMany(count)
            }
            try store.insert(id, text, terms, holder: holder, in: transaction)
            guard let key = try store.lock(id, in: transaction) else { throw Problem.notFound }
            let told = terms.members.filter { $0.name != "name" && $0.name != "metadata" }
            try note(.created, key, details: .object(told), by: scope, in: transaction)
            return key
        }
        return (made, text)
    }

    private func tooMany(_ count: Int) -> Problem {
        Problem(
            409, "too_many_keys",
            "There are \(count) living keys already, and at most \(settings.maxPerUser) are allowed. Revoke one first.")
    }

    /// Gives a key other terms.
    ///
    /// Who gives more than a name or metadata must hold all that the key may do afterwards, since a key of few rights
    /// could otherwise lend itself those of another.
    ///
    /// - Parameters:
    ///   - check: refuses when the caller has seen another version.
    ///   - terms: what the terms become; may be asked several times.
    /// - Throws: `Problem` 404, 409 for a key that is over, 403 for a right that the caller does not hold.
    func update(
        _ id: Identifier<APIKey>, by scope: OrganizationScope, check: (KeyRecord) throws -> Void = { _ in },
        _ terms: (KeyTerms) throws -> KeyTerms
    ) throws -> KeyRecord {
        try changeLiving(id, by: scope, check: check) { key, store, transaction in
            let new = try terms(key.terms)
            let changes = new.changes(from: key.terms)
            guard !changes.isEmpty else { return }
            if changes.contains(where: { $0.name != "name" && $0.name != "metadata" }) {
                try Self.requireRights(new.scopes, of: scope)
            }
            try store.save(new, of: key, in: transaction)
            var named = key
            named.terms.name = new.name
            try note(.updated, named, details: .object(changes), by: scope, in: transaction)
        }
    }

    /// Gives a key another secret; the one before lives on for the grace, and one before that is over at once.
    ///
    /// The row is held from reading to committing, so of several rolls at the same time each ends what the one before it
    /// had left.
    func roll(
        _ id: Identifier<APIKey>, grace: Duration, by scope: OrganizationScope,
        check: (KeyRecord) throws -> Void = { _ in }
    ) throws -> (record: KeyRecord, text: KeyText) {
        let text = KeyText(for: id, prefix: settings.prefix)
        let end = grace > .zero ? world.now() + grace : nil
        let rolled = try changeLiving(id, by: scope, check: check) { key, store, transaction in
            try Self.requireRights(key.scopes, of: scope)
            try store.roll(id, to: text, previousEnd: end, in: transaction)
            try note(
                .rolled, key,
                details: ["new_last_four": .string(text.lastFour), "previous_ends_at": JSON(end ?? world.now())],
                by: scope, in: transaction)
        }
        return (rolled, text)
    }

    /// Ends the secret before the last roll; without one nothing changes.
    func endPrevious(
        _ id: Identifier<APIKey>, by scope: OrganizationScope, check: (KeyRecord) throws -> Void = { _ in }
    ) throws {
        try change { transaction in
            let store = store(scope)
            guard let key = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(key)
            guard let previous = key.livingPrevious(now: world.now()) else { return }
            try store.endPrevious(id, in: transaction)
            try note(
                .previousEnded, key, details: ["previous_last_four": .string(previous.lastFour)], by: scope,
                in: transaction)
        }
    }

    /// Puts a key aside; one that is aside already stays so.
    func disable(
        _ id: Identifier<APIKey>, by scope: OrganizationScope, check: (KeyRecord) throws -> Void = { _ in }
    ) throws -> KeyRecord {
        try changeLiving(id, by: scope, check: check) { key, store, transaction in
            guard key.disabledAt == nil else { return }
            try store.disable(id, at: world.now(), in: transaction)
            try note(.disabled, key, by: scope, in: transaction)
        }
    }

    /// Takes a key that was put aside back into use.
    func enable(
        _ id: Identifier<APIKey>, by scope: OrganizationScope, check: (KeyRecord) throws -> Void = { _ in }
    ) throws -> KeyRecord {
        try changeLiving(id, by: scope, check: check) { key, store, transaction in
            guard key.disabledAt != nil else { return }
            try Self.requireRights(key.scopes, of: scope)
            try store.disable(id, at: nil, in: transaction)
            try note(.enabled, key, by: scope, in: transaction)
        }
    }

    /// Ends a key at once and for good; once more changes nothing.
    func revoke(
        _ id: Identifier<APIKey>, by scope: OrganizationScope, check: (KeyRecord) throws -> Void = { _ in }
    ) throws {
        try change { transaction in
            let store = store(scope)
            guard let key = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(key)
            guard key.revokedAt == nil else { return }
            try revoke(key, by: scope, in: transaction)
        }
    }

    /// Ends every key that nobody has used for 90 days, if there are as many as the one who asks has seen.
    ///
    /// At most ``KeyStore/mostUnused`` at a time.
    ///
    /// - Throws: `Problem` 422 on `count`.
    func revokeUnused(count: Int, by scope: OrganizationScope) throws {
        try change { transaction in
            let keys = try store(scope).unused(in: transaction, isLocking: true)
            guard keys.count == count else {
                throw Problem.invalid(
                    "count", "not_the_count",
                    keys.count == 1 ? "There is 1 such key now." : "There are \(keys.count) such keys now.")
            }
            for key in keys { try revoke(key, by: scope, in: transaction) }
        }
    }

    private func revoke(_ key: KeyRecord, by scope: OrganizationScope, in transaction: Transaction) throws {
        try store(scope).revoke(key.id, in: transaction)
        try note(.revoked, key, by: scope, in: transaction)
    }

    /// Changes a key that is not over, held from reading to committing, and reads it again.
    private func changeLiving(
        _ id: Identifier<APIKey>, by scope: OrganizationScope, check: (KeyRecord) throws -> Void,
        _ body: (KeyRecord, KeyStore, Transaction) throws -> Void
    ) throws -> KeyRecord {
        let store = store(scope)
        return try change { transaction in
            guard let key = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(key)
            if let problem = key.state(now: world.now()).problem { throw problem }
            try body(key, store, transaction)
            return try store.lock(id, in: transaction) ?? key
        }
    }
}

extension KeyRecord.State {
    /// Why a key in this state is not changed any more; nil when it is.
    var problem: Problem? {
        switch self {
        case .active, .disabled: nil
        case .expired:
            Problem(409, "key_expired", "This key has expired and opens nothing any more. Create another one.")
        case .revoked: Problem(409, "key_revoked", "This key was revoked, which is for good. Create another one.")
        }
    }
}
