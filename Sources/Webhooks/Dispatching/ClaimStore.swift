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
        /// Whether somebody made it due.
        let isManual: Bool
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

    /// The next webhook, in the order of ids, for which something waits, and whether it is gone.
    func waiting(after last: Identifier<Webhook>?) throws -> (webhook: Identifier<Webhook>, isGone: Bool)? {
        guard let row = try database.row(Self.waitingStatement(after: last)) else { return nil }
        return (try row.get("webhook_id"), try row.get("is_gone"))
    }

    static func waitingStatement(after last: Identifier<Webhook>?) -> SQL {
        let beyond: SQL = last.map { "AND d.webhook_id > \($0)" } ?? ""
        return """
            SELECT d.webhook_id, (SELECT w.id FROM webhooks w WHERE w.id = d.webhook_id) IS NULL AS is_gone
              FROM deliveries d FORCE INDEX (due)
             WHERE d.state = 'waiting' \(beyond)
             ORDER BY d.webhook_id
             LIMIT 1
            """
    }

    /// Webhooks by their ids; those that are gone are missing.
    func webhooks(_ ids: [Identifier<Webhook>]) throws -> [WebhookRecord] {
        try Chunks.of(ids).flatMap { part in
            try database.rows("SELECT \(WebhookRecord.ownerlessColumns) FROM webhooks w WHERE w.id IN (\(list: part))")
                .map(WebhookRecord.init)
        }
    }

    /// One webhook; nil when it is gone.
    func webhook(_ id: Identifier<Webhook>, in querying: some Querying) throws -> WebhookRecord? {
        try querying.row("SELECT \(WebhookRecord.ownerlessColumns) FROM webhooks w WHERE w.id = \(id)")
            .map(WebhookRecord.init)
    }

    /// What was claimed at once.
    struct Claimed {
        var claims: [Claim] = []
        let token: [UInt8]
        /// When the lease ends.
        let ends: Timestamp
        /// When something may go again of webhooks of which nothing may now, as far as that is known.
        var nextAt: [Identifier<Webhook>: Timestamp] = [:]
    }

    /// Claims what is due, so much of each webhook.
    func claim(_ shares: [(webhook: WebhookRecord, count: Int)]) throws -> Claimed {
        let token = world.randomBytes(16)
        let now = world.now()
        let ends = now + Self.lease
        // Gaps need no lock: what is added meanwhile is found by the next claim.
        return try database.transaction(isolation: .readCommitted) { transaction in
            var claimed = Claimed(token: token, ends: ends)
            for (webhook, count) in shares { try lock(webhook, count, now, &claimed, in: transaction) }
            for part in Chunks.of(claimed.claims.map(\.delivery)) {
                try transaction.execute(
                    """
                    UPDATE deliveries
                       SET next_at = \(ends), lease_token = \(token)
                     WHERE id IN (\(list: part))
                    """)
            }
            return claimed
        }
    }

    private func lock(
        _ webhook: WebhookRecord, _ count: Int, _ now: Timestamp, _ claimed: inout Claimed, in transaction: Transaction
    ) throws {
        guard webhook.ordering != .none else {
            claimed.claims += try claims(Self.lockStatement(webhook.id, count, now), in: transaction)
            return
        }
        let heads = try heads(webhook.id, count, now, in: transaction)
        if heads.ids.isEmpty { claimed.nextAt[webhook.id] = heads.nextAt }
        for part in Chunks.of(heads.ids) {
            claimed.claims += try claims(Self.lockStatement(webhook.id, count, now, among: part), in: transaction)
        }
    }

    private func claims(_ statement: SQL, in transaction: Transaction) throws -> [Claim] {
        try transaction.rows(statement).map { row in
            Claim(
                delivery: try row.get("id"), webhook: try row.get("webhook_id"), event: try row.get("event_id"),
                attempts: try row.get("attempts"), tries: try row.get("tries"), isManual: try row.get("is_manual"),
                isInOrder: try row.get("is_in_order"))
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
            SELECT d.id, d.webhook_id, d.event_id, d.attempts, d.tries, d.is_manual,
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

    /// Puts an end to what waits for a webhook that is gone, or disabled still; at most a thousand at a time.
    ///
    /// What is on its way is left alone: what comes of it is noted, and what is left of it then ends the next time.
    func giveUp(_ webhook: Identifier<Webhook>, isGone: Bool) throws {
        try database.transaction(isolation: .readCommitted) { transaction in
            // Whoever enables it waits, so that nothing that is taken from then on is given up.
            let row = try transaction.row("SELECT state FROM webhooks WHERE id = \(webhook) LOCK IN SHARE MODE")
            let state: String? = try row?.get("state")
            guard state == (isGone ? nil : WebhookRecord.State.disabled.rawValue) else { return }
            let now = world.now()
            try transaction.execute(
                """
                UPDATE deliveries
                   SET state = \(isGone ? "canceled" : "failed"), last_error = 'disabled', lease_token = NULL,
                       finished_at = \(now)
                 WHERE webhook_id = \(webhook) AND state = 'waiting' AND (lease_token IS NULL OR next_at <= \(now))
                 LIMIT 1000
                """)
        }
    }
}
