import DatabaseKit
import Domain
import JSONKit

extension Webhooks {
    /// Publishes what happened to a webhook, in the transaction in which it happens.
    func tell(_ type: DomainEventType, of record: WebhookRecord, in transaction: some Querying) throws {
        try outbox.publish(
            type, about: record.id,
            [
                "webhook_id": .string(record.id.text), "url": .string(record.urlShown),
                "description": .string(record.description), "state": .string(record.state.rawValue),
                "disabled_reason": JSON(record.disabledReason?.rawValue), "failing_since": JSON(record.failingSince),
            ], for: record.organization, in: transaction)
    }
}
