import DatabaseKit
import Domain
import TimeKit

/// A request that was refused.
public enum InboundRefusal {}

/// A refused request as it is kept.
struct RefusalRecord: Sendable {
    let id: Identifier<InboundRefusal>
    let organization: Identifier<Organization>
    let source: Identifier<InboundSource>
    let reason: String
    let detail: String
    let remoteAddress: String
    let bodyBytes: Int
    /// Whether all of the body is kept.
    let isWhole: Bool
    let received: Timestamp

    static let columns: SQL = """
        r.id, r.organization_id, r.source_id, r.reason, r.detail, r.remote_address, r.body_bytes, r.is_whole, r.received_at
        """
}

extension RefusalRecord {
    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        organization = try row.get("organization_id")
        source = try row.get("source_id")
        reason = try row.get("reason")
        detail = try row.get("detail")
        remoteAddress = try row.get("remote_address")
        bodyBytes = try row.get("body_bytes")
        isWhole = try row.get("is_whole", as: Int.self) == 1
        received = try row.get("received_at")
    }
}

/// The latest requests that were refused, of each source so many and no more.
struct RefusalStore: Sendable {
    /// How many are kept of a source, how many of a minute, and how much of a body.
    static let most = 50
    static let mostPerMinute = 20
    static let mostBytes = 262_144

    let database: Database
    let world: World
    let vault: Vault

    static func place(_ id: Identifier<InboundRefusal>) -> Vault.Place {
        Vault.Place("inbound_refusals", id, "content_sealed")
    }

    /// Keeps a request, and forgets the oldest ones of its source.
    func keep(
        _ failure: Failure, _ arrival: Arrival, of origin: InboundOrigin, from remoteAddress: String,
        at now: Timestamp
    ) throws {
        let id = Identifier<InboundRefusal>(world)
        let envelope = Envelope(arrival, isProved: false)
        let body = Array(envelope.body.prefix(Self.mostBytes))
        let sealed = try vault.seal(
            envelope.with(body: body).bytes, at: Self.place(id), for: origin.organization, in: database)
        try database.transaction(isolation: .readCommitted) { transaction in
            try transaction.execute(
                """
                INSERT INTO inbound_refusals
                       (id, organization_id, source_id, reason, detail, remote_address, body_bytes, is_whole,
                        content_sealed, received_at)
                VALUES (\(id), \(origin.organization), \(origin.source), \(failure.code), \(failure.sentence),
                        \(String(remoteAddress.prefix(45))), \(envelope.body.count),
                        \(body.count == envelope.body.count ? 1 : 0), \(sealed), \(now))
                """)
            let latest: [[UInt8]] = try transaction.rows(
                """
                SELECT id
                  FROM inbound_refusals
                 WHERE source_id = \(origin.source)
                 ORDER BY id DESC
                 LIMIT \(Self.most + 1)
                """
            ).map { try $0.get("id") }
            guard latest.count > Self.most, let oldest = latest.last else { return }
            try transaction.execute(
                "DELETE FROM inbound_refusals WHERE source_id = \(origin.source) AND id <= \(oldest)")
        }
    }

    /// What is kept of a source, the newest first.
    func list(
        of source: Identifier<InboundSource>, _ organization: Identifier<Organization>,
        after last: Identifier<InboundRefusal>?, limit: Int
    ) throws -> [RefusalRecord] {
        let before: SQL = if let last { "AND r.id < \(last)" } else { "" }
        return try database.rows(
            """
            SELECT \(RefusalRecord.columns)
              FROM inbound_refusals r
             WHERE r.organization_id = \(organization) AND r.source_id = \(source) \(before)
             ORDER BY r.id DESC
             LIMIT \(limit)
            """
        ).map { try RefusalRecord($0) }
    }

    /// One with its request; nil when there is none, and without the request when that cannot be opened.
    func find(
        _ id: Identifier<InboundRefusal>, _ organization: Identifier<Organization>
    ) throws -> (record: RefusalRecord, envelope: Envelope?)? {
        let row = try database.row(
            """
            SELECT \(RefusalRecord.columns), r.content_sealed
              FROM inbound_refusals r
             WHERE r.id = \(id) AND r.organization_id = \(organization)
            """)
        guard let row else { return nil }
        do {
            let bytes = try vault.open(
                try row.get("content_sealed"), at: Self.place(id), for: organization, in: database)
            return (try RefusalRecord(row), Envelope(bytes))
        } catch is VaultError {
            return (try RefusalRecord(row), nil)
        }
    }
}
