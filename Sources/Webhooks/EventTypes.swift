import Domain
import HTTPKit
import JSONKit
import TimeKit

/// A kind of event as people read of it.
struct EventType: Sendable {
    let name: EventName
    let description: String
    let schema: SchemaRule?
    let example: JSON?
    let deprecatedAt: Timestamp?
    /// The most bytes of a schema, and of an example.
    static let mostBytes = 32_768

    /// Whether it stands in the program, and so cannot be changed.
    let isBuiltIn: Bool
    let version: Int64

    private init(_ type: DomainEventType) {
        self.init(type.rawValue, type.meaning, type.example)
    }

    private init(_ name: String, _ description: String, _ example: JSON) {
        guard let name = EventName(name) else { preconditionFailure("a built-in event has a name") }
        self.name = name
        self.description = description
        schema = nil
        self.example = example
        deprecatedAt = nil
        isBuiltIn = true
        version = 1
    }

    init(
        name: EventName, description: String, schema: SchemaRule?, example: JSON?, deprecatedAt: Timestamp?,
        version: Int64
    ) {
        self.name = name
        self.description = description
        self.schema = schema
        self.example = example
        self.deprecatedAt = deprecatedAt
        isBuiltIn = false
        self.version = version
    }

    /// The kinds that every organization has: those of seed 1 for the site, and the hub's own.
    static let builtIn: [EventType] = site + DomainEventType.allCases.map { EventType($0) } + [test]

    private static let site: [EventType] = [
        EventType("user.created", "A user signed up.", ["user_id": "u_1", "email": "ana@example.com"]),
        EventType("user.updated", "A user's details changed.", ["user_id": "u_1", "changed": ["email"]]),
        EventType("user.deleted", "A user was deleted.", ["user_id": "u_1"]),
        EventType(
            "payment.succeeded", "A payment went through.", ["payment_id": "p_1", "amount": 1_999, "currency": "EUR"]),
        EventType("payment.failed", "A payment failed.", ["payment_id": "p_1", "reason": "card_declined"]),
        EventType("subscription.created", "A subscription began.", ["subscription_id": "s_1", "plan": "pro"]),
        EventType("subscription.updated", "A subscription changed.", ["subscription_id": "s_1", "plan": "team"]),
        EventType("subscription.canceled", "A subscription was canceled.", ["subscription_id": "s_1"]),
        EventType(
            "ai.request.completed", "A request to an AI model was answered.", ["request_id": "r_1", "tokens": 512]),
        EventType("ai.request.failed", "A request to an AI model failed.", ["request_id": "r_1", "reason": "timeout"]),
        EventType("project.created", "A project was made.", ["project_id": "pr_1", "name": "Apollo"]),
        EventType("project.updated", "A project changed.", ["project_id": "pr_1", "changed": ["name"]]),
        EventType("project.completed", "A project was completed.", ["project_id": "pr_1"]),
    ]

    /// Whether only the hub tells of such events, so that a receiver can take its word for it.
    static func isReserved(_ name: EventName) -> Bool {
        name == test.name || DomainEventType(rawValue: name.description) != nil
            || name.description.hasPrefix("inbound.")
    }

    /// What a webhook is tried with, unless somebody says otherwise.
    static let test = EventType("webhook.test", "Somebody tries a webhook.", ["message": "This is a test."])
}

/// The kinds of events of one organization.
struct EventTypes: Sendable {
    let own: [EventType]

    /// All of them, by name.
    var all: [EventType] {
        (EventType.builtIn + own).sorted { $0.name.description < $1.name.description }
    }

    subscript(name: EventName) -> EventType? {
        own.first { $0.name == name } ?? EventType.builtIn.first { $0.name == name }
    }

    /// Notes what keeps an event from being taken: an unknown kind, or contents that break its schema.
    func check(_ name: EventName, _ data: JSON, _ input: inout Input) {
        guard !EventType.isReserved(name) else {
            return input.refuse("type", "reserved_event_type", "Events called “\(name)” are the hub's own.")
        }
        guard let type = self[name] else {
            if !name.description.hasPrefix("custom.") {
                input.refuse(
                    "type", "unknown_event_type",
                    "There is no kind of event called “\(name)”. Describe it first, or call it custom.….")
            }
            return
        }
        for fault in type.schema?.faults(in: data) ?? [] {
            input.refuse(fault.place.isEmpty ? "data" : "data.\(fault.place)", "breaks_schema", fault.detail)
        }
    }
}
