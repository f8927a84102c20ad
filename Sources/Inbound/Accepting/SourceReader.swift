import DatabaseKit
import Domain
import JSONKit
import LogKit
import TimeKit

/// Finds the source at an address: one of the room's own, or of a neighbour's.
struct SourceReader: Sendable {
    let database: Database
    let vault: Vault
    let others: [InboundSources]
    let now: @Sendable () -> Timestamp

    /// Reads a source with its secrets.
    ///
    /// - Throws: `DatabaseError`.
    func find(_ address: Identifier<InboundAddress>) throws -> OpenSource? {
        let row = try database.row(
            """
            SELECT \(SourceRecord.columns)
              FROM inbound_sources s
             WHERE s.address = \(address) OR s.previous_address = \(address)
             LIMIT 1
            """)
        if let row {
            let record = try SourceRecord(row)
            return try open(record, endsAt: record.address == address ? nil : record.previousAddressEndsAt)
        }
        for other in others {
            guard let source = try other(address) else { continue }
            return OpenSource(of: source)
        }
        return nil
    }

    /// A source of the room's own with its secrets opened.
    ///
    /// - Parameter isExamined: with the secret before the present one even when it has ended, to explain a refusal.
    func open(
        _ record: SourceRecord, endsAt: Timestamp? = nil, isExamined: Bool = false
    ) throws -> OpenSource {
        var secrets: [InboundSecret] = []
        var challenge: Secret<String>?
        var isLocked = false
        do {
            if let sealed = record.secretSealed {
                secrets.append(.init(try text(sealed, "secret_sealed", of: record)))
            }
            if let sealed = record.previousSealed, let end = record.previousEndsAt, isExamined || end > now() {
                secrets.append(.init(try text(sealed, "previous_sealed", of: record), until: end))
            }
            challenge = try record.challengeSealed.map { try text($0, "challenge_sealed", of: record) }
        } catch is VaultError {
            secrets = []
            isLocked = true
        }
        return OpenSource(
            source: InboundSource(record.origin, secrets: secrets, challengeToken: challenge), scheme: record.scheme,
            recipe: record.recipe, bodyLimit: record.bodyLimit, perMinute: record.perMinute, endsAt: endsAt,
            isLocked: isLocked)
    }

    private func text(_ sealed: [UInt8], _ column: String, of record: SourceRecord) throws -> Secret<String> {
        let bytes = try vault.open(
            sealed, at: SourceRecord.place(record.id, column), for: record.organization, in: database)
        return Secret(String(decoding: bytes, as: UTF8.self))
    }
}

extension OpenSource {
    /// A source of a neighbour, checked as its service signs.
    init(of source: InboundSource) {
        let scheme = SchemeName.choices(for: source.origin.provider).first { $0 != .standardWebhooks } ?? .bearer
        self.init(
            source: source, scheme: source.secrets.isEmpty && !source.bearers.isEmpty ? .bearer : scheme,
            recipe: nil, bodyLimit: scheme.usualBodyLimit, perMinute: SourceRecord.usualPerMinute,
            endsAt: source.endsAt, isLocked: false)
    }
}
