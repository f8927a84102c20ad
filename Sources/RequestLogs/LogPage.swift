import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// The requests of an organization, the newest first.
struct LogPage: ShellPage {
    /// A key to choose.
    struct Key: Sendable {
        let id: Identifier<APIKey>
        let name: String
    }

    static let template = "request-log"
    static let sample = LogPage(
        address: FilterAddress("/request-logs", .empty), filter: LogFilter(), range: .day,
        keys: [Key(id: Identifier(.real), name: "billing")], entries: [.sample], newerHref: "/request-logs?newer=x",
        olderHref: "/request-logs?cursor=x", keptDays: 30, isLimited: true,
        example: "curl https://hub.example/api/v1/connections", newKeyHref: "/api-keys/new", now: Timestamp(seconds: 90)
    )

    let address: FilterAddress
    let filter: LogFilter
    let range: RecentRange?
    let keys: [Key]
    let entries: [LogEntry]
    let newerHref: String?
    let olderHref: String?
    /// For how many days requests are kept.
    let keptDays: Int
    /// Whether the one who looks sees their own requests alone.
    let isLimited: Bool
    let example: String
    let newKeyHref: String?
    let now: Timestamp

    var title: String { filter.outcome == .failed ? "Failed requests" : "Request log" }
    var place: Place? { .requestLogs }

    private var isFiltered: Bool { filter.isActive }

    var view: TemplateValue {
        [
            "kept_days": .text(keptDays.counted("day", "days")), "is_limited": .bool(isLimited),
            "has_requests": .bool(!entries.isEmpty || isFiltered || newerHref != nil),
            "csv_href": .text(address.setting([("limit", nil), ("format", "csv")])),
            "is_filtered": .bool(isFiltered), "is_folded_out": .bool(isFoldedOut),
            "clear_href": .text(address.page), "filters": filters,
            "outcomes": .list(outcomes), "ranges": .list(ranges), "entries": .list(entries.map(view)),
            "newer_href": TemplateValue(newerHref), "older_href": TemplateValue(olderHref),
            "has_pages": .bool(newerHref != nil || olderHref != nil), "example": .text(example),
            "new_key_href": TemplateValue(newKeyHref),
        ]
    }

    // MARK: Filters

    /// Whether anything is asked for that the links above the form do not say.
    private var isFoldedOut: Bool {
        ["request_id", "q", "path", "method", "api_key_id", "start_date", "end_date"].contains {
            !address.value($0).isEmpty
        } || (filter.outcome != nil && filter.outcome != .failed)
    }

    private var outcomes: [TemplateValue] {
        [("All", nil), ("Failed only", "failed")].map { label, status in
            [
                "label": .text(label), "current": .bool(filter.outcome?.text == status),
                "href": .text(address.setting([("status", status)])),
            ]
        }
    }

    private var ranges: [TemplateValue] {
        let isAny = filter.since == nil && filter.until == nil
        let any: TemplateValue = [
            "label": "Any time", "current": .bool(isAny),
            "href": .text(address.setting([("start_date", nil), ("end_date", nil), ("range", nil)])),
        ]
        return [any] + RecentRange.links(RecentRange.ofLog, chosen: range, in: address)
    }

    private var filters: TemplateValue {
        let key = filter.key?.text
        return [
            "action": .text(address.page), "request_id": .text(filter.requestID ?? ""),
            "path": .text(filter.path ?? ""),
            "methods": Self.options(
                Self.methods.map { ($0, $0) }, chosen: filter.method, none: "Any method", unknown: filter.method ?? ""),
            "statuses": Self.options(
                Self.statuses, chosen: filter.outcome?.text, none: "Any status", unknown: filter.outcome?.text ?? ""),
            "keys": Self.options(
                keys.map { ($0.id.text, $0.name) }, chosen: key, none: "Any key", unknown: "Another key"),
            "since": .text(day("start_date")), "until": .text(day("end_date")),
            "kept": .list(
                [
                    ("range", range?.rawValue), ("route", filter.route), ("connection_id", filter.connection?.text),
                    ("oauth_app_id", address.value("oauth_app_id")), ("limit", address.value("limit")),
                ].filter { $0.1?.isEmpty == false }.map { ["name": .text($0), "value": TemplateValue($1)] }),
            "narrowed": .list(narrowed),
        ]
    }

    /// What the list is narrowed to by links and not by the form, each with a link that drops it.
    private var narrowed: [TemplateValue] {
        [
            ("route", filter.route.map { "Route \($0)" }),
            ("connection_id", filter.connection.map { _ in "One connection" }),
            ("oauth_app_id", filter.app.map { _ in "One app" }),
        ].compactMap { name, label in
            label.map { ["label": .text($0), "href": .text(address.setting([(name, nil)]))] }
        }
    }

    private static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    private static let statuses: [(String, String)] =
        [("succeeded", "Succeeded"), ("failed", "Failed"), ("4xx", "4xx"), ("5xx", "5xx")]
        + [200, 201, 204, 303, 400, 401, 403, 404, 409, 412, 422, 429, 500, 502, 503].map { code in
            ("\(code)", "\(code) \(Status(code).phrase)")
        }

    /// A list of choices, with the chosen one in it even when it is none of those offered.
    static func options(
        _ offered: [(String, String)], chosen: String?, none: String, unknown: String
    ) -> TemplateValue {
        let isOffered = chosen.map { chosen in offered.contains { $0.0 == chosen } } ?? true
        let all = [("", none)] + offered + (isOffered ? [] : [(chosen ?? "", unknown)])
        return .list(
            all.map { value, label in
                ["value": .text(value), "label": .text(label), "selected": .bool(value == chosen ?? "")]
            })
    }

    /// The day in a field of the form; a time of day, or milliseconds, are beyond what the field shows.
    private func day(_ name: String) -> String {
        let text = address.value(name)
        return Timestamp(rfc3339: "\(text.prefix(10))T00:00:00Z") == nil ? "" : String(text.prefix(10))
    }

    // MARK: Requests

    private func view(_ entry: LogEntry) -> TemplateValue {
        let request = entry.request
        return [
            "href": .text("\(address.page)/\(entry.id)"), "at": request.at.view(now: now),
            "clock": .text(request.at.clock), "method": .text(request.method), "place": .text(request.place),
            "has_more": .bool(!request.code.isEmpty || request.place != request.path),
            "path": request.place == request.path ? .null : .text(request.path),
            "state": request.state(), "code": request.code.isEmpty ? .null : .text(request.code),
            "took": .text(request.duration.latency), "who": .text(entry.actorName ?? "no longer known"),
            "address": .text(request.address),
        ]
    }
}
