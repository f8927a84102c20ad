import AdminShell
import Domain
import HTTPKit
import TemplateKit

/// The fields of an app's terms, on the form that makes an app and on the one that changes it.
struct AppForm: Sendable {
    let settings: OAuthServer.Settings
    /// The rights that whoever fills it in may give away by a box.
    let allowed: [GrantableScope]
    /// The app that it begins with; nil for a new one.
    let app: AppRecord?
    var typed: Form?
    var problem: Problem?

    private static let identity = ["name", "description", "website_url", "privacy_policy_url"]

    /// What the partial `oauth-app-fields` names.
    var members: [String: TemplateValue] {
        let form = FormView(fields, typed: typed, problem: problem)
        return [
            "form_errors": form.summary, "identity_fields": form.list(Self.identity),
            "kind_fields": form.list(["confidential"]), "redirect_fields": form.list(["redirect_uris"]),
            "scope_choice": scopes.view, "other_fields": form.list(["other_scopes"]),
            "grant_fields": form.list(["grant_types", "require_pushed_authorization_requests"]),
            "limit_fields": form.list(RateLimit.Span.allCases.map(\.field)),
        ]
    }

    private var terms: AppTerms? { app?.terms }

    private var fields: [FormField] {
        identityFields + (app == nil ? [kind] : []) + [
            FormField(
                "redirect_uris", "Where the browser comes back to", .lines(rows: 3),
                help: """
                    One address per line, compared letter by letter: https://app.example/callback. For a program on \
                    somebody’s machine http://127.0.0.1/callback, at any port, or com.example.app:/callback.
                    """, isOptional: true, optionalWords: "needed when people sign in by browser", width: .wide,
                initial: [(terms?.redirectURIs ?? []).map(\.text).joined(separator: "\n")])
        ] + scopes.fields + [
            FormField(
                "grant_types", "How it gets its tokens", .choices(isMultiple: true, grants),
                initial: (terms?.grants ?? GrantType.usual(isConfidential: true)).sorted.map(\.rawValue)),
            FormField(
                "require_pushed_authorization_requests",
                "It must say what it asks for before the browser comes (pushed requests, RFC 9126)", .checkbox,
                isOptional: true, initial: [terms?.requiresPushedRequests == true ? "true" : ""]),
        ] + (terms?.rateLimit ?? settings.rateLimit).fields
    }

    private var identityFields: [FormField] {
        [
            FormField(
                "name", "Name", help: "People read it when they are asked for their consent.", maxLength: 100,
                initial: [terms?.name ?? ""]),
            FormField(
                "description", "What it is for", .lines(rows: 2), help: "One or two sentences, shown beside the name.",
                isOptional: true, width: .wide, maxLength: 500, initial: [terms?.description ?? ""]),
            link("website_url", "Website", "https://app.example", terms?.websiteURL),
            link("privacy_policy_url", "Privacy policy", "https://app.example/privacy", terms?.privacyPolicyURL),
        ]
    }

    private func link(_ name: String, _ label: String, _ example: String, _ initial: String?) -> FormField {
        FormField(
            name, label, .line(type: "url", autocomplete: "off", inputMode: "url", isPlain: true),
            help: "Such as \(example).", isOptional: true, width: .wide, maxLength: 500, initial: [initial ?? ""])
    }

    private var kind: FormField {
        FormField(
            "confidential", "Where it runs",
            .choices(
                isMultiple: false,
                [
                    .init(
                        "true", "On a server that can keep a secret",
                        help: "It gets a client secret, and may get tokens for itself."),
                    .init(
                        "false", "On people’s own devices, or in their browser",
                        help: "A public app: it has no secret, and people are asked each time."),
                ]), initial: ["true"])
    }

    private var grants: [FormField.Option] {
        GrantType.allCases.filter { app?.isConfidential ?? true || $0 != .clientCredentials }.map { grant in
            FormField.Option(grant.rawValue, grant.label, help: grant.help)
        }
    }

    private var usual: [Scope] { [.read(.connections)].filter { scope in allowed.contains { $0.scope == scope } } }

    private var scopes: ScopeChoice {
        ScopeChoice(
            "What it may ask for", allowed: allowed, initial: terms?.scopes ?? usual, typed: typed, problem: problem)
    }
}

extension GrantType {
    /// The way, as forms name it.
    var label: String {
        switch self {
        case .authorizationCode: "People sign in here and allow it"
        case .refreshToken: "It renews what has ended"
        case .clientCredentials: "It gets tokens for itself"
        case .deviceCode: "People type a code that their device shows"
        }
    }

    /// What it is called in documents, and what it is for.
    fileprivate var help: String {
        switch self {
        case .authorizationCode: "Authorization code with PKCE."
        case .refreshToken: "Refresh tokens, each used once."
        case .clientCredentials: "Client credentials: no person is asked. For apps with a secret."
        case .deviceCode: "Device authorization: for televisions, printers and command lines."
        }
    }
}

/// The form that makes an app.
struct AppNewPage: ShellPage {
    static let template = "oauth-app-new"
    static let sample = AppNewPage(
        listHref: "/oauth-apps", action: "/oauth-apps/new",
        form: AppForm(
            settings: .init(), allowed: GrantableScope.all, app: nil,
            problem: .invalid("scopes", "required", "Choose at least one.")))

    let listHref: String
    let action: String
    let form: AppForm

    var title: String { "Create app" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        .object(["list_href": .text(listHref), "action": .text(action)].merging(form.members) { one, _ in one })
    }
}

/// The form that changes an app.
struct AppEditPage: ShellPage {
    static let template = "oauth-app-edit"
    static let sample = AppEditPage(
        app: .sample, appHref: "/oauth-apps/1", action: "/oauth-apps/1/edit", version: 1,
        form: AppForm(settings: .init(), allowed: GrantableScope.all, app: .sample))

    let app: AppRecord
    let appHref: String
    let action: String
    /// The version that whoever fills it in has seen.
    let version: Int64
    let form: AppForm

    var title: String { "Edit app “\(app.name)”" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        .object(
            [
                "app_href": .text(appHref), "action": .text(action), "name": .text(app.name),
                "version": .number(version),
            ].merging(form.members) { one, _ in one })
    }
}
