import DatabaseKit
import Domain
import TimeKit

/// An event that came in, sealed and ready to be stored.
struct NewInboundEvent: Sendable {
    /// The most bytes of a body that stand in the event's own row; what is larger goes in parts.
    static let mostInOne = 1_048_576
    /// The most bytes of a part: a server takes statements of 16 MB unless it is told otherwise.
    private static let partSize = 4_194_304

    let id: Identifier<InboundEvent>
    let origin: InboundOrigin
    let naming: Naming
    let scheme: SchemeName
    let knownBy: Scheme.Proof.Key
    let bodyBytes: Int
    let sealed: [UInt8]
    let parts: [[UInt8]]
    /// Why it cannot be published; nil when it can.
    let fault: String?
    let received: Timestamp

    init(
        _ id: Identifier<InboundEvent>, _ source: OpenSource, _ naming: Naming, _ proof: Scheme.Proof,
        _ envelope: Envelope, fault: String?, at now: Timestamp, sealing vault: Vault, in querying: some Querying
    ) throws {
        self.id = id
        origin = source.source.origin
        self.naming = naming
        scheme = source.scheme(of: proof)
        knownBy = proof.key
        bodyBytes = envelope.body.count
        self.fault = fault
        received = now
        let isLarge = envelope.body.count > Self.mostInOne
        let organization = source.source.origin.organization
        sealed = try vault.seal(
            (isLarge ? envelope.with(body: []) : envelope).bytes, at: Self.place(id), for: organization, in: querying)
        var parts: [[UInt8]] = []
        var rest = isLarge ? envelope.body[...] : []
        while !rest.isEmpty {
            parts.append(
                try vault.seal(
                    Array(rest.prefix(Self.partSize)), at: Self.place(id, part: parts.count), for: organization,
                    in: querying))
            rest = rest.dropFirst(Self.partSize)
        }
        self.parts = parts
    }

    /// Whether it may share a statement with others: all of them together must stay below what a server takes.
    var isSmall: Bool { parts.isEmpty && sealed.count <= 65_536 }

    static func place(_ id: Identifier<InboundEvent>) -> Vault.Place {
        Vault.Place("inbound_events", id, "content_sealed")
    }

    static func place(_ id: Identifier<InboundEvent>, part: Int) -> Vault.Place {
        Vault.Place("inbound_parts", row: id.bytes + [UInt8(part)], "content_sealed")
    }
}

/// Writes events as they come in.
struct ArrivalStore: Sendable {
    let database: Database

    /// Commits events; one that its service has sent before is only counted.
    func insert(_ events: [NewInboundEvent]) throws {
        // In one order everywhere, so that two transactions with the same events wait for each other and do not collide.
        let sorted = events.sorted { one, other in
            (one.origin.source.text, one.naming.key) < (other.origin.source.text, other.naming.key)
        }
        try database.transaction(isolation: .readCommitted) { transaction in
            for part in Chunks.of(sorted) { _ = try Self.insert(part, in: transaction) }
        }
    }

    /// Commits an event by itself, with the parts of its body where it has some.
    func insert(large event: NewInboundEvent) throws {
        try database.transaction(isolation: .readCommitted) { transaction in
            // One row when it is new, two when a row was there and is counted up.
            guard try Self.insert([event], in: transaction) == 1 else { return }
            for (number, part) in event.parts.enumerated() {
                try transaction.execute(
                    """
                    INSERT INTO inbound_parts (event_id, number, content_sealed)
                    VALUES (\(event.id), \(number), \(part))
                    """)
            }
        }
    }

    private static func insert(_ events: ArraySlice<NewInboundEvent>, in transaction: Transaction) throws -> Int {
        let rows = events.map { event -> SQL in
            let origin = event.origin
            let state = event.fault == nil ? "waiting" : "dead"
            return """
                (\(event.id), \(origin.organization), \(origin.source), \(origin.provider), \(origin.connection),
                 \(origin.integration), \(origin.workspace), \(event.naming.key), \(event.naming.type),
                 \(event.scheme.rawValue), \(event.knownBy.rawValue), \(event.bodyBytes), \(event.parts.count),
                 \(event.sealed), \(state), \(event.fault == nil ? event.received : nil), \(event.fault),
                 \(event.received))
                """
        }
        return Int(
            try transaction.execute(
                """
                INSERT INTO inbound_events
                       (id, organization_id, source_id, provider, connection_id, integration_id, workspace_id, event_key,
                        type, scheme, known_by, body_bytes, parts, content_sealed, state, next_at, last_error, received_at)
                VALUES \(SQL(joining: rows, by: ", "))
                    ON DUPLICATE KEY UPDATE times = LEAST(times + 1, 4000000000)
                """
            ).affectedRows)
    }
}
