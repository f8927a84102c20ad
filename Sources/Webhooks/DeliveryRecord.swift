import DatabaseKit
import Domain
import TimeKit

/// A delivery as the database knows it.
struct DeliveryRecord: Sendable {
    /// How far it is.
    enum State: String, Sendable, CaseIterable {
        /// It is to be sent, or sent again.
        case waiting
        /// The receiver took it.
        case delivered
        /// Nothing is left to try, or it was given up; it may be replayed.
        case failed
        /// Its webhook is gone.
        case canceled
    }

    let id: Identifier<Delivery>
    let webhook: Identifier<Webhook>
    let event: Identifier<Event>
    let type: String
    let state: State
    let attempts: Int
    let nextAt: Timestamp
    let isHeld: Bool
    let lastStatus: Int?
    let lastError: String?
    let createdAt: Timestamp
    let finishedAt: Timestamp?

    /// The columns of a query on `deliveries d` that ``init(_:)`` reads.
    static let columns: SQL = """
        d.id, d.webhook_id, d.event_id, d.type, d.state, d.attempts, d.next_at, d.lease_token IS NOT NULL AS is_held,
        d.last_status, d.last_error, d.created_at, d.finished_at
        """

    /// Why the last attempt failed, in a sentence.
    var trouble: String? {
        guard let lastError else { return nil }
        if lastError == "disabled" { return "The webhook was disabled." }
        if lastError == "skipped" { return "It was given up so that those behind it could go on." }
        return (FailureReason(rawValue: lastError) ?? .other).sentence(status: lastStatus)
    }
}

extension DeliveryRecord {
    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        webhook = try row.get("webhook_id")
        event = try row.get("event_id")
        type = try row.get("type")
        state = State(rawValue: try row.get("state")) ?? .canceled
        attempts = try row.get("attempts")
        nextAt = try row.get("next_at")
        isHeld = try row.get("is_held")
        lastStatus = try row.get("last_status")
        lastError = try row.get("last_error")
        createdAt = try row.get("created_at")
        finishedAt = try row.get("finished_at")
    }
}

/// One time that a delivery was sent.
struct AttemptRecord: Sendable {
    let number: Int
    let cause: Cause
    let startedAt: Timestamp
    let status: Int?
    let reason: FailureReason?
    let timing: (dns: Duration, connect: Duration, tls: Duration, firstByte: Duration, total: Duration)
    let talkSealed: [UInt8]
}

/// An event as the database knows it, its body sealed.
struct EventRecord: Sendable {
    let id: Identifier<Event>
    let key: String?
    let type: String
    let source: NewEvent.Source
    let orderingKey: String?
    let bodyBytes: Int
    let bodySealed: [UInt8]
    let deliveries: Int
    let occurredAt: Timestamp
    let createdAt: Timestamp

    /// The columns of a query on `events e` that ``init(_:)`` reads.
    static let columns: SQL = """
        e.id, e.event_key, e.type, e.source, e.ordering_key, e.body_bytes, e.body_sealed, e.deliveries, e.occurred_at,
        e.created_at
        """
}

extension AttemptRecord {
    init(_ row: Row) throws(DatabaseError) {
        number = try row.get("number")
        cause = Cause(rawValue: try row.get("cause")) ?? .schedule
        startedAt = try row.get("started_at")
        status = try row.get("status")
        reason = try row.get("error", as: String?.self).flatMap(FailureReason.init)
        timing = (
            .microseconds(try row.get("dns_us", as: Int64.self)),
            .microseconds(try row.get("connect_us", as: Int64.self)),
            .microseconds(try row.get("tls_us", as: Int64.self)),
            .microseconds(try row.get("first_byte_us", as: Int64.self)),
            .microseconds(try row.get("total_us", as: Int64.self))
        )
        talkSealed = try row.get("talk_sealed")
    }
}

extension EventRecord {
    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        key = try row.get("event_key")
        type = try row.get("type")
        source = NewEvent.Source(rawValue: try row.get("source")) ?? .api
        orderingKey = try row.get("ordering_key")
        bodyBytes = try row.get("body_bytes")
        bodySealed = try row.get("body_sealed")
        deliveries = try row.get("deliveries")
        occurredAt = try row.get("occurred_at")
        createdAt = try row.get("created_at")
    }
}
