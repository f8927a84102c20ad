import AdminShell
import Domain
import HTTPKit
import LogKit
import TemplateKit
import TimeKit

/// What an app's author needs, this once: when it was made, and when it was given another secret.
struct AppSecretPage: ShellPage {
    static let template = "oauth-app-secret"
    static let sample = AppSecretPage(
        app: .sample, secret: Secret("hub_cs_…"), isRolled: true, issuer: "https://hub.example",
        doneHref: "/oauth-apps/1", now: Timestamp(seconds: 90))

    let app: AppRecord
    /// Nil for a public app.
    let secret: Secret<String>?
    let isRolled: Bool
    let issuer: String
    let doneHref: String
    let now: Timestamp

    var title: String { isRolled ? "Secret rolled" : "App created" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        [
            "name": .text(app.name), "client_id": .text(app.clientID),
            "secret": secret.map { .text($0.reveal { $0 }) } ?? .null, "is_rolled": .bool(isRolled),
            "previous_ends": app.livingPrevious(now: now)?.endsAt?.view(now: now) ?? .null,
            "scopes": .text(app.scopes.sentence), "issuer": .text(issuer), "done_href": .text(doneHref),
        ]
    }
}

/// Asks how long the present secret lives on when an app gets another one.
struct AppRollPage: ShellPage {
    static let template = "oauth-app-roll"
    static let sample = AppRollPage(
        app: .sample, appHref: "/oauth-apps/1", action: "/oauth-apps/1/roll-secret", typed: nil, problem: nil,
        now: Timestamp(seconds: 90))

    let app: AppRecord
    let appHref: String
    let action: String
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { "Roll the secret of “\(app.name)”" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        let form = FormView([.grace(usual: OAuthServer.usualGrace)], typed: typed, problem: problem)
        return [
            "app_href": .text(appHref), "action": .text(action), "name": .text(app.name),
            "masked": .text(app.maskedSecret ?? ""),
            "previous": app.livingPrevious(now: now).map { .text(ClientSecret.masked($0.lastFour)) } ?? .null,
            "form_errors": form.summary, "fields": form.list,
        ]
    }
}

/// Asks before an app is removed, or before all that it holds is ended; its name is typed in.
struct AppConfirmPage: ShellPage {
    /// What is about to happen.
    enum Deed: Sendable {
        case delete, revokeTokens
    }

    static let template = "oauth-app-confirm"
    static let sample = AppConfirmPage(
        deed: .delete, app: .sample, consents: 12, backHref: "/oauth-apps/1", action: "/oauth-apps/1/delete",
        typed: nil,
        problem: nil, now: Timestamp(seconds: 90))

    let deed: Deed
    let app: AppRecord
    let consents: Int
    let backHref: String
    let action: String
    let typed: Form?
    let problem: Problem?
    let now: Timestamp

    var title: String { deed == .delete ? "Remove app “\(app.name)”?" : "End all access of “\(app.name)”?" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        let form = FormView(
            [
                FormField(
                    "confirm_name", "Type the name “\(app.name)” to confirm",
                    .line(type: "text", autocomplete: "off", inputMode: nil, isPlain: true), maxLength: 100)
            ], typed: typed, problem: problem)
        return [
            "back_href": .text(backHref), "action": .text(action), "name": .text(app.name), "title": .text(title),
            "sentence": .text(sentence), "used": app.lastUsedAt?.view(now: now) ?? .null,
            "button": .text(deed == .delete ? "Remove app" : "End all access"),
            "form_errors": form.summary, "fields": form.list,
        ]
    }

    private var sentence: String {
        let people =
            consents == 0
            ? "Nobody has allowed it anything."
            : "\(consents.counted("person has", "people have")) allowed it something."
        return switch deed {
        case .delete: "This cannot be undone. \(people) Whatever it holds is refused from this moment on."
        case .revokeTokens:
            "\(people) Whatever it holds is refused from this moment on, and each of them must allow it anew."
        }
    }
}

/// What an app holds.
struct AppTokensPage: ShellPage {
    static let template = "oauth-app-tokens"
    static let sample = AppTokensPage(
        app: .sample, appHref: "/oauth-apps/1", revokeAllHref: "/oauth-apps/1/tokens/revoke-all",
        tokens: [(.sample, "/oauth-apps/1/tokens/1/revoke")], firstHref: nil, nextHref: "/oauth-apps/1/tokens?cursor=x",
        now: Timestamp(seconds: 90))

    let app: AppRecord
    let appHref: String
    /// Nil for who may not end anything.
    let revokeAllHref: String?
    let tokens: [(token: HeldToken, action: String?)]
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { "Access of “\(app.name)”" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        [
            "app_href": .text(appHref), "name": .text(app.name),
            "has_tokens": .bool(!tokens.isEmpty || firstHref != nil),
            "revoke_all_href": TemplateValue(revokeAllHref), "tokens": .list(tokens.map(row)), "pagination": pagination,
        ]
    }

    private func row(_ item: (token: HeldToken, action: String?)) -> TemplateValue {
        let token = item.token
        let name: String =
            switch token.kind {
            case .clientCredentials: "The app itself"
            case .grant: token.person?.name ?? "A person of \(token.organizationName)"
            }
        return [
            "name": .text(name), "scopes": .text(token.scopes.sentence.capitalizedFirst),
            "created": token.createdAt.view(now: now), "expires": token.expiresAt.view(now: now),
            "used": token.lastUsedAt?.view(now: now) ?? .null, "is_own": .bool(token.kind == .clientCredentials),
            "revoke_action": TemplateValue(item.action),
        ]
    }

    private var pagination: TemplateValue {
        guard firstHref != nil || nextHref != nil else { return .null }
        return [
            "text": "Newest first", "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref),
        ]
    }
}
