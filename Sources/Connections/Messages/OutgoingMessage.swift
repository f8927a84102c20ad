import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// The id of something that is sent, which is also what the service is told to know it by, where it asks for that.
typealias MessageID = Identifier<OutgoingMessage>

/// How far something that is sent has come.
enum MessageStatus: String, CaseIterable, Sendable, Bindable, Readable {
    /// It waits for its first or its next attempt.
    case queued
    /// An attempt is under way.
    case sending
    /// The service took it.
    case sent
    /// The service refused it, or could not be reached for too long. It was not taken.
    case failed
    /// It may have been taken: an attempt was cut off, and the service cannot tell a repetition from another message.
    case unknown

    /// The state as pages name it.
    var word: String {
        switch self {
        case .queued: "Waiting"
        case .sending: "Sending"
        case .sent: "Sent"
        case .failed: "Failed"
        case .unknown: "Unknown"
        }
    }

    /// The tone of its dot: `good`, `warn`, `bad` or `off`.
    var tone: String {
        switch self {
        case .sent: "good"
        case .queued, .sending: "off"
        case .failed: "bad"
        case .unknown: "warn"
        }
    }

    /// Whether nothing more happens to it.
    var isFinal: Bool { self == .sent || self == .failed || self == .unknown }
}

/// A message or an event as the database knows it, its content still sealed.
public struct OutgoingMessage: Sendable {
    /// Why it was not taken, or not yet.
    struct Trouble: Sendable, Equatable {
        /// A stable word in `snake_case`.
        let code: String
        /// What happened, in words for people; never a secret, never the content.
        let sentence: String
    }

    let id: MessageID
    let organization: Identifier<Organization>
    let connection: Identifier<Connection>
    let kind: String
    let provider: String
    let recipientHint: String?
    let sealedContent: [UInt8]?
    let status: MessageStatus
    let providerID: String?
    let attempts: Int
    let trouble: Trouble?
    let dueAt: Timestamp?
    let leaseToken: [UInt8]?
    let leaseUntil: Timestamp?
    /// When the last attempt began.
    let attemptedAt: Timestamp?
    let requestDigest: [UInt8]?
    /// Who asked for it.
    let actor: Actor
    let requestID: String
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp
    let sentAt: Timestamp?

    static let columns: SQL = """
        m.id, m.organization_id, m.connection_id, m.kind, m.provider, m.recipient_hint, m.content_sealed, m.status,
        m.provider_id, m.attempts, m.error_code, m.error, m.due_at, m.lease_token, m.lease_until, m.attempted_at,
        m.request_digest, m.actor_kind, m.actor_id, m.actor_name, m.request_id, m.version, m.created_at, m.updated_at, m.sent_at
        """

    /// Where the content of a message stands.
    static func place(_ id: MessageID) -> Vault.Place { Vault.Place("outgoing_messages", id, "content_sealed") }
}

extension OutgoingMessage {
    init(_ row: Row) throws {
        id = try row.get("id")
        organization = try row.get("organization_id")
        connection = try row.get("connection_id")
        kind = try row.get("kind")
        provider = try row.get("provider")
        recipientHint = try row.get("recipient_hint")
        sealedContent = try row.get("content_sealed")
        status = try row.get("status")
        providerID = try row.get("provider_id")
        attempts = try row.get("attempts")
        let code: String? = try row.get("error_code")
        let sentence: String? = try row.get("error")
        trouble = code.map { Trouble(code: $0, sentence: sentence ?? "") }
        dueAt = try row.get("due_at")
        leaseToken = try row.get("lease_token")
        leaseUntil = try row.get("lease_until")
        attemptedAt = try row.get("attempted_at")
        requestDigest = try row.get("request_digest")
        actor = Actor(
            kind: Actor.Kind(rawValue: try row.get("actor_kind")) ?? .hub, id: try row.get("actor_id"),
            name: try row.get("actor_name"))
        requestID = try row.get("request_id")
        version = try row.get("version")
        createdAt = try row.get("created_at")
        updatedAt = try row.get("updated_at")
        sentAt = try row.get("sent_at")
    }
}

extension OutgoingMessage {
    /// A message of the samples, by which `hub doctor` and the tests render each page.
    static func sample(_ status: MessageStatus, _ trouble: Trouble?) -> OutgoingMessage {
        OutgoingMessage(
            id: MessageID(.real), organization: Identifier(.real), connection: Identifier(.real), kind: "message",
            provider: "telegram", recipientHint: "-10•••42", sealedContent: nil, status: status,
            providerID: status == .sent ? "42" : nil, attempts: 1, trouble: trouble,
            dueAt: status == .queued ? Timestamp(seconds: 120) : nil, leaseToken: nil, leaseUntil: nil,
            attemptedAt: Timestamp(seconds: 60), requestDigest: nil,
            actor: Actor(kind: .user, name: "ana@acme.example"), requestID: "-", version: 1,
            createdAt: Timestamp(seconds: 60), updatedAt: Timestamp(seconds: 60),
            sentAt: status == .sent ? Timestamp(seconds: 61) : nil)
    }
}
