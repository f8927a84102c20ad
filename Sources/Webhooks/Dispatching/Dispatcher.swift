import DatabaseKit
import Domain
import LogKit
import Synchronization
import ThreadKit
import TimeKit

/// Delivers what is due, for as long as it runs: one thread claims, one sends, one notes what
/// came of it, and one takes from the outbox what the hub itself has to tell.
///
/// Any number of dispatchers on any number of hosts may run. Whatever one holds when it dies is due again after a minute.
public final class Dispatcher: Sendable {
    private let room: Webhooks
    private let slots: Slots
    private let claiming: Claiming
    private let sending: Sending
    private let outcomes: OutcomeStore
    private let done: Mailbox<Attempted>
    private let isStopping = Atomic(false)
    private let threads = Lock<[WorkerThread]>([])
    private let rest: @Sendable (Duration) -> Void
    private let ring: @Sendable () -> Void

    /// How long nothing is looked for while nobody rings.
    private static let look = Duration.milliseconds(500)
    /// How many outcomes are noted at once.
    private static let batch = 128

    /// A dispatcher.
    ///
    /// - Parameters:
    ///   - rest: waits until somebody rings, or this long.
    ///   - ring: ends that wait, from any thread.
    public init(_ room: Webhooks, rest: @escaping @Sendable (Duration) -> Void, ring: @escaping @Sendable () -> Void) {
        self.room = room
        self.rest = rest
        self.ring = ring
        slots = Slots(total: room.settings.atOnce, each: room.settings.atOncePerReceiver)
        let claiming = Claiming(room, ClaimStore(database: room.database, world: room.world), slots)
        self.claiming = claiming
        outcomes = OutcomeStore(room: room)
        done = Mailbox()
        sending = Sending(room, to: done) { attempted in claiming.landed(attempted) }
    }

    /// Starts the threads and returns.
    ///
    /// - Throws: ``ThreadError``.
    public func start() throws {
        let started = [
            try WorkerThread(name: "claims") { self.claim() }, try WorkerThread(name: "sends") { self.send() },
            try WorkerThread(name: "notes") { self.note() }, try WorkerThread(name: "tells") { self.handOn() },
        ]
        threads.withLock { $0 += started }
    }

    /// Claims nothing more; ``wait()`` tells when what is under way is over and noted.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        ring()
    }

    /// Returns when all threads have ended.
    public func wait() {
        for thread in threads.withLock({ threads in
            defer { threads = [] }; return threads
        }) { thread.join() }
    }

    private var stops: Bool { isStopping.load(ordering: .acquiring) }

    private func handOn() {
        let outbox = HandingOn(room: room)
        while !stops {
            do {
                if try outbox.run() == 0 { WorkerThread.rest(for: Self.look) }
            } catch {
                room.log.warning(
                    "the hub's own events cannot be handed on", ["error": .init(String(reflecting: error))])
                WorkerThread.rest(for: .seconds(1))
            }
        }
    }

    private func claim() {
        while !stops {
            do {
                let parcels = try claiming.claim()
                sending.put(parcels)
                // More may be due than was claimed, as long as there are slots.
                if parcels.isEmpty { rest(Self.look) }
            } catch {
                room.log.warning("deliveries cannot be claimed", ["error": .init(String(reflecting: error))])
                rest(.seconds(1))
            }
        }
        sending.stop()
    }

    private func send() {
        do {
            try sending.run()
        } catch {
            // Without its thread nothing is sent: what is claimed falls due again, and a new process takes it up.
            room.log.error("sending has ended", ["error": .init(String(reflecting: error))])
            fatalError("sending has ended")
        }
        done.close()
    }

    private func note() {
        var isOver = false
        while !isOver {
            let batch = done.take(atMost: Self.batch, waiting: .seconds(1))
            guard !batch.isEmpty else {
                isOver = done.isClosed && done.count == 0
                continue
            }
            note(batch)
            claiming.noted(batch)
            // Not before: what a process has sent and not noted comes again when it dies, so there is no more of it than slots.
            for one in batch {
                slots.give(
                    of: one.parcel.destination.receiver, isSilent: one.judgement.isSilent,
                    isStrained: one.judgement.isStrained, after: one.elapsed)
            }
            ring()
        }
    }

    /// Tries again while the leases last; what cannot be noted by then was delivered perhaps, and is delivered again.
    private func note(_ batch: [Attempted]) {
        while true {
            do {
                return try outcomes.note(batch)
            } catch {
                room.log.warning("outcomes cannot be noted", ["error": .init(String(reflecting: error))])
                guard let end = batch.map(\.parcel.leaseEnds).max(), room.world.now() < end else { return }
                WorkerThread.rest(for: .milliseconds(500))
            }
        }
    }
}
