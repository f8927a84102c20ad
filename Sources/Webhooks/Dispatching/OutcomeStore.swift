import ClientKit
import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// Notes what came of attempts, many in one transaction.
struct OutcomeStore: Sendable {
    let room: Webhooks

    private var world: World { room.world }

    /// For so long everything must fail before a webhook is disabled.
    static let patience = Duration.hours(120)
    /// For so long everything must fail before its owner is told: one failure is nothing to write about.
    static let silence = Duration.hours(1)
    /// How much longer than the longest wait there may be nothing between two failures that belong together: a day and a
    /// half, so that those of a webhook with one event a day do.
    static let slack = Duration.hours(36)
    /// How old the time of the last failure may be, so that it is not written with each.
    private static let accuracy = Duration.minutes(1)

    static func place(_ delivery: Identifier<Delivery>, attempt number: Int) -> Vault.Place {
        Vault.Place(
            "delivery_attempts", row: delivery.bytes + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) },
            "talk_sealed")
    }

    /// Notes them all, or none. A delivery whose lease was lost meanwhile keeps what its new holder makes of it, but the
    /// attempt is in the log all the same.
    func note(_ attempted: [Attempted]) throws {
        try room.database.transaction(isolation: .readCommitted) { transaction in
            var new: [Attempted] = []
            for part in Chunks.of(attempted) where try log(part, in: transaction) { new += part }
            try settle(attempted, in: transaction)
            let hasDisabled = try judgeWebhooks(attempted, in: transaction)
            // Last, since these few rows are everybody's: they are held no longer than the commit takes.
            try FigureStore.add(new, in: transaction)
            if hasDisabled { try room.noteChange(in: transaction) }
        }
    }

    // MARK: The log

    /// False when they stand there already, because the answer to an earlier commit was lost.
    private func log(_ attempted: ArraySlice<Attempted>, in transaction: Transaction) throws -> Bool {
        let rows = try attempted.map { one -> SQL in
            let timing = (try? one.result.get())?.timing
            let number = one.parcel.attempts + 1
            let talk = try room.vault.seal(
                Talk(one).json.bytes, at: Self.place(one.parcel.delivery, attempt: number),
                for: one.parcel.destination.organization, in: transaction)
            return """
                (\(one.parcel.delivery), \(number), \(one.parcel.destination.organization),
                 \(one.parcel.destination.webhook), \(one.parcel.cause.rawValue), \(one.startedAt),
                 \(one.judgement.status), \(one.judgement.reason?.rawValue), \(Self.microseconds(timing?.dns)),
                 \(Self.microseconds(timing?.connect)), \(Self.microseconds(timing?.tls)),
                 \(Self.microseconds(timing?.firstByte)), \(Self.microseconds(one.duration)), \(talk))
                """
        }
        let outcome = try transaction.execute(
            """
            INSERT IGNORE INTO delivery_attempts
                   (delivery_id, number, organization_id, webhook_id, cause, started_at, status, error, dns_us,
                    connect_us, tls_us, first_byte_us, total_us, talk_sealed)
            VALUES \(SQL(joining: rows, by: ", "))
            """)
        return outcome.affectedRows == attempted.count
    }

    private static func microseconds(_ duration: Duration?) -> Int {
        guard let (seconds, attoseconds) = duration?.components else { return 0 }
        return Int(clamping: seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
    }

    // MARK: The deliveries

    private func settle(_ attempted: [Attempted], in transaction: Transaction) throws {
        let now = world.now()
        let delivered = attempted.filter { $0.judgement.verdict == .delivered }
        for (status, ones) in Dictionary(grouping: delivered, by: { $0.judgement.status }) {
            for part in Chunks.of(ones) {
                try transaction.execute(
                    """
                    UPDATE deliveries
                       SET state = 'delivered', attempts = attempts + 1, tries = tries + 1, last_status = \(status),
                           last_error = NULL, lease_token = NULL, finished_at = \(now)
                     WHERE id IN (\(list: part.map(\.parcel.delivery)))
                       AND lease_token IN (\(list: part.map(\.parcel.token)))
                    """)
            }
        }
        for one in attempted where one.judgement.verdict != .delivered {
            try transaction.execute(
                """
                UPDATE deliveries
                   SET \(change(one.judgement.verdict, now)), attempts = attempts + 1, tries = tries + 1,
                       last_status = \(one.judgement.status), last_error = \(one.judgement.lastError),
                       lease_token = NULL
                 WHERE id = \(one.parcel.delivery) AND lease_token = \(one.parcel.token)
                """)
        }
    }

    private func change(_ verdict: Verdict, _ now: Timestamp) -> SQL {
        switch verdict {
        case .retry(let wait): "next_at = \(now + wait)"
        case .delivered: "state = 'delivered', finished_at = \(now)"
        case .exhausted, .gone, .skipped: "state = 'failed', finished_at = \(now)"
        }
    }

    // MARK: The webhooks

    /// - Returns: whether one was disabled.
    private func judgeWebhooks(_ attempted: [Attempted], in transaction: Transaction) throws -> Bool {
        var hasDisabled = false
        let now = world.now()
        let byWebhook = Dictionary(grouping: attempted, by: \.parcel.destination.webhook)
        // In one order, so that two that write never wait for each other in a circle.
        let sorted = byWebhook.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        let well = sorted.filter { byWebhook[$0]?.contains { $0.judgement.verdict == .delivered } ?? false }
        let ill = sorted.filter { !well.contains($0) }
        if !well.isEmpty {
            try transaction.execute(
                """
                UPDATE webhooks
                   SET failing_since = NULL, failed_at = NULL, failing_told_at = NULL
                 WHERE id IN (\(list: well)) AND failing_since IS NOT NULL
                """)
        }
        if !ill.isEmpty { try noteFailing(ill, now, in: transaction) }
        for webhook in sorted {
            let ones = byWebhook[webhook] ?? []
            if let slowed = ones.max(by: { $0.slowsFor < $1.slowsFor }), slowed.slowsFor > .zero {
                try slow(slowed.parcel.destination, until: now + slowed.slowsFor, in: transaction)
            }
            if ones.contains(where: { $0.judgement.verdict == .gone }) {
                hasDisabled = try disable(webhook, .gone, "state = 'active'", in: transaction) || hasDisabled
            }
        }
        for part in Chunks.of(ill) { hasDisabled = try judgeFailing(part, now, in: transaction) || hasDisabled }
        return hasDisabled
    }

    /// Notes since when they do nothing but fail: since now, too, where the last failure lies so far back that nothing was
    /// tried in between.
    private func noteFailing(
        _ webhooks: [Identifier<Webhook>], _ now: Timestamp, in transaction: Transaction
    ) throws {
        let gap = (room.settings.retries.waits.max() ?? .zero) * 1.2 + Self.slack
        let begins: SQL = "failing_since IS NULL OR COALESCE(failed_at < \(now - gap), FALSE)"
        // From left to right: what comes later in a SET sees what was set before.
        try transaction.execute(
            """
            UPDATE webhooks
               SET failing_told_at = IF(\(begins), NULL, failing_told_at),
                   failing_since = IF(\(begins), \(now), failing_since), failed_at = \(now)
             WHERE id IN (\(list: webhooks))
               AND (failing_since IS NULL OR failed_at IS NULL OR failed_at <= \(now - Self.accuracy))
            """)
    }

    /// Leaves a receiver in peace until a moment, which nothing that was begun before shortens.
    private func slow(_ destination: Destination, until moment: Timestamp, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE webhooks
               SET slow_until = IF(slow_until > \(moment), slow_until, \(moment))
             WHERE id = \(destination.webhook) AND receiver = \(destination.receiver)
            """)
    }

    /// Tells of those that have done nothing but fail for a while, once, and disables those that have for long.
    ///
    /// - Returns: whether one was disabled.
    private func judgeFailing(
        _ webhooks: ArraySlice<Identifier<Webhook>>, _ now: Timestamp, in transaction: Transaction
    ) throws -> Bool {
        var hasDisabled = false
        let long: SQL = "state = 'active' AND failing_since <= \(now - Self.patience)"
        let silent: SQL =
            "state = 'active' AND failing_since <= \(now - Self.silence) AND failing_told_at IS NULL"
        let rows = try transaction.rows(
            """
            SELECT id, failing_since <= \(now - Self.patience) AS is_long
              FROM webhooks
             WHERE id IN (\(list: webhooks)) AND ((\(long)) OR (\(silent)))
             ORDER BY id
            """)
        for row in rows {
            let id: Identifier<Webhook> = try row.get("id")
            guard try !row.get("is_long", as: Bool.self) else {
                hasDisabled = try disable(id, .failing, long, in: transaction) || hasDisabled
                continue
            }
            let outcome = try transaction.execute(
                "UPDATE webhooks SET failing_told_at = \(now) WHERE id = \(id) AND \(silent)")
            if outcome.affectedRows == 1, let record = try find(id, in: transaction) {
                try room.tell(.webhookFailing, of: record, in: transaction)
            }
        }
        return hasDisabled
    }

    private func find(_ webhook: Identifier<Webhook>, in transaction: Transaction) throws -> WebhookRecord? {
        try ClaimStore(database: room.database, world: world).webhook(webhook, in: transaction)
    }

    /// Disables a webhook under a condition, and tells of it when that held, in the audit log too.
    ///
    /// - Returns: whether it held.
    func disable(
        _ webhook: Identifier<Webhook>, _ reason: WebhookRecord.DisabledReason, _ condition: SQL,
        in transaction: Transaction
    ) throws -> Bool {
        let now = world.now()
        let outcome = try transaction.execute(
            """
            UPDATE webhooks
               SET state = 'disabled', disabled_reason = \(reason.rawValue), disabled_at = \(now),
                   version = version + 1, updated_at = \(now)
             WHERE id = \(webhook) AND \(condition)
            """)
        guard outcome.affectedRows == 1, let record = try find(webhook, in: transaction) else { return false }
        let hub = OrganizationScope(
            trusted: record.organization, name: "", actor: Actor(kind: .hub, name: "Hub"), requestID: "-")
        try room.note(.webhookDisabled, record, by: hub, in: transaction)
        return true
    }
}

extension Judgement {
    /// What the delivery says of itself: why it failed, or that it made way for others.
    fileprivate var lastError: String? { verdict == .skipped ? "skipped" : reason?.rawValue }
}

extension Attempted {
    /// For how long nothing at all should be sent there.
    fileprivate var slowsFor: Duration { judgement.slowsFor ?? .zero }

    /// How long it took, from its start until it was judged when nothing answered.
    var duration: Duration { (try? result.get())?.timing.total ?? elapsed }
}
