import DatabaseKit
import Domain
import ThreadKit
import TimeKit

/// Who used which key last, kept in memory and written by a thread of its own.
///
/// What the database says is at most a minute old: a process writes a key's last use at once, and the next one a minute
/// later. It writes nothing while another one has just done so, and looks again a little later.
final class LastUses: Sendable {
    /// How long a process that has written a use waits before it writes the next one of the same key.
    static let interval = Duration.minutes(1)
    /// How often a key is noted here at most, so that most requests touch nothing.
    static let grain = Duration.seconds(5)
    /// What another process wrote so lately is not written again, and looked at again so much later.
    private static let recent = (written: Duration.seconds(50), again: Duration.seconds(10))
    /// How many keys are written in one transaction.
    private static let batch = 200
    /// How many keys are noted at most.
    private static let room = 10_000

    private struct Use {
        var moment: Timestamp
        var address: String
        /// Not to be written before.
        var due: Timestamp
        var isWritten = false
    }

    private let uses = Lock<[Identifier<APIKey>: Use]>([:])

    /// Notes a use.
    func note(_ key: Identifier<APIKey>, at moment: Timestamp, from address: String) {
        uses.withLock { uses in
            guard uses.count < Self.room || uses[key] != nil else { return }
            let due = uses[key]?.due ?? moment
            uses[key] = Use(moment: moment, address: String(address.prefix(45)), due: min(due, moment + Self.interval))
        }
    }

    /// Writes what is due, or everything before the process leaves. What cannot be written is kept.
    func flush(to database: Database, at now: Timestamp, isLast: Bool = false) throws {
        // In the order of ids, so that processes which write the same keys never wait for each other in a circle.
        var rest = due(now, isLast).sorted { $0.key.text < $1.key.text }[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.batch)
            let written = try database.transaction { transaction in
                try some.map { try Self.write($0.key, $0.use, at: now, isLast, in: transaction) }
            }
            for (one, isWritten) in zip(some, written) {
                settle(one.key, one.use, until: now + (isWritten ? Self.interval : Self.recent.again), isWritten)
            }
            rest = rest.dropFirst(some.count)
        }
    }

    private func due(_ now: Timestamp, _ isLast: Bool) -> [(key: Identifier<APIKey>, use: Use)] {
        uses.withLock { uses in
            // What was written and not used since is forgotten.
            for (key, use) in uses where use.isWritten && use.due <= now { uses[key] = nil }
            return uses.filter { !$0.value.isWritten && (isLast || $0.value.due <= now) }
                .map { (key: $0.key, use: $0.value) }
        }
    }

    /// - Returns: false when another process has just written one.
    private static func write(
        _ key: Identifier<APIKey>, _ use: Use, at now: Timestamp, _ isLast: Bool, in transaction: Transaction
    ) throws -> Bool {
        let latest = isLast ? use.moment : min(use.moment, now - recent.written)
        return try transaction.execute(
            """
            UPDATE api_keys
               SET last_used_at = \(use.moment), last_used_address = \(use.address)
             WHERE id = \(key) AND (last_used_at IS NULL OR last_used_at < \(latest))
            """
        ).affectedRows > 0
    }

    private func settle(_ key: Identifier<APIKey>, _ use: Use, until due: Timestamp, _ isWritten: Bool) {
        uses.withLock { uses in
            guard var now = uses[key] else { return }
            now.due = due
            now.isWritten = isWritten && now.moment == use.moment
            uses[key] = now
        }
    }
}
