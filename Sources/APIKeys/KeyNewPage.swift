import AdminShell
import Domain
import HTTPKit
import TemplateKit

/// A right that the form offers by a box of its own.
struct GrantableScope: Sendable {
    let resource: Resource
    let isWriting: Bool

    var scope: Scope { isWriting ? .write(resource) : .read(resource) }

    /// The resources that the form names, each with what stands beside it; all others are typed.
    static let offered: [(resource: Resource, label: String, help: String, isWritable: Bool)] = [
        (.connections, "Connections", "List, test, create and change connections; never their secrets", true),
        (.credentials, "Credentials", "The live secrets of connections", false),
        (.providers, "Providers", "The catalogue of services", false),
        (.apiKeys, "API keys", "Keys of this organization", true),
        (.organization, "Organization", "People and workspaces", true),
        (.audit, "Audit log", "Who did what", false),
    ]

    static let all = offered.flatMap { offer in
        [GrantableScope(resource: offer.resource, isWriting: false)]
            + (offer.isWritable ? [GrantableScope(resource: offer.resource, isWriting: true)] : [])
    }
}

/// The form that makes a key.
struct KeyNewPage: ShellPage {
    static let template = "api-key-new"
    static let sample = KeyNewPage(
        listHref: "/api-keys", action: "/api-keys/new", defaultDays: 365, allowed: GrantableScope.all, typed: nil,
        problem: .invalid("scopes", "required", "Choose at least one."))

    let listHref: String
    let action: String
    let defaultDays: Int
    let allowed: [GrantableScope]
    let typed: Form?
    let problem: Problem?

    var title: String { "Create key" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        let form = FormView(fields, typed: typed, problem: problem)
        return [
            "list_href": .text(listHref), "action": .text(action), "form_errors": form.summary,
            "fields": form.list(["name"]), "end_fields": form.list(["other_scopes", "expires_in_days"]),
            "scopes_error": TemplateValue(problem?.errors.first { $0.field == "scopes" }?.detail),
            "resources": .list(GrantableScope.offered.compactMap(view)),
        ]
    }

    private var fields: [FormField] {
        [
            FormField("name", "Name", help: "What uses this key, such as “nightly export”.", maxLength: 100),
            // Drawn by the template itself; here so that the summary can name it and lead to it.
            FormField("scopes", "What it may do", id: "scopes"),
            FormField(
                "other_scopes", "Scopes of your own", .lines(rows: 2),
                help: "One per line or separated by spaces, such as payments:read, projects:* or admin:*.",
                isOptional: true,
                width: .wide),
            FormField("expires_in_days", "Expires", .select(ends), width: .short, initial: ["\(defaultDays)"]),
        ]
    }

    private var ends: [FormField.Option] {
        Set([30, 90, 365, defaultDays]).sorted().map { days in
            FormField.Option("\(days)", days == 365 ? "in 1 year" : days == 1 ? "tomorrow" : "in \(days) days")
        } + [FormField.Option("", "never")]
    }

    private func view(_ offer: (resource: Resource, label: String, help: String, isWritable: Bool)) -> TemplateValue? {
        let read = box(offer.resource, isWriting: false)
        let write = box(offer.resource, isWriting: true)
        guard read != .null || write != .null else { return nil }
        return ["label": .text(offer.label), "help": .text(offer.help), "read": read, "write": write]
    }

    private func box(_ resource: Resource, isWriting: Bool) -> TemplateValue {
        guard let right = allowed.first(where: { $0.resource == resource && $0.isWriting == isWriting }) else {
            return .null
        }
        let chosen = typed?.all("scopes") ?? [Scope.read(.connections).description]
        return [
            "id": .text("scope-\(resource.rawValue)-\(isWriting ? "write" : "read")"),
            "value": .text(right.scope.description),
            "checked": .bool(chosen.contains(right.scope.description)),
        ]
    }
}
