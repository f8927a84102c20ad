import AdminShell
import DatabaseKit
import Domain
import JSONKit
import TemplateKit
import TimeKit

/// One connection: how it is, what it is set up with, and what happened to it.
struct ConnectionPage: ShellPage {
    /// The paths of what can be done.
    struct Links: Sendable {
        let list: String
        let edit: String
        let test: String
        let enable: String
        let disable: String
        let disconnect: String
        let remove: String
        let activity: String

        init(_ id: Identifier<Connection>, _ call: Call) {
            list = call.link(ConnectionRoute.list)
            edit = call.link(ConnectionRoute.edit(id))
            test = call.link(ConnectionRoute.test(id))
            enable = call.link(ConnectionRoute.enable(id))
            disable = call.link(ConnectionRoute.disable(id))
            disconnect = call.link(ConnectionRoute.disconnect(id))
            remove = call.link(ConnectionRoute.remove(id))
            activity = call.shell.site.mount + "/audit-log?object_kind=connection"
        }

        init(sample: String) {
            (list, edit, test, enable) = (sample, sample, sample, sample)
            (disable, disconnect, remove, activity) = (sample, sample, sample, sample)
        }
    }

    /// A line of the audit log.
    struct Activity: Sendable {
        let action: String
        let actor: String
        let details: JSON
        let at: Timestamp

        init(_ row: Row) throws {
            action = try row.get("action")
            actor = try row.get("actor_name")
            details = try JSON(parsing: Array(row.get("details", as: String.self).utf8))
            at = try row.get("occurred_at")
        }

        init(action: String, actor: String, details: JSON = [:], at: Timestamp) {
            self.action = action
            self.actor = actor
            self.details = details
            self.at = at
        }

        var tone: String {
            guard action == "connection.tested" else { return "none" }
            return details["status"]?["to"]?.text == ConnectionStatus.connected.rawValue ? "good" : "bad"
        }

        var text: String {
            switch action {
            case "connection.created": "Created"
            case "connection.updated": "Set-up changed"
            case "connection.renamed": "Renamed to \(details["to"]?.text ?? "another name")"
            case "connection.enabled": "Enabled"
            case "connection.disabled": "Disabled"
            case "connection.disconnected": "Disconnected, its secrets dropped"
            case "connection.tested": tone == "good" ? "Began to work" : "Began to fail"
            case "credentials.read": "Credentials read"
            default: action
            }
        }
    }

    static let template = "connection"

    let shown: ConnectionView
    let canWrite: Bool
    let links: Links
    let workspace: String?
    let activity: [Activity]
    let siteURL: String
    let now: Timestamp
    /// What can be sent over it, each with what was sent last; nothing where whoever looks may not see that.
    var sending: [Sending] = []

    init(
        view: ConnectionView, canWrite: Bool, links: Links, workspace: String?, activity: [Activity], siteURL: String,
        now: Timestamp
    ) {
        shown = view
        self.canWrite = canWrite
        self.links = links
        self.workspace = workspace
        self.activity = activity
        self.siteURL = siteURL
        self.now = now
    }

    var title: String { shown.title }
    var place: Place? { .connections }
    private var record: ConnectionRecord { shown.record }

    var view: TemplateValue {
        var members: [String: TemplateValue] = [
            "list_href": .text(links.list), "can_write": .bool(canWrite), "service": .text(shown.serviceName),
            "name": .text(record.name), "tile": shown.tile, "state": shown.state,
            "sentence": shown.status.needsPerson ? .null : .text(shown.sentence), "attention": .list(attention),
            "edit_href": .text(links.edit), "test_action": .text(links.test), "set_up": .list(setUp),
            "has_metadata": .bool(!facts.isEmpty), "metadata": .list(facts), "last_test": lastTest, "example": example,
            "activity": .list(activity.map(view)), "activity_href": .text(links.activity),
            "sending": .list(sending.map { $0.view(now: now) }),
        ]
        members.merge(actions) { one, _ in one }
        members["details"] = [
            "id": .text(record.id.text), "workspace": .text(workspace ?? "All workspaces"),
            "created": record.createdAt.view(now: now), "created_by": .text(record.createdBy),
        ]
        return .object(members)
    }

    private var attention: [TemplateValue] {
        guard shown.status.needsPerson else { return [] }
        let canEdit = canWrite && shown.status != .undecryptable
        return [
            [
                "tone": "bad", "title": .text("\(shown.title) needs you."), "text": .text(shown.sentence),
                "href": canEdit ? .text(links.edit) : .null, "label": "Check the set-up",
            ]
        ]
    }

    private var actions: [String: TemplateValue] {
        let isReadable = shown.status != .undecryptable
        let hasSecrets = if case .open = shown.secrets { true } else { false }
        let reason = Connections.reasonToKeep(shown)
        return [
            "enable_action": canWrite && !record.isEnabled ? .text(links.enable) : .null,
            "disable_action": canWrite && record.isEnabled ? .text(links.disable) : .null,
            "disconnect_href": canWrite && isReadable && hasSecrets ? .text(links.disconnect) : .null,
            "remove_href": canWrite && reason == nil ? .text(links.remove) : .null,
            "remove_reason": canWrite ? TemplateValue(reason) : .null,
        ]
    }

    private var setUp: [TemplateValue] {
        (shown.provider?.fields ?? []).map { field in
            guard field.kind == .secret else {
                let value = record.setup[field.name]?.text.map(field.words)
                return [
                    "label": .text(field.label), "value": TemplateValue(value),
                    "is_secret": false,
                ]
            }
            let isThere = if case .sealed = shown.secrets { true } else { shown.secrets.values[field.name] != nil }
            return ["label": .text(field.label), "value": isThere ? "••••••••" : .null, "is_secret": true]
        }
    }

    private var facts: [TemplateValue] {
        (record.metadata["facts"]?.elements ?? []).map { fact in
            ["label": .text(fact["label"]?.text ?? ""), "value": .text(fact["value"]?.text ?? "")]
        }
    }

    private var lastTest: TemplateValue {
        guard let at = record.testedAt, let duration = record.testDuration else { return .null }
        let isGood = record.storedStatus == .connected
        return [
            "tone": isGood ? "good" : "bad", "word": isGood ? "Passed" : "Failed",
            "text": .text(isGood ? shown.access ?? "\(shown.serviceName) answered." : record.statusDetail ?? ""),
            "duration": .text(duration.words), "at": at.view(now: now),
        ]
    }

    private var example: TemplateValue {
        .text("curl -X POST \(siteURL)/api/v1/connections/\(record.id)/test \\\n  -H 'Authorization: Bearer sk_…'")
    }

    private func view(_ activity: Activity) -> TemplateValue {
        [
            "tone": .text(activity.tone), "text": .text(activity.text), "actor": .text(activity.actor),
            "at": activity.at.view(now: now),
        ]
    }
}
