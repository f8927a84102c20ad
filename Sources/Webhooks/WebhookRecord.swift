import DatabaseKit
import Domain
import TimeKit

/// Somebody who is told of events.
public enum Webhook {}
/// One event as it is sent.
public enum Event {}
/// One event on its way to one webhook.
public enum Delivery {}

/// A webhook as the database knows it, its secrets sealed.
struct WebhookRecord: Sendable {
    /// Whether events go there.
    enum State: String, Sendable, CaseIterable {
        /// They are sent.
        case active
        /// They are kept until it goes on.
        case paused
        /// They are not even kept; a replay makes up for it.
        case disabled
    }

    /// Why a webhook was disabled.
    enum DisabledReason: String, Sendable, CaseIterable {
        /// Its receiver answered 410.
        case gone
        /// For five days every attempt failed.
        case failing
        /// The connection that it sends to cannot be used; it pauses until that can be.
        case connection
        /// The connection that it sent to was removed.
        case connectionRemoved = "connection_removed"
    }

    /// In which order deliveries with the same ordering key go.
    enum Ordering: Sendable, Equatable {
        /// As it comes.
        case none
        /// One at a time; one that fails holds up those behind it until it is delivered or given up.
        case block
        /// One at a time; one that has failed so often is given up, so that those behind it go on.
        case skip(after: Int)
    }

    let id: Identifier<Webhook>
    let organization: Identifier<Organization>
    let user: Identifier<User>?
    let owner: String?
    let connection: Identifier<Connection>?
    let description: String
    let urlShown: String
    let urlSealed: [UInt8]
    let receiver: String
    let events: [EventPattern]
    let headersSealed: [UInt8]?
    let secretSealed: [UInt8]
    let previousSealed: [UInt8]?
    let previousEndsAt: Timestamp?
    let perSecond: Int?
    let ordering: Ordering
    let state: State
    let disabledReason: DisabledReason?
    let disabledAt: Timestamp?
    let failingSince: Timestamp?
    let slowUntil: Timestamp?
    let version: Int64
    let createdAt: Timestamp

    /// The columns of a query on `webhooks w` that ``init(_:)`` reads.
    static let columns = columns(owner: "(SELECT u.name FROM users u WHERE u.id = w.user_id)")
    /// The same where nobody is shown whose it is.
    static let ownerlessColumns = columns(owner: "NULL")

    private static func columns(owner: SQL) -> SQL {
        """
        w.id, w.organization_id, w.user_id, \(owner) AS owner, w.connection_id,
        w.description, w.url_shown, w.url_sealed, w.receiver, w.events, w.headers_sealed, w.secret_sealed,
        w.previous_sealed, w.previous_ends_at, w.per_second, w.ordering, w.skip_after, w.state, w.disabled_reason,
        w.disabled_at, w.failing_since, w.slow_until, w.version, w.created_at
        """
    }
}

extension WebhookRecord {
    init(_ row: Row) throws(DatabaseError) {
        id = try row.get("id")
        organization = try row.get("organization_id")
        user = try row.get("user_id")
        owner = try row.get("owner")
        connection = try row.get("connection_id")
        description = try row.get("description")
        // Rows of an older program show more.
        urlShown = ReceiverURL.masked(try row.get("url_shown"))
        urlSealed = try row.get("url_sealed")
        receiver = try row.get("receiver")
        events = EventPattern.list(stored: try row.get("events"))
        headersSealed = try row.get("headers_sealed")
        secretSealed = try row.get("secret_sealed")
        previousSealed = try row.get("previous_sealed")
        previousEndsAt = try row.get("previous_ends_at")
        perSecond = try row.get("per_second")
        let skipAfter: Int? = try row.get("skip_after")
        ordering =
            switch try row.get("ordering", as: String.self) {
            case "block": .block
            case "skip": .skip(after: skipAfter ?? 1)
            default: .none
            }
        state = State(rawValue: try row.get("state")) ?? .disabled
        disabledReason = try row.get("disabled_reason", as: String?.self).flatMap(DisabledReason.init)
        disabledAt = try row.get("disabled_at")
        failingSince = try row.get("failing_since")
        slowUntil = try row.get("slow_until")
        version = try row.get("version")
        createdAt = try row.get("created_at")
    }
}

extension EventPattern {
    /// Patterns as they are stored: separated by spaces.
    static func list(stored text: String) -> [EventPattern] {
        text.split(separator: " ").compactMap { EventPattern(String($0)) }
    }
}

extension [EventPattern] {
    /// As ``EventPattern/list(stored:)`` reads them.
    var stored: String { map(\.description).joined(separator: " ") }
}
