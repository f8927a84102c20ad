import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// One request in full.
struct LogEntryPage: ShellPage {
    static let template = "request-log-entry"
    static let sample = LogEntryPage(
        entry: .sample, list: FilterAddress("/request-logs", .empty), actorHref: "/api-keys/1",
        connectionHref: "/connections/1", auditHref: "/audit-log?request_id=1", usageHref: "/usage",
        now: Timestamp(seconds: 90))

    let entry: LogEntry
    let list: FilterAddress
    let actorHref: String?
    let connectionHref: String?
    let auditHref: String?
    let usageHref: String?
    let now: Timestamp

    private var request: LoggedRequest { entry.request }

    var title: String { "\(request.status) \(request.method) \(request.place)" }
    var place: Place? { .requestLogs }

    var view: TemplateValue {
        [
            "list_href": .text(list.page), "method": .text(request.method), "place": .text(request.place),
            "path": .text(request.path), "has_route": .bool(!request.route.isEmpty && request.route != request.path),
            "state": request.state(inFull: true), "meaning": .text(request.meaning),
            "at": request.at.view(now: now), "exact": .text(request.at.exact),
            "took": .text(request.duration.latency), "size": .text(bytesInWords(request.bytes)),
            "bytes": .text(request.bytes.counted("byte", "bytes")),
            "code": request.code.isEmpty ? .null : .text(request.code), "address": .text(request.address),
            "user_agent": request.userAgent.isEmpty ? .null : .text(request.userAgent),
            "request_id": .text(request.requestID), "id": .text(entry.id.text),
            "surface": .text(request.surfaceName), "actor": actor, "connection": connection,
            "likes": .list(likes), "audit_href": TemplateValue(auditHref), "usage_href": TemplateValue(usageHref),
        ]
    }

    private var actor: TemplateValue {
        [
            "kind": .text(request.actorKind.label), "name": .text(entry.actorName ?? "no longer known"),
            "href": TemplateValue(actorHref),
        ]
    }

    private var connection: TemplateValue {
        guard let id = request.connection else { return .null }
        return ["id": .text(id.text), "href": TemplateValue(connectionHref)]
    }

    /// Requests that are like this one in some way.
    private var likes: [TemplateValue] {
        let key = request.actorKind == .apiKey ? request.actorID.flatMap { Identifier<APIKey>(bytes: $0)?.text } : nil
        let routeOrPath: (String, String?) =
            request.route.isEmpty ? ("path", request.path) : ("route", request.route)
        var likes: [(String, [(String, String?)])] = [
            ("Same route", [("method", request.method), routeOrPath]),
            ("Same status", [("status", "\(request.status)")]),
        ]
        if let key {
            likes.append(("Same key", [("api_key_id", key)]))
            likes.append(("Failed with this key", [("api_key_id", key), ("status", "failed")]))
        }
        if let connection = request.connection {
            likes.append(("Same connection", [("connection_id", connection.text)]))
        }
        return likes.map { label, query in ["label": .text(label), "href": .text(list.setting(query))] }
    }
}
