import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// Takes what the hub itself has to tell from the outbox, as events like those of the site.
struct HandingOn: Sendable {
    let room: Webhooks

    /// How many are taken in one transaction.
    static let batch = 100

    private struct Told {
        let organization: Identifier<Organization>
        let event: NewEvent
        let data: JSON

        /// The connection that may take events elsewhere from now on, or not at all.
        var changedReceiver: Identifier<Connection>? {
            guard DomainEventType.mayChangeReceiver(event.name) else { return nil }
            return data["connection_id"]?.text.flatMap(Identifier<Connection>.init)
        }
    }

    /// Hands on the oldest that wait; an event is marked in the very transaction that takes it, so it is taken once.
    ///
    /// What another process is handing on is passed over.
    ///
    /// - Returns: how many there were; as many as a batch when there may be more.
    func run() throws -> Int {
        let (count, isDue) = try room.database.transaction(isolation: .readCommitted) { transaction in
            let rows = try transaction.rows(
                """
                SELECT id, organization_id, type, data, occurred_at
                  FROM domain_events
                 WHERE handed_on_at IS NULL
                 ORDER BY id
                 LIMIT \(Self.batch)
                   FOR UPDATE SKIP LOCKED
                """)
            guard !rows.isEmpty else { return (0, false) }
            let ids: [Identifier<DomainEvent>] = try rows.map { try $0.get("id") }
            try transaction.execute(
                "UPDATE domain_events SET handed_on_at = \(room.world.now()) WHERE id IN (\(list: ids.map(\.bytes)))")
            let told = try rows.compactMap { try read($0) }
            var isDue = false
            for (organization, events) in Dictionary(grouping: told, by: \.organization) {
                let store = EventStore(
                    database: room.database, world: room.world, vault: room.vault, organization: organization)
                let taken = try store.insert(
                    events.map(\.event), for: try room.audiences.audience(of: store, in: transaction).subscribers,
                    in: transaction)
                isDue = isDue || taken.contains(where: \.isDue)
                for one in events {
                    if let changed = one.changedReceiver {
                        try room.follow(changed, of: organization, in: transaction)
                    }
                    try room.tellOthers(
                        HubEvent(type: one.event.name.description, organization: organization, data: one.data),
                        transaction)
                }
            }
            return (rows.count, isDue)
        }
        if isDue { room.wake() }
        return count
    }

    /// An event keeps its id on its way out. One that cannot be read holds up no other.
    private func read(_ row: Row) throws -> Told? {
        let (type, text): (String, String) = (try row.get("type"), try row.get("data"))
        guard let id = Identifier<Event>(bytes: try row.get("id")), let name = EventName(type),
            let data = try? JSON(parsing: Array(text.utf8))
        else {
            room.log.error("an event of the hub's own cannot be handed on", ["type": .init(type)])
            return nil
        }
        return Told(
            organization: try row.get("organization_id"),
            event: NewEvent(
                id, key: nil, name, data, orderingKey: nil, source: type.hasPrefix("inbound.") ? .inbound : .hub,
                at: try row.get("occurred_at")), data: data)
    }
}
