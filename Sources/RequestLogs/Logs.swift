import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// The log as JSON and as a table.
extension RequestLogs {
    /// What a query asks for.
    struct LogQuestion {
        let filter: LogFilter
        let part: Listing<LoggedRequest>
        let wantsTable: Bool

        init(_ request: Request) throws(Problem) {
            var query = Input(try request.query())
            filter = LogFilter(&query)
            part = Listing(&query)
            let format = query.parsed("format", orSay: "There is csv only.") { $0 == "csv" ? $0 : nil }
            guard query.isComplete else { throw query.refusal }
            wantsTable = format != nil || request.headers["accept"]?.hasPrefix("text/csv") == true
        }
    }

    func logJSON(_ call: Call) throws -> Response {
        let question = try LogQuestion(call.request)
        if question.wantsTable { return try logTable(question, call) }
        let part = question.part
        let found = try entries(question.filter, after: part.last, limit: part.limit + 1, by: call.scope())
        return try call.list(
            found.prefix(part.limit).map(Self.json), next: part.next(found, \.id), at: RequestLogsRoute.logJSON)
    }

    func entryJSON(_ id: Identifier<LoggedRequest>, _ call: Call) throws -> Response {
        guard let entry = try entry(id, by: call.scope()) else { throw Problem.notFound }
        return .json(Self.json(entry))
    }

    /// All requests that match, read some at a time so that neither memory nor a connection is held for the whole.
    func logTable(_ question: LogQuestion, _ call: Call) throws -> Response {
        let store = try store(call.scope())
        let filter = question.filter
        let head = [
            "at", "request_id", "surface", "actor_kind", "actor_id", "actor", "connection_id", "method", "route",
            "path",
            "status", "code", "duration_ms", "bytes", "address", "user_agent",
        ]
        return Response.csv(head, named: "request-log") { write in
            var last: Identifier<LoggedRequest>?
            repeat {
                let found = try store.entries(filter, after: last, limit: Self.batch)
                try found.forEach { try write(Self.cells($0)) }
                last = found.count == Self.batch ? found.last?.id : nil
            } while last != nil
        }
    }

    /// How many requests are held at once while a table is written.
    static let batch = 500

    private static func json(_ entry: LogEntry) -> JSON {
        let request = entry.request
        return [
            "id": .string(entry.id.text), "at": JSON(request.at), "request_id": .string(request.requestID),
            "surface": .string(request.surface.rawValue),
            "actor": [
                "kind": .string(request.actorKind.rawValue), "id": JSON(uuid(request.actorID)),
                "name": JSON(entry.actorName),
            ],
            "connection_id": JSON(request.connection?.text), "method": .string(request.method),
            "route": .string(request.route), "path": .string(request.path), "status": JSON(Int?(request.status)),
            "code": JSON(request.code.isEmpty ? nil : request.code),
            "duration_ms": .number(milliseconds(request.duration)), "bytes": JSON(Int?(request.bytes)),
            "address": .string(request.address), "user_agent": .string(request.userAgent),
        ]
    }

    private static func cells(_ entry: LogEntry) -> [String] {
        let request = entry.request
        return [
            request.at.rfc3339, request.requestID, request.surface.rawValue, request.actorKind.rawValue,
            uuid(request.actorID) ?? "", entry.actorName ?? "", request.connection?.text ?? "", request.method,
            request.route, request.path, "\(request.status)", request.code, "\(milliseconds(request.duration))",
            "\(request.bytes)", request.address, request.userAgent,
        ]
    }

    private static func milliseconds(_ duration: Duration) -> Double { Double(duration.microseconds) / 1_000 }

    static func uuid(_ bytes: [UInt8]?) -> String? {
        bytes.flatMap { Identifier<LoggedRequest>(bytes: $0)?.text }
    }
}
