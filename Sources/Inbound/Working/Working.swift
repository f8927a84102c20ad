import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// Claims what waits and publishes it, with everybody who listens told in the same transaction.
struct Working: Sendable {
    /// How many are claimed at once.
    static let batch = 64
    /// How much of what was claimed may be held at once, in bytes of bodies.
    private static let mostBytes = 33_554_432
    /// For how long a claim stands: much longer than a batch takes.
    static let lease = Duration.seconds(60)
    /// After how many attempts one is put aside.
    static let mostAttempts = 8

    private let room: Inbound
    private let reader: ContentReader

    /// What a claim has brought.
    private struct Claimed {
        let record: InboundEventRecord
        let content: Row
    }

    init(_ room: Inbound) {
        self.room = room
        reader = ContentReader(vault: room.vault)
    }

    /// Works off what is due, a batch at most.
    ///
    /// - Returns: how many there were.
    func run() throws -> Int {
        let token = room.world.randomBytes(16)
        let claimed = try claim(token)
        guard !claimed.isEmpty else { return 0 }
        do {
            try publish(claimed, token)
        } catch let error where claimed.count > 1 && !Self.isAway(error) {
            // One of them is at fault: each by itself, so that it holds up no other.
            for one in claimed { try publishAlone(one, token) }
        } catch let error where !Self.isAway(error) {
            try fail(claimed[0].record, token, error)
        }
        return claimed.count
    }

    /// While the database is away nothing is anybody's fault: the lease ends by itself.
    private static func isAway(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        return error.isAway || error.code == .commitUnknown
    }

    private func publishAlone(_ one: Claimed, _ token: [UInt8]) throws {
        do {
            try publish([one], token)
        } catch let error where !Self.isAway(error) {
            try fail(one.record, token, error)
        }
    }

    // MARK: Claiming

    private func claim(_ token: [UInt8]) throws -> [Claimed] {
        let now = room.world.now()
        return try room.database.transaction(isolation: .readCommitted) { transaction in
            let due = try transaction.rows(
                """
                SELECT id, body_bytes
                  FROM inbound_events
                 WHERE next_at <= \(now)
                 ORDER BY next_at
                 LIMIT \(Self.batch)
                   FOR UPDATE SKIP LOCKED
                """)
            var bytes = 0
            var ids: [[UInt8]] = []
            for row in due {
                bytes += try row.get("body_bytes", as: Int.self)
                guard ids.isEmpty || bytes <= Self.mostBytes else { break }
                ids.append(try row.get("id"))
            }
            guard !ids.isEmpty else { return [] }
            try transaction.execute(
                """
                UPDATE inbound_events
                   SET next_at = \(now + Self.lease), lease_token = \(token), attempts = LEAST(attempts + 1, 60000)
                 WHERE id IN (\(list: ids))
                """)
            return try transaction.rows(
                """
                SELECT \(InboundEventRecord.columns), e.content_sealed
                  FROM inbound_events e
                 WHERE e.id IN (\(list: ids))
                 ORDER BY e.id
                """
            ).map { Claimed(record: try InboundEventRecord($0), content: $0) }
        }
    }

    // MARK: Publishing

    /// The lease was lost: whoever holds it now publishes.
    private struct LeaseLost: Error {}

    private func publish(_ claimed: [Claimed], _ token: [UInt8]) throws {
        try room.database.transaction(isolation: .readCommitted) { transaction in
            let done = try transaction.execute(
                """
                UPDATE inbound_events
                   SET state = 'published', next_at = NULL, lease_token = NULL, last_error = NULL,
                       published_at = \(room.world.now())
                 WHERE lease_token = \(token) AND id IN (\(list: claimed.map(\.record.id)))
                """)
            guard done.affectedRows == UInt64(claimed.count) else { throw LeaseLost() }
            for one in claimed {
                let envelope = try reader.envelope(one.record, one.content, in: transaction)
                let event = InboundEvent(
                    id: one.record.id, origin: one.record.origin, type: one.record.type, key: one.record.key,
                    received: one.record.received, headers: envelope.headers, body: envelope.body)
                try room.outbox.publish(
                    try told(one.record, envelope, in: transaction), of: event, in: transaction)
                for listener in room.neighbours.listeners { try listener(event, transaction) }
            }
        }
    }

    /// What others are told: each event once, whatever it comes together with, unless somebody asked for it again.
    private func told(
        _ record: InboundEventRecord, _ envelope: Envelope, in transaction: Transaction
    ) throws -> [(name: EventName, data: JSON)] {
        let telling = Telling(record)
        let parts = try telling.parts(of: envelope)
        let ids = parts.map(\.id)
        let fresh = try BatchStore.note(ids.compactMap(\.self), of: record, in: transaction)
        var seen: Set<String> = []
        let isTold = ids.map { id in
            id.map { seen.insert($0).inserted && (record.replays > 0 || fresh.contains($0)) } ?? true
        }
        return zip(try telling.events(parts), isTold).filter { $0.1 }.map { $0.0 }
    }

    // MARK: Failing

    private func fail(_ record: InboundEventRecord, _ token: [UInt8], _ error: any Error) throws {
        if error is LeaseLost { return }
        let unreadable = error as? Telling.Unreadable
        room.log.warning(
            "an event that came in cannot be published",
            ["event": .init(record.id.text), "error": .init(String(reflecting: error))])
        let isOver = record.attempts >= Self.mostAttempts || unreadable != nil
        let wait = Duration.seconds(min(3_600, 5 << min(record.attempts, 10)))
        let reason = unreadable?.sentence ?? Self.reason(error)
        try room.database.execute(
            """
            UPDATE inbound_events
               SET state = \(isOver ? "dead" : "waiting"), next_at = \(isOver ? nil : room.world.now() + wait),
                   lease_token = NULL, last_error = \(reason)
             WHERE id = \(record.id) AND lease_token = \(token)
            """)
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case is VaultError: "What it says cannot be opened: its encryption key is missing."
        case is UnknownScheme: "It was taken by a scheme that this program does not know."
        default: "It could not be published; the log says why."
        }
    }
}
