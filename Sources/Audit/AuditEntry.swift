import DatabaseKit
import Domain
import JSONKit
import TimeKit

/// One thing that somebody did.
public struct AuditEntry: Sendable {
    /// How it is meant on a timeline.
    public enum Tone: String, Sendable {
        /// Something works that did not.
        case good
        /// Something that worked does not.
        case bad
        /// Neither.
        case none
    }

    let id: Identifier<AuditEvent>
    /// When.
    public let occurredAt: Timestamp
    let actorKind: Actor.Kind
    let actorID: [UInt8]?
    let actorName: String
    let action: String
    let objectKind: String
    let objectID: [UInt8]?
    let objectName: String
    let details: JSON
    let remoteAddress: String
    let requestID: String

    /// Who, as people call them.
    public var actor: String { actorKind == .hub ? "The hub" : actorName }
    /// What, to be read after ``actor``: `connected Telegram “alerts”`.
    public var sentence: String { "\(deed.words) \(quotedObject)" }
    /// Whether it is good news.
    public var tone: Tone { deed.tone }

    var deed: Deed { Deed(action: action, objectKind: objectKind) }

    /// The thing's name in quotes, unless the name brings its own or is one of a person or an organization.
    private var quotedObject: String {
        switch objectKind {
        case "user", "organization": objectName
        default: objectName.contains("“") ? objectName : "“\(objectName)”"
        }
    }
}

extension AuditEntry {
    init(_ row: Row) throws {
        let details: String = try row.get("details")
        self.init(
            id: try row.get("id"), occurredAt: try row.get("occurred_at"),
            actorKind: Actor.Kind(rawValue: try row.get("actor_kind")) ?? .hub, actorID: try row.get("actor_id"),
            actorName: try row.get("actor_name"), action: try row.get("action"), objectKind: try row.get("object_kind"),
            objectID: try row.get("object_id"), objectName: try row.get("object_name"),
            // What cannot be read is shown as nothing rather than keeping the whole log from being shown.
            details: (try? JSON(parsing: Array(details.utf8))) ?? .null, remoteAddress: try row.get("remote_address"),
            requestID: try row.get("request_id"))
    }
}

/// What was done, in words.
struct Deed: Equatable {
    /// A verb and what follows it up to the name of the thing.
    let words: String
    let tone: AuditEntry.Tone

    /// The words of an action; one without words of its own falls back on the ones it is written with.
    init(action: String, objectKind: String) {
        if let known = Self.known[action] {
            (words, tone) = known
        } else {
            let verb = (action.split(separator: ".").last ?? "changed").replacing("_", with: " ")
            (words, tone) = ("\(verb) the \(objectKind.replacing("_", with: " "))", .none)
        }
    }

    private static let known: [String: (String, AuditEntry.Tone)] = [
        "api_key.created": ("created the API key", .none),
        "api_key.disabled": ("disabled the API key", .none),
        "api_key.enabled": ("enabled the API key", .none),
        "api_key.previous_ended": ("ended the previous secret of the API key", .none),
        "api_key.renamed": ("renamed an API key to", .none),
        "api_key.revoked": ("revoked the API key", .none),
        "api_key.rolled": ("rolled the API key", .none),
        "api_key.updated": ("changed the API key", .none),
        "connection.called": ("called", .none),
        "connection.changed": ("changed", .none),
        "connection.created": ("connected", .good),
        "connection.disabled": ("switched off", .none),
        "connection.disconnected": ("disconnected", .none),
        "connection.enabled": ("switched on", .good),
        "connection.removed": ("removed", .none),
        "connection.renamed": ("renamed a connection to", .none),
        "connection.tested": ("tested", .none),
        "connection.updated": ("changed", .none),
        "delivery.retried": ("sent again", .none),
        "event_type.created": ("described the events", .none),
        "event_type.deleted": ("forgot the events", .none),
        "event_type.updated": ("changed what is said of the events", .none),
        "keyring.data_key_rewrapped": ("wrapped the organization's key anew under the master key", .none),
        "keyring.key_added": ("added the master key", .none),
        "keyring.key_promoted": ("made primary the master key", .none),
        "keyring.key_retired": ("retired the master key", .none),
        "message.failed": ("could not send, or not surely, over", .bad),
        "message.sent": ("sent over", .good),
        "organization.created": ("set up the organization", .good),
        "organization.notices_changed": ("changed where notices go of", .none),
        "organization.renamed": ("renamed the organization to", .none),
        "user.created": ("added", .none),
        "user.password_changed": ("changed the password of", .none),
        "webhook.created": ("added the webhook", .good),
        "webhook.deleted": ("removed the webhook", .none),
        "webhook.disabled": ("disabled the webhook", .none),
        "webhook.enabled": ("switched on the webhook", .good),
        "webhook.paused": ("paused the webhook", .none),
        "webhook.replayed": ("replayed deliveries to", .none),
        "webhook.secret_rolled": ("rolled the secret of the webhook", .none),
        "webhook.updated": ("changed the webhook", .none),
        "workspace.created": ("added the workspace", .none),
        "workspace.renamed": ("renamed a workspace to", .none),
    ]

    /// The action as a choice in a list: `API key created`.
    static func label(of action: String) -> String {
        let words = action.replacing(".", with: " ").replacing("_", with: " ").replacing("api ", with: "API ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}

/// A value that was changed, for people.
struct Change: Equatable {
    let field: String
    let before: String?
    let after: String?

    /// What an entry's details say.
    ///
    /// `{"from": …, "to": …}` is the name; a member of that shape is a field of its own; anything else is what was set.
    static func list(_ details: JSON) -> [Change] {
        if let before = details["from"], let after = details["to"] {
            return [Change(field: "Name", before: text(before), after: text(after))]
        }
        return (details.members ?? []).map { member in
            let isPair = member.value["from"] != nil || member.value["to"] != nil
            return Change(
                field: Deed.label(of: member.name), before: isPair ? text(member.value["from"]) : nil,
                after: text(isPair ? member.value["to"] : member.value))
        }
    }

    private static func text(_ value: JSON?) -> String? {
        switch value {
        case nil, .null: nil
        case .string(let text): text
        case .array(let elements): elements.compactMap(text).joined(separator: ", ")
        case .bool(let truth): truth ? "yes" : "no"
        case .some(let other): String(decoding: other.bytes, as: UTF8.self)
        }
    }
}
