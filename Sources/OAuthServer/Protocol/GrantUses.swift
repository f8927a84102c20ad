import CipherKit
import DatabaseKit
import Domain
import ThreadKit
import TimeKit

/// Notes in memory when a grant, or an app, was last used, and writes it from a thread of its own: requests write nothing.
///
/// Each is written at most once a minute by a process, and not at all while another one has just done so.
final class GrantUses: Sendable {
    /// How often a thing is noted here at most, so that most requests touch nothing.
    static let grain = Duration.seconds(5)
    /// How long a process that has written a use waits before it writes the next one of the same thing.
    private static let interval = Duration.minutes(1)
    /// How many things are noted at most.
    private static let room = 10_000
    private static let batch = 200

    private struct Use: Sendable {
        var moment: Timestamp
        var address: String
        /// Not to be written before.
        var due: Timestamp
        var isWritten = false
    }

    private struct Key: Hashable, Sendable {
        let isGrant: Bool
        let id: [UInt8]

        /// By what keys are put in order.
        var place: String { (isGrant ? "grant" : "app") + Hex.encode(id) }
    }

    private let uses = Lock<[Key: Use]>([:])

    /// Notes that a token was let in.
    func note(_ token: ResolvedToken, at moment: Timestamp, from address: String) {
        let keys =
            [Key(isGrant: false, id: token.app.id.bytes)]
            + (token.person.map { [Key(isGrant: true, id: $0.grant.bytes)] } ?? [])
        uses.withLock { uses in
            for key in keys {
                guard uses.count < Self.room || uses[key] != nil else { continue }
                let due = uses[key]?.due ?? moment
                uses[key] = Use(
                    moment: moment, address: String(address.prefix(45)), due: min(due, moment + Self.interval))
            }
        }
    }

    /// Writes what is due, or everything before the process leaves. What cannot be written is kept.
    func flush(to database: Database, at now: Timestamp, isLast: Bool = false) throws {
        // In the order of ids, so that processes which write the same rows never wait for each other in a circle.
        var rest = due(now, isLast).sorted { $0.key.place < $1.key.place }[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.batch)
            try database.transaction { transaction in
                for one in some { try Self.write(one.key, one.use, in: transaction) }
            }
            for one in some { settle(one.key, one.use, until: now + Self.interval) }
            rest = rest.dropFirst(some.count)
        }
    }

    private func due(_ now: Timestamp, _ isLast: Bool) -> [(key: Key, use: Use)] {
        uses.withLock { uses in
            // What was written and not used since is forgotten.
            for (key, use) in uses where use.isWritten && use.due <= now { uses[key] = nil }
            return uses.filter { !$0.value.isWritten && (isLast || $0.value.due <= now) }
                .map { (key: $0.key, use: $0.value) }
        }
    }

    private static func write(_ key: Key, _ use: Use, in transaction: Transaction) throws {
        // Another process may have written a use that is hardly older.
        let latest = use.moment - .seconds(50)
        if key.isGrant {
            try transaction.execute(
                """
                UPDATE oauth_grants
                   SET last_used_at = \(use.moment), last_used_address = \(use.address)
                 WHERE id = \(key.id) AND (last_used_at IS NULL OR last_used_at < \(latest))
                """)
        } else {
            try transaction.execute(
                """
                UPDATE oauth_apps
                   SET last_used_at = \(use.moment)
                 WHERE id = \(key.id) AND (last_used_at IS NULL OR last_used_at < \(latest))
                """)
        }
    }

    private func settle(_ key: Key, _ use: Use, until due: Timestamp) {
        uses.withLock { uses in
            guard var now = uses[key] else { return }
            now.due = due
            now.isWritten = now.moment == use.moment
            uses[key] = now
        }
    }
}
