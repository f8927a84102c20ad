import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// The organization's apps.
struct AppListPage: ShellPage {
    static let template = "oauth-apps"
    static let sample = AppListPage(
        canCreate: true, newHref: "/oauth-apps/new", listHref: "/oauth-apps",
        thirdPartyHref: "/oauth-apps/third-party", held: 1, limit: 5,
        apps: [(.sample, "/oauth-apps/1")], hasAny: true, query: Form([("q", "e")]), firstHref: "/oauth-apps",
        nextHref: "/oauth-apps?cursor=x", now: Timestamp(seconds: 90))

    let canCreate: Bool
    let newHref: String
    let listHref: String
    /// What people let the apps of other organizations do.
    let thirdPartyHref: String
    /// How many apps the one who looks has made.
    let held: Int
    let limit: Int
    let apps: [(app: AppRecord, href: String)]
    let hasAny: Bool
    let query: Form
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { query["q"].map { "OAuth apps “\($0)”" } ?? "OAuth apps" }
    var place: Place? { .oauthApps }

    var view: TemplateValue {
        [
            "can_create": .bool(canCreate), "new_href": .text(newHref), "has_apps": .bool(hasAny),
            "quota": canCreate
                ? .text(held == 0 ? "You may make \(limit)." : "You have made \(held) of at most \(limit).")
                : .text(""),
            "tabs": .list(tabs),
            "filters": [
                "action": .text(listHref), "state": TemplateValue(state?.rawValue), "text": .text(query["q"] ?? ""),
            ],
            "is_filtered": .bool(query["q"]?.isEmpty == false), "clear_href": .text(href(state)),
            "third_party_href": .text(thirdPartyHref), "nothing": .text(nothing), "apps": .list(apps.map(row)),
            "pagination": pagination,
        ]
    }

    private var state: AppFilter.State? { query["state"].flatMap(AppFilter.State.init) }

    private var tabs: [TemplateValue] {
        let all: [(AppFilter.State?, String)] = [(nil, "All"), (.active, "Active"), (.disabled, "Disabled")]
        return all.map { state, label in
            ["href": .text(href(state)), "label": .text(label), "is_current": .bool(state == self.state)]
        }
    }

    private func href(_ state: AppFilter.State?) -> String { listHref + (state.map { "?state=\($0.rawValue)" } ?? "") }

    private var nothing: String {
        if query["q"]?.isEmpty == false { return "No app here has this in its name." }
        return state == .disabled ? "No app is disabled." : "No app is active."
    }

    private func row(_ item: (app: AppRecord, href: String)) -> TemplateValue {
        let app = item.app
        return [
            "href": .text(item.href), "name": .text(app.name), "tile": app.tile, "client_id": .text(app.clientID),
            "owner": TemplateValue(app.ownerName), "kind": .text(app.kindWord), "state": app.stateView,
            "scopes": .list(scopes(of: app)), "used": app.lastUsedAt?.view(now: now) ?? .null,
            "created": app.createdAt.view(now: now),
        ]
    }

    /// Two lines: both scopes, or one and how many more.
    private func scopes(of app: AppRecord) -> [TemplateValue] {
        let names = app.scopes.map(\.description)
        let shown = names.count > 2 ? names.prefix(1) + ["+\(names.count - 1) more"] : names[...]
        return shown.map { ["text": .text($0)] }
    }

    private var pagination: TemplateValue {
        guard firstHref != nil || nextHref != nil else { return .null }
        return [
            "text": .text("\(apps.count.counted("app", "apps")), newest first"),
            "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref),
        ]
    }
}

extension AppRecord {
    /// Whether it keeps a secret, and how it came here, in a word.
    var kindWord: String { isDynamic ? "Registered itself" : isConfidential ? "Confidential" : "Public" }

    /// The value of the partial `state`.
    var stateView: TemplateValue {
        isUsable ? ["tone": "good", "word": "Active"] : ["tone": "off", "word": "Disabled"]
    }

    /// A tile with two letters, of a colour that stays with the app.
    var tile: TemplateValue {
        let colors = ["teal", "blue", "violet", "green", "orange", "rose", "indigo", "olive"]
        let words = name.split { !$0.isLetter && !$0.isNumber }
        let letters = words.count > 1 ? words.prefix(2).compactMap(\.first).map { String($0) }.joined() : nil
        return [
            "letters": .text((letters ?? String(name.prefix(2))).uppercased()),
            "color": .text(colors[Int(id.bytes[15]) % colors.count]),
        ]
    }

    /// An app for samples of pages.
    static let sample = AppRecord(
        id: Identifier(.real), organization: Identifier(.real), organizationName: "Acme Shop", owner: nil,
        ownerName: "Ana Kovač", ownerRole: .owner,
        terms: AppTerms(
            name: "Nightly export", description: "Copies orders to the warehouse.",
            websiteURL: "https://export.example", privacyPolicyURL: "https://export.example/privacy",
            redirectURIs: (try? RedirectURI("https://export.example/callback")).map { [$0] } ?? [],
            scopes: [.read(.connections), .write(.messages)], rateLimit: RateLimit()),
        isConfidential: true, isDynamic: false,
        secrets: [
            AppSecret(hash: [], lastFour: "Qa9x", endsAt: nil),
            AppSecret(hash: [], lastFour: "Zz01", endsAt: Timestamp(seconds: 3_600)),
        ], ownTokensAfter: nil, disabledAt: nil, lastUsedAt: Timestamp(seconds: 0), version: 1,
        createdAt: Timestamp(seconds: 0))
}
