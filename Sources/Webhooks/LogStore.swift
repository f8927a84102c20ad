import DatabaseKit
import Domain
import TimeKit

/// Events, deliveries and attempts of one organization, as they are looked at.
struct LogStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// Which deliveries are looked for.
    struct Filter: Sendable {
        var webhook: Identifier<Webhook>?
        var event: Identifier<Event>?
        var state: DeliveryRecord.State?
        var pattern: EventPattern?
        var since: Timestamp?
        var until: Timestamp?
    }

    /// A member sees what goes to webhooks of their own.
    private func visible() throws -> SQL {
        guard scope.role == .member else { return "d.organization_id = \(scope.organization)" }
        return """
            d.organization_id = \(scope.organization) AND d.webhook_id IN (
                SELECT w.id FROM webhooks w WHERE w.user_id = \(try Holder(scope, in: database)?.user))
            """
    }

    /// Deliveries of a webhook or of an event, the newest first.
    func deliveries(
        _ filter: Filter, after last: Identifier<Delivery>?, limit: Int
    ) throws -> [DeliveryRecord] {
        try database.rows(try statement(filter, after: last, limit: limit)).map(DeliveryRecord.init)
    }

    /// The ids are found in one index and the rows by their ids, so what somebody may see decides about few rows.
    func statement(_ filter: Filter, after last: Identifier<Delivery>?, limit: Int) throws -> SQL {
        let found = try found(filter, after: last, limit: limit)
        return """
            SELECT \(DeliveryRecord.columns)
              FROM (\(found)) found STRAIGHT_JOIN deliveries d ON d.id = found.id
             WHERE \(try visible())
             ORDER BY d.id DESC
            """
    }

    /// How many deliveries of a webhook or of an event there are, up to a limit. It does not ask who may see them.
    func count(_ filter: Filter, atMost limit: Int) throws -> Int {
        try database.row(
            "SELECT COUNT(*) AS count FROM (\(try found(filter, after: nil, limit: limit))) found")?.get("count") ?? 0
    }

    private func found(_ filter: Filter, after last: Identifier<Delivery>?, limit: Int) throws -> SQL {
        Newest(
            DeliveryPlace(filter), types: try types(filter), pattern: filter.pattern, since: filter.since?.lowest,
            until: filter.until?.lowest, after: last?.bytes
        ).statement(limit)
    }

    private func types(_ filter: Filter) throws -> [String]? {
        guard let webhook = filter.webhook, filter.event == nil, let pattern = filter.pattern else { return nil }
        return try pattern.types { try database.row(Self.typeStatement(of: webhook, $0, $1))?.get("type") }
    }

    /// The first type of a webhook's deliveries between two words.
    static func typeStatement(of webhook: Identifier<Webhook>, _ start: String, _ end: String) -> SQL {
        """
        SELECT type
          FROM deliveries FORCE INDEX (by_type)
         WHERE webhook_id = \(webhook) AND type > \(start) AND type < \(end)
         ORDER BY type
         LIMIT 1
        """
    }

    func delivery(_ id: Identifier<Delivery>) throws -> DeliveryRecord? {
        try database.row(statement(id)).map(DeliveryRecord.init)
    }

    func statement(_ id: Identifier<Delivery>) throws -> SQL {
        "SELECT \(DeliveryRecord.columns) FROM deliveries d WHERE d.id = \(id) AND \(try visible())"
    }

    /// The attempts at a delivery, the latest first.
    func attempts(_ delivery: Identifier<Delivery>, limit: Int = 200) throws -> [AttemptRecord] {
        try database.rows(attemptsStatement(delivery, limit: limit)).map(AttemptRecord.init)
    }

    func attemptsStatement(_ delivery: Identifier<Delivery>, limit: Int) -> SQL {
        """
        SELECT number, cause, started_at, status, error, dns_us, connect_us, tls_us, first_byte_us, total_us, talk_sealed
          FROM delivery_attempts
         WHERE delivery_id = \(delivery) AND organization_id = \(scope.organization)
         ORDER BY number DESC
         LIMIT \(limit)
        """
    }

    /// Makes a delivery due now, however it ended.
    ///
    /// - Returns: how many that were: none while it is being sent, or for whoever may not see it.
    func sendAgain(_ id: Identifier<Delivery>, in querying: some Querying) throws -> Int {
        try NewDelivery.revive([id], where: visible(), world, in: querying)
    }

    /// Events, the newest first; from one moment on and before another.
    func events(
        _ pattern: EventPattern?, since: Timestamp? = nil, until: Timestamp? = nil, after last: Identifier<Event>?,
        limit: Int
    ) throws -> [EventRecord] {
        try database.rows(try statement(pattern, since: since, until: until, after: last, limit: limit))
            .map(EventRecord.init)
    }

    func statement(
        _ pattern: EventPattern?, since: Timestamp? = nil, until: Timestamp? = nil, after last: Identifier<Event>?,
        limit: Int
    ) throws -> SQL {
        let organization = scope.organization
        let types = try pattern?.types {
            try database.row(Self.typeStatement(of: organization, $0, $1))?.get("type")
        }
        let found = Newest(
            EventPlace(organization), types: types, pattern: pattern, since: since?.lowest, until: until?.lowest,
            after: last?.bytes
        ).statement(limit)
        return """
            SELECT \(EventRecord.columns)
              FROM (\(found)) found STRAIGHT_JOIN events e ON e.id = found.id
             ORDER BY e.id DESC
            """
    }

    /// The first type of an organization's events between two words.
    static func typeStatement(of organization: Identifier<Organization>, _ start: String, _ end: String) -> SQL {
        """
        SELECT type
          FROM events FORCE INDEX (by_type)
         WHERE organization_id = \(organization) AND type > \(start) AND type < \(end)
         ORDER BY type
         LIMIT 1
        """
    }

    func event(_ id: Identifier<Event>) throws -> EventRecord? {
        try database.row(
            """
            SELECT \(EventRecord.columns)
              FROM events e
             WHERE e.id = \(id) AND e.organization_id = \(scope.organization)
            """
        ).map(EventRecord.init)
    }
}
