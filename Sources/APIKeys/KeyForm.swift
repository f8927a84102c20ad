import AddressKit
import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

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
            "scope_choice": scopes.view, "other_fields": form.list(["other_scopes"]),
            "end_fields": form.list(["expires_in_days", "expires_on"]), "limit_fields": form.list(limitNames),
            "more_fields": form.list(["allowed_ips", "metadata"]),
        ]
    }

    private var limitNames: [String] { RateLimit.Span.allCases.map(\.field) }

    private var fields: [FormField] {
        [
            FormField(
                "name", "Name", help: "What uses this key, such as “nightly export”.", maxLength: 100,
                initial: [terms?.name ?? ""])
        ] + scopes.fields + [
            FormField("expires_in_days", "Expires", .select(ends), width: .medium, initial: [initialEnd]),
            FormField(
                "expires_on", "Date", .line(type: "date", autocomplete: "off", inputMode: nil, isPlain: true),
                help: "For “on a date”: the key ends when this day begins, in UTC.", isOptional: true, width: .short),
        ] + limit.fields + [
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

    private var limit: RateLimit { terms?.rateLimit ?? settings.rateLimit }

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

    private var usual: [Scope] { [.read(.connections)].filter { scope in allowed.contains { $0.scope == scope } } }

    private var scopes: ScopeChoice {
        ScopeChoice(
            "What it may do", allowed: allowed, initial: terms?.scopes ?? usual, typed: typed,
            problem: problem)
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
