import AdminShell
import DatabaseKit
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

/// What a person of an organization let the app of another one do there.
struct ThirdPartyGrant: Sendable {
    let id: Identifier<OAuthGrant>
    let subject: Consents.Subject
    let appName: String
    /// The organization whose app it is.
    let makerName: String
    let person: (name: String, email: String)
    let scopes: [Scope]
    let createdAt: Timestamp
    let expiresAt: Timestamp
    let lastUsedAt: Timestamp?
}

/// Reads what people of one organization let the apps of others do there.
struct ThirdPartyStore: Sendable {
    let database: Database
    let world: World
    let scope: OrganizationScope

    /// The grants that still count, the newest first.
    func grants(
        after last: Identifier<OAuthGrant>? = nil, only id: Identifier<OAuthGrant>? = nil, limit: Int
    ) throws -> [ThirdPartyGrant] {
        var which: SQL = ""
        if let last { which = "\(which) AND g.id < \(last)" }
        if let id { which = "\(which) AND g.id = \(id)" }
        return try database.rows(
            """
            SELECT g.id, g.app_id, g.user_id, g.organization_id, a.name AS app, o.name AS maker, u.name AS person, u.email,
                   g.scopes, g.created_at, g.expires_at, g.last_used_at
              FROM oauth_grants g
              JOIN oauth_apps a ON a.id = g.app_id
              JOIN organizations o ON o.id = a.organization_id
              JOIN users u ON u.id = g.user_id
             WHERE g.organization_id = \(scope.organization) AND a.organization_id <> \(scope.organization)
                   AND g.revoked_at IS NULL AND g.expires_at > \(world.now()) \(which)
             ORDER BY g.id DESC
             LIMIT \(limit)
            """
        ).map(ThirdPartyGrant.init)
    }

    /// Whether an app is another organization's and was let in here, not long ago or still.
    func knows(_ app: Identifier<OAuthApp>) throws -> Bool {
        try database.row(
            """
            SELECT 1
              FROM oauth_grants g
              JOIN oauth_apps a ON a.id = g.app_id
             WHERE g.app_id = \(app) AND g.organization_id = \(scope.organization)
                   AND a.organization_id <> \(scope.organization)
             LIMIT 1
            """) != nil
    }
}

extension ThirdPartyGrant {
    fileprivate init(_ row: Row) throws(DatabaseError) {
        self.init(
            id: try row.get("id"),
            subject: .init(
                app: try row.get("app_id"), user: try row.get("user_id"), organization: try row.get("organization_id")),
            appName: try row.get("app"), makerName: try row.get("maker"),
            person: (try row.get("person"), try row.get("email")), scopes: Scope.list(stored: try row.get("scopes")),
            createdAt: try row.get("created_at"), expiresAt: try row.get("expires_at"),
            lastUsedAt: try row.get("last_used_at"))
    }

    /// As scripts see it.
    fileprivate var json: JSON {
        [
            "id": .string(id.text), "oauth_app_id": .string(subject.app.text), "name": .string(appName),
            "made_by": .string(makerName), "user_id": .string(subject.user.text), "user": .string(person.name),
            "scopes": .array(scopes.map { .string($0.description) }), "created_at": JSON(createdAt),
            "expires_at": JSON(expiresAt), "last_used_at": JSON(lastUsedAt),
        ]
    }
}

/// An organization looks after what its people let the apps of others do there.
extension OAuthServer {
    func thirdParty(_ scope: OrganizationScope) -> ThirdPartyStore {
        ThirdPartyStore(database: database, world: world, scope: scope)
    }

    func thirdPartyPage(_ call: Call) throws -> Response {
        let scope = try call.scope()
        let part = try Listing<OAuthGrant>(of: call.request)
        let found = try thirdParty(scope).grants(after: part.last, limit: part.limit + 1)
        let canWrite = scope.allows(.write(.oauthApps))
        return try call.page(
            ThirdPartyPage(
                appsHref: call.link(OAuthAppRoute.list),
                grants: found.prefix(part.limit).map {
                    ($0, canWrite ? call.link(ConsentRoute.endThirdParty($0.id)) : nil)
                }, firstHref: part.last == nil ? nil : call.link(ConsentRoute.thirdParty),
                nextHref: try call.link(ConsentRoute.thirdParty, next: part.next(found, \.id)), now: world.now()))
    }

    func endThirdParty(_ id: Identifier<OAuthGrant>, _ call: Call) throws -> Response {
        try call.form().requireNothing()
        let ended = try endThirdParty(id, by: call.scope())
        return call.redirect(
            to: ConsentRoute.thirdParty, saying: "“\(ended.appName)” has no access for \(ended.person.name) any more.")
    }

    func listThirdPartyJSON(_ call: Call) throws -> Response {
        let part = try Listing<OAuthGrant>(of: call.request)
        let found = try thirdParty(call.scope()).grants(after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map(\.json), next: part.next(found, \.id), at: ConsentRoute.thirdPartyJSON)
    }

    func deleteThirdParty(_ id: Identifier<OAuthGrant>, _ call: Call) throws -> Response {
        _ = try endThirdParty(id, by: call.scope())
        return .noContent
    }

    /// Ends what a person let an app do here, with the consent, and writes it down.
    private func endThirdParty(
        _ id: Identifier<OAuthGrant>, by scope: OrganizationScope
    ) throws -> ThirdPartyGrant {
        guard let grant = try thirdParty(scope).grants(only: id, limit: 1).first,
            let app = try AppReader.find(grant.subject.app, in: database)
        else { throw Problem.notFound }
        try change { transaction in
            try consents.forget(grant.subject, in: transaction)
            _ = try revokeGrants(.consent(grant.subject), because: .administrator, in: transaction)
            try note(
                .consentRevoked, app,
                details: ["person_id": .string(grant.subject.user.text), "person": .string(grant.person.email)],
                by: scope, in: transaction)
        }
        return grant
    }
}

/// What people here let the apps of other organizations do.
struct ThirdPartyPage: ShellPage {
    static let template = "oauth-third-party"
    static let sample = ThirdPartyPage(
        appsHref: "/oauth-apps",
        grants: [
            (
                ThirdPartyGrant(
                    id: Identifier(.real),
                    subject: .init(app: Identifier(.real), user: Identifier(.real), organization: Identifier(.real)),
                    appName: "Nightly export", makerName: "Other Shop", person: ("Mia Novak", "mia@acme.example"),
                    scopes: [.read(.connections)], createdAt: Timestamp(seconds: 0),
                    expiresAt: Timestamp(seconds: 2_592_000), lastUsedAt: nil), "/oauth-apps/third-party/1/revoke"
            )
        ], firstHref: nil, nextHref: "/oauth-apps/third-party?cursor=x", now: Timestamp(seconds: 90))

    let appsHref: String
    let grants: [(grant: ThirdPartyGrant, action: String?)]
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { "Apps of other organizations" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        [
            "apps_href": .text(appsHref), "has_grants": .bool(!grants.isEmpty || firstHref != nil),
            "grants": .list(grants.map(row)), "pagination": pagination,
        ]
    }

    private func row(_ item: (grant: ThirdPartyGrant, action: String?)) -> TemplateValue {
        let grant = item.grant
        return [
            "app": .text(grant.appName), "maker": .text(grant.makerName), "person": .text(grant.person.name),
            "scopes": .text(grant.scopes.sentence.capitalizedFirst), "created": grant.createdAt.view(now: now),
            "used": grant.lastUsedAt?.view(now: now) ?? .null, "expires": grant.expiresAt.view(now: now),
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
