import DatabaseKit
import Domain
import TimeKit

/// An event that came in, as the database knows it, without what it says.
struct InboundEventRecord: Sendable {
    /// What has become of it.
    enum State: String, Sendable, CaseIterable {
        /// It is to be published.
        case waiting
        /// It was published.
        case published
        /// It could not be published and waits for a person.
        case dead
    }

    let id: Identifier<InboundEvent>
    let origin: InboundOrigin
    /// What its source is called; nil for one that is gone or another room's.
    let sourceName: String?
    let key: String
    let type: String
    let scheme: SchemeName?
    let knownBy: String
    let bodyBytes: Int
    let parts: Int
    let state: State
    let attempts: Int
    let nextAt: Timestamp?
    let lastError: String?
    /// How many times its service has sent it.
    let times: Int
    /// How many times somebody had it published again.
    let replays: Int
    let received: Timestamp
    let publishedAt: Timestamp?

    /// The columns of a query on `inbound_events e` that ``init(_:)`` reads.
    static let columns: SQL = """
        e.id, e.organization_id, e.source_id, (SELECT s.name FROM inbound_sources s WHERE s.id = e.source_id) AS source_name,
        e.provider, e.connection_id, e.integration_id, e.workspace_id, e.event_key, e.type, e.scheme, e.known_by,
        e.body_bytes, e.parts, e.state, e.attempts, e.next_at, e.last_error, e.times, e.replays, e.received_at,
        e.published_at
        """
}

extension InboundEventRecord {
    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        origin = InboundOrigin(
            source: try row.get("source_id"), organization: try row.get("organization_id"),
            provider: try row.get("provider"), connection: try row.get("connection_id"),
            integration: try row.get("integration_id"), workspace: try row.get("workspace_id"))
        sourceName = try row.get("source_name")
        key = try row.get("event_key")
        type = try row.get("type")
        scheme = SchemeName(rawValue: try row.get("scheme"))
        knownBy = try row.get("known_by")
        bodyBytes = try row.get("body_bytes")
        parts = try row.get("parts")
        state = State(rawValue: try row.get("state")) ?? .dead
        attempts = try row.get("attempts")
        nextAt = try row.get("next_at")
        lastError = try row.get("last_error")
        times = try row.get("times")
        replays = try row.get("replays")
        received = try row.get("received_at")
        publishedAt = try row.get("published_at")
    }
}

/// Opens what is kept of events.
struct ContentReader: Sendable {
    let vault: Vault

    /// The request that an event came by.
    ///
    /// - Parameter row: the event's, with `content_sealed`.
    /// - Throws: `VaultError` when it cannot be opened.
    func envelope(_ record: InboundEventRecord, _ row: Row, in querying: some Querying) throws -> Envelope {
        let organization = record.origin.organization
        let bytes = try vault.open(
            try row.get("content_sealed"), at: NewInboundEvent.place(record.id), for: organization, in: querying)
        guard let envelope = Envelope(bytes) else { throw VaultError.damaged }
        guard record.parts > 0 else { return envelope }
        var body: [UInt8] = []
        body.reserveCapacity(record.bodyBytes)
        for number in 0..<record.parts {
            let part = try querying.row(
                "SELECT content_sealed FROM inbound_parts WHERE event_id = \(record.id) AND number = \(number)")
            guard let part else { throw VaultError.damaged }
            body += try vault.open(
                try part.get("content_sealed"), at: NewInboundEvent.place(record.id, part: number), for: organization,
                in: querying)
        }
        return envelope.with(body: body)
    }
}
