import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// The services that an organization is signed in to.
struct ConnectionListPage: ShellPage {
    struct Row: Sendable {
        let view: ConnectionView
        let href: String
        let workspace: String?
    }

    static let template = "connections"

    let canWrite: Bool
    let listHref: String
    let connectHref: String
    let rows: [Row]
    let query: Form
    let hasAny: Bool
    let providers: [Provider]
    let workspaces: [(id: Identifier<Workspace>, name: String)]
    let firstHref: String?
    let nextHref: String?
    let now: Timestamp

    var title: String { "Connections" }
    var place: Place? { .connections }

    var view: TemplateValue {
        [
            "can_write": .bool(canWrite), "connect_href": .text(connectHref), "attention": .list(attention),
            "has_connections": .bool(hasAny), "is_filtered": .bool(isFiltered), "clear_href": .text(listHref),
            "filters": filters, "connections": .list(rows.map(view)), "pagination": pagination,
        ]
    }

    private var isFiltered: Bool {
        ["search", "provider", "status", "workspace_id"].contains { query[$0]?.isEmpty == false }
    }

    private var attention: [TemplateValue] {
        rows.filter { $0.view.status.needsPerson }.prefix(2).map { row in
            [
                "tone": "bad", "title": .text("\(row.view.title) needs you."), "text": .text(row.view.sentence),
                "href": .text(row.href), "label": "Review",
            ]
        }
    }

    private var filters: TemplateValue {
        [
            "action": .text(listHref), "search": .text(query["search"] ?? ""),
            "services": options("provider", "All services", providers.map { ($0.key, $0.name) }),
            "states": options("status", "Any state", ConnectionStatus.allCases.map { ($0.rawValue, $0.word) }),
            "workspaces": options("workspace_id", "All workspaces", workspaces.map { ($0.id.text, $0.name) }),
        ]
    }

    private func options(_ name: String, _ all: String, _ choices: [(value: String, label: String)]) -> TemplateValue {
        let chosen = query[name] ?? ""
        return .list(
            ([(value: "", label: all)] + choices).map { choice in
                [
                    "value": .text(choice.value), "label": .text(choice.label),
                    "selected": .bool(choice.value == chosen),
                ]
            })
    }

    private func view(_ row: Row) -> TemplateValue {
        [
            "href": .text(row.href), "service": .text(row.view.serviceName), "name": .text(row.view.record.name),
            "tile": row.view.tile, "state": row.view.state, "workspace": TemplateValue(row.workspace),
            "access": TemplateValue(row.view.access),
            "checked": row.view.record.testedAt.map { $0.view(now: now) } ?? .null,
        ]
    }

    private var pagination: TemplateValue {
        guard firstHref != nil || nextHref != nil else { return .null }
        let count = rows.count == 1 ? "1 connection" : "\(rows.count) connections"
        return [
            "text": .text(count), "first_href": TemplateValue(firstHref), "next_href": TemplateValue(nextHref),
        ]
    }
}

extension ConnectionView {
    /// The value of the partial `tile`.
    var tile: TemplateValue {
        let tile = provider?.tile ?? Provider.Tile(letters: String(record.provider.prefix(2)), color: "slate")
        return ["letters": .text(tile.letters), "color": .text(tile.color)]
    }

    /// The value of the partial `state`.
    var state: TemplateValue { ["tone": .text(status.tone), "word": .text(status.word)] }
}
