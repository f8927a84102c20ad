import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import LogKit
import TimeKit

/// Making, renaming and revoking keys: the same for pages, scripts and the command line.
extension APIKeys {
    /// A key that may be made.
    struct Wanted {
        let name: String
        let scopes: [Scope]
        let expiresAt: Timestamp?
    }

    /// The most scopes that one key takes.
    private static let mostScopes = 50
    /// The farthest end of a key; who wants more wants none.
    private static let longestLife = Duration.days(36_500)

    /// What is asked for, all refusals named.
    ///
    /// - Throws: `Problem` 422 for fields, 403 for a right that the maker does not hold.
    func wanted(
        _ input: inout Input, more: [String] = [], expiresAt: Timestamp?, by scope: OrganizationScope
    ) throws -> Wanted {
        let name = input.text("name", 1...100)
        let scopes = scopes(&input, more: more)
        if let expiresAt, expiresAt <= world.now() {
            input.refuse("expires_at", "in_the_past", "This must lie in the future.")
        } else if let expiresAt, expiresAt > world.now() + Self.longestLife {
            input.refuse("expires_at", "out_of_range", "This lies too far ahead; leave the end away instead.")
        }
        guard let name, let scopes, input.isComplete else { throw input.refusal }
        try Self.requireRights(scopes, of: scope)
        return Wanted(name: name, scopes: scopes, expiresAt: expiresAt)
    }

    /// Scopes, each once; those of a form's second field with them.
    private func scopes(_ input: inout Input, more: [String]) -> [Scope]? {
        let texts = (input.texts("scopes", atMost: Self.mostScopes) ?? []) + more
        var seen: Set<Scope> = []
        var scopes: [Scope] = []
        for (index, text) in texts.enumerated() {
            guard let scope = Scope(text) else {
                let isMore = index >= texts.count - more.count
                input.refuse(
                    isMore ? "other_scopes" : "scopes", "invalid_scope",
                    "“\(text.prefix(140))” is no scope; write resource:action, such as connections:read or admin:*.")
                continue
            }
            if seen.insert(scope).inserted { scopes.append(scope) }
        }
        if texts.count > Self.mostScopes {
            input.refuse("scopes", "too_many", "This takes at most \(Self.mostScopes) entries.")
        }
        return texts.isEmpty ? input.required("scopes", nil) : scopes
    }

    /// A key never exceeds the one who makes it.
    private static func requireRights(_ scopes: [Scope], of scope: OrganizationScope) throws {
        let errors = scopes.filter { !scope.allows($0) }.map { missing in
            Problem.FieldError(
                field: "scopes", code: "insufficient_scope",
                detail: "You do not hold \(missing) yourself, so you cannot give it away.")
        }
        guard !errors.isEmpty else { return }
        let names = scopes.filter { !scope.allows($0) }.map(\.description).joined(separator: ", ")
        throw Problem(403, "insufficient_scope", "A key cannot exceed its maker, who lacks \(names).", errors: errors)
    }

    /// Makes a key, unless its holder has as many as are allowed.
    ///
    /// - Throws: `Problem` 409 `too_many_keys`.
    func create(_ wanted: Wanted, by scope: OrganizationScope) throws -> (record: KeyRecord, text: KeyText) {
        let id = Identifier<APIKey>(world)
        let text = KeyText(for: id, prefix: settings.prefix)
        let store = store(scope)
        let holder = try store.holder(in: database)
        // Not one picture of the data: the count must see what others stored while the lock was waited for.
        let made = try change(isolation: .readCommitted) { transaction in
            try store.lock(holder, in: transaction)
            if let count = try store.count(of: holder, in: transaction), count >= settings.maxPerUser {
                throw tooMany(count)
            }
            try store.insert(
                id, text,
                KeyTerms(
                    name: wanted.name, scopes: wanted.scopes, rateLimit: settings.rateLimit,
                    expiresAt: wanted.expiresAt),
                holder: holder, in: transaction)
            try audit.record(
                "api_key.created", .init("api_key", id, name: wanted.name),
                details: [
                    "prefix": .string(text.prefix), "scopes": .array(wanted.scopes.map { .string($0.description) }),
                    "expires_at": JSON(wanted.expiresAt),
                ], by: scope, in: transaction)
            return try store.lock(id, in: transaction)
        }
        guard let made else { throw Problem.notFound }
        return (made, text)
    }

    private func tooMany(_ count: Int) -> Problem {
        Problem(
            409, "too_many_keys",
            "There are \(count) living keys already, and at most \(settings.maxPerUser) are allowed. Revoke one first.")
    }

    /// Gives a key another name.
    ///
    /// - Parameter check: refuses when the caller has seen another version.
    func rename(
        _ id: Identifier<APIKey>, to name: String, by scope: OrganizationScope, check: (KeyRecord) throws -> Void
    ) throws -> KeyRecord {
        let store = store(scope)
        return try change { transaction in
            guard let key = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(key)
            guard key.name != name else { return key }
            var terms = key.terms
            terms.name = name
            try store.save(terms, of: key, in: transaction)
            try audit.record(
                "api_key.updated", .init("api_key", id, name: name),
                details: ["from": .string(key.name), "to": .string(name)], by: scope, in: transaction)
            return try store.lock(id, in: transaction) ?? key
        }
    }

    /// Ends a key at once and for good; once more changes nothing.
    func revoke(
        _ id: Identifier<APIKey>, by scope: OrganizationScope, check: (KeyRecord) throws -> Void = { _ in }
    ) throws {
        let store = store(scope)
        try change { transaction in
            guard let key = try store.lock(id, in: transaction) else { throw Problem.notFound }
            try check(key)
            guard key.revokedAt == nil else { return }
            try store.revoke(id, in: transaction)
            try audit.record(
                "api_key.revoked", .init("api_key", id, name: key.name), details: ["prefix": .string(key.prefix)],
                by: scope, in: transaction)
        }
    }
}
