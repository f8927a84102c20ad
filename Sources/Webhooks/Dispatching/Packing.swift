import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// Opening what a delivery needs: the webhook's address and secrets, the event's body.
extension Webhooks {
    static func place(_ id: Identifier<Webhook>, _ column: String) -> Vault.Place {
        Vault.Place("webhooks", id, column)
    }

    /// Where a webhook's deliveries go, its secrets opened.
    ///
    /// - Throws: `VaultError` when a key is missing.
    func destination(_ record: WebhookRecord, in querying: some Querying) throws -> Destination {
        var secrets = [try secret(record.secretSealed, "secret_sealed", of: record, in: querying)]
        if let sealed = record.previousSealed, let end = record.previousEndsAt, end > world.now() {
            secrets.append(try secret(sealed, "previous_sealed", of: record, in: querying))
        }
        return Destination(
            webhook: record.id, organization: record.organization, receiver: record.receiver,
            url: Secret(try text(record.urlSealed, "url_sealed", of: record, in: querying)),
            headers: try headers(record, in: querying), secrets: secrets.compactMap(\.self))
    }

    /// The header fields that the owner adds.
    func headers(_ record: WebhookRecord, in querying: some Querying) throws -> [(name: String, value: Secret<String>)]
    {
        guard let sealed = record.headersSealed else { return [] }
        let bytes = try vault.open(
            sealed, at: Self.place(record.id, "headers_sealed"), for: record.organization, in: querying)
        return (try JSON(parsing: bytes).members ?? []).compactMap { member in
            member.value.text.map { (member.name, Secret($0)) }
        }
    }

    private func secret(
        _ sealed: [UInt8], _ column: String, of record: WebhookRecord, in querying: some Querying
    ) throws -> SigningSecret? {
        SigningSecret(try text(sealed, column, of: record, in: querying))
    }

    private func text(
        _ sealed: [UInt8], _ column: String, of record: WebhookRecord, in querying: some Querying
    ) throws -> String {
        let bytes = try vault.open(
            sealed, at: Self.place(record.id, column), for: record.organization, in: querying)
        return String(decoding: bytes, as: UTF8.self)
    }
}
