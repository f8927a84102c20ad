import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// The organization's keys.
struct KeyListPage: ShellPage {
    static let template = "api-keys"
    static let sample = KeyListPage(
        canCreate: true, seesOthers: true, newHref: "/api-keys/new", listHref: "/api-keys", unusedHref: "/api-keys",
        me: nil, held: 1, limit: 10, keys: [(.sample, "/api-keys/1")], hasAny: true, query: Form([("q", "b")]),
        unusedCount: 2, soon: [(.sample, "/api-keys/1")], firstHref: "/api-keys", nextHref: "/api-keys?cursor=x",
        now: Timestamp(seconds: 90))

    let canCreate: Bool
    /// Whether keys of others are among them, so that there is something to choose.
    let seesOthers: Bool
    let newHref: String
    let listHref: String
    let unusedHref: String
    /// The user who looks: their own keys need no name beside them.
    let me: Identifier<User>?
    let held: Int
    let limit: Int
    let keys: [(key: KeyRecord, href: String)]
    let hasAny: Bool
    let query: Form
    /// How many keys nobody has used for 90 days, as far as they are counted.
    let unusedCount: Int
    /// Keys that end within a week.
    let soon: [(key: KeyRecord, href: String)]
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String {
        if let text = query["q"], !text.isEmpty { return "API keys with “\(text)”" }
        return Self.tabs.first { $0.shown != nil && $0.shown == shown }.map { "\($0.label): API keys" } ?? "API keys"
    }
    var place: Place? { .apiKeys }

    var view: TemplateValue {
        [
            "can_create": .bool(canCreate), "new_href": .text(newHref), "has_keys": .bool(hasAny),
            "quota": .text(held == 0 ? "You may hold \(limit)." : "You hold \(held) of at most \(limit)."),
            "attention": .list(attention), "tabs": .list(tabs), "filters": filters,
            "is_filtered": .bool(["q", "owner"].contains { query[$0]?.isEmpty == false }), "clear_href": clearHref,
            "nothing": .text(nothing), "keys": .list(keys.map(view)), "pagination": pagination,
        ]
    }

    // MARK: Filters

    private static let tabs: [(shown: KeyFilter.Shown?, label: String)] = [
        (nil, "All"), (.active, "Active"), (.expiring, "Ending soon"), (.unused, "Unused"), (.disabled, "Disabled"),
        (.ended, "Ended"),
    ]

    private var shown: KeyFilter.Shown? { query["state"].flatMap(KeyFilter.Shown.init) }

    private var tabs: [TemplateValue] {
        let others = query.pairs.filter { $0.name == "q" || $0.name == "owner" }.filter { !$0.value.isEmpty }
        return Self.tabs.map { tab in
            [
                "href": .text(href((tab.shown.map { [(name: "state", value: $0.rawValue)] } ?? []) + others)),
                "label": .text(tab.label), "is_current": .bool(tab.shown == shown),
            ]
        }
    }

    private var filters: TemplateValue {
        [
            "action": .text(listHref), "state": TemplateValue(shown?.rawValue), "text": .text(query["q"] ?? ""),
            "owners": seesOthers ? ["options": .list(owners)] : .null,
        ]
    }

    private var owners: [TemplateValue] {
        [("", "Everybody’s keys"), ("me", "My keys")].map { value, label in
            [
                "value": .text(value), "label": .text(label), "selected": .bool((query["owner"] ?? "") == value),
            ]
        }
    }

    private var clearHref: TemplateValue {
        .text(href(shown.map { [(name: "state", value: $0.rawValue)] } ?? []))
    }

    private func href(_ pairs: [(name: String, value: String)]) -> String {
        pairs.isEmpty ? listHref : "\(listHref)?\(Form(pairs: pairs).urlencoded)"
    }

    private var nothing: String {
        switch shown {
        case _ where query["q"]?.isEmpty == false: "No key here has this in its name or at its beginning."
        case .active: "No key is active."
        case .expiring: "No key ends within 30 days."
        case .unused: "Every active key was used within 90 days."
        case .disabled: "No key is disabled."
        case .ended, .expired, .revoked: "No key has expired or was revoked."
        case nil: "No key matches."
        }
    }

    // MARK: What needs somebody

    private var attention: [TemplateValue] {
        guard shown == nil, query["cursor"] == nil else { return [] }
        let ending = soon.prefix(2).compactMap { item -> TemplateValue? in
            guard let end = item.key.expiresAt else { return nil }
            return [
                "tone": "warn", "title": .text("“\(item.key.name)” ends \(end.relative(to: now))."),
                "text": "Whatever uses it is refused from then on.", "href": .text(item.href), "label": "Look at it",
            ]
        }
        guard unusedCount > 0, canCreate else { return ending }
        let unused: TemplateValue = [
            "tone": "warn",
            "title": .text(unusedCount == 1 ? "1 key is unused." : "\(unusedCount) keys are unused."),
            "text": .text("Nobody has needed \(unusedCount == 1 ? "it" : "them") for 90 days."),
            "href": .text(unusedHref), "label": "Review and revoke",
        ]
        return ending + [unused]
    }

    // MARK: Rows

    private func view(_ row: (key: KeyRecord, href: String)) -> TemplateValue {
        let key = row.key
        return [
            "href": .text(row.href), "name": .text(key.name), "masked": .text(key.masked),
            "owner": key.user == me && me != nil ? .null : .text(key.owner ?? "command line"),
            "scopes": .list(scopes(of: key)),
            "state": key.stateView(now: now), "limit": .text("\(key.terms.rateLimit.perMinute.grouped)/min"),
            "more_limit": .text("\(key.terms.rateLimit.perDay.grouped)/day"),
            "used": key.lastUsedAt?.view(now: now) ?? .null, "used_from": TemplateValue(key.lastUsedAddress),
            "expires": key.expiresAt?.view(now: now) ?? .null, "revoked": key.revokedAt?.view(now: now) ?? .null,
        ]
    }

    /// Two lines: both scopes, or one and how many more.
    private func scopes(of key: KeyRecord) -> [TemplateValue] {
        let names = key.scopes.map(\.description)
        let shown = names.count > 2 ? names.prefix(1) + ["+\(names.count - 1) more"] : names[...]
        return shown.map { ["text": .text($0)] }
    }

    private var pagination: TemplateValue {
        guard firstHref != nil || nextHref != nil else { return .null }
        return [
            "text": .text("\(keys.count.counted("key", "keys")), newest first"), "first_href": TemplateValue(firstHref),
            "next_href": TemplateValue(nextHref),
        ]
    }
}

extension KeyRecord {
    /// The key as it may be seen after it was made.
    var masked: String { "\(prefix)_…\(lastFour)" }

    /// The value of the partial `state`.
    func stateView(now: Timestamp) -> TemplateValue {
        switch state(now: now) {
        case .revoked: ["tone": "off", "word": "Revoked"]
        case .expired: ["tone": "off", "word": "Expired"]
        case .disabled: ["tone": "off", "word": "Disabled"]
        case .active:
            if let end = expiresAt, end - now < APIKeys.warning {
                ["tone": "warn", "word": "Expires soon"]
            } else if isUnused(now: now) {
                ["tone": "warn", "word": "Unused"]
            } else {
                ["tone": "good", "word": "Active"]
            }
        }
    }
}
