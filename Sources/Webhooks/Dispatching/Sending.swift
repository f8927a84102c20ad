import ClientKit
import Domain
import LogKit
import Synchronization
import ThreadKit
import TimeKit

/// Sends parcels on one thread, hundreds at a time, and judges what comes back.
final class Sending: Sendable {
    /// What is to be sent.
    let inbox = Mailbox<Parcel>()
    private let room: Webhooks
    private let outbox: Mailbox<Attempted>
    private let landed: @Sendable ([Attempted]) -> Void
    private let isStopping = Atomic(false)
    private let bell = Lock<Bell?>(nil)

    /// What ends the wait of the thread that sends, once there is one.
    ///
    /// A function that stands by itself in a generic place, such as a lock, is wrapped once more each time that somebody
    /// looks at it, until a call of it no longer fits the stack: in a type of its own it stays as it is.
    private struct Bell: Sendable {
        let ring: @Sendable () -> Void
    }

    init(
        _ room: Webhooks, to outbox: Mailbox<Attempted>, landed: @escaping @Sendable ([Attempted]) -> Void
    ) {
        self.room = room
        self.outbox = outbox
        self.landed = landed
    }

    /// Leaves parcels to be sent.
    func put(_ parcels: [Parcel]) {
        guard !parcels.isEmpty else { return }
        inbox.put(contentsOf: parcels)
        wake()
    }

    /// Ends the wait of the thread that sends.
    func wake() { bell.withLock { $0 }?.ring() }

    /// Lets the thread end once what is under way is over.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wake()
    }

    private struct Voyage {
        let parcel: Parcel
        let startedAt: Timestamp
    }

    /// The thread's body.
    func run() throws {
        let fleet = try Fleet(room.client)
        let ring = Bell(ring: fleet.wake)
        bell.withLock { $0 = ring }
        var voyages: [UInt64: Voyage] = [:]
        var number: UInt64 = 0
        while true {
            for parcel in inbox.take() {
                let now = room.world.now()
                number += 1
                do throws(ClientError) {
                    try fleet.launch(parcel.request(at: now, timeout: room.settings.timeout), number: number)
                    voyages[number] = Voyage(parcel: parcel, startedAt: now)
                } catch {
                    finish([attempted(parcel, now, .failure(error))])
                }
            }
            let outcomes = try fleet.collect(waiting: .milliseconds(250))
            finish(
                outcomes.compactMap { outcome in
                    voyages.removeValue(forKey: outcome.number).map {
                        attempted($0.parcel, $0.startedAt, outcome.result)
                    }
                })
            if voyages.isEmpty, isStopping.load(ordering: .acquiring), inbox.count == 0 { return }
        }
    }

    private func attempted(
        _ parcel: Parcel, _ startedAt: Timestamp, _ result: Result<OutboundResponse, ClientError>
    ) -> Attempted {
        let now = room.world.now()
        if case .failure(let error) = result, error.isConcealed {
            // Owners are told of a refusal alone; the operator may know what it was.
            room.log.info(
                "a delivery to an address that is not public failed",
                ["delivery": .init(parcel.delivery.text), "error": .init(String(reflecting: error))])
        }
        return Attempted(
            parcel: parcel, startedAt: startedAt, elapsed: max(.zero, now - startedAt), result: result,
            judgement: Judgement(
                result, attempts: parcel.tries + 1, givesUpAfter: parcel.givesUpAfter, profile: room.settings.retries,
                chance: .random(in: 0...1), now: now))
    }

    private func finish(_ attempted: [Attempted]) {
        guard !attempted.isEmpty else { return }
        landed(attempted)
        outbox.put(contentsOf: attempted)
    }
}
