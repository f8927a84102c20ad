import AdminShell
import Domain
import TemplateKit
import TimeKit

/// One app: what it may ask for, who lets it in, and what happened to it.
struct AppPage: ShellPage {
    /// The paths of what can be done.
    struct Links: Sendable {
        let list: String
        let edit: String
        let roll: String
        let endPrevious: String
        let disable: String
        let enable: String
        let delete: String
        let tokens: String
        let activity: String
        let requests: String

        init(_ id: Identifier<OAuthApp>, _ call: Call) {
            list = call.link(OAuthAppRoute.list)
            edit = call.link(OAuthAppRoute.edit(id))
            roll = call.link(OAuthAppRoute.roll(id))
            endPrevious = call.link(OAuthAppRoute.endPrevious(id))
            disable = call.link(OAuthAppRoute.disable(id))
            enable = call.link(OAuthAppRoute.enable(id))
            delete = call.link(OAuthAppRoute.delete(id))
            tokens = call.link(OAuthAppRoute.tokens(id))
            activity = call.shell.site.mount + "/audit-log?object_kind=oauth_app"
            requests = call.shell.site.mount + "/request-logs?oauth_app_id=\(id)"
        }

        init(sample: String) {
            (list, edit, roll, endPrevious, disable) = (sample, sample, sample, sample, sample)
            (enable, delete, tokens, activity, requests) = (sample, sample, sample, sample, sample)
        }
    }

    /// Where an app's author points their library to.
    struct Endpoints: Sendable {
        let issuer: String
        let metadata: String
    }

    static let template = "oauth-app"
    static let sample = AppPage(
        app: .sample, canWrite: true, canSeeRequests: true, links: Links(sample: "/oauth-apps/1"), consents: 12,
        activity: [AppActivity(action: "oauth_app.created", actor: "ana@acme.example", at: Timestamp(seconds: 0))],
        endpoints: Endpoints(
            issuer: "https://hub.example", metadata: "https://hub.example/.well-known/oauth-authorization-server"),
        now: Timestamp(seconds: 90))

    let app: AppRecord
    let canWrite: Bool
    let canSeeRequests: Bool
    let links: Links
    /// How many people let it in.
    let consents: Int
    /// The last lines of the audit log; nil for who may not read it.
    let activity: [AppActivity]?
    let endpoints: Endpoints
    let now: Timestamp

    var title: String { "App “\(app.name)”" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        .object([
            "list_href": .text(links.list), "name": .text(app.name), "tile": app.tile, "state": app.stateView,
            "sentence": .text(sentence), "attention": .list(attention), "can_change": .bool(canWrite),
            "edit_href": .text(links.edit), "roll_href": canWrite && app.isConfidential ? .text(links.roll) : .null,
            "previous": previous, "client": client,
            "redirects": .list(app.redirectURIs.map { ["text": .text($0.text)] }),
            "scopes": .list(
                app.scopes.map { ["name": .text($0.description), "words": .text($0.words.capitalizedFirst)] }),
            "grants": .list(app.grants.sorted.map { ["text": .text($0.label)] }), "limits": .list(limits),
            "disable_action": canWrite && app.isUsable ? .text(links.disable) : .null,
            "enable_action": canWrite && !app.isUsable ? .text(links.enable) : .null,
            "delete_href": canWrite ? .text(links.delete) : .null, "details": details, "access": access,
            "has_activity": .bool(activity != nil), "activity": .list((activity ?? []).map { $0.view(now: now) }),
            "activity_href": .text(links.activity),
        ])
    }

    private var sentence: String {
        guard app.isUsable else { return "It is disabled: nothing it holds opens anything until it is enabled." }
        return app.terms.description.isEmpty ? "It may ask to \(app.scopes.sentence)." : app.terms.description
    }

    private var attention: [TemplateValue] {
        guard app.isUsable, app.ownerRole == nil, app.grants.contains(.clientCredentials) else { return [] }
        return [
            [
                "tone": "warn", "title": "It gets no more tokens for itself.",
                "text": .text(
                    "\(app.ownerName ?? "Its owner") no longer belongs here. What people allowed it goes on."),
                "href": .null, "label": "",
            ]
        ]
    }

    private var client: TemplateValue {
        [
            "id": .text(app.clientID), "secret": TemplateValue(app.maskedSecret), "issuer": .text(endpoints.issuer),
            "metadata": .text(endpoints.metadata),
        ]
    }

    private var previous: TemplateValue {
        guard let previous = app.livingPrevious(now: now), let end = previous.endsAt else { return .null }
        return [
            "masked": .text(ClientSecret.masked(previous.lastFour)), "ends": end.view(now: now),
            "end_action": canWrite ? .text(links.endPrevious) : .null,
        ]
    }

    private var limits: [TemplateValue] {
        let limit = app.terms.rateLimit
        return [("A minute", limit.perMinute), ("An hour", limit.perHour), ("A day", limit.perDay)].map {
            ["label": .text($0.0), "value": .text($0.1.grouped)]
        }
    }

    private var access: TemplateValue {
        [
            "text": .text(
                consents == 0
                    ? "Nobody has allowed it anything yet."
                    : "\(consents.counted("person has", "people have")) allowed it something."),
            "tokens_href": .text(links.tokens), "requests_href": canSeeRequests ? .text(links.requests) : .null,
        ]
    }

    private var details: TemplateValue {
        [
            "kind": .text(app.kindWord), "owner": .text(app.ownerName ?? "command line"),
            "website": TemplateValue(app.terms.websiteURL), "privacy": TemplateValue(app.terms.privacyPolicyURL),
            "pushed": .bool(app.requiresPushedRequests), "used": app.lastUsedAt?.view(now: now) ?? .null,
            "disabled": app.disabledAt?.view(now: now) ?? .null, "created": app.createdAt.view(now: now),
            "id": .text(app.id.text),
        ]
    }
}

extension AppActivity {
    func view(now: Timestamp) -> TemplateValue {
        ["tone": .text(tone), "text": .text(text), "actor": .text(actor), "at": at.view(now: now)]
    }

    private var tone: String {
        switch deed {
        case .created, .enabled: "good"
        case .deleted, .tokensRevoked: "bad"
        default: "none"
        }
    }

    private var text: String {
        switch deed {
        case .created: "Created"
        case .updated: "Changed"
        case .secretRolled: "Rolled to a new secret"
        case .previousEnded: "Previous secret ended"
        case .disabled: "Disabled"
        case .enabled: "Enabled"
        case .deleted: "Removed"
        case .consentRevoked: "Access taken back"
        case .tokensRevoked: "Access ended"
        case nil: Self.words[action] ?? action
        }
    }

    /// What others noted about an app.
    private static let words = ["oauth_app.consented": "Access given", "oauth_grant.revoked": "Access ended"]
}

extension String {
    /// The same words at the beginning of a line.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
