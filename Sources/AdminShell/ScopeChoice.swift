import Domain
import HTTPKit
import TemplateKit

/// A right that forms offer by a box of its own.
public struct GrantableScope: Sendable {
    let resource: Resource
    let isWriting: Bool

    /// The right.
    public var scope: Scope { isWriting ? .write(resource) : .read(resource) }

    /// The resources that forms name, each with what stands beside it; all others are typed.
    static let offered: [(resource: Resource, label: String, help: String, isWritable: Bool)] = [
        (.connections, "Connections", "List, test, create and change connections; never their secrets", true),
        (.credentials, "Credentials", "The live secrets of connections", false),
        (.messages, "Messages", "Send over connections, and see what was sent", true),
        (.providers, "Providers", "The catalogue of services", false),
        (.webhooks, "Webhooks", "Who is told of events, and how it went", true),
        (.events, "Events", "What happened; publish more", true),
        (.apiKeys, "API keys", "Keys of this organization", true),
        (.oauthApps, "Apps", "Apps of this organization and their access", true),
        (.organization, "Organization", "People and workspaces", true),
        (.requestLogs, "Request log", "Each request, with its key and its answer", false),
        (.usage, "Usage", "How much each key is used", false),
        (.audit, "Audit log", "Who did what", false),
    ]

    /// Every right that is offered.
    public static let all = offered.flatMap { offer in
        [GrantableScope(resource: offer.resource, isWriting: false)]
            + (offer.isWritable ? [GrantableScope(resource: offer.resource, isWriting: true)] : [])
    }
}

/// The choice of what a credential may do: a box for each right that is offered, all others typed.
public struct ScopeChoice: Sendable {
    private let allowed: [GrantableScope]
    private let ticked: [String]
    private let initial: [Scope]
    private let title: String
    private let error: String?

    /// A choice as it is shown first, or again with what was chosen.
    ///
    /// - Parameters:
    ///   - title: what is chosen, in words, such as “What it may do”.
    ///   - allowed: the rights that whoever fills it in may give away.
    ///   - initial: what is chosen at first.
    public init(
        _ title: String, allowed: [GrantableScope], initial: [Scope], typed: Form? = nil, problem: Problem? = nil
    ) {
        self.title = title
        self.allowed = allowed
        self.initial = initial
        ticked = typed?.all("scopes") ?? initial.map(\.description)
        error = problem?.errors.first { $0.field == "scopes" }?.detail
    }

    /// The value of the partial `scope-choice`.
    public var view: TemplateValue {
        [
            "title": .text(title), "error": TemplateValue(error),
            "resources": .list(GrantableScope.offered.compactMap(row)),
        ]
    }

    /// The fields as a form's summary names them: the boxes, drawn by the partial itself, and the one that is typed in.
    public var fields: [FormField] {
        [
            FormField("scopes", title, id: "scopes"),
            FormField(
                "other_scopes", "Scopes of your own", .lines(rows: 2),
                help: "One per line or separated by spaces, such as payments:read, projects:* or admin:*.",
                isOptional: true, width: .wide, initial: [others.joined(separator: "\n")]),
        ]
    }

    /// The scopes that are written and not ticked.
    private var others: [String] {
        let offered = Set(allowed.map(\.scope))
        return initial.filter { !offered.contains($0) }.map(\.description)
    }

    private func row(_ offer: (resource: Resource, label: String, help: String, isWritable: Bool)) -> TemplateValue? {
        let read = box(offer.resource, isWriting: false)
        let write = box(offer.resource, isWriting: true)
        guard read != .null || write != .null else { return nil }
        return ["label": .text(offer.label), "help": .text(offer.help), "read": read, "write": write]
    }

    private func box(_ resource: Resource, isWriting: Bool) -> TemplateValue {
        guard let right = allowed.first(where: { $0.resource == resource && $0.isWriting == isWriting }) else {
            return .null
        }
        let scope = right.scope.description
        return [
            "id": .text("scope-\(resource.rawValue)-\(isWriting ? "write" : "read")"), "value": .text(scope),
            "checked": .bool(ticked.contains(scope)),
        ]
    }
}
