import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Every change of a connection, each in one transaction with its line in the audit log.
extension Connections {
    func create(
        _ provider: Provider, _ placing: Placing, _ setUp: SetUp, by scope: OrganizationScope
    ) throws -> Identifier<Connection> {
        let id = Identifier<Connection>(world)
        try namingConflicts(provider.name, placing.name) {
            try database.transaction { transaction in
                let sealed = try seal(setUp, id, scope, in: transaction)
                try store(scope).insert(
                    id, provider: provider.key, name: placing.name, workspace: placing.workspace, setup: setUp.openJSON,
                    sealedSecrets: sealed, in: transaction)
                try audit.record(
                    "connection.created", object(id, provider.name, placing.name), by: scope, in: transaction)
            }
        }
        return id
    }

    /// Stores another name, place or set-up, and switches on or off; nothing when all is as it was.
    ///
    /// - Parameters:
    ///   - check: what the caller demands of the connection as it is, such as `If-Match`.
    ///   - change: what becomes of it. The row is locked meanwhile, so that no other change is undone by this one.
    func update(
        _ id: Identifier<Connection>, by scope: OrganizationScope, check: (ConnectionView) throws -> Void = { _ in },
        _ change: (ConnectionView) throws -> Change
    ) throws {
        try database.transaction { transaction in
            let old = try locked(id, scope, in: transaction)
            try check(old)
            let new = try change(old)
            if !new.changed(old).isEmpty { try store(new, over: old, scope, in: transaction) }
            try setEnabled(new.isEnabled, old, scope, in: transaction)
        }
    }

    /// Stores a change, in a transaction that has locked the connection.
    func store(
        _ new: Change, over old: ConnectionView, _ scope: OrganizationScope, in transaction: Transaction
    ) throws {
        let isSetUpAnew = new.isSetUpAnew(old)
        if isSetUpAnew { try Self.requireReadable(old) }
        let isElsewhere = new.setUp.isElsewhere(than: SetUp(keeping: old), old.provider)
        // What one service granted must not be shown to another: it is given back there, which the queue sees to.
        if isElsewhere { _ = try leaveToRevoke(old, scope, in: transaction) }
        let id = old.record.id
        let sealed = isSetUpAnew ? try seal(new.setUp, id, scope, in: transaction) : old.record.sealedSecrets
        try makeRoom(for: new.placing, old, scope, in: transaction)
        try namingConflicts(old.serviceName, new.placing.name) {
            try store(scope).update(
                id, name: new.placing.name, workspace: new.placing.workspace, setup: new.setUp.openJSON,
                sealedSecrets: sealed, keeping: old.knowledge(isSetUpAnew: isSetUpAnew, isElsewhere: isElsewhere),
                in: transaction)
        }
        if isElsewhere { try store(scope).forgetGrant(id, in: transaction) }
        try recordUpdate(old, new, scope, in: transaction)
    }

    private func recordUpdate(
        _ old: ConnectionView, _ new: Change, _ scope: OrganizationScope, in transaction: Transaction
    ) throws {
        let object = object(old.record.id, old.serviceName, new.placing.name)
        if old.record.name != new.placing.name {
            try audit.record(
                "connection.renamed", object,
                details: ["from": .string(old.record.name), "to": .string(new.placing.name)], by: scope, in: transaction
            )
        }
        let changed = new.changed(old).filter { $0 != "name" }
        if !changed.isEmpty {
            let details: JSON = ["changed": .array(changed.map(JSON.string))]
            try audit.record("connection.updated", object, details: details, by: scope, in: transaction)
            try publish(.connectionUpdated, old, scope, more: details, in: transaction)
        }
    }

    /// Who takes the name `default` gives its own to the connection that had it (api.md §3).
    private func makeRoom(
        for placing: Placing, _ old: ConnectionView, _ scope: OrganizationScope, in transaction: Transaction
    ) throws {
        let name = ConnectionName.defaultName
        guard placing.name == name, old.record.name != name else { return }
        let holder = try store(scope).holder(
            provider: old.record.provider, name: name, workspace: placing.workspace, in: transaction)
        guard let holder, holder != old.record.id else { return }
        // A name that nobody can choose keeps the two apart for the moment in between.
        try store(scope).rename(old.record.id, to: "\u{7E}", in: transaction)
        try namingConflicts(old.serviceName, old.record.name) {
            try store(scope).rename(holder, to: old.record.name, in: transaction)
        }
        try audit.record(
            "connection.renamed", object(holder, old.serviceName, old.record.name),
            details: ["from": .string(name), "to": .string(old.record.name)], by: scope, in: transaction)
    }

    func setEnabled(_ isEnabled: Bool, _ id: Identifier<Connection>, by scope: OrganizationScope) throws {
        try database.transaction { transaction in
            try setEnabled(isEnabled, locked(id, scope, in: transaction), scope, in: transaction)
        }
    }

    private func setEnabled(
        _ isEnabled: Bool, _ old: ConnectionView, _ scope: OrganizationScope, in transaction: Transaction
    ) throws {
        guard old.record.isEnabled != isEnabled else { return }
        try store(scope).setEnabled(isEnabled, of: old.record.id, in: transaction)
        let deed: DomainEventType = isEnabled ? .connectionEnabled : .connectionDisabled
        try audit.record(deed.rawValue, object(old), by: scope, in: transaction)
        try publish(deed, old, scope, in: transaction)
    }

    /// Drops what the service granted, here and there (seed 0): the tokens, and the set-up's client credentials stay; a
    /// pasted key is dropped altogether.
    @discardableResult
    func disconnect(_ id: Identifier<Connection>, by scope: OrganizationScope) throws -> Revocation {
        try end(id, .connectionDisconnected, details: Self.parting, by: scope) { old, transaction in
            try Self.requireReadable(old)
            let kept = SetUp(keeping: old).withoutKeys(of: old.provider)
            let sealed = try seal(kept, id, scope, in: transaction)
            try store(scope).disconnect(
                id, setup: kept.openJSON, sealedSecrets: sealed, detail: Self.wayBack(old), in: transaction)
        }
    }

    /// Removes a connection; `default` stays, as seed 0 says, unless it is the last thing to be done with one that
    /// cannot be read any more.
    @discardableResult
    func remove(
        _ id: Identifier<Connection>, by scope: OrganizationScope, check: (ConnectionView) throws -> Void = { _ in }
    ) throws -> Revocation {
        try end(id, .connectionRemoved, by: scope) { old, transaction in
            try check(old)
            if let reason = Self.reasonToKeep(old) { throw Problem(409, "default_connection", reason) }
            try store(scope).remove(id, in: transaction)
        }
    }

    /// Ends what was granted: here at once, there as soon as the service answers.
    private func end(
        _ id: Identifier<Connection>, _ deed: DomainEventType, details: (ConnectionView) -> JSON = { _ in [:] },
        by scope: OrganizationScope, _ change: (ConnectionView, Transaction) throws -> Void
    ) throws -> Revocation {
        let left = try database.transaction { transaction in
            let old = try locked(id, scope, in: transaction)
            let left = try leaveToRevoke(old, scope, in: transaction)
            try change(old, transaction)
            try audit.record(deed.rawValue, object(old), details: details(old), by: scope, in: transaction)
            try publish(deed, old, scope, in: transaction)
            return left
        }
        return try revoke(left)
    }

    /// What the audit log keeps of a connection whose token is dropped: which service, and which token by its end, so that
    /// one found later can be told (seed 2).
    private static func parting(_ view: ConnectionView) -> JSON {
        ["provider": .string(view.record.provider), "token": JSON(view.credential?.redacted)]
    }

    /// What connects a connection again once it is disconnected.
    private static func wayBack(_ view: ConnectionView) -> String {
        view.provider?.oauth != nil && (view.record.grant.sealed != nil || view.credential == nil)
            ? "It was disconnected. Sign in again to connect it."
            : "Its secrets were dropped. Enter them again to connect it."
    }

    /// Why a connection cannot be removed; nil when it can.
    static func reasonToKeep(_ view: ConnectionView) -> String? {
        guard view.record.name == ConnectionName.defaultName, view.status != .undecryptable else { return nil }
        return
            "The connection named default cannot be removed. Disconnect it, or give another connection this name first."
    }

    // MARK: -

    func locked(
        _ id: Identifier<Connection>, _ scope: OrganizationScope, in transaction: Transaction
    ) throws -> ConnectionView {
        guard let record = try store(scope).lock(id, in: transaction) else { throw Problem.notFound }
        return try view(record, scope, in: transaction)
    }

    func seal(
        _ setUp: SetUp, _ id: Identifier<Connection>, _ scope: OrganizationScope, in transaction: Transaction
    ) throws -> [UInt8]? {
        try setUp.secretBytes.map { try vault.seal($0, at: Self.place(id), for: scope.organization, in: transaction) }
    }

    /// What cannot be opened is never overwritten.
    static func requireReadable(_ view: ConnectionView) throws(Problem) {
        guard !view.isReadable else { return }
        throw Problem(409, "undecryptable", view.sentence)
    }

    func object(_ view: ConnectionView) -> AuditTrail.Object {
        object(view.record.id, view.serviceName, view.record.name)
    }

    private func object(_ id: Identifier<Connection>, _ service: String, _ name: String) -> AuditTrail.Object {
        AuditTrail.Object("connection", id, name: "\(service) “\(name)”")
    }

    /// Says of a duplicate that it is the name.
    private func namingConflicts<Result>(
        _ service: String, _ name: String, _ change: () throws -> Result
    ) throws -> Result {
        do {
            return try change()
        } catch let error as DatabaseError where error.code == .duplicate {
            let detail = "Another \(service) connection has the name \(name) here. Choose another name."
            throw Problem(409, "name_taken", detail, errors: [.init(field: "name", code: "taken", detail: detail)])
        }
    }
}

extension Problem {
    /// A connection whose provider file is gone.
    static func withoutProvider(_ view: ConnectionView) -> Problem {
        Problem(
            409, "unknown_provider",
            "The provider file \(view.record.provider) of this connection is not there any more.")
    }
}
