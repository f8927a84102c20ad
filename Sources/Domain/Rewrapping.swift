import CipherKit
import DatabaseKit
import JSONKit
import ThreadKit

/// Wraps all data keys by the primary master key, a few at a time, while everything else goes on (A8-16).
///
/// It keeps no place of its own: what is left to do is what names another key, so it may be killed at any moment and
/// begun again. A row is written only where it still holds what was read, so whoever writes it meanwhile wins; and what a
/// data key seals stays as it is, since the data key does.
public struct Rewrapping: Sendable {
    /// How far it is.
    public struct Progress: Sendable, Equatable {
        /// How many data keys there were to wrap anew.
        public internal(set) var total = 0
        /// How many of them have been seen to.
        public internal(set) var done = 0
        /// How many could not be unwrapped, and were left as they are.
        public internal(set) var failed = 0
    }

    /// A data key as it was read.
    struct Wrapped: Sendable {
        let organization: Identifier<Organization>
        let number: UInt32
        let bytes: [UInt8]
    }

    private let database: Database
    private let ring: KeyRing
    private let world: World
    private let actor: Actor
    private let rest: @Sendable (Duration) -> Void

    /// How many data keys are wrapped in one transaction.
    public static let batch = 50

    /// The rewrapping of a database's data keys.
    ///
    /// - Parameters:
    ///   - actor: who has it done, for the audit log.
    ///   - rest: lets time pass between batches.
    public init(
        _ database: Database, ring: KeyRing, world: World, by actor: Actor,
        rest: @escaping @Sendable (Duration) -> Void = { WorkerThread.rest(for: $0) }
    ) {
        (self.database, self.ring, self.world, self.actor, self.rest) = (database, ring, world, actor, rest)
    }

    /// Does all that there is to do, resting as long as it works so that it takes half of the database's time at most.
    ///
    /// - Parameter tell: told after each batch how far it is.
    public func run(_ tell: (Progress) -> Void = { _ in }) throws -> Progress {
        var progress = Progress()
        progress.total =
            try database.row(
                "SELECT COUNT(*) AS count FROM data_keys WHERE SUBSTRING(wrapped, 2, 4) <> \(primary)")?.get("count")
            ?? 0
        var last: Wrapped?
        while true {
            let begun = ContinuousClock.now
            let found = try batch(after: last)
            guard let newest = found.last else { return progress }
            progress.failed += try rewrap(found)
            progress.done += found.count
            progress.total = max(progress.total, progress.done)
            tell(progress)
            last = newest
            rest(max(.milliseconds(20), ContinuousClock.now - begun))
        }
    }

    /// The next data keys that another master key wraps.
    func batch(after last: Wrapped?) throws -> [Wrapped] {
        let (organization, number) = (last?.organization ?? Vault.hub, last?.number ?? 0)
        return try database.rows(
            """
            SELECT organization_id, number, wrapped
              FROM data_keys
             WHERE (organization_id > \(organization) OR organization_id = \(organization) AND number > \(number))
               AND SUBSTRING(wrapped, 2, 4) <> \(primary)
             ORDER BY organization_id, number
             LIMIT \(Self.batch)
            """
        ).map {
            Wrapped(
                organization: try $0.get("organization_id"), number: try $0.get("number"), bytes: try $0.get("wrapped"))
        }
    }

    /// Wraps these anew, unless somebody has written one meanwhile; tells how many could not be unwrapped.
    func rewrap(_ batch: [Wrapped]) throws -> Int {
        let made = batch.compactMap { old -> (old: Wrapped, new: [UInt8])? in
            let context = old.organization.bytes
            guard let key = try? ring.unwrap(old.bytes, number: old.number, context: context) else { return nil }
            return (old, ring.wrap(key, context: context))
        }
        try database.transaction(isolation: .readCommitted) { transaction in
            for (old, new) in made {
                let outcome = try transaction.execute(
                    """
                    UPDATE data_keys
                       SET wrapped = \(new)
                     WHERE organization_id = \(old.organization) AND number = \(old.number) AND wrapped = \(old.bytes)
                    """)
                if outcome.affectedRows == 1 { try note(old, in: transaction) }
            }
        }
        return batch.count - made.count
    }

    private func note(_ old: Wrapped, in transaction: Transaction) throws {
        guard old.organization != Vault.hub, let former = KeyRing.masterKey(of: old.bytes) else { return }
        try AuditTrail(world: world).record(
            "keyring.data_key_rewrapped", .masterKey(ring.primary),
            details: ["former_key": .string("\(former)"), "data_key": .integer(Int64(old.number))],
            by: OrganizationScope(trusted: old.organization, name: "", actor: actor, requestID: "-"), in: transaction)
    }

    /// What the second to fifth byte of a data key are that needs nothing done.
    private var primary: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: ring.primary.raw >> (24 - 8 * $0)) } }
}

extension AuditTrail.Object {
    /// A master key, by its number.
    static func masterKey(_ id: MasterKeyID) -> Self { Self("master_key", Identifier<KeyRing>?.none, name: "\(id)") }
}

extension AuditTrail {
    /// Notes in the log of each organization what was done to a master key, since it protects the secrets of all.
    public func record(
        _ action: String, _ key: MasterKeyID, by actor: Actor, in transaction: Transaction
    ) throws(DatabaseError) {
        var last = Vault.hub
        while true {
            let rows = try transaction.rows(
                "SELECT id, name FROM organizations WHERE id > \(last) ORDER BY id LIMIT 500")
            for row in rows {
                last = try row.get("id")
                let scope = OrganizationScope(
                    trusted: last, name: try row.get("name"), actor: actor, requestID: "-")
                try record(action, .masterKey(key), by: scope, in: transaction)
            }
            if rows.count < 500 { return }
        }
    }
}
