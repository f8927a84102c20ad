import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

/// What a person has allowed an app, as it is shown to that person.
struct ConsentRecord: Sendable {
    let id: Identifier<OAuthConsent>
    let app: AppRecord
    let user: Identifier<User>
    let organization: Identifier<Organization>
    let organizationName: String
    let scopes: [Scope]
    let createdAt: Timestamp
    /// When anything that came of it was last used.
    let lastUsedAt: Timestamp?
    /// Whether the app holds anything of it now.
    let hasAccess: Bool
}

extension Consents {
    /// The most apps that one person is shown.
    static let most = 200

    /// What a person has allowed, the newest first; in one organization or in all of theirs.
    func list(
        of user: Identifier<User>, in organization: Identifier<Organization>? = nil,
        after last: Identifier<OAuthConsent>? = nil, only id: Identifier<OAuthConsent>? = nil, limit: Int = most,
        _ querying: some Querying
    ) throws -> [ConsentRecord] {
        var which: SQL = "c.user_id = \(user)"
        if let organization { which = "\(which) AND c.organization_id = \(organization)" }
        if let last { which = "\(which) AND c.id < \(last)" }
        if let id { which = "\(which) AND c.id = \(id)" }
        return try querying.rows(
            """
            SELECT c.id AS consent_id, c.user_id AS person_id, c.organization_id AS place_id, p.name AS place,
                   c.scopes AS allowed, c.created_at AS allowed_at,
                   (SELECT MAX(g.last_used_at) FROM oauth_grants g
                     WHERE g.user_id = c.user_id AND g.app_id = c.app_id
                           AND g.organization_id = c.organization_id) AS used_at,
                   EXISTS (SELECT 1 FROM oauth_grants g
                            WHERE g.user_id = c.user_id AND g.app_id = c.app_id
                                  AND g.organization_id = c.organization_id AND g.revoked_at IS NULL
                                  AND g.expires_at > \(world.now())) AS has_access,
                   \(AppRecord.columns)
              FROM oauth_consents c
              JOIN organizations p ON p.id = c.organization_id
              JOIN \(AppRecord.tables) ON a.id = c.app_id
             WHERE \(which)
             ORDER BY c.id DESC
             LIMIT \(limit)
            """
        ).map(ConsentRecord.init)
    }
}

extension ConsentRecord {
    fileprivate init(_ row: Row) throws(DatabaseError) {
        self.init(
            id: try row.get("consent_id"), app: try AppRecord(row), user: try row.get("person_id"),
            organization: try row.get("place_id"), organizationName: try row.get("place"),
            scopes: Scope.list(stored: try row.get("allowed")), createdAt: try row.get("allowed_at"),
            lastUsedAt: try row.get("used_at"), hasAccess: try row.get("has_access"))
    }

    /// As scripts see it.
    fileprivate var json: JSON {
        [
            "id": .string(id.text), "oauth_app_id": .string(app.id.text), "name": .string(app.name),
            "organization_id": .string(organization.text),
            "scopes": .array(scopes.map { .string($0.description) }), "has_access": .bool(hasAccess),
            "created_at": JSON(createdAt), "last_used_at": JSON(lastUsedAt),
        ]
    }
}

/// The apps that a person has let in.
extension OAuthServer {
    func accessPage(_ call: Call) throws -> Response {
        let browser = try call.browser()
        let found = try consents.list(of: browser.user, database)
        return try call.page(
            AccessPage(
                apps: found.map { ($0, call.link(ConsentRoute.revoke($0.id))) },
                hasSeveralOrganizations: (call.principal?.memberships.count ?? 0) > 1, now: world.now()))
    }

    func revokeConsent(_ id: Identifier<OAuthConsent>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let browser = try call.browser()
        guard let consent = try consents.list(of: browser.user, only: id, database).first else {
            throw Problem.notFound
        }
        try revoke(consent, call)
        return call.redirect(to: ConsentRoute.apps, saying: "“\(consent.app.name)” has no access any more.")
    }

    func listConsentsJSON(_ call: Call) throws -> Response {
        let part = try Listing<OAuthConsent>(of: call.request)
        let scope = try call.scope()
        let found =
            try person(scope).map { user in
                try consents.list(
                    of: user, in: scope.organization, after: part.last, limit: part.limit + 1, database)
            } ?? []
        return try call.list(
            found.prefix(part.limit).map(\.json), next: part.next(found, \.id), at: ConsentRoute.appsJSON)
    }

    func deleteConsent(_ id: Identifier<OAuthConsent>, _ call: Call) throws -> Response {
        let scope = try call.scope()
        // Of one's own nobody is asked for a right; a key must have been given it.
        if call.principal?.browser == nil { try call.require(.write(.oauthApps)) }
        guard let user = try person(scope),
            let consent = try consents.list(of: user, in: scope.organization, only: id, database).first
        else { throw Problem.notFound }
        try revoke(consent, call)
        return .noContent
    }

    /// The person for whom somebody speaks: themselves, or the holder of a key.
    private func person(_ scope: OrganizationScope) throws -> Identifier<User>? {
        try Holder(scope, in: database)?.user
    }

    /// Takes back what was allowed, with all that came of it, and writes it down where it was allowed.
    private func revoke(_ consent: ConsentRecord, _ call: Call) throws {
        guard let principal = call.principal else { throw Problem.notFound }
        // Who has left the organization since may still turn out what they let in there.
        let scope =
            OrganizationScope(
                of: principal, in: consent.organization, remoteAddress: call.request.remoteAddress,
                requestID: call.request.id)
            ?? OrganizationScope(
                trusted: consent.organization, name: consent.organizationName, actor: principal.actor,
                requestID: call.request.id)
        try change { transaction in
            let subject = Consents.Subject(
                app: consent.app.id, user: consent.user, organization: consent.organization)
            try consents.forget(subject, in: transaction)
            _ = try revokeGrants(.consent(subject), because: .person, in: transaction)
            try note(
                .consentRevoked, consent.app,
                details: ["person_id": .string(consent.user.text), "person": .string(principal.actor.name)], by: scope,
                in: transaction)
        }
    }
}

/// Every app that the person has let in, wherever.
struct AccessPage: ShellPage {
    static let template = "apps-with-access"
    static let sample = AccessPage(
        apps: [
            (
                ConsentRecord(
                    id: Identifier(.real), app: .sample, user: Identifier(.real), organization: Identifier(.real),
                    organizationName: "Acme Shop", scopes: [.read(.connections)], createdAt: Timestamp(seconds: 0),
                    lastUsedAt: Timestamp(seconds: 60), hasAccess: true), "/apps/1/revoke"
            )
        ], hasSeveralOrganizations: true, now: Timestamp(seconds: 90))

    let apps: [(consent: ConsentRecord, action: String)]
    let hasSeveralOrganizations: Bool
    let now: Timestamp

    var title: String { "Apps with access" }
    var place: Place? { .appsWithAccess }

    var view: TemplateValue { ["has_apps": .bool(!apps.isEmpty), "apps": .list(apps.map(row))] }

    private func row(_ item: (consent: ConsentRecord, action: String)) -> TemplateValue {
        let (consent, app) = (item.consent, item.consent.app)
        return [
            "name": .text(app.name), "tile": app.tile, "by": .text(app.organizationName),
            "website": TemplateValue(app.terms.websiteURL), "privacy": TemplateValue(app.terms.privacyPolicyURL),
            "state": state(consent), "organization": hasSeveralOrganizations ? .text(consent.organizationName) : .null,
            "scopes": .list(
                consent.scopes.map { ["words": .text($0.words.capitalizedFirst), "name": .text($0.description)] }),
            "since": consent.createdAt.view(now: now), "used": consent.lastUsedAt?.view(now: now) ?? .null,
            "revoke_action": .text(item.action),
        ]
    }

    private func state(_ consent: ConsentRecord) -> TemplateValue {
        guard consent.app.isUsable else { return ["tone": "off", "word": "App disabled"] }
        return consent.hasAccess
            ? ["tone": "good", "word": "Has access"] : ["tone": "off", "word": "Holds nothing now"]
    }
}
