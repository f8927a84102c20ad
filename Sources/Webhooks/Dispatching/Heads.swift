import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// One of a key at a time: nothing goes while one before it is on its way or waits to be tried again.
extension ClaimStore {
    /// How many that are due are looked at before it is gone from key to key.
    private static let window = 256
    /// How long it is not gone from key to key again where that led to nothing and there are more keys than were looked at.
    private static let walkRest = Duration.seconds(1)

    /// What may go of a webhook whose deliveries go in order.
    struct Heads {
        var ids: [Identifier<Delivery>] = []
        /// Where it was gone from key to key: when the first of those may go that may not go now.
        var nextAt: Timestamp?
    }

    /// Deliveries that are due and the first of their key.
    ///
    /// Usually some of those that have waited longest are. Only where many stand behind one that is to be tried again, the
    /// keys are gone through one by one, from a random one on, so that each has its turn.
    func heads(
        _ webhook: Identifier<Webhook>, _ count: Int, _ now: Timestamp, in transaction: Transaction
    ) throws -> Heads {
        let rows = try transaction.rows(Self.windowStatement(webhook, now))
        var heads = Heads()
        for row in rows where heads.ids.count < count {
            if try row.get("is_first") { heads.ids.append(try row.get("id")) }
        }
        guard heads.ids.isEmpty, rows.count == Self.window else { return heads }
        let start = world.randomBytes(16)
        let isBehindSeen = try walk(webhook, from: start, until: nil, count, now, &heads, in: transaction)
        let isBeforeSeen = try walk(webhook, from: nil, until: start, count, now, &heads, in: transaction)
        if !isBehindSeen || !isBeforeSeen { heads.nextAt = now + Self.walkRest }
        return heads
    }

    /// Of each key one entry of the index is read, however many stand behind it, and whatever is held of it.
    ///
    /// The one that is on its way need not be the first: one before it may have been sent again meanwhile, or committed late.
    static func windowStatement(_ webhook: Identifier<Webhook>, _ now: Timestamp) -> SQL {
        """
        SELECT d.id,
               d.waiting_hash IS NULL OR d.sequence = (
                   SELECT e.sequence
                     FROM deliveries e FORCE INDEX (in_order)
                    WHERE e.webhook_id = d.webhook_id AND e.waiting_hash = d.waiting_hash
                    ORDER BY e.sequence
                    LIMIT 1) AND \(held(now)) IS NULL AS is_first
          FROM (SELECT id, webhook_id, waiting_hash, sequence, next_at
                  FROM deliveries FORCE INDEX (due)
                 WHERE state = 'waiting' AND webhook_id = \(webhook) AND next_at <= \(now)
                 ORDER BY next_at
                 LIMIT \(window)) d
         ORDER BY d.next_at
        """
    }

    /// One of the key of `d` that somebody holds; NULL where nobody does.
    private static func held(_ now: Timestamp) -> SQL {
        """
        (SELECT h.id
           FROM deliveries h FORCE INDEX (held)
          WHERE h.webhook_id = d.webhook_id AND h.held_hash = d.waiting_hash AND h.next_at > \(now)
          LIMIT 1)
        """
    }

    /// Goes from key to key, at most so many times.
    ///
    /// - Returns: whether it came to the end.
    private func walk(
        _ webhook: Identifier<Webhook>, from start: [UInt8]?, until end: [UInt8]?, _ count: Int, _ now: Timestamp,
        _ heads: inout Heads, in transaction: Transaction
    ) throws -> Bool {
        var last = start
        for _ in 0..<Self.window {
            guard heads.ids.count < count else { return false }
            guard let row = try transaction.row(Self.headStatement(webhook, after: last, now)) else { return true }
            let key: [UInt8] = try row.get("waiting_hash")
            if let end, end.lexicographicallyPrecedes(key) { return true }
            let nextAt: Timestamp = try row.get("next_at")
            if try row.get("is_held") || nextAt > now {
                heads.nextAt = min(heads.nextAt ?? nextAt, nextAt)
            } else {
                heads.ids.append(try row.get("id"))
            }
            last = key
        }
        return false
    }

    /// The first that waits of the key after this one.
    static func headStatement(_ webhook: Identifier<Webhook>, after key: [UInt8]?, _ now: Timestamp) -> SQL {
        """
        SELECT d.id, d.waiting_hash, d.next_at, \(held(now)) IS NOT NULL AS is_held
          FROM deliveries d FORCE INDEX (in_order)
         WHERE d.webhook_id = \(webhook) AND d.waiting_hash > \(key ?? [])
         ORDER BY d.waiting_hash, d.sequence
         LIMIT 1
        """
    }
}
