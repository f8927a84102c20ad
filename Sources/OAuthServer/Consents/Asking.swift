import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// What a person is told before they let an app in: the same beside a browser and beside a device.
struct Asking: Sendable {
    let app: AppRecord
    /// What it asks for.
    let scopes: [Scope]
    /// What the person has allowed it before.
    let remembered: [Scope]
    /// Where it could act: the person's organizations.
    let memberships: [Principal.Membership]
    /// The one that is chosen at first.
    let organization: Identifier<Organization>
    /// The person, by name and address.
    let person: (name: String, email: String)
    /// For how long it keeps what it gets, in a sentence.
    let life: String
    /// Where apps are turned out again.
    let appsHref: String
    let now: Timestamp

    private var isKnown: Bool { !remembered.isEmpty }
    private var hasNew: Bool { scopes.contains(where: isNew) }

    private func isNew(_ scope: Scope) -> Bool { !remembered.contains { $0.covers(scope) } }

    /// The question, as a title.
    var title: String {
        isKnown && hasNew
            ? "“\(app.name)” asks for more" : isKnown ? "Let “\(app.name)” in again?" : "Let “\(app.name)” in?"
    }

    /// What the partial `oauth-ask` names.
    var members: [String: TemplateValue] {
        [
            "app": [
                "name": .text(app.name), "tile": app.tile, "about": .text(app.terms.description),
                "organization": .text(app.organizationName), "website": TemplateValue(app.terms.websiteURL),
                "privacy": TemplateValue(app.terms.privacyPolicyURL), "created": app.createdAt.view(now: now),
            ],
            "title": .text(title), "person": ["name": .text(person.name), "email": .text(person.email)],
            "scopes": .list(scopes.map(row)), "is_known": .bool(isKnown), "has_new": .bool(isKnown && hasNew),
            "organizations": organizations, "organization_name": .text(chosenName), "life": .text(life),
            "warnings": .list(warnings), "apps_href": .text(appsHref),
        ]
    }

    private func row(_ scope: Scope) -> TemplateValue {
        [
            "words": .text(scope.words.capitalizedFirst), "name": .text(scope.description),
            "is_new": .bool(isKnown && isNew(scope)), "is_all": .bool(scope == .everything),
        ]
    }

    private var chosenName: String { memberships.first { $0.organization == organization }?.name ?? "" }

    /// The choice among several organizations; null with one, which is only named.
    private var organizations: TemplateValue {
        guard memberships.count > 1 else { return .null }
        let options = memberships.map { one -> TemplateValue in
            [
                "value": .text(one.organization.text), "label": .text(one.name),
                "selected": .bool(one.organization == organization),
            ]
        }
        return ["options": .list(options)]
    }

    private var warnings: [TemplateValue] {
        var texts: [String] = []
        if app.isDynamic {
            texts.append(
                "It registered itself here, so anybody may have chosen its name. Go on only if you just came from it.")
        }
        if scopes.contains(.everything) {
            texts.append("It asks for every right that you have yourself.")
        }
        return texts.map { ["text": .text($0)] }
    }
}

extension OAuthServer {
    /// What a person is told of an app that asks.
    func asking(_ app: AppRecord, _ scopes: [Scope], _ call: Call) throws -> Asking {
        let (browser, scope) = (try call.browser(), try call.scope())
        let subject = Consents.Subject(app: app.id, user: browser.user, organization: scope.organization)
        let renews = app.grants.contains(.refreshToken)
        return Asking(
            app: app, scopes: scopes, remembered: try consents.remembered(subject, in: database),
            memberships: call.principal?.memberships ?? [], organization: scope.organization,
            person: (browser.name, scope.actor.name),
            life: renews
                ? "Access ends once it has not been used for \(Duration.seconds(settings.refreshSeconds).longWords), "
                    + "and after \(settings.grantLife.longWords) in any case."
                : "Access ends after \(Duration.seconds(settings.accessSeconds).longWords).",
            appsHref: call.link(ConsentRoute.apps), now: world.now())
    }

    /// The person's answer, and in which of their organizations.
    func decision(_ input: inout Input, _ call: Call) throws -> (isAllowed: Bool, scope: OrganizationScope)? {
        let chosen = input.parsed("organization", orSay: "Choose one of your organizations.") { text in
            Identifier<Organization>(text)
        }
        let answer = input.parsed("decision", orSay: "Choose one of the two.") { ["allow": true, "deny": false][$0] }
        guard let answer = input.required("decision", answer), input.isComplete else { return nil }
        let own = try call.scope()
        guard let chosen, chosen != own.organization else { return (answer, own) }
        guard let principal = call.principal,
            let scope = OrganizationScope(
                of: principal, in: chosen, remoteAddress: call.request.remoteAddress, requestID: call.request.id)
        else {
            input.refuse("organization", "not_yours", "Choose one of your organizations.")
            return nil
        }
        return (answer, scope)
    }
}

extension Duration {
    /// `30 days`, `1 hour`: as a person would say it of something that lasts.
    var longWords: String {
        let seconds = Int(components.seconds)
        for (length, one, many) in [(86_400, "day", "days"), (3_600, "hour", "hours"), (60, "minute", "minutes")]
        where seconds >= length {
            return (seconds / length).counted(one, many)
        }
        return seconds.counted("second", "seconds")
    }
}
