import AdminShell
import TemplateKit
import TimeKit

/// The first page after signing in.
struct OverviewPage: ShellPage {
    static let template = "overview"
    static let sample = OverviewPage(
        organization: "Acme Shop", mount: "", overview: .sample, canWrite: true, now: Timestamp(seconds: 90))

    let organization: String
    let mount: String
    let overview: Overview
    let canWrite: Bool
    let now: Timestamp

    var title: String { "Overview" }
    var place: Place? { .overview }

    var view: TemplateValue {
        [
            "greeting": "What your organization is connected to, and what needs you.",
            "attention": .list((overview.attention + keyAttention).map(view)), "checklist": checklist,
            "figures": .list(figures), "requests": requests, "usage_href": href(overview.paths.usage),
            "health": health, "connections_href": href(overview.paths.connections),
            "has_changes": .bool(!overview.changes.isEmpty), "changes": .list(overview.changes.map(view)),
            "changes_href": href(overview.paths.changes),
        ]
    }

    private var total: Int { overview.connections.reduce(0) { $0 + $1.count } }

    // MARK: What needs somebody

    private var keyAttention: [Overview.Attention] {
        guard let first = overview.expiringKeys.first else { return [] }
        let others = overview.expiringKeys.count - 1
        let more = others == 0 ? "" : others == 1 ? ", and another one soon after" : ", and \(others) others soon after"
        return [
            Overview.Attention(
                isGrave: false, title: others == 0 ? "A key expires soon." : "Keys expire soon.",
                text: "“\(first.name)” expires \(first.at.relative(to: now))\(more).", path: overview.paths.keys)
        ]
    }

    private func view(_ attention: Overview.Attention) -> TemplateValue {
        [
            "tone": attention.isGrave ? "bad" : "warn", "title": .text(attention.title), "text": .text(attention.text),
            "href": attention.path.map(href) ?? .null, "label": .text(attention.label),
        ]
    }

    /// What to begin with, until the hub does something.
    private var checklist: TemplateValue {
        guard canWrite, total == 0 || overview.activeKeys == 0 else { return .null }
        let steps = [
            Step("Set up the organization", "\(organization) is yours.", isDone: true, overview.paths.people),
            Step(
                "Connect a service", "Telegram, SendGrid, WhatsApp, AWS, OpenRouter or your own mail server.",
                isDone: total > 0, overview.paths.newConnection),
            Step(
                "Create an API key", "So that scripts and your site can use the connection.",
                isDone: overview.activeKeys > 0, overview.paths.newKey),
        ]
        let next = steps.firstIndex { !$0.isDone }
        return ["steps": .list(steps.enumerated().map { index, step in view(step, isNext: index == next) })]
    }

    private struct Step {
        let label: String
        let text: String
        let isDone: Bool
        let path: String

        init(_ label: String, _ text: String, isDone: Bool, _ path: String) {
            self.label = label
            self.text = text
            self.isDone = isDone
            self.path = path
        }
    }

    private func view(_ step: Step, isNext: Bool) -> TemplateValue {
        [
            "is_done": .bool(step.isDone), "is_next": .bool(isNext), "label": .text(step.label),
            "text": .text(step.text),
            "href": step.isDone ? .null : href(step.path),
        ]
    }

    // MARK: Figures

    private var figures: [TemplateValue] {
        let healthy = overview.connections.filter { $0.tone == .good }.reduce(0) { $0 + $1.count }
        let ending = overview.expiringKeys.count
        return requestFigures + [
            figure(
                "Connections healthy", "\(healthy) of \(total)",
                total == 0 ? "none yet" : note(unwell: total - healthy),
                overview.paths.connections),
            figure(
                "Active API keys", "\(overview.activeKeys)",
                overview.activeKeys == 0
                    ? "none yet"
                    : ending == 0 ? "none expires soon" : "\(ending) \(ending == 1 ? "expires" : "expire") soon",
                overview.paths.keys),
            figure("People", "\(overview.people)", overview.people == 1 ? "you" : "with access", overview.paths.people),
            figure("Changes this week", "\(overview.changesThisWeek)", "in the audit log", overview.paths.changes),
        ]
    }

    private var requestFigures: [TemplateValue] {
        guard let requests = overview.requests else { return [] }
        let rate = Share(requests.count - requests.failed, of: requests.count).words
        let note = requests.slowest.map { "\(rate) succeeded · p95 \($0.latency)" } ?? "in the last 24 hours"
        return [figure("Requests in 24 hours", requests.count.grouped, note, overview.paths.usage)]
    }

    /// The course of a day; nothing where nothing was asked.
    private var requests: TemplateValue {
        guard let requests = overview.requests, requests.count > 0 else { return .null }
        return requests.chart.view(id: "requests")
    }

    private func note(unwell: Int) -> String {
        unwell == 0 ? "all of them" : unwell == 1 ? "1 is not connected" : "\(unwell) are not connected"
    }

    private func figure(_ label: String, _ value: String, _ note: String, _ path: String) -> TemplateValue {
        ["label": .text(label), "value": .text(value), "note": .text(note), "href": href(path)]
    }

    /// The strip of states, each as wide as its share.
    private var health: TemplateValue {
        guard total > 0 else { return .null }
        var start = 0
        let segments = overview.connections.map { state -> TemplateValue in
            defer { start += state.count }
            return [
                "x": .text(percent(start)), "width": .text(percent(state.count)), "tone": .text(state.tone.rawValue),
                "label": .text(state.label), "count": .text("\(state.count)"),
            ]
        }
        return ["segments": .list(segments)]
    }

    /// A share of all connections with one decimal.
    private func percent(_ count: Int) -> String {
        let thousandths = count * 1_000 / total
        return "\(thousandths / 10).\(thousandths % 10)%"
    }

    private func view(_ change: Overview.Change) -> TemplateValue {
        [
            "tone": .text(change.tone.rawValue), "actor": .text(change.actor), "text": .text(change.text),
            "at": change.at.view(now: now),
        ]
    }

    private func href(_ path: String) -> TemplateValue { .text(mount + path) }
}

extension Overview {
    /// An overview for samples of pages.
    static let sample = Overview(
        attention: [
            Attention(isGrave: true, title: "WhatsApp “orders” needs a new token.", text: "", path: "/connections/1")
        ],
        requests: Requests(
            count: 7, failed: 1, slowest: .milliseconds(3),
            chart: BarChart(
                TimeAxis(start: Timestamp(seconds: 0), span: .hours(1)), [.init(succeeded: 6, failed: 1)])),
        connections: [
            ConnectionState("Connected", .good, count: 2), ConnectionState("Needs sign-in again", .bad, count: 1),
        ],
        activeKeys: 0, expiringKeys: [ExpiringKey(name: "nightly export", at: Timestamp(seconds: 86_400))], people: 3,
        changesThisWeek: 7,
        changes: [
            Change(actor: "Ana Kovač", text: "connected Telegram “alerts”", tone: .good, at: Timestamp(seconds: 0))
        ],
        paths: Paths(
            connections: "/connections", newConnection: "/connections/new", keys: "/api-keys", newKey: "/api-keys/new",
            people: "/organization", changes: "/audit-log",
            usage: "/usage"))
}
