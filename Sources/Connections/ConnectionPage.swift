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
        let refresh: String
        let sync: String
        let authorize: String
        let enable: String
        let disable: String
        let disconnect: String
        let remove: String
        let activity: String
        let calls: String

        init(_ id: Identifier<Connection>, _ call: Call) {
            list = call.link(ConnectionRoute.list)
            edit = call.link(ConnectionRoute.edit(id))
            test = call.link(ConnectionRoute.test(id))
            refresh = call.link(ConnectionRoute.refresh(id))
            sync = call.link(ConnectionRoute.sync(id))
            authorize = call.link(ConnectionRoute.authorize(id))
            enable = call.link(ConnectionRoute.enable(id))
            disable = call.link(ConnectionRoute.disable(id))
            disconnect = call.link(ConnectionRoute.disconnect(id))
            remove = call.link(ConnectionRoute.remove(id))
            activity = call.shell.site.mount + "/audit-log?object_kind=connection"
            calls = call.shell.site.mount + "/audit-log?action=connection.called"
        }

        init(sample: String) {
            (list, edit, test, authorize, enable) = (sample, sample, sample, sample, sample)
            (refresh, sync) = (sample, sample)
            (disable, disconnect, remove, activity, calls) = (sample, sample, sample, sample, sample)
        }
    }

    static let template = "connection"

    let shown: ConnectionView
    let canWrite: Bool
    let links: Links
    let workspace: String?
    let activity: [Activity]
    let checks: [CheckStore.Check]
    let siteURL: String
    let now: Timestamp
    /// What was passed on last; nothing where whoever looks may not see that.
    var calls: [PassedCall] = []
    /// What relies on it, as links.
    var uses: [TemplateValue] = []
    /// What can be sent over it, each with what was sent last; nothing where whoever looks may not see that.
    var sending: [Sending] = []

    init(
        view: ConnectionView, canWrite: Bool, links: Links, workspace: String?, activity: [Activity],
        checks: [CheckStore.Check] = [], siteURL: String, now: Timestamp
    ) {
        shown = view
        self.canWrite = canWrite
        self.links = links
        self.workspace = workspace
        self.activity = activity
        self.checks = checks
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
            "has_metadata": .bool(!facts.isEmpty || record.syncError != nil), "metadata": .list(facts),
            "last_test": lastTest, "example": example, "test_notice": testNotice,
            "activity": .list(activity.map { $0.view(now: now) }), "activity_href": .text(links.activity),
            "calls": passedCalls, "uses": .list(uses), "is_used": .bool(!uses.isEmpty),
            "sending": .list(sending.map { $0.view(now: now) }),
        ]
        members["health"] = health.view(now: now)
        members["synced"] = synced
        members["sign_in"] = signIn
        members.merge(actions) { one, _ in one }
        members["details"] = [
            "id": .text(record.id.text), "workspace": .text(workspace ?? "All workspaces"),
            "created": record.createdAt.view(now: now), "created_by": .text(record.createdBy),
        ]
        return .object(members)
    }

    private var passedCalls: TemplateValue {
        guard !calls.isEmpty else { return .null }
        return ["list": .list(calls.map { $0.view(now: now) }), "href": .text(links.calls)]
    }

    private var attention: [TemplateValue] {
        guard shown.status.needsPerson else { return [] }
        let canEdit = canWrite && shown.status != .undecryptable && !shown.takesSignIn(shown.signInValues)
        return [
            [
                "tone": "bad", "title": .text("\(shown.title) needs you."), "text": .text(shown.sentence),
                "href": canEdit ? .text(links.edit) : .null, "label": "Check the set-up",
            ]
        ]
    }

    private var actions: [String: TemplateValue] {
        let reason = Connections.reasonToKeep(shown)
        return [
            "enable_action": canWrite && !record.isEnabled ? .text(links.enable) : .null,
            "disable_action": canWrite && record.isEnabled ? .text(links.disable) : .null,
            "disconnect_href": canWrite && shown.holdsAccess ? .text(links.disconnect) : .null,
            "disconnect_text": .text(
                shown.record.grant.sealed == nil
                    ? "Forgets the secrets and keeps the rest of the set-up."
                    : "Ends the sign-in and keeps the rest of the set-up."),
            "remove_href": canWrite && reason == nil ? .text(links.remove) : .null,
            "remove_reason": canWrite ? TemplateValue(reason) : .null,
        ]
    }

    private var health: ConnectionHealth {
        let canRenew = canWrite && record.isEnabled && record.grant.refreshDueAt != nil
        return ConnectionHealth(checks: checks, refreshAction: canRenew ? links.refresh : nil)
    }

    /// When the service was read; null where there is nothing to be read.
    private var synced: TemplateValue {
        guard shown.provider?.sync.isEmpty == false else { return .null }
        return [
            "at": record.syncedAt?.view(now: now) ?? .null, "error": TemplateValue(record.syncError),
            "action": canWrite && record.isEnabled ? .text(links.sync) : .null,
        ]
    }

    /// Signing in, and what came of it.
    private var signIn: TemplateValue {
        guard shown.takesSignIn(shown.signInValues) else { return .null }
        let grant = record.grant
        let isSignedIn = grant.authorizedAt != nil
        let canConnect = canWrite && shown.status != .undecryptable
        return [
            "action": canConnect ? .text(links.authorize) : .null,
            "label": .text(isSignedIn ? "Reconnect" : "Connect"), "is_signed_in": .bool(isSignedIn),
            "authorized": grant.authorizedAt?.view(now: now) ?? .null,
            "token_ends": grant.expiresAt?.view(now: now) ?? .null, "grant_ends": grant.endsAt?.view(now: now) ?? .null,
            "scopes": .list(scopes),
            "fields": FormView([asked], typed: nil, problem: nil).list,
        ]
    }

    private var asked: FormField {
        FormField(
            "scopes", "Permissions", .lines(rows: 3), help: "As the service writes them, with spaces between.",
            isOptional: true, width: .wide, initial: [shown.scopesToAsk.joined(separator: " ")])
    }

    /// What was asked for beside what was granted, and what was granted besides.
    private var scopes: [TemplateValue] {
        let (grant, missing) = (record.grant, shown.missingScopes)
        guard grant.authorizedAt != nil else { return [] }
        let asked = grant.requestedScopes.map { scope -> TemplateValue in
            let isMissing = missing.contains(scope)
            return [
                "name": .text(scope), "is_asked": true, "tone": isMissing ? "bad" : "good",
                "word": isMissing ? "Not granted" : "Granted",
            ]
        }
        let more = (grant.grantedScopes ?? []).filter { !grant.requestedScopes.contains($0) }
        return asked
            + more.map { ["name": .text($0), "is_asked": false, "tone": "good", "word": "Granted"] }
    }

    private var setUp: [TemplateValue] {
        (shown.provider?.fields ?? []).filter { $0.isPermitted || isOn($0) }.map { field in
            guard field.kind == .secret else {
                let stored = record.setup[field.name]?.text.map(field.words)
                let value = field.isPermitted ? stored : "yes, but this hub does not permit it"
                return [
                    "label": .text(field.label), "value": TemplateValue(value ?? ofHub(field)), "is_secret": false,
                ]
            }
            let isThere = if case .sealed = shown.secrets { true } else { shown.secrets.values[field.name] != nil }
            let value = isThere ? "••••••••" : ofHub(field)
            return ["label": .text(field.label), "value": TemplateValue(value), "is_secret": true]
        } + redirect
    }

    private func isOn(_ field: ProviderField) -> Bool { record.setup[field.name]?.text == "true" }

    /// What is said of a field that the hub's settings give.
    private func ofHub(_ field: ProviderField) -> String? {
        shown.values[field.name] == nil && shown.signInValues[field.name] != nil ? "from this hub's settings" : nil
    }

    /// The address that the service must be told.
    private var redirect: [TemplateValue] {
        guard let path = shown.provider?.redirectPath(for: record.id) else { return [] }
        return [["label": "Redirect address", "value": .text(siteURL + path), "is_secret": false]]
    }

    private var testNotice: TemplateValue { TemplateValue(shown.provider?.test(for: shown.values).notice) }

    private var facts: [TemplateValue] {
        shown.facts.map { fact in
            ["label": .text(fact["label"]?.text ?? ""), "value": .text(fact["value"]?.text ?? "")]
        }
    }

    private var lastTest: TemplateValue {
        guard let at = record.testedAt, let duration = record.testDuration else { return .null }
        // Of a test that passed nothing is said where scopes are missing.
        let hasPassed = shown.scopeObjection.map { Connections.shortened($0) == record.statusDetail } ?? false
        let isGood = record.storedStatus == .connected || record.storedStatus == .expiring || hasPassed
        return [
            "tone": isGood ? "good" : "bad", "word": isGood ? "Passed" : "Failed",
            "text": .text(isGood ? shown.access ?? "\(shown.serviceName) answered." : record.statusDetail ?? ""),
            "duration": .text(duration.words), "at": at.view(now: now),
        ]
    }

    private var example: TemplateValue {
        .text("curl -X POST \(siteURL)/api/v1/connections/\(record.id)/test \\\n  -H 'Authorization: Bearer sk_…'")
    }
}
