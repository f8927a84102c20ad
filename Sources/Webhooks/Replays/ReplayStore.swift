import DatabaseKit
import Domain
import TimeKit

/// Sending again what matches.
public enum Replay {}

/// A replay as the database knows it.
struct ReplayRecord: Sendable {
    /// Which deliveries are sent again.
    enum Selection: String, Sendable, CaseIterable {
        case waiting
        case delivered
        case failed
        case canceled
        /// Events for which the webhook has no delivery, because it was disabled or not there yet.
        case missing
    }

    let id: Identifier<Replay>
    let organization: Identifier<Organization>
    let webhook: Identifier<Webhook>
    let askedBy: String
    let since: Timestamp
    let until: Timestamp
    let selection: Selection?
    let pattern: EventPattern?
    let total: Int
    let done: Int
    let last: [UInt8]?
    let state: String
    let createdAt: Timestamp
    let finishedAt: Timestamp?
}

/// Replays, and the deliveries that they are about.
struct ReplayStore: Sendable {
    let database: Database
    let world: World

    /// What is to be sent again.
    struct Wanted: Sendable {
        let webhook: WebhookRecord
        let since: Timestamp
        let until: Timestamp
        let selection: ReplayRecord.Selection?
        let pattern: EventPattern?
    }

    /// How many are looked at at a time.
    static let part = 200

    private static let columns: SQL = """
        id, organization_id, webhook_id, asked_by, since, until, delivery_state, pattern, total, done, last_id, state,
        created_at, finished_at
        """

    /// How many deliveries a replay is about; reads the index alone.
    func count(_ wanted: Wanted) throws -> Int {
        try database.row(countStatement(wanted))?.get("count") ?? 0
    }

    func countStatement(_ wanted: Wanted) -> SQL {
        // Ids are in the order of making, so both ends of the time are found by an index.
        let (start, end) = (wanted.since.lowest, wanted.until.lowest)
        if wanted.selection == .missing {
            let named: SQL = wanted.pattern.map { "AND \($0.condition(on: "e"))" } ?? ""
            let patterns = SQL(joining: wanted.webhook.events.map { $0.condition(on: "e") }, by: " OR ")
            return """
                SELECT COUNT(*) AS count
                  FROM events e FORCE INDEX (list)
                 WHERE e.organization_id = \(wanted.webhook.organization) AND e.id > \(start) AND e.id < \(end)
                   AND (\(patterns)) \(named) AND e.source <> 'test'
                   AND NOT EXISTS (
                       SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.webhook_id = \(wanted.webhook.id))
                """
        }
        let states = wanted.selection.map { [$0.rawValue] } ?? DeliveryRecord.State.allCases.map(\.rawValue)
        let pattern = wanted.pattern.flatMap { $0.description == "*" ? nil : $0 }
        let (index, named): (SQL, SQL) =
            pattern.map { ("FORCE INDEX (by_type)", "AND \($0.condition)") } ?? ("FORCE INDEX (by_state)", "")
        // Each state, and of each a type, is a stretch of the index of its own.
        return """
            SELECT COUNT(*) AS count
              FROM deliveries d \(index)
             WHERE d.webhook_id = \(wanted.webhook.id) \(named) AND d.state IN (\(list: states)) AND d.id > \(start)
               AND d.id < \(end)
            """
    }

    func insert(
        _ id: Identifier<Replay>, _ wanted: Wanted, total: Int, askedBy: String, in transaction: some Querying
    ) throws {
        try transaction.execute(
            """
            INSERT INTO replays
                   (id, organization_id, webhook_id, asked_by, since, until, delivery_state, pattern, total, created_at)
            VALUES (\(id), \(wanted.webhook.organization), \(wanted.webhook.id), \(askedBy), \(wanted.since),
                    \(wanted.until), \(wanted.selection?.rawValue), \(wanted.pattern?.description), \(total),
                    \(world.now()))
            """)
    }

    func find(_ id: Identifier<Replay>, of organization: Identifier<Organization>) throws -> ReplayRecord? {
        try database.row(
            "SELECT \(Self.columns) FROM replays WHERE id = \(id) AND organization_id = \(organization)"
        ).map(ReplayRecord.init)
    }

    /// The last replays of a webhook, the newest first.
    func recent(of webhook: WebhookRecord, limit: Int = 10) throws -> [ReplayRecord] {
        try database.rows(
            """
            SELECT \(Self.columns)
              FROM replays
             WHERE webhook_id = \(webhook.id) AND organization_id = \(webhook.organization)
             ORDER BY id DESC
             LIMIT \(limit)
            """
        ).map(ReplayRecord.init)
    }

    /// Whether a replay of a webhook is under way.
    func isRunning(of webhook: Identifier<Webhook>, in transaction: Transaction) throws -> Bool {
        try transaction.row("SELECT id FROM replays WHERE webhook_id = \(webhook) AND state = 'running' LIMIT 1") != nil
    }

    /// A replay, held until the transaction ends.
    func lock(_ id: Identifier<Replay>, in transaction: Transaction) throws -> ReplayRecord? {
        try transaction.row("SELECT \(Self.columns) FROM replays WHERE id = \(id) FOR UPDATE").map(ReplayRecord.init)
    }

    /// Ends a replay before all is sent again.
    func cancel(_ id: Identifier<Replay>, in transaction: Transaction) throws {
        try transaction.execute(
            "UPDATE replays SET state = 'canceled', finished_at = \(world.now()) WHERE id = \(id) AND state = 'running'"
        )
    }

    /// Makes the next part due, and answers whether that was the last.
    func advance(_ replay: ReplayRecord, _ webhook: WebhookRecord, in transaction: Transaction) throws -> Bool {
        let wanted = Wanted(
            webhook: webhook, since: replay.since, until: replay.until, selection: replay.selection,
            pattern: replay.pattern)
        let rows = try transaction.rows(partStatement(wanted, after: replay.last))
        let isOver = rows.count < Self.part
        let meant = try rows.filter { try wanted.means($0) }
        let count =
            try replay.selection == .missing
            ? make(meant, for: webhook, in: transaction)
            : NewDelivery.revive(meant.map { try $0.get("id") }, world, in: transaction)
        let last: [UInt8]? = try rows.last?.get("id") ?? replay.last
        try transaction.execute(
            """
            UPDATE replays
               SET done = done + \(count), last_id = \(last), state = \(isOver ? "finished" : "running"),
                   finished_at = \(isOver ? world.now() : nil)
             WHERE id = \(replay.id)
            """)
        return isOver
    }

    /// The next part, in the order of ids: what is meant is picked from it, so that a part takes no longer where little is
    /// meant, and the replay gets on. Events are held until it is stored that they are to be sent, so that none is forgotten
    /// meanwhile.
    func partStatement(_ wanted: Wanted, after last: [UInt8]?) -> SQL {
        let start = last ?? wanted.since.lowest
        guard wanted.selection != .missing else {
            return """
                SELECT e.id, e.sequence, e.type, e.source, e.ordering_key
                  FROM events e FORCE INDEX (list)
                 WHERE e.organization_id = \(wanted.webhook.organization) AND e.id > \(start)
                   AND e.id < \(wanted.until.lowest)
                 ORDER BY e.id
                 LIMIT \(Self.part)
                  LOCK IN SHARE MODE
                """
        }
        let (index, state): (SQL, SQL) =
            wanted.selection.map { ("FORCE INDEX (by_state)", "AND d.state = \($0.rawValue)") }
            ?? ("FORCE INDEX (list)", "")
        return """
            SELECT d.id, d.type
              FROM deliveries d \(index)
             WHERE d.webhook_id = \(wanted.webhook.id) \(state) AND d.id > \(start) AND d.id < \(wanted.until.lowest)
             ORDER BY d.id
             LIMIT \(Self.part)
            """
    }

    /// Events for which there is a delivery already are passed over.
    private func make(_ rows: [Row], for webhook: WebhookRecord, in transaction: Transaction) throws -> Int {
        let new = try rows.map { row in
            let event: Identifier<Event> = try row.get("id")
            return NewDelivery(
                organization: webhook.organization, webhook: webhook.id, event: event,
                sequence: try row.get("sequence"), type: try row.get("type"),
                orderingHash: webhook.ordering == .none ? nil : EventStore.hash(try row.get("ordering_key"), of: event),
                isManual: true)
        }
        return try NewDelivery.insert(new, skipsKnown: true, world, in: transaction)
    }
}

extension ReplayStore.Wanted {
    /// Whether a row of a part is meant: an event, or a delivery by its type.
    fileprivate func means(_ row: Row) throws -> Bool {
        guard let name = EventName(try row.get("type")), pattern?.matches(name) ?? true else { return false }
        guard selection == .missing else { return true }
        return try row.get("source", as: String.self) != NewEvent.Source.test.rawValue
            && webhook.events.contains { $0.matches(name) }
    }
}

extension ReplayRecord {
    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        organization = try row.get("organization_id")
        webhook = try row.get("webhook_id")
        askedBy = try row.get("asked_by")
        since = try row.get("since")
        until = try row.get("until")
        selection = try row.get("delivery_state", as: String?.self).flatMap(Selection.init)
        pattern = try row.get("pattern", as: String?.self).flatMap { EventPattern($0) }
        total = try row.get("total")
        done = try row.get("done")
        last = try row.get("last_id")
        state = try row.get("state")
        createdAt = try row.get("created_at")
        finishedAt = try row.get("finished_at")
    }
}
