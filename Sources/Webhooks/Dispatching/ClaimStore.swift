import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// Deliveries of all organizations as the dispatcher meets them: due, claimed, done.
///
/// A claim is a short transaction that moves the moment at which the delivery is due to the end of the lease and leaves a
/// token. Whoever dies with deliveries in hand therefore leaves nothing to be tidied up: they are due again by themselves.
struct ClaimStore: Sendable {
    let database: Database
    let world: World

    /// How long a claimed delivery is nobody else's: the attempt's deadline, and time to note what came of it.
    static let lease = Duration.seconds(60)

    /// A delivery that was claimed.
    struct Claim: Sendable {
        let delivery: Identifier<Delivery>
        let webhook: Identifier<Webhook>
        let event: Identifier<Event>
        let attempts: Int
        let tries: Int
        /// Whether it stands in a line with others of its key.
        let isInOrder: Bool
    }

    /// Webhooks for which something is due, whichever has waited longest first.
    func due() throws -> [Identifier<Webhook>] {
        try database.rows(dueStatement()).map { try $0.get("id") }
    }

    /// Reads one entry of the index of what waits for each webhook that is not paused, however much that is: grouping by
    /// webhook instead would read everything that waits.
    func dueStatement() -> SQL {
        """
        SELECT w.id,
               (SELECT d.next_at
                  FROM deliveries d FORCE INDEX (due)
                 WHERE d.state = 'waiting' AND d.webhook_id = w.id
                 ORDER BY d.next_at
                 LIMIT 1) AS since
          FROM webhooks w
         WHERE w.state <> 'paused'
        HAVING since <= \(world.now())
         ORDER BY since
         LIMIT 5000
        """
    }

    /// The next webhook, in the order of ids, for which something waits, though it be gone.
    func waiting(after last: Identifier<Webhook>?) throws -> Identifier<Webhook>? {
        try database.row(Self.waitingStatement(after: last))?.get("webhook_id")
    }

    static func waitingStatement(after last: Identifier<Webhook>?) -> SQL {
        let beyond: SQL = last.map { "AND webhook_id > \($0)" } ?? ""
        return """
            SELECT webhook_id
              FROM deliveries FORCE INDEX (due)
             WHERE state = 'waiting' \(beyond)
             ORDER BY webhook_id
             LIMIT 1
            """
    }

    /// Webhooks by their ids; those that are gone are missing.
    func webhooks(_ ids: [Identifier<Webhook>]) throws -> [WebhookRecord] {
        try Chunks.of(ids).flatMap { part in
            try database.rows("SELECT \(WebhookRecord.columns) FROM webhooks w WHERE w.id IN (\(list: part))")
                .map(WebhookRecord.init)
        }
    }

    /// One webhook; nil when it is gone.
    func webhook(_ id: Identifier<Webhook>, in querying: some Querying) throws -> WebhookRecord? {
        try querying.row("SELECT \(WebhookRecord.columns) FROM webhooks w WHERE w.id = \(id)").map(WebhookRecord.init)
    }

    /// Claims what is due, so much of each webhook.
    ///
    /// - Returns: the claims, their token, and when the lease ends.
    func claim(
        _ shares: [(webhook: WebhookRecord, count: Int)]
    ) throws -> (claims: [Claim], token: [UInt8], ends: Timestamp) {
        let token = world.randomBytes(16)
        let now = world.now()
        let ends = now + Self.lease
        // Gaps need no lock: what is added meanwhile is found by the next claim.
        let claims = try database.transaction(isolation: .readCommitted) { transaction in
            let claims = try shares.flatMap { try lock($0.webhook, $0.count, now, in: transaction) }
            for part in Chunks.of(claims.map(\.delivery)) {
                try transaction.execute(
                    """
                    UPDATE deliveries
                       SET next_at = \(ends), lease_token = \(token)
                     WHERE id IN (\(list: part))
                    """)
            }
            return claims
        }
        return (claims, token, ends)
    }

    private func lock(
        _ webhook: WebhookRecord, _ count: Int, _ now: Timestamp, in transaction: Transaction
    ) throws -> [Claim] {
        guard webhook.ordering != .none else {
            return try claims(Self.lockStatement(webhook.id, count, now), in: transaction)
        }
        return try Chunks.of(try heads(webhook.id, count, now, in: transaction)).flatMap { part in
            try claims(Self.lockStatement(webhook.id, count, now, among: part), in: transaction)
        }
    }

    private func claims(_ statement: SQL, in transaction: Transaction) throws -> [Claim] {
        try transaction.rows(statement).map { row in
            Claim(
                delivery: try row.get("id"), webhook: try row.get("webhook_id"), event: try row.get("event_id"),
                attempts: try row.get("attempts"), tries: try row.get("tries"), isInOrder: try row.get("is_in_order"))
        }
    }

    /// Reads as many rows as it claims, however many are due.
    static func lockStatement(
        _ webhook: Identifier<Webhook>, _ count: Int, _ now: Timestamp,
        among heads: ArraySlice<Identifier<Delivery>>? = nil
    ) -> SQL {
        let index: SQL = heads == nil ? "FORCE INDEX (due)" : "FORCE INDEX (PRIMARY)"
        let among: SQL = heads.map { "AND d.id IN (\(list: $0))" } ?? ""
        return """
            SELECT d.id, d.webhook_id, d.event_id, d.attempts, d.tries,
                   d.ordering_hash IS NOT NULL AND d.ordering_hash <> d.event_id AS is_in_order
              FROM deliveries d \(index)
             WHERE d.state = 'waiting' AND d.webhook_id = \(webhook) AND d.next_at <= \(now) \(among)
             ORDER BY d.next_at
             LIMIT \(count)
               FOR UPDATE SKIP LOCKED
            """
    }

    /// The sealed bodies of events.
    func bodies(_ ids: [Identifier<Event>]) throws -> [Identifier<Event>: [UInt8]] {
        var found: [Identifier<Event>: [UInt8]] = [:]
        for part in Chunks.of(ids) {
            for row in try database.rows("SELECT id, body_sealed FROM events WHERE id IN (\(list: part))") {
                found[try row.get("id")] = try row.get("body_sealed")
            }
        }
        return found
    }

    /// Says of deliveries that they cannot be opened; they are tried again once their lease has ended.
    func noteSealed(_ ids: [Identifier<Delivery>], token: [UInt8]) throws {
        for part in Chunks.of(ids) {
            try database.execute(
                """
                UPDATE deliveries
                   SET last_error = \(FailureReason.unsealable.rawValue)
                 WHERE id IN (\(list: part)) AND lease_token = \(token)
                """)
        }
    }

    /// Puts an end to what waits for a webhook that is gone or disabled; at most a thousand at a time.
    func giveUp(_ webhook: Identifier<Webhook>, isGone: Bool) throws {
        try database.execute(
            """
            UPDATE deliveries
               SET state = \(isGone ? "canceled" : "failed"), last_error = 'disabled', lease_token = NULL,
                   finished_at = \(world.now())
             WHERE webhook_id = \(webhook) AND state = 'waiting'
             LIMIT 1000
            """)
    }
}
