import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// The log as a page, as JSON and as a table.
extension Audit {
    /// What a query asks for.
    private struct Question {
        let filter: AuditFilter
        let part: Listing<AuditEvent>
        let wantsTable: Bool

        init(_ request: Request) throws {
            var query = Input(try request.query())
            filter = AuditFilter(&query)
            part = Listing(&query)
            let format = query.parsed("format", orSay: "There is csv only.") { $0 == "csv" ? $0 : nil }
            guard query.isComplete else { throw query.refusal }
            wantsTable = format != nil || request.headers["accept"]?.hasPrefix("text/csv") == true
        }
    }

    func logPage(_ call: Call) throws -> Response {
        let question = try Question(call.request)
        if question.wantsTable { return try table(question, call) }
        let store = try store(call.scope())
        let part = question.part
        let found = try store.entries(question.filter, after: part.last, limit: part.limit + 1)
        let list = call.link(AuditRoute.log)
        return try call.page(
            AuditPage(
                list: list, csvHref: try csvLink(call), filter: question.filter, typed: call.request.query(),
                actors: store.actors(), actions: store.actions(),
                entries: found.prefix(part.limit).map { AuditPage.Line(entry: $0, href: href(of: $0, call)) },
                isFirst: part.last == nil, nextHref: try call.link(AuditRoute.log, next: part.next(found, \.id)),
                now: world.now()))
    }

    func logJSON(_ call: Call) throws -> Response {
        let question = try Question(call.request)
        if question.wantsTable { return try table(question, call) }
        let part = question.part
        let found = try store(call.scope()).entries(question.filter, after: part.last, limit: part.limit + 1)
        return try call.list(
            found.prefix(part.limit).map(Self.json), next: part.next(found, \.id), at: AuditRoute.logJSON)
    }

    /// All entries that match, read some at a time so that neither memory nor a connection is held for the whole.
    private func table(_ question: Question, _ call: Call) throws -> Response {
        let store = try store(call.scope())
        let filter = question.filter
        let head = [
            "occurred_at", "actor_kind", "actor", "action", "object_kind", "object", "object_id", "details",
            "remote_address",
            "request_id",
        ]
        return Response.csv(head, named: "audit-log") { write in
            var last: Identifier<AuditEvent>?
            repeat {
                let found = try store.entries(filter, after: last, limit: Self.batch)
                try found.forEach { try write(Self.cells($0)) }
                last = found.count == Self.batch ? found.last?.id : nil
            } while last != nil
        }
    }

    /// How many entries are held at once while a table is written.
    static let batch = 500

    private func csvLink(_ call: Call) throws -> String {
        let kept = try call.request.query().pairs.filter {
            !["cursor", "limit", "format"].contains($0.name) && !$0.value.isEmpty
        }
        return call.link(AuditRoute.log) + "?" + Form(pairs: kept + [("format", "csv")]).urlencoded
    }

    private func href(of entry: AuditEntry, _ call: Call) -> String? {
        entry.objectID.flatMap { pageOf(entry.objectKind, $0) }.map { call.shell.site.mount + $0 }
    }

    private static func json(_ entry: AuditEntry) -> JSON {
        [
            "id": .string(entry.id.text), "occurred_at": JSON(entry.occurredAt),
            "actor": [
                "kind": .string(entry.actorKind.rawValue), "id": JSON(uuid(entry.actorID)),
                "name": .string(entry.actorName),
            ],
            "action": .string(entry.action),
            "object": [
                "kind": .string(entry.objectKind), "id": JSON(uuid(entry.objectID)), "name": .string(entry.objectName),
            ],
            "details": entry.details, "remote_address": .string(entry.remoteAddress),
            "request_id": .string(entry.requestID),
        ]
    }

    private static func cells(_ entry: AuditEntry) -> [String] {
        [
            entry.occurredAt.rfc3339, entry.actorKind.rawValue, entry.actorName, entry.action, entry.objectKind,
            entry.objectName, uuid(entry.objectID) ?? "", String(decoding: entry.details.bytes, as: UTF8.self),
            entry.remoteAddress, entry.requestID,
        ]
    }

    private static func uuid(_ bytes: [UInt8]?) -> String? {
        bytes.flatMap { Identifier<AuditEvent>(bytes: $0)?.text }
    }
}
