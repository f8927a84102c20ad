import AddressKit
import AdminShell
import DatabaseKit
import Domain
import JSONKit
import TemplateKit
import TimeKit

/// One key: what it may do, how it is used, and what happened to it.
struct KeyPage: ShellPage {
    /// The paths of what can be done.
    struct Links: Sendable {
        let list: String
        let edit: String
        let roll: String
        let endPrevious: String
        let disable: String
        let enable: String
        let revoke: String
        let activity: String

        init(_ id: Identifier<APIKey>, _ call: Call) {
            list = call.link(APIKeyRoute.list)
            edit = call.link(APIKeyRoute.edit(id))
            roll = call.link(APIKeyRoute.roll(id))
            endPrevious = call.link(APIKeyRoute.endPrevious(id))
            disable = call.link(APIKeyRoute.disable(id))
            enable = call.link(APIKeyRoute.enable(id))
            revoke = call.link(APIKeyRoute.revoke(id))
            activity = call.shell.site.mount + "/audit-log?object_kind=api_key"
        }

        init(sample: String) {
            (list, edit, roll, endPrevious) = (sample, sample, sample, sample)
            (disable, enable, revoke, activity) = (sample, sample, sample, sample)
        }
    }

    static let template = "api-key"
    static let sample = KeyPage(
        key: .sample, canWrite: true, links: Links(sample: "/api-keys/1"),
        activity: [KeyActivity(action: "api_key.created", actor: "ana@acme.example", at: Timestamp(seconds: 0))],
        usage: [
            "has_requests": .bool(true), "spark": Sparkline([1, 3, 2], label: "6 requests in 30 days").view,
            "figures": [["label": "Requests", "value": "4 120"]], "href": "/usage", "log_href": "/request-logs",
        ], site: "https://hub.example",
        now: Timestamp(seconds: 90))

    let key: KeyRecord
    let canWrite: Bool
    let links: Links
    /// The last lines of the audit log; nil for who may not read it.
    let activity: [KeyActivity]?
    /// What the partial `key-usage` shows; nil for nothing.
    let usage: TemplateValue?
    let site: String
    let now: Timestamp

    var title: String { "Key “\(key.name)”" }
    var place: Place? { .apiKeys }
    private var state: KeyRecord.State { key.state(now: now) }
    private var canChange: Bool { canWrite && !state.isEnded }

    var view: TemplateValue {
        .object([
            "list_href": .text(links.list), "name": .text(key.name), "state": key.stateView(now: now),
            "sentence": .text(sentence), "attention": .list(attention), "can_change": .bool(canChange),
            "edit_href": .text(links.edit), "roll_href": .text(links.roll), "scopes": .list(scopes),
            "limits": .list(limits), "addresses": .list(key.terms.allowedIPs.map { ["text": .text($0.shortest)] }),
            "previous": previous, "usage": TemplateValue(usage), "example": example,
            "has_metadata": .bool(!key.terms.metadata.isEmpty), "metadata": .list(metadata),
            "disable_action": canChange && state == .active ? .text(links.disable) : .null,
            "enable_action": canChange && state == .disabled ? .text(links.enable) : .null,
            "revoke_href": canWrite && state != .revoked ? .text(links.revoke) : .null, "details": details,
            "has_activity": .bool(activity != nil), "activity": .list((activity ?? []).map { $0.view(now: now) }),
            "activity_href": .text(links.activity),
        ])
    }

    private var sentence: String {
        switch state {
        case .active: "It may \(key.scopes.sentence)."
        case .disabled: "Nothing gets in with it until it is enabled again."
        case .expired: "It has expired and opens nothing any more."
        case .revoked: "It was revoked and opens nothing any more."
        }
    }

    private var attention: [TemplateValue] {
        guard state == .active else { return [] }
        if let end = key.expiresAt, end - now < APIKeys.warning {
            return [
                [
                    "tone": "warn", "title": .text("It ends \(end.relative(to: now))."),
                    "text": "Whatever uses it is refused from then on. Give it a later end, or create another.",
                    "href": canWrite ? .text(links.edit) : .null, "label": "Change the end",
                ]
            ]
        }
        guard key.isUnused(now: now) else { return [] }
        return [
            [
                "tone": "warn", "title": "Nobody has used it for 90 days.",
                "text": "A key that nobody needs is only a risk.", "href": canWrite ? .text(links.revoke) : .null,
                "label": "Revoke key",
            ]
        ]
    }

    private var scopes: [TemplateValue] {
        key.scopes.map { ["name": .text($0.description), "words": .text($0.words.capitalizedFirst)] }
    }

    private var limits: [TemplateValue] {
        let limit = key.terms.rateLimit
        return [("A minute", limit.perMinute), ("An hour", limit.perHour), ("A day", limit.perDay)].map {
            ["label": .text($0.0), "value": .text($0.1.grouped)]
        }
    }

    private var previous: TemplateValue {
        guard let previous = key.livingPrevious(now: now) else { return .null }
        return [
            "masked": .text("\(previous.prefix)_…\(previous.lastFour)"), "ends": previous.endsAt.view(now: now),
            "end_action": canWrite ? .text(links.endPrevious) : .null,
        ]
    }

    private var example: TemplateValue {
        guard !state.isEnded else { return .null }
        return .text("curl \(site)\(key.examplePath) \\\n  -H 'Authorization: Bearer \(key.masked)'")
    }

    private var metadata: [TemplateValue] {
        key.terms.metadata.map { ["label": .text($0.name), "value": .text($0.value.text ?? "")] }
    }

    private var details: TemplateValue {
        [
            "masked": .text(key.masked), "owner": .text(key.owner ?? "command line"),
            "created": key.createdAt.view(now: now), "used": key.lastUsedAt?.view(now: now) ?? .null,
            "used_from": TemplateValue(key.lastUsedAddress), "expires": key.expiresAt?.view(now: now) ?? .null,
            "disabled": key.disabledAt?.view(now: now) ?? .null, "revoked": key.revokedAt?.view(now: now) ?? .null,
            "id": .text(key.id.text),
        ]
    }
}

/// A line of the audit log about a key.
struct KeyActivity: Sendable {
    let action: String
    let actor: String
    let at: Timestamp

    init(_ row: Row) throws(DatabaseError) {
        self.init(
            action: try row.get("action"), actor: try row.get("actor_name"), at: try row.get("occurred_at"))
    }

    init(action: String, actor: String, at: Timestamp) {
        self.action = action
        self.actor = actor
        self.at = at
    }

    func view(now: Timestamp) -> TemplateValue {
        ["tone": .text(tone), "text": .text(text), "actor": .text(actor), "at": at.view(now: now)]
    }

    private var deed: KeyDeed? { KeyDeed(rawValue: String(action.dropFirst("api_key.".count))) }

    private var tone: String {
        switch deed {
        case .created, .enabled: "good"
        case .revoked: "bad"
        default: "none"
        }
    }

    private var text: String {
        switch deed {
        case .created: "Created"
        case .updated: "Changed"
        case .rolled: "Rolled to a new secret"
        case .previousEnded: "Previous secret ended"
        case .disabled: "Disabled"
        case .enabled: "Enabled"
        case .revoked: "Revoked"
        case .expiring, .unused, nil: action == "api_key.renamed" ? "Renamed" : action
        }
    }
}

extension String {
    /// The same words at the beginning of a line.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
