import DatabaseKit
import Domain
import JSONKit
import LogKit
import ThreadKit
import TimeKit

/// Takes what the hub itself has to tell from the outbox, as events like those of the site.
final class HandingOn: Sendable {
    private let room: Webhooks
    /// Until when organizations are passed over of which nothing could be handed on.
    private let resting = Lock<[Identifier<Organization>: Timestamp]>([:])

    /// How many are looked at in one go.
    private static let batch = 100
    /// For how long an organization is passed over whose key is missing.
    private static let rest = Duration.minutes(1)
    /// For how long one is passed over for which something else went wrong.
    private static let shortRest = Duration.seconds(5)

    private struct Told {
        let event: NewEvent
        let data: JSON

        /// The connection that may take events elsewhere from now on, or not at all.
        var changedReceiver: Identifier<Connection>? {
            guard DomainEventType.mayChangeReceiver(event.name) else { return nil }
            return data["connection_id"]?.text.flatMap(Identifier<Connection>.init)
        }
    }

    init(room: Webhooks) { self.room = room }

    /// Hands on some of the oldest that wait, those of each organization in a transaction of their own.
    ///
    /// So an organization whose key is missing holds up no other. What it has to tell waits until the key is back; passed
    /// over it must be as well, since it would fill every look at the oldest.
    ///
    /// - Returns: how many were handed on; there may be more unless it was none.
    func run() throws -> Int {
        var count = 0
        for (organization, ids) in try waiting() {
            do {
                count += try handOn(ids, of: organization)
            } catch let error as VaultError {
                room.log.warning(
                    "an organization's own events cannot be sealed",
                    ["organization": .init(organization.text), "error": .init(String(reflecting: error))])
                rest(organization, Self.rest)
            } catch {
                rest(organization, Self.shortRest)
                throw error
            }
        }
        return count
    }

    private func rest(_ organization: Identifier<Organization>, _ length: Duration) {
        let end = room.world.now() + length
        resting.withLock { $0[organization] = end }
    }

    /// The oldest that wait, by organization.
    private func waiting() throws -> [Identifier<Organization>: [Identifier<DomainEvent>]] {
        let now = room.world.now()
        let passedOver = resting.withLock { resting in
            resting = resting.filter { $0.value > now }
            return Array(resting.keys)
        }
        let others: SQL = passedOver.isEmpty ? "" : "AND organization_id NOT IN (\(list: passedOver))"
        // What another process is handing on is passed over, and nothing stays locked.
        let rows = try room.database.transaction(isolation: .readCommitted) { transaction in
            try transaction.rows(
                """
                SELECT id, organization_id
                  FROM domain_events
                 WHERE handed_on_at IS NULL \(others)
                 ORDER BY id
                 LIMIT \(Self.batch)
                   FOR UPDATE SKIP LOCKED
                """)
        }
        var waiting: [Identifier<Organization>: [Identifier<DomainEvent>]] = [:]
        for row in rows { waiting[try row.get("organization_id"), default: []].append(try row.get("id")) }
        return waiting
    }

    /// An event is marked in the very transaction that takes it, so it is taken once.
    private func handOn(_ ids: [Identifier<DomainEvent>], of organization: Identifier<Organization>) throws -> Int {
        let (count, isDue) = try room.database.transaction(isolation: .readCommitted) { transaction in
            let rows = try transaction.rows(
                """
                SELECT id, type, data, occurred_at
                  FROM domain_events
                 WHERE id IN (\(list: ids)) AND handed_on_at IS NULL
                 ORDER BY id
                   FOR UPDATE SKIP LOCKED
                """)
            guard !rows.isEmpty else { return (0, false) }
            let taken: [Identifier<DomainEvent>] = try rows.map { try $0.get("id") }
            try transaction.execute(
                "UPDATE domain_events SET handed_on_at = \(room.world.now()) WHERE id IN (\(list: taken))")
            let told = try rows.compactMap { try read($0) }
            let store = EventStore(
                database: room.database, world: room.world, vault: room.vault, organization: organization)
            let events = try store.insert(
                told.map(\.event), for: try room.audiences.audience(of: store, in: transaction).subscribers,
                in: transaction)
            for one in told {
                if let changed = one.changedReceiver {
                    try room.follow(changed, of: organization, in: transaction)
                }
                try room.tellOthers(
                    HubEvent(type: one.event.name.description, organization: organization, data: one.data), transaction)
            }
            return (rows.count, events.contains(where: \.isDue))
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
            event: NewEvent(
                id, key: nil, name, data, orderingKey: nil, source: type.hasPrefix("inbound.") ? .inbound : .hub,
                at: try row.get("occurred_at")), data: data)
    }
}
