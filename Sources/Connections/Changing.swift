import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Every change of a connection, each in one transaction with its line in the audit log.
extension Connections {
    /// What a connection is to be called and where it belongs.
    struct Placing: Sendable {
        var name: String
        var workspace: Identifier<Workspace>?
    }

    func create(
        _ provider: Provider, _ placing: Placing, _ setUp: SetUp, by scope: OrganizationScope
    ) throws -> Identifier<Connection> {
        let id = Identifier<Connection>(world)
        try namingConflicts(provider, placing) {
            try database.transaction { transaction in
                let sealed = try seal(setUp, id, scope, in: transaction)
                try store(scope).insert(
                    id, provider: provider.key, name: placing.name, workspace: placing.workspace, setup: setUp.openJSON,
                    sealedSecrets: sealed, in: transaction)
                try audit.record("connection.created", object(id, provider.name, placing.name), by: scope, in: transaction)
            }
        }
        return id
    }

    /// Stores another name, place or set-up.
    ///
    /// - Parameter check: what the caller demands of the connection as it is, such as `If-Match`.
    func update(
        _ id: Identifier<Connection>, by scope: OrganizationScope, check: (ConnectionView) throws -> Void = { _ in },
        _ change: (ConnectionView) throws -> (Placing, SetUp)
    ) throws {
        try database.transaction { transaction in
            let old = try locked(id, scope, in: transaction)
            try check(old)
            guard let provider = old.provider else { throw Problem.withoutProvider(old) }
            let (placing, setUp) = try change(old)
            let isSetUpAnew = setUp.secrets != old.secrets.values || setUp.openJSON != old.record.setup
            if isSetUpAnew { try Self.requireReadable(old) }
            let sealed = isSetUpAnew ? try seal(setUp, id, scope, in: transaction) : old.record.sealedSecrets
            try makeRoom(for: placing, old, scope, in: transaction)
            try namingConflicts(provider, placing) {
                try store(scope).update(
                    id, name: placing.name, workspace: placing.workspace, setup: setUp.openJSON, sealedSecrets: sealed,
                    isSetUpAnew: isSetUpAnew, in: transaction)
            }
            try recordUpdate(old, placing, isSetUpAnew: isSetUpAnew, provider, scope, in: transaction)
        }
    }

    private func recordUpdate(
        _ old: ConnectionView, _ placing: Placing, isSetUpAnew: Bool, _ provider: Provider, _ scope: OrganizationScope,
        in transaction: Transaction
    ) throws {
        let object = object(old.record.id, provider.name, placing.name)
        if old.record.name != placing.name {
            try audit.record(
                "connection.renamed", object, details: ["from": .string(old.record.name), "to": .string(placing.name)],
                by: scope, in: transaction)
        }
        if isSetUpAnew || old.record.workspace != placing.workspace {
            try audit.record("connection.updated", object, by: scope, in: transaction)
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
        try store(scope).rename(holder, to: old.record.name, in: transaction)
        try audit.record(
            "connection.renamed", object(holder, old.serviceName, old.record.name),
            details: ["from": .string(name), "to": .string(old.record.name)], by: scope, in: transaction)
    }

    func setEnabled(_ isEnabled: Bool, _ id: Identifier<Connection>, by scope: OrganizationScope) throws {
        try database.transaction { transaction in
            let old = try locked(id, scope, in: transaction)
            guard old.record.isEnabled != isEnabled else { return }
            try store(scope).setEnabled(isEnabled, of: id, in: transaction)
            try audit.record(
                isEnabled ? "connection.enabled" : "connection.disabled", object(old), by: scope, in: transaction)
        }
    }

    func disconnect(_ id: Identifier<Connection>, by scope: OrganizationScope) throws {
        try database.transaction { transaction in
            let old = try locked(id, scope, in: transaction)
            try Self.requireReadable(old)
            try store(scope).disconnect(id, in: transaction)
            try audit.record("connection.disconnected", object(old), by: scope, in: transaction)
        }
    }

    /// Removes a connection; `default` stays, as seed 0 says, unless it is the last thing to be done with one that
    /// cannot be read any more.
    func remove(
        _ id: Identifier<Connection>, by scope: OrganizationScope, check: (ConnectionView) throws -> Void = { _ in }
    ) throws {
        try database.transaction { transaction in
            let old = try locked(id, scope, in: transaction)
            try check(old)
            if let reason = Self.reasonToKeep(old) { throw Problem(409, "default_connection", reason) }
            try store(scope).remove(id, in: transaction)
            try audit.record("connection.removed", object(old), by: scope, in: transaction)
        }
    }

    /// Why a connection cannot be removed; nil when it can.
    static func reasonToKeep(_ view: ConnectionView) -> String? {
        guard view.record.name == ConnectionName.defaultName, view.status != .undecryptable else { return nil }
        return "The connection named default cannot be removed. Disconnect it, or give another connection this name first."
    }

    /// Tries a connection and notes how it went; the audit log hears of it when the outcome is another one than before.
    func test(_ view: ConnectionView, by scope: OrganizationScope) throws -> TestOutcome {
        try Self.requireReadable(view)
        guard view.record.isEnabled else {
            throw Problem(409, "connection_disabled", "This connection is disabled. Enable it before you test it.")
        }
        guard let provider = view.provider else { throw Problem.withoutProvider(view) }
        if let last = view.record.testedAt, world.now() - last < Self.restBetweenTests {
            throw Problem(
                429, "tested_just_now", "This connection was tested a moment ago. Try again in a few seconds.",
                headers: ["retry-after": "2"])
        }
        let missing = provider.fields.filter { $0.isRequired && view.values[$0.name] == nil }
        guard missing.isEmpty else {
            throw Problem(
                409, "setup_incomplete", "Enter \(missing.map(\.label).joined(separator: ", ")) first.")
        }
        let outcome = tester.test(provider, view.values)
        try record(outcome, view, scope)
        return outcome
    }

    /// How long a service is left in peace between two tests of a connection.
    private static let restBetweenTests = Duration.seconds(1)

    private func record(_ outcome: TestOutcome, _ view: ConnectionView, _ scope: OrganizationScope) throws {
        let status: ConnectionStatus = outcome.isSuccess ? .connected : .error
        try database.transaction { transaction in
            let now = try locked(view.record.id, scope, in: transaction)
            // Another set-up was stored while this one was tried: the outcome says nothing of it.
            guard now.record.sealedSecrets == view.record.sealedSecrets, now.record.setup == view.record.setup else { return }
            let isChange = now.record.storedStatus != status
            try store(scope).recordTest(
                view.record.id, status: status, detail: outcome.isSuccess ? nil : String(outcome.sentence.prefix(500)),
                metadata: outcome.isSuccess ? outcome.metadata : now.record.metadata, duration: outcome.duration,
                isChange: isChange, in: transaction)
            guard isChange else { return }
            try audit.record(
                "connection.tested", object(view),
                details: ["status": ["from": .string(now.record.storedStatus.rawValue), "to": .string(status.rawValue)]],
                by: scope, in: transaction)
        }
    }

    // MARK: -

    private func locked(
        _ id: Identifier<Connection>, _ scope: OrganizationScope, in transaction: Transaction
    ) throws -> ConnectionView {
        guard let record = try store(scope).lock(id, in: transaction) else { throw Problem.notFound }
        return try view(record, scope, in: transaction)
    }

    private func seal(
        _ setUp: SetUp, _ id: Identifier<Connection>, _ scope: OrganizationScope, in transaction: Transaction
    ) throws -> [UInt8]? {
        try setUp.secretBytes.map { try vault.seal($0, at: Self.place(id), for: scope.organization, in: transaction) }
    }

    /// What cannot be opened is never overwritten.
    private static func requireReadable(_ view: ConnectionView) throws(Problem) {
        guard case .sealed = view.secrets else { return }
        throw Problem(409, "undecryptable", view.sentence)
    }

    private func object(_ view: ConnectionView) -> AuditTrail.Object {
        object(view.record.id, view.serviceName, view.record.name)
    }

    private func object(_ id: Identifier<Connection>, _ service: String, _ name: String) -> AuditTrail.Object {
        AuditTrail.Object("connection", id, name: "\(service) “\(name)”")
    }

    /// Says of a duplicate that it is the name.
    private func namingConflicts<Result>(_ provider: Provider, _ placing: Placing, _ change: () throws -> Result) throws -> Result {
        do {
            return try change()
        } catch let error as DatabaseError where error.code == .duplicate {
            let detail = "There is a \(provider.name) connection named \(placing.name) here already."
            throw Problem(409, "name_taken", detail, errors: [.init(field: "name", code: "taken", detail: detail)])
        }
    }
}

extension Problem {
    /// A connection whose provider file is gone.
    static func withoutProvider(_ view: ConnectionView) -> Problem {
        Problem(409, "unknown_provider", "The provider file \(view.record.provider) of this connection is not there any more.")
    }
}
