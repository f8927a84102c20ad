import DatabaseKit
import Domain
import TimeKit

/// What came in for one organization.
struct InboundEventStore: Sendable {
    let database: Database
    let world: World
    let vault: Vault
    let scope: OrganizationScope

    /// Which events are meant.
    struct Filter: Sendable {
        var source: Identifier<InboundSource>?
        var provider: String?
        var type: String?
        var state: InboundEventRecord.State?
        var since: Timestamp?
        var until: Timestamp?
    }

    /// The most events that are published again at once, unless somebody says otherwise.
    static let mostReplayed = 10_000

    private func condition(_ filter: Filter) -> SQL {
        var parts: [SQL] = ["e.organization_id = \(scope.organization)"]
        if let source = filter.source { parts.append("e.source_id = \(source)") }
        if let provider = filter.provider { parts.append(Self.isIn("e.provider", provider)) }
        if let type = filter.type { parts.append(Self.isIn("e.type", type)) }
        if let state = filter.state { parts.append("e.state = \(state.rawValue)") }
        // An id tells when it was made, a moment after the request came: by that the range is found.
        if let since = filter.since {
            parts.append("e.id >= \(Identifier<InboundEvent>(lowestAt: since)) AND e.received_at >= \(since)")
        }
        if let until = filter.until {
            let bound = Identifier<InboundEvent>(lowestAt: until + .minutes(10))
            parts.append("e.id < \(bound) AND e.received_at < \(until)")
        }
        return SQL(joining: parts, by: " AND ")
    }

    /// What asks for a text in a column of ASCII, which can hold no other: MariaDB has no collation to compare those by.
    private static func isIn(_ column: String, _ text: String) -> SQL {
        text.utf8.allSatisfy { $0 < 0x80 } ? "\(unescaped: column) = \(text)" : "FALSE"
    }

    /// Events, the newest first.
    func list(_ filter: Filter, after last: Identifier<InboundEvent>?, limit: Int) throws -> [InboundEventRecord] {
        let before: SQL = if let last { "AND e.id < \(last)" } else { "" }
        return try database.rows(
            """
            SELECT \(InboundEventRecord.columns)
              FROM inbound_events e
             WHERE \(condition(filter)) \(before)
             ORDER BY e.id DESC
             LIMIT \(limit)
            """
        ).map { try InboundEventRecord($0) }
    }

    /// One with the request that it came by; without it when that cannot be opened.
    func find(_ id: Identifier<InboundEvent>) throws -> (record: InboundEventRecord, envelope: Envelope?)? {
        let row = try database.row(
            """
            SELECT \(InboundEventRecord.columns), e.content_sealed
              FROM inbound_events e
             WHERE e.id = \(id) AND e.organization_id = \(scope.organization)
            """)
        guard let row else { return nil }
        let record = try InboundEventRecord(row)
        do {
            return (record, try ContentReader(vault: vault).envelope(record, row, in: database))
        } catch is VaultError {
            return (record, nil)
        }
    }

    /// How many wait for a person, of so many looked at.
    func dead(atMost limit: Int) throws -> Int {
        try database.rows(
            """
            SELECT id
              FROM inbound_events
             WHERE organization_id = \(scope.organization) AND state = 'dead'
             LIMIT \(limit)
            """
        ).count
    }

    /// When each source last brought an event; none for one that never did.
    func latest(of sources: [Identifier<InboundSource>]) throws -> [Identifier<InboundSource>: Timestamp] {
        guard !sources.isEmpty else { return [:] }
        let rows = try database.rows(
            """
            SELECT source_id, MAX(id) AS id
              FROM inbound_events
             WHERE source_id IN (\(list: sources))
             GROUP BY source_id
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map { row in
                (try row.get("source_id"), try row.get("id", as: Identifier<InboundEvent>.self).made)
            })
    }

    /// Lets one be published again.
    ///
    /// - Returns: whether there is one that nobody works on.
    func replay(_ id: Identifier<InboundEvent>, in transaction: Transaction) throws -> Bool {
        try again("e.id = \(id) AND e.organization_id = \(scope.organization) AND e.state <> 'waiting'", 1, transaction)
            == 1
    }

    /// Lets be published again what matches, the oldest first.
    ///
    /// - Returns: how many, and the last of them when there are more.
    func replay(
        _ filter: Filter, after last: Identifier<InboundEvent>?, atMost most: Int, in transaction: Transaction
    ) throws -> (count: Int, next: Identifier<InboundEvent>?) {
        let behind: SQL = if let last { "AND e.id > \(last)" } else { "" }
        let wanted: SQL = "\(condition(filter)) AND e.state <> 'waiting' \(behind)"
        let end: [Identifier<InboundEvent>] = try transaction.rows(
            "SELECT e.id FROM inbound_events e WHERE \(wanted) ORDER BY e.id LIMIT \(most - 1), 2"
        ).map { try $0.get("id") }
        guard let next = end.first, end.count == 2 else { return (try again(wanted, most, transaction), nil) }
        // By its place and not by their number: what was published meanwhile is among them, and nothing is left out.
        return (try again("\(wanted) AND e.id <= \(next)", nil, transaction), next)
    }

    /// What is to be published was asked for at another time, so whatever it failed of before counts no more.
    private func again(_ condition: SQL, _ limit: Int?, _ transaction: Transaction) throws -> Int {
        let most: SQL = if let limit { "LIMIT \(limit)" } else { "" }
        return Int(
            try transaction.execute(
                """
                UPDATE inbound_events e
                   SET e.state = 'waiting', e.next_at = \(world.now()), e.attempts = 0, e.last_error = NULL,
                       e.replays = e.replays + 1
                 WHERE \(condition)
                 ORDER BY e.id \(most)
                """
            ).affectedRows)
    }
}
