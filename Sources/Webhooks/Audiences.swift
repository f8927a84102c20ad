import DatabaseKit
import Domain
import ThreadKit

/// Who wants events, and what kinds of them organizations have described, as this process has met them.
///
/// All of it counts as long as ``Generations/webhooks`` stays: whoever changes any of it counts that in the transaction of
/// the change. The number is read again in the very transaction that takes events, so that none is addressed by what
/// somebody, on whatever host, had changed before.
final class Audiences: Sendable {
    /// Who may want an organization's events at one moment.
    struct Audience: Sendable {
        /// How many changes there had been.
        let generation: Int64
        let subscribers: [EventStore.Subscriber]
    }

    /// What an organization has said of a kind of event at one moment; nothing for most that begin with `custom.`.
    struct Description: Sendable {
        /// How many changes there had been.
        let generation: Int64
        let type: EventType?
    }

    private struct Kind: Hashable {
        let organization: Identifier<Organization>
        let name: EventName
    }

    /// What is kept is all of one generation.
    private struct Kept: Sendable {
        var generation: Int64 = -1
        var subscribers: [Identifier<Organization>: [EventStore.Subscriber]] = [:]
        var types: [Kind: EventType?] = [:]

        /// Forgets what is older; false for somebody who has seen less than this.
        mutating func reach(_ seen: Int64) -> Bool {
            if seen > generation { self = Kept(generation: seen) }
            return seen == generation
        }
    }

    /// How many organizations, and how many kinds, are kept; with more of them all are met anew.
    private static let room = 256

    private let kept = Lock(Kept())

    /// Who may want events now, in the transaction that takes them.
    func audience(of store: EventStore, in querying: some Querying) throws -> Audience {
        let generation = try Generations.value(of: Generations.webhooks, in: querying)
        let known = kept.withLock { $0.reach(generation) ? $0.subscribers[store.organization] : nil }
        if let known { return Audience(generation: generation, subscribers: known) }
        let found = try store.subscribers(in: querying)
        kept.withLock { kept in
            guard kept.reach(generation) else { return }
            if kept.subscribers.count >= Self.room { kept.subscribers = [:] }
            kept.subscribers[store.organization] = found
        }
        return Audience(generation: generation, subscribers: found)
    }

    /// What is remembered of a kind, old though it may be; nil where nothing is.
    func remembered(_ name: EventName, of organization: Identifier<Organization>) -> Description? {
        kept.withLock { kept in
            kept.types[Kind(organization: organization, name: name)].map {
                Description(generation: kept.generation, type: $0)
            }
        }
    }

    /// What the database says of a kind now.
    func find(_ name: EventName, in store: EventTypeStore) throws -> EventType? {
        // The number is read first: a change in between makes what is kept old, never the other way.
        let generation = try Generations.value(of: Generations.webhooks, in: store.database)
        let found = try store.find(name)
        kept.withLock { kept in
            guard kept.reach(generation) else { return }
            if kept.types.count >= Self.room { kept.types = [:] }
            kept.types[Kind(organization: store.organization, name: name)] = .some(found)
        }
        return found
    }
}

extension Webhooks {
    /// Counts that it was changed to whom events go or what kinds of them there are, in the transaction of the change and
    /// last in it.
    func noteChange(in transaction: Transaction) throws {
        try Generations.bump(Generations.webhooks, in: transaction)
    }
}
