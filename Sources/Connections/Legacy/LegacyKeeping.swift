import CipherKit
import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// Stores one connection of a former system, in one transaction.
struct LegacyKeeping {
    let room: Connections
    let made: LegacyConnection
    let how: LegacyImport
    let scope: OrganizationScope
    let transaction: Transaction

    private typealias Kind = LegacyImport.Outcome.Kind

    /// What is known of the row from an earlier run.
    private struct Earlier {
        let connection: Identifier<Connection>
        let digest: [UInt8]?
        let at: Timestamp
    }

    /// - Throws: ``LegacyRefusal`` when the row is left alone.
    func keep() throws -> (LegacyImport.Outcome.Kind, String) {
        let earlier = try earlier()
        if let earlier, earlier.digest == made.digest { return (.unchanged, "") }
        let holder = try earlier?.connection ?? holder()
        guard let holder else { return try insert() }
        guard let record = try room.store(scope).lock(holder, in: transaction) else {
            guard how.overwrites else { throw LegacyRefusal.skip("its connection was removed here.") }
            guard try self.holder() == nil else { throw LegacyRefusal.skip("another connection has its name here.") }
            return try insert()
        }
        let view = try room.view(record, scope, in: transaction)
        guard view.isReadable else {
            throw LegacyRefusal("what is here cannot be opened with the key ring that this hub has.")
        }
        if earlier == nil, isSame(as: view) {
            try note(holder)
            return (.unchanged, "It was here already.")
        }
        try requireNewer(than: view, earlier)
        try update(view)
        return (.updated, remarks)
    }

    private func holder() throws -> Identifier<Connection>? {
        let holder = try room.store(scope).holder(
            provider: made.provider.key, name: made.name, workspace: nil, in: transaction)
        guard let holder else { return nil }
        let others = try transaction.row(
            """
            SELECT 1
              FROM legacy_imports
             WHERE connection_id = \(holder) AND organization_id = \(scope.organization)
                   AND source_hash <> \(sourceHash)
             LIMIT 1
            """)
        guard others == nil else { throw LegacyRefusal.skip("another row has given a connection of this name.") }
        return holder
    }

    /// What is here wins over an older row: it may have renewed its tokens, or somebody may have changed it.
    private func requireNewer(than view: ConnectionView, _ earlier: Earlier?) throws {
        guard !how.overwrites else { return }
        let record = view.record
        let changes = [record.updatedAt, record.grant.refreshedAt, record.grant.authorizedAt].compactMap(\.self)
        let changed = changes.max() ?? record.updatedAt
        if let earlier, changed <= earlier.at { return }
        if let updatedAt = made.updatedAt, updatedAt > changed { return }
        throw LegacyRefusal.skip("what is here is newer: --overwrite replaces it.")
    }

    private func isSame(as view: ConnectionView) -> Bool {
        let setUp = SetUp(keeping: view)
        guard setUp.open == made.setUp.open, setUp.secrets == made.secrets, view.record.isEnabled == made.isEnabled
        else { return false }
        guard case .open(let tokens) = view.tokens else { return made.access == nil }
        return tokens.access.reveal { $0 } == made.access?.reveal { $0 }
            && tokens.refresh?.reveal { $0 } == made.refresh?.reveal { $0 }
    }

    // MARK: Storing

    private func insert() throws -> (LegacyImport.Outcome.Kind, String) {
        let id = Identifier<Connection>(room.world)
        let sealed = try room.seal(made.setUp, id, scope, in: transaction)
        try room.store(scope).insert(
            id, provider: made.provider.key, name: made.name, workspace: nil, setup: made.setUp.openJSON,
            sealedSecrets: sealed, in: transaction)
        if let createdAt = made.createdAt, createdAt < room.world.now() {
            try transaction.execute("UPDATE connections SET created_at = \(createdAt) WHERE id = \(id)")
        }
        try finish(room.locked(id, scope, in: transaction))
        return (.imported, remarks)
    }

    private func update(_ view: ConnectionView) throws {
        let id = view.record.id
        let kept = SetUp(keeping: view)
        // What a row's `extra` has left, such as a secret that was shown by an earlier import, leaves here too.
        let staying = kept.open.filter { how.format != .django || $0.key != SetUp.extraName }
        let setUp = SetUp(
            open: staying.merging(made.setUp.open) { $1 }, secrets: kept.secrets.merging(made.secrets) { $1 })
        let isElsewhere = setUp.isElsewhere(than: kept, made.provider)
        let sealed = try room.seal(setUp, id, scope, in: transaction)
        try room.store(scope).update(
            id, name: view.record.name, workspace: view.record.workspace, setup: setUp.openJSON, sealedSecrets: sealed,
            keeping: view.knowledge(isSetUpAnew: true, isElsewhere: isElsewhere), in: transaction)
        // Not revoked: its former home may have the same tokens.
        if isElsewhere { try room.store(scope).forgetGrant(id, in: transaction) }
        try finish(view)
    }

    /// - Parameter before: the connection as it was.
    private func finish(_ before: ConnectionView) throws {
        let id = before.record.id
        try keepTokens(id)
        try room.store(scope).setEnabled(made.isEnabled, of: id, in: transaction)
        try note(id)
        try room.audit.record(
            "connection.imported", .init("connection", id, name: "\(made.provider.name) “\(made.name)”"),
            details: ["format": .string(how.format.rawValue), "source": .string(made.source)], by: scope,
            in: transaction)
        let after = try room.locked(id, scope, in: transaction)
        guard after.record.storedStatus == .connected, before.record.storedStatus != .connected else { return }
        try room.publish(.connected, nil, before, scope, in: transaction)
    }

    private func keepTokens(_ id: Identifier<Connection>) throws {
        guard let access = made.access else { return }
        let tokens = Tokens(access: access.reveal { $0 }, refresh: made.refresh?.reveal { $0 })
        let place = Tokens.place(id)
        let sealed = try room.vault.seal(tokens.bytes, at: place, for: scope.organization, in: transaction)
        // Five minutes ahead, as tokens are renewed that were granted here; what has ended is due at once.
        let dueAt = made.refresh == nil ? nil : made.expiresAt.map { $0 - .minutes(5) }
        let metadata: JSON =
            made.facts.isEmpty
            ? [:] : ["facts": .array(made.facts.map { ["label": .string($0.name), "value": $0.value] })]
        try room.store(scope).storeGrant(
            id, sealedTokens: sealed, times: GrantTimes(expiresAt: made.expiresAt, refreshDueAt: dueAt, endsAt: nil),
            requested: made.scopes, granted: made.scopes.isEmpty ? nil : made.scopes, metadata: metadata.stored,
            status: made.wasConnected ? .connected : .disconnected, detail: nil,
            grantKey: room.locked(id, scope, in: transaction).keyOfUnknownGrant, in: transaction)
    }

    private var remarks: String {
        var remarks = made.remarks
        if !made.missing.isEmpty { remarks.append("still needs \(made.missing.joined(separator: ", "))") }
        if !made.leftOut.isEmpty { remarks.append("left out \(made.leftOut.joined(separator: ", "))") }
        return remarks.joined(separator: "; ")
    }

    // MARK: What is known of the row

    /// The row at its former home, whatever it holds.
    private var sourceHash: [UInt8] { SHA256.digest(Array("\(how.format.rawValue)\n\(made.source)".utf8)) }

    private var place: Vault.Place { Vault.Place("legacy_imports", row: sourceHash, "digest_sealed") }

    private func earlier() throws -> Earlier? {
        let row = try transaction.row(
            """
            SELECT connection_id, digest_sealed, imported_at
              FROM legacy_imports
             WHERE organization_id = \(scope.organization) AND source_hash = \(sourceHash)
               FOR UPDATE
            """)
        guard let row else { return nil }
        let digest = try? room.vault.open(
            row.get("digest_sealed"), at: place, for: scope.organization, in: transaction)
        return Earlier(connection: try row.get("connection_id"), digest: digest, at: try row.get("imported_at"))
    }

    private func note(_ id: Identifier<Connection>) throws {
        let sealed = try room.vault.seal(made.digest, at: place, for: scope.organization, in: transaction)
        let now = room.world.now()
        try transaction.execute(
            """
            INSERT INTO legacy_imports (organization_id, source_hash, connection_id, digest_sealed, imported_at)
            VALUES (\(scope.organization), \(sourceHash), \(id), \(sealed), \(now))
                ON DUPLICATE KEY UPDATE connection_id = \(id), digest_sealed = \(sealed), imported_at = \(now)
            """)
    }
}
