import ClientKit
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// Sending to one webhook because somebody asks: a test, now and once; or what failed, again.
extension Webhooks {
    /// Sends a kind of event with its example to a webhook, or the event that is for tests alone.
    ///
    /// - Throws: `Problem` 422 for a kind that there is not, 429 or 503 while too much is being tested.
    func tryOut(
        _ record: WebhookRecord, _ name: EventName?, by scope: OrganizationScope
    ) throws -> (delivery: Identifier<Delivery>, attempted: Attempted) {
        guard let name else { return try tryOut(record, EventType.test.name, EventType.test.example ?? [:], by: scope) }
        guard let type = try types(scope)[name] else {
            throw Problem.invalid("type", "unknown_event_type", "There is no kind of event called “\(name)”.")
        }
        return try tryOut(record, name, type.example ?? [:], by: scope)
    }

    /// Sends an event of a test to a webhook now, whatever its state, and waits for the outcome.
    ///
    /// It goes the way of every delivery, by the same signer to the same judge of addresses, and stands in the log like any
    /// other; only it is not tried again.
    ///
    /// - Throws: `Problem` 429 or 503 while too much is being tested.
    private func tryOut(
        _ record: WebhookRecord, _ name: EventName, _ data: JSON, by scope: OrganizationScope
    ) throws -> (delivery: Identifier<Delivery>, attempted: Attempted) {
        try trials.run(record.id, atMost: settings.testsAtOnce) { try tryOutNow(record, name, data, by: scope) }
    }

    private func tryOutNow(
        _ record: WebhookRecord, _ name: EventName, _ data: JSON, by scope: OrganizationScope
    ) throws -> (delivery: Identifier<Delivery>, attempted: Attempted) {
        let event = NewEvent(
            Identifier(world), key: nil, name, data, orderingKey: nil, source: .test, at: world.now())
        let delivery = Identifier<Delivery>(world)
        let token = world.randomBytes(16)
        let leaseEnds = world.now() + ClaimStore.lease
        let store = EventStore(database: database, world: world, vault: vault, organization: scope.organization)
        try database.transaction { transaction in
            _ = try store.insert([event], for: [], in: transaction)
            try store.insert(
                test: delivery, of: event, to: record.id, token: token, leaseEnds: leaseEnds, in: transaction)
        }
        let parcel = Parcel(
            delivery: delivery, event: event.id, token: token, leaseEnds: leaseEnds, attempts: 0, tries: .max - 1,
            cause: .test, givesUpAfter: nil, destination: try destination(record, in: database), body: event.body)
        let attempted = send(parcel)
        try OutcomeStore(room: self).note([attempted])
        return (delivery, attempted)
    }

    private func send(_ parcel: Parcel) -> Attempted {
        let startedAt = world.now()
        let begun = ContinuousClock.now
        let result: Result<OutboundResponse, ClientError>
        do throws(ClientError) {
            let fleet = try Fleet(client, connections: 1)
            try fleet.launch(parcel.request(at: startedAt, timeout: settings.timeout), number: 0)
            result = try fleet.first()
        } catch {
            result = .failure(error)
        }
        return Attempted(
            parcel: parcel, startedAt: startedAt, elapsed: ContinuousClock.now - begun, result: result,
            judgement: Judgement(
                result, attempts: parcel.tries + 1, profile: settings.retries, chance: 0, now: world.now()))
    }

    /// Makes one delivery due now, however it ended.
    ///
    /// - Throws: `Problem` 404; 409 while it is being sent, or when its webhook takes nothing.
    func sendAgain(_ id: Identifier<Delivery>, by scope: OrganizationScope) throws -> DeliveryRecord {
        let log = log(scope)
        guard let delivery = try log.delivery(id) else { throw Problem.notFound }
        try requireReceiving(try find(delivery.webhook, scope))
        let count = try database.transaction { transaction in
            let count = try log.sendAgain(id, in: transaction)
            try audit.record(
                "delivery.retried", .init("delivery", id, name: delivery.type), by: scope, in: transaction)
            return count
        }
        guard count == 1 else {
            throw Problem(409, "delivery_under_way", "This delivery is being sent at this very moment.")
        }
        wake()
        return try log.delivery(id) ?? delivery
    }

    func requireReceiving(_ record: WebhookRecord) throws(Problem) {
        guard record.state != .disabled else {
            throw Problem(409, "webhook_disabled", "This webhook is disabled; enable it first.")
        }
    }
}
