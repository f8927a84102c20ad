import AdminShell
import Domain
import HTTPKit
import JSONKit
import TemplateKit
import TimeKit

/// Who did what.
struct AuditPage: ShellPage {
    struct Line: Sendable {
        let entry: AuditEntry
        let href: String?
    }

    static let template = "audit-log"
    static let sample = AuditPage(
        list: "/audit-log", csvHref: "/audit-log?format=csv", filter: AuditFilter(), typed: .empty,
        actors: ["ana@acme.example"], actions: ["connection.created"],
        entries: [Line(entry: .sample, href: "/connections/1")], isFirst: false, nextHref: "/audit-log?cursor=x",
        now: Timestamp(seconds: 90))

    let list: String
    let csvHref: String
    let filter: AuditFilter
    let typed: Form
    let actors: [String]
    let actions: [String]
    let entries: [Line]
    let isFirst: Bool
    let nextHref: String?
    let now: Timestamp

    var title: String { "Audit log" }
    var place: Place? { .audit }

    var view: TemplateValue {
        [
            "csv_href": .text(csvHref), "is_filtered": .bool(filter.isActive), "clear_href": .text(list),
            "has_entries": .bool(!entries.isEmpty || filter.isActive || !isFirst), "filters": filters,
            "entries": .list(entries.map(view)),
            "pagination": isFirst && nextHref == nil
                ? .null
                : [
                    "text": "Newest first", "first_href": isFirst ? .null : .text(firstHref),
                    "next_href": TemplateValue(nextHref),
                ],
        ]
    }

    private var filters: TemplateValue {
        let kinds = Set(actions.compactMap { $0.split(separator: ".").first.map(String.init) }).union([
            filter.objectKind ?? ""
        ])
        return [
            "action": .text(list), "search": .text(filter.search ?? ""),
            "actors": options(actors, chosen: filter.actor, none: "Everybody") { $0 },
            "actions": options(actions, chosen: filter.action, none: "Any action", by: Deed.label),
            "kinds": options(
                kinds.subtracting([""]).sorted(), chosen: filter.objectKind, none: "Anything", by: Deed.label),
            "since": .text(day("since")), "until": .text(day("until")),
        ]
    }

    /// A list of choices, with the chosen one in it even when the log no longer offers it.
    private func options(
        _ values: [String], chosen: String?, none: String, by label: (String) -> String
    ) -> TemplateValue {
        let missing = chosen.map { values.contains($0) ? [] : [$0] } ?? []
        let first: TemplateValue = ["value": "", "label": .text(none), "selected": .bool(chosen == nil)]
        return .list(
            [first]
                + (missing + values).map { value in
                    ["value": .text(value), "label": .text(label(value)), "selected": .bool(value == chosen)]
                })
    }

    /// The day in a field of the form; a time of day is beyond what the field shows.
    private func day(_ name: String) -> String { String((typed[name] ?? "").prefix(10)) }

    private var firstHref: String {
        let kept = typed.pairs.filter { $0.name != "cursor" && !$0.value.isEmpty }
        return kept.isEmpty ? list : "\(list)?\(Form(pairs: kept).urlencoded)"
    }

    private func view(_ line: Line) -> TemplateValue {
        let entry = line.entry
        let words = entry.deed.words
        let changes = Change.list(entry.details)
        return [
            "at": entry.occurredAt.view(now: now), "actor": .text(entry.actor), "actor_kind": .text(kind(of: entry)),
            "text": .text(words.prefix(1).uppercased() + words.dropFirst()),
            "object": ["label": .text(entry.objectName), "href": TemplateValue(line.href)],
            "address": entry.remoteAddress == "-" ? .null : .text(entry.remoteAddress),
            "request_id": entry.requestID == "-" ? .null : .text(entry.requestID),
            "has_changes": .bool(!changes.isEmpty),
            "changes": .list(
                changes.map { change in
                    [
                        "field": .text(change.field), "before": TemplateValue(change.before),
                        "after": TemplateValue(change.after),
                    ]
                }),
        ]
    }

    private func kind(of entry: AuditEntry) -> String {
        switch entry.actorKind {
        case .user: "Person"
        case .apiKey: "API key"
        case .siteToken: "Token of the site"
        case .oauthApp: "App"
        case .platformKey: "Platform key"
        case .commandLine: "Command line"
        case .hub: "Background work"
        }
    }
}

extension AuditEntry {
    /// An entry for samples of pages.
    static let sample = AuditEntry(
        id: Identifier(.real), occurredAt: Timestamp(seconds: 0), actorKind: .user, actorID: nil,
        actorName: "ana@acme.example", action: "connection.renamed", objectKind: "connection", objectID: nil,
        objectName: "Telegram “alerts”", details: ["from": "default", "to": "alerts"], remoteAddress: "203.0.113.9",
        requestID: "9f86d081884c7d65")
}
