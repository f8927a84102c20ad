import AddressKit
import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

/// A right that forms offer by a box of its own.
struct GrantableScope: Sendable {
    let resource: Resource
    let isWriting: Bool

    var scope: Scope { isWriting ? .write(resource) : .read(resource) }

    /// The resources that forms name, each with what stands beside it; all others are typed.
    static let offered: [(resource: Resource, label: String, help: String, isWritable: Bool)] = [
        (.connections, "Connections", "List, test, create and change connections; never their secrets", true),
        (.credentials, "Credentials", "The live secrets of connections", false),
        (.messages, "Messages", "Send over connections, and see what was sent", true),
        (.providers, "Providers", "The catalogue of services", false),
        (.apiKeys, "API keys", "Keys of this organization", true),
        (.organization, "Organization", "People and workspaces", true),
        (.requestLogs, "Request log", "Each request, with its key and its answer", false),
        (.usage, "Usage", "How much each key is used", false),
        (.audit, "Audit log", "Who did what", false),
    ]

    static let all = offered.flatMap { offer in
        [GrantableScope(resource: offer.resource, isWriting: false)]
            + (offer.isWritable ? [GrantableScope(resource: offer.resource, isWriting: true)] : [])
    }
}

/// The fields of a key's terms, on the form that makes a key and on the one that changes it.
struct KeyForm: Sendable {
    let settings: APIKeys.Settings
    /// The rights that whoever fills it in may give away by a box.
    let allowed: [GrantableScope]
    /// The terms that it begins with; nil for a new key.
    let terms: KeyTerms?
    var typed: Form?
    var problem: Problem?

    /// What the partial `api-key-fields` names.
    var members: [String: TemplateValue] {
        let form = FormView(fields, typed: typed, problem: problem)
        return [
            "form_errors": form.summary, "name_fields": form.list(["name"]),
            "scopes_error": TemplateValue(problem?.errors.first { $0.field == "scopes" }?.detail),
            "resources": .list(GrantableScope.offered.compactMap(view)), "other_fields": form.list(["other_scopes"]),
            "end_fields": form.list(["expires_in_days", "expires_on"]), "limit_fields": form.list(limitNames),
            "more_fields": form.list(["allowed_ips", "metadata"]),
        ]
    }

    private var limitNames: [String] { RateLimit.Span.allCases.map(\.field) }

    private var fields: [FormField] {
        [
            FormField(
                "name", "Name", help: "What uses this key, such as “nightly export”.", maxLength: 100,
                initial: [terms?.name ?? ""]),
            // Drawn by the template itself; here so that the summary can name it and lead to it.
            FormField("scopes", "What it may do", id: "scopes"),
            FormField(
                "other_scopes", "Scopes of your own", .lines(rows: 2),
                help: "One per line or separated by spaces, such as payments:read, projects:* or admin:*.",
                isOptional: true, width: .wide, initial: [typedScopes.joined(separator: "\n")]),
            FormField("expires_in_days", "Expires", .select(ends), width: .medium, initial: [initialEnd]),
            FormField(
                "expires_on", "Date", .line(type: "date", autocomplete: "off", inputMode: nil, isPlain: true),
                help: "For “on a date”: the key ends when this day begins, in UTC.", isOptional: true, width: .short),
        ] + limits + [
            FormField(
                "allowed_ips", "Allowed addresses", .lines(rows: 3),
                help: """
                    One per line: 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32; bits beyond the length are cleared. \
                    Empty means from anywhere.
                    """,
                isOptional: true, width: .wide,
                initial: [terms?.allowedIPs.map(\.shortest).joined(separator: "\n") ?? ""]
            ),
            FormField(
                "metadata", "Metadata", .lines(rows: 3),
                help: "One name=value per line, such as team=billing; kept with the key, never a secret.",
                isOptional: true, width: .wide, initial: [metadata]),
        ]
    }

    private var limits: [FormField] {
        let limit = terms?.rateLimit ?? settings.rateLimit
        return RateLimit.Span.allCases.map { span in
            FormField(
                span.field, "Requests \(span == .hour ? "an" : "a") \(span.rawValue)",
                .line(type: "text", autocomplete: "off", inputMode: "numeric", isPlain: true),
                width: .short, initial: ["\(limit[span])"])
        }
    }

    private var metadata: String {
        (terms?.metadata ?? []).map { "\($0.name)=\($0.value.text ?? "")" }.joined(separator: "\n")
    }

    private var initialEnd: String { terms == nil ? "\(settings.defaultExpiryDays)" : TermsReader.keepsEnd }

    private var ends: [FormField.Option] {
        let kept = terms.map { terms in
            FormField.Option(
                TermsReader.keepsEnd, "as it is: \(terms.expiresAt.map { $0.exact.prefix { $0 != "," } } ?? "never")")
        }
        let days = Set([30, 90, 365, settings.defaultExpiryDays]).sorted().map { days in
            FormField.Option("\(days)", days == 365 ? "in 1 year" : days == 1 ? "tomorrow" : "in \(days) days")
        }
        return [kept].compactMap(\.self) + days
            + [FormField.Option(TermsReader.endsOnDate, "on a date"), FormField.Option("", "never")]
    }

    // MARK: Scopes

    private static let usual = [Scope.read(.connections)]

    /// The scopes that are written and not ticked.
    private var typedScopes: [String] {
        let offered = Set(allowed.map(\.scope))
        return (terms?.scopes ?? []).filter { !offered.contains($0) }.map(\.description)
    }

    private var ticked: [String] { typed?.all("scopes") ?? (terms?.scopes ?? Self.usual).map(\.description) }

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
        let scope = right.scope.description
        return [
            "id": .text("scope-\(resource.rawValue)-\(isWriting ? "write" : "read")"), "value": .text(scope),
            "checked": .bool(ticked.contains(scope)),
        ]
    }
}

/// The form that makes a key.
struct KeyNewPage: ShellPage {
    static let template = "api-key-new"
    static let sample = KeyNewPage(
        listHref: "/api-keys", action: "/api-keys/new",
        form: KeyForm(
            settings: .init(), allowed: GrantableScope.all, terms: nil,
            problem: .invalid("scopes", "required", "Choose at least one.")))

    let listHref: String
    let action: String
    let form: KeyForm

    var title: String { "Create key" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        .object(["list_href": .text(listHref), "action": .text(action)].merging(form.members) { one, _ in one })
    }
}

/// The form that changes a key.
struct KeyEditPage: ShellPage {
    static let template = "api-key-edit"
    static let sample = KeyEditPage(
        key: .sample, keyHref: "/api-keys/1", action: "/api-keys/1/edit", version: 1,
        form: KeyForm(settings: .init(), allowed: GrantableScope.all, terms: KeyRecord.sample.terms))

    let key: KeyRecord
    let keyHref: String
    let action: String
    /// The version that whoever fills it in has seen.
    let version: Int64
    let form: KeyForm

    var title: String { "Edit key “\(key.name)”" }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        .object(
            [
                "key_href": .text(keyHref), "action": .text(action), "name": .text(key.name),
                "version": .number(version),
            ].merging(form.members) { one, _ in one })
    }
}
