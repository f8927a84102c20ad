import DatabaseKit
import Domain
import HTTPKit

/// Taking events: the same for one and for many, for scripts and for the hub itself.
extension Webhooks {
    /// Takes events: each is committed with all of its deliveries before this returns.
    ///
    /// An event under a key that is known is the one that was taken then.
    ///
    /// - Throws: `Problem` 409 `event_id_conflict` for a known key with other contents; then none is taken. ``Outdated``
    ///   for one alone whose kind was judged by what has changed since; it is not taken.
    func take(_ events: [NewEvent], for organization: Identifier<Organization>) throws -> [TakenEvent] {
        let store = EventStore(database: database, world: world, vault: vault, organization: organization)
        var chances = 3
        while true {
            do {
                return try take(events, store)
            } catch let error as DatabaseError where error.code == .duplicate && chances > 0 {
                // Somebody took the same key at the same moment: theirs is there now.
                chances -= 1
            }
        }
    }

    private func take(_ events: [NewEvent], _ store: EventStore) throws -> [TakenEvent] {
        // One without a key cannot be a repetition, and one alone is asked about only once it was refused.
        let keys = events.compactMap(\.key)
        let known = try keys.isEmpty ? [:] : store.taken(keys, in: database)
        var first: [String: NewEvent] = [:]
        var fresh: [NewEvent] = []
        for event in events {
            if let key = event.key {
                if let fingerprint = known[key]?.fingerprint ?? first[key]?.fingerprint {
                    guard fingerprint == event.fingerprint else { throw Self.conflict(key) }
                    continue
                }
                first[key] = event
            }
            fresh.append(event)
        }
        let made = try fresh.isEmpty ? [] : gathering.take(fresh, for: store.organization) { try insert($0, store) }
        guard !made.contains(where: { $0 == nil }) else { throw Outdated() }
        let byID = Dictionary(uniqueKeysWithValues: made.compactMap(\.self).map { ($0.id, $0) })
        return events.compactMap { event in
            if let made = byID[event.id] { return made }
            guard let key = event.key else { return nil }
            return known[key]?.0 ?? first[key].flatMap { byID[$0.id] }?.again
        }
    }

    /// Commits events, and tells the dispatcher once of all that may go now.
    ///
    /// - Returns: nil in the place of one whose kind was judged by what has changed since.
    private func insert(_ events: [NewEvent], _ store: EventStore) throws -> [TakenEvent?] {
        let taken = try database.transaction { transaction in
            let audience = try audiences.audience(of: store, in: transaction)
            let sound = events.filter { $0.generation == nil || $0.generation == audience.generation }
            return try store.insert(sound, for: audience.subscribers, in: transaction)
        }
        if taken.contains(where: \.isDue) { wake() }
        guard taken.count < events.count else { return taken }
        let byID = Dictionary(uniqueKeysWithValues: taken.map { ($0.id, $0) })
        return events.map { byID[$0.id] }
    }

    private static func conflict(_ key: String) -> Problem {
        Problem(
            409, "event_id_conflict",
            "An event with the id “\(key)” was taken before, with other contents. An id belongs to one event.")
    }
}

/// What an event was judged by has changed before it could be taken.
struct Outdated: Error {}

extension TakenEvent {
    /// The same event, met once more.
    fileprivate var again: TakenEvent {
        TakenEvent(
            id: id, name: name, key: key, deliveries: deliveries, isDue: false, isRepetition: true,
            createdAt: createdAt)
    }
}
