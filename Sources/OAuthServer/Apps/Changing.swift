import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Making, changing and removing apps: the same for pages and scripts.
extension OAuthServer {
    func store(_ scope: OrganizationScope) -> AppStore { AppStore(database: database, world: world, scope: scope) }

    /// An app never holds more than the one who makes it, who could otherwise lend themselves what they lack: an app may act
    /// for itself.
    static func requireRights(_ scopes: [Scope], of scope: OrganizationScope) throws {
        let missing = scopes.filter { !scope.allows($0) }
        guard !missing.isEmpty else { return }
        let errors = missing.map { missing in
            Problem.FieldError(
                field: "scopes", code: "insufficient_scope",
                detail: "You do not hold \(missing) yourself, so you cannot give it away.")
        }
        let names = missing.map(\.description).joined(separator: ", ")
        throw Problem(403, "insufficient_scope", "An app cannot exceed its maker, who lacks \(names).", errors: errors)
    }

    /// Makes an app, unless its holder has as many as are allowed.
    ///
    /// - Returns: the app, and its secret when it can keep one.
    /// - Throws: `Problem` 409 `too_many_apps`, 403 for a right that the maker does not hold.
    func create(
        _ terms: AppTerms, isConfidential: Bool, by scope: OrganizationScope
    ) throws -> (app: AppRecord, secret: ClientSecret?) {
        try Self.requireRights(terms.scopes, of: scope)
        let new = NewApp(
            id: Identifier(world), terms: terms, secret: isConfidential ? ClientSecret() : nil)
        let store = store(scope)
        let holder = try store.holder(in: database)
        // Not one picture of the data: the count must see what others stored while the lock was waited for.
        let app = try change(isolation: .readCommitted) { transaction in
            try holder.lock(in: transaction)
            if let count = try store.count(of: holder, in: transaction), count >= settings.maxAppsPerUser {
                throw Problem(
                    409, "too_many_apps",
                    "There are \(count) apps already, and at most \(settings.maxAppsPerUser) are allowed. Remove one first."
                )
            }
            return try insert(new, holder: holder, by: scope, in: transaction)
        }
        return (app, new.secret)
    }

    /// Stores an app and tells of it.
    func insert(
        _ new: NewApp, holder: Holder, by scope: OrganizationScope, in transaction: Transaction
    ) throws -> AppRecord {
        let store = store(scope)
        try store.insert(new, holder: holder, in: transaction)
        guard let app = try store.lock(new.id, in: transaction) else { throw Problem.notFound }
        let told = new.terms.members.filter { $0.name != "name" }
        try note(
            .created, app,
            details: .object(
                told + [
                    .init("confidential", .bool(app.isConfidential)), .init("dynamic", .bool(app.isDynamic)),
                ]), by: scope, in: transaction)
        return app
    }

    /// Gives an app other terms.
    ///
    /// - Parameters:
    ///   - check: refuses when the caller has seen another version.
    ///   - terms: what the terms become; may be asked several times.
    func update(
        _ id: Identifier<OAuthApp>, by scope: OrganizationScope, check: (AppRecord) throws -> Void = { _ in },
        _ terms: (AppRecord) throws -> AppTerms
    ) throws -> AppRecord {
        try change(id, by: scope, check: check) { app, store, transaction in
            let new = try terms(app)
            let changes = new.changes(from: app.terms)
            guard !changes.isEmpty else { return }
            try Self.requireRights(new.scopes, of: scope)
            try store.save(new, of: id, in: transaction)
            var named = app
            named.terms.name = new.name
            try note(.updated, named, details: .object(changes), by: scope, in: transaction)
        }
    }

    /// Gives an app another secret; the one before lives on for the grace, and one before that is over at once.
    func roll(
        _ id: Identifier<OAuthApp>, grace: Duration, by scope: OrganizationScope,
        check: (AppRecord) throws -> Void = { _ in }
    ) throws -> (app: AppRecord, secret: ClientSecret) {
        let secret = ClientSecret()
        let end = grace > .zero ? world.now() + grace : nil
        let rolled = try change(id, by: scope, check: check) { app, store, transaction in
            guard app.isConfidential else {
                throw Problem(409, "public_app", "This app is public: it has no secret that could be rolled.")
            }
            try Self.requireRights(app.scopes, of: scope)
            try store.roll(id, to: secret, previousEnd: end, in: transaction)
            try note(
                .secretRolled, app,
                details: ["new_last_four": .string(secret.lastFour), "previous_ends_at": JSON(end ?? world.now())],
                by: scope, in: transaction)
        }
        return (rolled, secret)
    }

    /// Ends the secret before the last roll; without one nothing changes.
    func endPrevious(
        _ id: Identifier<OAuthApp>, by scope: OrganizationScope, check: (AppRecord) throws -> Void = { _ in }
    ) throws {
        _ = try change(id, by: scope, check: check) { app, store, transaction in
            guard let previous = app.livingPrevious(now: world.now()) else { return }
            try store.endPrevious(id, in: transaction)
            try note(
                .previousEnded, app, details: ["previous_last_four": .string(previous.lastFour)], by: scope,
                in: transaction)
        }
    }

    /// Puts an app aside; one that is aside already stays so.
    func disable(
        _ id: Identifier<OAuthApp>, by scope: OrganizationScope, check: (AppRecord) throws -> Void = { _ in }
    ) throws -> AppRecord {
        try change(id, by: scope, check: check) { app, store, transaction in
            guard app.disabledAt == nil else { return }
            try store.disable(id, at: world.now(), in: transaction)
            try note(.disabled, app, by: scope, in: transaction)
        }
    }

    /// Takes an app that was put aside back into use.
    func enable(
        _ id: Identifier<OAuthApp>, by scope: OrganizationScope, check: (AppRecord) throws -> Void = { _ in }
    ) throws -> AppRecord {
        try change(id, by: scope, check: check) { app, store, transaction in
            guard app.disabledAt != nil else { return }
            try Self.requireRights(app.scopes, of: scope)
            try store.disable(id, at: nil, in: transaction)
            try note(.enabled, app, by: scope, in: transaction)
        }
    }

    /// Removes an app for good: its secrets, its tokens and what people have allowed it.
    func delete(
        _ id: Identifier<OAuthApp>, by scope: OrganizationScope, check: (AppRecord) throws -> Void = { _ in }
    ) throws {
        try change { transaction in
            let store = store(scope)
            guard let app = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(app)
            try remove(app, by: scope, in: transaction)
        }
    }

    /// Removes an app that is held, in a transaction of the caller.
    func remove(_ app: AppRecord, by scope: OrganizationScope, in transaction: Transaction) throws {
        try consents.forgetAll(of: app.id, in: transaction)
        _ = try revokeGrants(.app(app.id), because: .administrator, in: transaction)
        try store(scope).delete(app.id, in: transaction)
        try note(.deleted, app, by: scope, in: transaction)
    }

    /// Changes an app, held from reading to committing, and reads it again.
    private func change(
        _ id: Identifier<OAuthApp>, by scope: OrganizationScope, check: (AppRecord) throws -> Void,
        _ body: (AppRecord, AppStore, Transaction) throws -> Void
    ) throws -> AppRecord {
        let store = store(scope)
        return try change { transaction in
            guard let app = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(app)
            try body(app, store, transaction)
            return try store.lock(id, in: transaction) ?? app
        }
    }
}
