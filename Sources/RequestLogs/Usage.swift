import AdminShell
import Domain
import HTTPKit
import JSONKit
import TimeKit

/// The figures as JSON and as a table, under the names that seed 1 gives them.
extension RequestLogs {
    /// How long a stretch of time is when nothing is said.
    static let usualRange = Duration.days(30)
    /// The longest stretch of time that is asked about at once.
    static let longestRange = Duration.days(366)

    /// Reads the fields of a query: `start_date`, `end_date`, `api_key_id`, `oauth_app_id`; the last thirty days unless
    /// something is said.
    ///
    /// - Throws: `Problem` 422 that names what is refused.
    func usageQuestion(_ query: inout Input) throws(Problem) -> UsageQuestion {
        let (since, until) = Moments.range(&query)
        let key = query.parsed("api_key_id", orSay: "Write the id of a key.") { Identifier<APIKey>($0)?.bytes }
        let app = query.parsed("oauth_app_id", orSay: "Write the id of an app.") { Identifier<APIKey>($0)?.bytes }
        let now = world.now()
        let end = until ?? max(now, since ?? now) + .seconds(1)
        let begin = since ?? end - Self.usualRange
        if end - begin > Self.longestRange {
            query.refuse("start_date", "out_of_range", "Ask about 366 days at most.")
        }
        if key != nil, app != nil { query.refuse("oauth_app_id", "invalid", "Name a key or an app, not both.") }
        guard query.isComplete else { throw query.refusal }
        return UsageQuestion(since: begin, until: end, actor: key ?? app)
    }

    /// Which table of the figures is asked for, as `table` says it.
    enum UsageTable: String, CaseIterable {
        /// By the unit of the series.
        case series
        /// By day.
        case days
        /// By endpoint.
        case endpoints
        /// By key, app or person.
        case keys
    }

    func usageJSON(_ call: Call) throws -> Response {
        var query = Input(try call.request.query())
        let table = usageTable(&query, call.request)
        let figures = try figures(usageQuestion(&query), by: call.scope())
        return table.map { Self.table($0, of: figures) } ?? .json(Self.json(figures))
    }

    /// The table that is asked for; nil when none is.
    func usageTable(_ query: inout Input, _ request: Request) -> UsageTable? {
        let format = query.parsed("format", orSay: "There is csv only.") { $0 == "csv" ? $0 : nil }
        let table = query.parsed("table", orSay: "There are series, days, endpoints and keys.", by: UsageTable.init)
        let wantsTable = format != nil || request.headers["accept"]?.hasPrefix("text/csv") == true
        return wantsTable ? table ?? .series : nil
    }

    // MARK: As JSON

    static func json(_ figures: UsageFigures) -> JSON {
        .object(
            [
                .init("start_date", JSON(figures.since)), .init("end_date", JSON(figures.until)),
                .init("unit", .string(figures.unit.rawValue)),
            ] + counts(figures.total, prefix: "total_requests") + latencies(figures.total) + [
                .init("total_bytes", .integer(figures.total.bytes)),
                .init(
                    "requests_by_status",
                    .object(
                        figures.byStatus.map { one in
                            .init("\(one.hundred)xx", .integer(Int64(one.requests)))
                        })),
                .init("requests_by_endpoint", .array(figures.byEndpoint.map(json))),
                .init("requests_by_day", .array(figures.byDay.map { json($0, "date", isDay: true) })),
                .init("series", .array(figures.series.map { json($0, "at", isDay: false) })),
                .init("top_keys", .array(figures.bySubject.map(json))),
            ])
    }

    private static func counts(_ tally: Tally, prefix name: String = "requests") -> [JSON.Member] {
        [
            .init(name, .integer(Int64(tally.requests))),
            .init("successful_requests", .integer(Int64(tally.succeeded))),
            .init("failed_requests", .integer(Int64(tally.failed))),
            .init("success_rate", number(tally.successRate)),
            .init("average_response_time", number(tally.averageMilliseconds)),
        ]
    }

    private static func latencies(_ tally: Tally) -> [JSON.Member] {
        [0.5, 0.95, 0.99].map { part in
            .init("p\(Int((part * 100).rounded()))", number(tally.milliseconds(at: part)))
        }
    }

    /// To a hundredth: what is beyond was never measured.
    private static func number(_ value: Double?) -> JSON {
        value.map { .number(($0 * 100).rounded() / 100) } ?? .null
    }

    private static func json(_ endpoint: UsageFigures.Endpoint) -> JSON {
        .object(
            [
                .init("endpoint", .string(endpoint.isRest ? "other" : "\(endpoint.method) \(endpoint.route)")),
                .init("method", JSON(endpoint.isRest ? nil : endpoint.method)),
                .init("route", JSON(endpoint.isRest ? nil : endpoint.route)),
            ] + counts(endpoint.tally))
    }

    private static func json(_ point: UsageFigures.Point, _ name: String, isDay: Bool) -> JSON {
        let at: JSON = isDay ? .string(String(point.at.rfc3339.prefix(10))) : JSON(point.at)
        return .object([.init(name, at)] + counts(point.tally) + latencies(point.tally))
    }

    private static func json(_ subject: UsageFigures.Subject) -> JSON {
        .object(
            [
                .init("kind", .string(subject.kind.rawValue)), .init("id", JSON(uuid(subject.id))),
                .init("name", JSON(subject.name)),
            ] + counts(subject.tally))
    }

    // MARK: As a table

    static func table(_ table: UsageTable, of figures: UsageFigures) -> Response {
        let count = ["requests", "successful_requests", "failed_requests", "success_rate", "average_response_time"]
        let latency = ["p50", "p95", "p99"]
        let (head, rows): ([String], [[String]]) =
            switch table {
            case .series: (["at"] + count + latency, figures.series.map { [$0.at.rfc3339] + cells($0.tally, latency) })
            case .days:
                (
                    ["date"] + count + latency,
                    figures.byDay.map { [String($0.at.rfc3339.prefix(10))] + cells($0.tally, latency) }
                )
            case .endpoints:
                (
                    ["method", "route"] + count,
                    figures.byEndpoint.map { [$0.method, $0.isRest ? "other" : $0.route] + cells($0.tally, []) }
                )
            case .keys:
                (
                    ["kind", "id", "name"] + count,
                    figures.bySubject.map {
                        [$0.kind.rawValue, uuid($0.id) ?? "", $0.name ?? ""] + cells($0.tally, [])
                    }
                )
            }
        return Response.csv(head, named: "usage-\(table.rawValue)") { write in try rows.forEach(write) }
    }

    /// The numbers of a line, as JSON writes them.
    private static func cells(_ tally: Tally, _ latency: [String]) -> [String] {
        (counts(tally) + (latency.isEmpty ? [] : latencies(tally))).map { member in
            member.value == .null ? "" : String(decoding: member.value.bytes, as: UTF8.self)
        }
    }
}
