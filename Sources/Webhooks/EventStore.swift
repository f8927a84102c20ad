import CipherKit
import DatabaseKit
import Domain
import TimeKit

/// Events of one organization, and to whom they go.
struct EventStore: Sendable {
    let database: Database
    let world: World
    let vault: Vault
    let organization: Identifier<Organization>

    /// A webhook as far as taking an event needs it.
    struct Subscriber: Sendable {
        let id: Identifier<Webhook>
        let events: [EventPattern]
        let isInOrder: Bool
        /// Whether it is neither paused nor disabled.
        let isActive: Bool
    }

    /// An event sealed and with those who want it.
    private struct Addressed {
        let event: NewEvent
        let sealed: [UInt8]
        let subscribers: [Subscriber]
    }

    static func place(_ id: Identifier<Event>) -> Vault.Place { Vault.Place("events", id, "body_sealed") }

    /// Those who may want an event now: all but the disabled.
    func subscribers(in querying: some Querying) throws -> [Subscriber] {
        try querying.rows(
            """
            SELECT id, events, ordering, state
              FROM webhooks
             WHERE organization_id = \(organization) AND state <> 'disabled'
             LIMIT 10000
            """
        ).map { row in
            Subscriber(
                id: try row.get("id"), events: EventPattern.list(stored: try row.get("events")),
                isInOrder: try row.get("ordering", as: String.self) != "none",
                isActive: try row.get("state", as: String.self) == "active")
        }
    }

    /// Writes events and their deliveries, in a transaction of whoever calls: all of it happens, or none.
    ///
    /// - Throws: `DatabaseError` with the code `duplicate` when a key was taken meanwhile.
    func insert(
        _ events: [NewEvent], for subscribers: [Subscriber], in querying: some Querying
    ) throws -> [TakenEvent] {
        let now = world.now()
        let addressed = try events.map { event in
            Addressed(
                event: event,
                sealed: try vault.seal(event.body, at: Self.place(event.id), for: organization, in: querying),
                subscribers: subscribers.filter { one in one.events.contains { $0.matches(event.name) } })
        }
        var sequences: [Identifier<Event>: UInt64] = [:]
        for part in Chunks.of(addressed) { try insert(part, now, &sequences, in: querying) }
        let deliveries = addressed.flatMap { one in
            one.subscribers.map { delivery(of: one.event, to: $0, sequences[one.event.id]) }
        }
        try NewDelivery.insert(deliveries, world, in: querying)
        return addressed.map { one in
            TakenEvent(
                id: one.event.id, name: one.event.name, key: one.event.key, deliveries: one.subscribers.count,
                isDue: one.subscribers.contains(where: \.isActive), isRepetition: false, createdAt: now)
        }
    }

    /// The order of events is the one that the database gives them as it stores them.
    private func insert(
        _ events: ArraySlice<Addressed>, _ now: Timestamp, _ sequences: inout [Identifier<Event>: UInt64],
        in querying: some Querying
    ) throws {
        let rows = events.map { one -> SQL in
            let event = one.event
            return """
                (\(event.id), \(organization), \(event.key), \(event.fingerprint), \(event.name.description),
                 \(event.source.rawValue), \(event.orderingKey), \(one.sealed), \(event.body.count),
                 \(one.subscribers.count), \(event.occurredAt), \(now))
                """
        }
        let given = try querying.rows(
            """
            INSERT INTO events
                   (id, organization_id, event_key, fingerprint, type, source, ordering_key, body_sealed, body_bytes,
                    deliveries, occurred_at, created_at)
            VALUES \(SQL(joining: rows, by: ", "))
            RETURNING id, sequence
            """)
        for row in given { sequences[try row.get("id")] = try row.get("sequence", as: UInt64.self) }
    }

    private func delivery(of event: NewEvent, to subscriber: Subscriber, _ sequence: UInt64?) -> NewDelivery {
        NewDelivery(
            organization: organization, webhook: subscriber.id, event: event.id, sequence: sequence,
            type: event.name.description,
            orderingHash: subscriber.isInOrder ? Self.hash(event.orderingKey, of: event.id) : nil)
    }

    /// Writes a delivery that is sent by whoever writes it, and by nobody else.
    func insert(
        test delivery: Identifier<Delivery>, of event: NewEvent, to webhook: Identifier<Webhook>, token: [UInt8],
        leaseEnds: Timestamp, in querying: some Querying
    ) throws {
        try querying.execute(
            """
            INSERT INTO deliveries
                   (id, organization_id, webhook_id, event_id, sequence, type, next_at, lease_token, created_at)
            VALUES (\(delivery), \(organization), \(webhook), \(event.id),
                    (SELECT sequence FROM events WHERE id = \(event.id)), \(event.name.description), \(leaseEnds),
                    \(token), \(world.now()))
            """)
    }

    /// Sixteen bytes that stand for an ordering key; an event without one has one of its own, and so waits for none.
    static func hash(_ key: String?, of event: Identifier<Event>) -> [UInt8] {
        key.map { Array(SHA256.digest($0.utf8).prefix(16)) } ?? event.bytes
    }

    /// Events that were taken under these keys before.
    func taken(_ keys: [String], in querying: some Querying) throws -> [String: (TakenEvent, fingerprint: [UInt8])] {
        var found: [String: (TakenEvent, fingerprint: [UInt8])] = [:]
        for part in Chunks.of(keys) {
            let rows = try querying.rows(
                """
                SELECT id, event_key, type, fingerprint, deliveries, created_at
                  FROM events
                 WHERE organization_id = \(organization) AND event_key IN (\(list: part))
                """)
            for row in rows {
                guard let name = EventName(try row.get("type")) else { continue }
                let key: String = try row.get("event_key")
                let event = TakenEvent(
                    id: try row.get("id"), name: name, key: key, deliveries: try row.get("deliveries"),
                    isDue: false, isRepetition: true, createdAt: try row.get("created_at"))
                found[key] = (event, try row.get("fingerprint"))
            }
        }
        return found
    }
}
