import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// One of a key at a time: nothing goes while one before it is on its way or waits to be tried again.
extension ClaimStore {
    /// How many that are due are looked at before it is gone from key to key.
    private static let window = 256

    /// Deliveries that are due and the first of their key.
    ///
    /// Usually some of those that have waited longest are. Only where many stand behind one that is to be tried again, the
    /// keys are gone through one by one, from a random one on, so that each has its turn.
    func heads(
        _ webhook: Identifier<Webhook>, _ count: Int, _ now: Timestamp, in transaction: Transaction
    ) throws -> [Identifier<Delivery>] {
        let rows = try transaction.rows(Self.windowStatement(webhook, now))
        var heads: [Identifier<Delivery>] = []
        for row in rows where heads.count < count {
            if try row.get("is_first") { heads.append(try row.get("id")) }
        }
        guard heads.isEmpty, rows.count == Self.window else { return heads }
        let start = world.randomBytes(16)
        return try walk(webhook, from: start, until: nil, count, now, in: transaction)
            + walk(webhook, from: nil, until: start, count, now, in: transaction)
    }

    /// Of each key one entry of the index is read, however many stand behind it.
    static func windowStatement(_ webhook: Identifier<Webhook>, _ now: Timestamp) -> SQL {
        """
        SELECT d.id,
               d.waiting_hash IS NULL OR d.sequence = (
                   SELECT e.sequence
                     FROM deliveries e FORCE INDEX (in_order)
                    WHERE e.webhook_id = d.webhook_id AND e.waiting_hash = d.waiting_hash
                    ORDER BY e.sequence
                    LIMIT 1) AS is_first
          FROM (SELECT id, webhook_id, waiting_hash, sequence, next_at
                  FROM deliveries FORCE INDEX (due)
                 WHERE state = 'waiting' AND webhook_id = \(webhook) AND next_at <= \(now)
                 ORDER BY next_at
                 LIMIT \(window)) d
         ORDER BY d.next_at
        """
    }

    /// Goes from key to key, at most so many times.
    private func walk(
        _ webhook: Identifier<Webhook>, from start: [UInt8]?, until end: [UInt8]?, _ count: Int, _ now: Timestamp,
        in transaction: Transaction
    ) throws -> [Identifier<Delivery>] {
        var heads: [Identifier<Delivery>] = []
        var last = start
        for _ in 0..<Self.window where heads.count < count {
            guard let row = try transaction.row(Self.headStatement(webhook, after: last)) else { break }
            let key: [UInt8] = try row.get("waiting_hash")
            if let end, end.lexicographicallyPrecedes(key) { break }
            if try row.get("next_at", as: Timestamp.self) <= now { heads.append(try row.get("id")) }
            last = key
        }
        return heads
    }

    /// The first that waits of the key after this one.
    static func headStatement(_ webhook: Identifier<Webhook>, after key: [UInt8]?) -> SQL {
        """
        SELECT id, waiting_hash, next_at
          FROM deliveries FORCE INDEX (in_order)
         WHERE webhook_id = \(webhook) AND waiting_hash > \(key ?? [])
         ORDER BY waiting_hash, sequence
         LIMIT 1
        """
    }
}
