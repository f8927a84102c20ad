import DatabaseKit
import Domain
import RoomFixture
import Testing
import TimeKit

@testable import Webhooks

/// Very many deliveries to ten webhooks, written by the server itself; each event goes to all ten.
final class Heap: Sendable {
    let post: Post
    let webhooks: [Identifier<Webhook>]
    /// When the first event was taken; each after it a millisecond later.
    let start: Timestamp

    init() throws {
        post = try Post()
        start = post.house.world.now() - .days(2)
        let first = try post.webhook().record.id
        try post.house.database.execute(
            """
            INSERT INTO webhooks
                   (id, organization_id, user_id, description, url_sealed, url_shown, receiver, events, secret_sealed,
                    created_at, updated_at)
            SELECT UNHEX(LPAD(HEX(seq), 32, '0')), organization_id, user_id, description, url_sealed, url_shown,
                   CONCAT(receiver, seq), events, secret_sealed, created_at, updated_at
              FROM webhooks, seq_1_to_10
             WHERE id = \(first)
            """)
        try post.room.remove(first, by: post.scope)
        webhooks = (1...10).compactMap { Identifier(bytes: [UInt8](repeating: 0, count: 15) + [$0]) }
        try post.room.makeAndDropDays()
    }

    var database: Database { post.house.database }
    var log: LogStore { get throws { try post.room.log(post.scope) } }

    /// Lets there be so many deliveries, a seventh of them failed, an eleventh to be tried in a day; and the first of each
    /// webhook canceled.
    func fill(to count: Int) throws {
        let there: Int = try #require(try database.row("SELECT COUNT(*) AS n FROM events")).get("n")
        for first in stride(from: there + 1, through: count / 10, by: 1_000) {
            let events: SQL = "\(unescaped: "seq_\(first)_to_\(min(first + 999, count / 10))")"
            try fill(from: events)
        }
        try database.execute(
            "SET STATEMENT max_statement_time = 0 FOR ANALYZE TABLE deliveries, events, delivery_attempts")
    }

    private func fill(from events: SQL) throws {
        let (organization, begin, later) = (post.organization, start.milliseconds, start + .days(3))
        let type: SQL = """
            CASE WHEN e.seq MOD 50 = 0 THEN 'custom.b' WHEN e.seq MOD 10 = 1 THEN 'custom.a'
                 ELSE ELT(1 + e.seq MOD 4, 'user.created', 'user.updated', 'payment.failed', 'project.created') END
            """
        let event: SQL = "UNHEX(CONCAT(LPAD(HEX(\(begin) + e.seq), 12, '0'), '7000', LPAD(HEX(e.seq), 16, 'E')))"
        let state: SQL = """
            CASE WHEN e.seq = 1 THEN 'canceled' WHEN (e.seq * 10 + j.seq) MOD 7 = 2 THEN 'failed'
                 WHEN (e.seq * 10 + j.seq) MOD 11 = 3 THEN 'waiting' ELSE 'delivered' END
            """
        let delivery: SQL = """
            UNHEX(CONCAT(LPAD(HEX(\(begin) + e.seq), 12, '0'), '7000', LPAD(HEX(e.seq * 16 + j.seq), 16, 'D')))
            """
        try database.execute(
            """
            SET STATEMENT max_statement_time = 0 FOR INSERT INTO events
                   (id, organization_id, fingerprint, type, source, body_sealed, body_bytes, deliveries, occurred_at,
                    created_at)
            SELECT \(event), \(organization), '', \(type), 'api', '', 0, 10, \(start), \(start) FROM \(events) e
            """)
        try database.execute(
            """
            SET STATEMENT max_statement_time = 0 FOR INSERT INTO deliveries
                   (id, organization_id, webhook_id, event_id, sequence, type, state, attempts, next_at, created_at,
                    finished_at)
            SELECT \(delivery), \(organization), UNHEX(LPAD(HEX(j.seq), 32, '0')), \(event), e.seq, \(type),
                   \(state), 1, \(later), \(start), IF(\(state) = 'waiting', NULL, \(start))
              FROM \(events) e, seq_1_to_10 j
            """)
        try database.execute(
            """
            INSERT INTO delivery_attempts
                   (delivery_id, number, organization_id, webhook_id, cause, started_at, dns_us, connect_us, tls_us,
                    first_byte_us, total_us, talk_sealed)
            SELECT \(delivery), 1, \(organization), UNHEX(LPAD(HEX(j.seq), 32, '0')), 'schedule', \(start), 0, 0, 0, 0, 0, ''
              FROM \(events) e, seq_1_to_1 j
            """)
    }

    /// The id of a delivery that ``fill(to:)`` wrote.
    func delivery(_ event: Int, to webhook: Int) -> Identifier<Delivery>? {
        let place = UInt64(event * 16 + webhook)
        return Identifier(bytes: Self.bytes(start.milliseconds + Int64(event), "D", place))
    }

    private static func bytes(_ moment: Int64, _ letter: Character, _ place: UInt64) -> [UInt8] {
        let time = String(moment, radix: 16)
        let rest = String(place, radix: 16)
        let text =
            String(repeating: "0", count: 12 - time.count) + time + "7000"
            + String(repeating: letter, count: 16 - rest.count) + rest
        return stride(from: 0, to: 32, by: 2).compactMap { index in
            let start = text.index(text.startIndex, offsetBy: index)
            return UInt8(text[start..<text.index(start, offsetBy: 2)], radix: 16)
        }
    }

    /// Lets so many deliveries to a webhook be due, for as long as is said, all of one ordering key if there is one.
    func due(_ count: Int, to webhook: Identifier<Webhook>, since: Duration = .hours(1), key: [UInt8]? = nil) throws {
        let since = post.house.world.now() - since
        let salt = post.house.world.randomBytes(8)
        try database.execute(
            """
            SET STATEMENT max_statement_time = 0 FOR INSERT INTO deliveries
                   (id, organization_id, webhook_id, event_id, sequence, type, ordering_hash, next_at, created_at)
            SELECT CONCAT(\(salt), UNHEX(LPAD(HEX(seq), 16, '0'))), \(post.organization), \(webhook),
                   CONCAT(\(salt), UNHEX(LPAD(HEX(seq), 16, '0'))), 1000000000 + seq, 'user.created', \(key), \(since),
                   \(since)
              FROM \(unescaped: "seq_1_to_\(count)")
            """)
    }

    // MARK: What a statement costs

    /// How many rows and entries of indexes a statement reads.
    func reads(_ statement: SQL) throws -> Int {
        try database.transaction(isolation: .readCommitted) { transaction in
            func count() throws -> Int {
                try transaction.rows(
                    """
                    SELECT VARIABLE_VALUE AS value
                      FROM information_schema.SESSION_STATUS
                     WHERE VARIABLE_NAME IN ('HANDLER_READ_FIRST', 'HANDLER_READ_KEY', 'HANDLER_READ_LAST',
                                             'HANDLER_READ_NEXT', 'HANDLER_READ_PREV', 'HANDLER_READ_RND')
                     LIMIT 10
                    """
                ).reduce(0) { $0 + (Int(try $1.get("value", as: String.self)) ?? 0) }
            }
            let before = try count()
            _ = try transaction.rows(statement)
            return try count() - before
        }
    }

    /// The indexes by which a statement reads its tables; `-` where it reads one without.
    func indexes(_ statement: SQL) throws -> [String] {
        try database.rows("EXPLAIN \(statement)").compactMap { row in
            let table: String? = try row.get("table")
            guard let table, !table.hasPrefix("<") else { return nil }
            return try "\(table) \(row.get("key", as: String?.self) ?? "-")"
        }
    }

    /// How long a statement takes once what it reads is in memory: what a tenth of its runs do not exceed, since whatever
    /// else the machine does is no part of it.
    func time(_ statement: SQL) throws -> Duration {
        let times = try (0..<120).map { _ in
            try ContinuousClock().measure { _ = try database.rows(statement) }
        }
        return times.dropFirst(20).sorted()[10]
    }
}
