import DatabaseKit
import Domain
import JobKit
import TimeKit

/// What is done in the background besides publishing, and how long things are kept.
extension Inbound {
    private static let retentionJob = "inbound.retention"

    /// What is done in the background for this room.
    public var jobs: [JobHandler] {
        [
            JobHandler(Self.retentionJob, every: .minutes(10), deadline: .minutes(5)) { run in
                try forget { run.remaining > .zero && !run.isStopping }
            }
        ]
    }

    /// The kinds of jobs as the system page names them.
    public static let jobLabels = [retentionJob: "Forget old events that other services sent"]

    /// Forgets events that are over and refused requests that are old.
    func forget(while mayGoOn: () -> Bool = { true }) throws {
        let end = world.now() - .days(settings.eventDays)
        var last: [UInt8]?
        while mayGoOn(), let next = try forgetEvents(after: last, before: end) { last = next }
        while mayGoOn() {
            let gone = try database.execute("DELETE FROM inbound_refusals WHERE received_at < \(end) LIMIT 500")
            guard gone.affectedRows == 500 else { break }
        }
        while mayGoOn() {
            // A secret that has ended explains why a request was refused, as long as such are kept.
            let ended = try database.execute(
                """
                UPDATE inbound_sources
                   SET previous_sealed = NULL, previous_ends_at = NULL
                 WHERE previous_ends_at < \(end)
                 LIMIT 100
                """)
            guard ended.affectedRows == 100 else { break }
        }
        while mayGoOn() {
            let ended = try database.execute(
                """
                UPDATE inbound_sources
                   SET previous_address = NULL, previous_address_ends_at = NULL
                 WHERE previous_address_ends_at < \(world.now() - .days(1))
                 LIMIT 100
                """)
            guard ended.affectedRows == 100 else { break }
        }
    }

    /// Forgets some events; what still waits stays, however old.
    ///
    /// - Returns: the last that was looked at; nil when there was none.
    private func forgetEvents(after last: [UInt8]?, before end: Timestamp) throws -> [UInt8]? {
        try database.transaction(isolation: .readCommitted) { transaction in
            let rows = try transaction.rows(
                """
                SELECT id, state, parts
                  FROM inbound_events FORCE INDEX (PRIMARY)
                 WHERE id > \(last ?? []) AND id < \(Identifier<InboundEvent>(lowestAt: end)) AND received_at < \(end)
                 ORDER BY id
                 LIMIT 500
                   FOR UPDATE SKIP LOCKED
                """)
            let over = try rows.filter { try $0.get("state", as: String.self) != "waiting" }
            for part in Chunks.of(try over.map { try $0.get("id", as: [UInt8].self) }) {
                try transaction.execute("DELETE FROM inbound_parts WHERE event_id IN (\(list: part))")
                try BatchStore.forget(part, in: transaction)
                try transaction.execute("DELETE FROM inbound_events WHERE id IN (\(list: part))")
            }
            return try rows.last?.get("id")
        }
    }
}
