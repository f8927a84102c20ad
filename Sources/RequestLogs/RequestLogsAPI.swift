import AdminShell
import Domain
import HTTPKit
import JSONKit

/// The request log and its figures as the API's description has them.
extension RequestLogsRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .logJSON: Self.logAPI
        case .entryJSON: Self.entryAPI
        case .usageJSON: Self.usageAPI
        case .log, .entry, .usage: nil
        }
    }

    private static let tag = APITag(
        "Request log", "What was asked of the interface and of the site's own, request by request and in figures.")

    private static let moment = JSONSchema.any(of: .day, .anyTime)
    private static let format = APIParameter.query("format", .word(of: ["csv"]), "The same as `Accept: text/csv`.")
    private static let range: [APIParameter] = [
        .query("start_date", moment, "From this time or day on."),
        .query("end_date", moment, "Before this time, or to the end of this day."),
        .query("api_key_id", .id, "Requests with this key."), .query("oauth_app_id", .id, "Requests of this app."),
    ]

    private static let logAPI = APIPath(
        "/api/v1/request-logs", tag,
        [
            .get: APIOperation(
                "listRequests", "Lists requests, the newest first.",
                details: "With `Accept: text/csv` or `?format=csv` every request that matches comes as a table.",
                parameters: range + [
                    .query("connection_id", .id, "Requests that were about this connection."),
                    .query(
                        "status", .text(1...20, example: "failed"), "`failed`, `succeeded`, a status, or such as `4xx`."
                    ),
                    .query(
                        "path", .text(1...500, pattern: "^/", example: "/api/v1/connections"),
                        "The beginning of the path."),
                    .query(
                        "route", .text(1...200, pattern: "^/", example: "/api/v1/connections/{id}"),
                        "The address as documents write it."),
                    .query("method", .text(1...16, example: "GET"), "The method."),
                    .query(
                        "request_id", .text(1...64, example: "4f0c9f0e2b7d4a6c8e1f3a5b7c9d0e1f"),
                        "The id of one request."),
                    .query(
                        "q", .text(1...64, example: "4f0c9f0e2b7d4a6c8e1f3a5b7c9d0e1f"), "The same as `request_id`."),
                    format,
                ], answers: .list(of: line, isTable: true))
        ])

    private static let entryAPI = APIPath(
        "/api/v1/request-logs/{id}", tag,
        [.get: APIOperation("getRequest", "Shows one request.", answers: .ok(line))])

    private static let usageAPI = APIPath(
        "/api/v1/usage", tag,
        [
            .get: APIOperation(
                "getUsage",
                "Shows the requests of some time in figures; the last thirty days unless something is said.",
                details: "With `Accept: text/csv` or `?format=csv` one of its parts comes as a table.",
                parameters: range + [
                    .query("table", .word(of: RequestLogs.UsageTable.self), "Which part comes as a table."), format,
                ], answers: .ok(figures, isTable: true))
        ])

    // MARK: What things look like

    private static let line = JSONSchema.object(
        .required("id", .id, "The line's id."), .required("at", .time, "When."),
        .required("request_id", .text(example: "4f0c9f0e2b7d4a6c8e1f3a5b7c9d0e1f"), "The id of the request."),
        .required(
            "surface", .text(example: "api"),
            "What was asked: `api`, the hub's interface, or `gate`, a site behind the gate."),
        .required("actor", actor, "Who asked."),
        .required("connection_id", JSONSchema.id.orNull, "The connection that it was about."),
        .required("method", .text(example: "GET"), "The method."),
        .required("route", .text(example: "/api/v1/connections/{id}"), "The address as documents write it."),
        .required(
            "path", .text(example: "/api/v1/connections/01981f0e-7a3c-7d10-9c4b-5e8f2a6b7c8d"),
            "The path, without its query."),
        .required("status", .integer(example: 200), "The status of the answer."),
        .required("code", JSONSchema.text(example: "not_found").orNull, "What went wrong, where something did."),
        .required("duration_ms", .number(atLeast: 0, example: 12.5), "How long it took."),
        .required("bytes", .integer(example: 512), "How much was answered."),
        .required("address", .text(example: "203.0.113.9"), "From where."),
        .required("user_agent", .text(example: "curl/8.5.0"), "By which program, as it says.")
    ).named("LoggedRequest")

    private static let actor = JSONSchema.object(
        .required("kind", .text(example: "api_key"), "What kind of actor."),
        .required("id", JSONSchema.id.orNull, "Their id."),
        .required("name", JSONSchema.text(example: "billing").orNull, "What they are called now."))

    private static let number = JSONSchema.number(example: 12.5).orNull
    private static let counts: [JSONSchema.Field] = [
        .required("successful_requests", .integer(example: 990), "Those answered below 400."),
        .required("failed_requests", .integer(example: 10), "Those answered with 400 or more."),
        .required("success_rate", number, "The part that succeeded, in percent; null of none."),
        .required("average_response_time", number, "In milliseconds."),
    ]
    private static let latencies: [JSONSchema.Field] = [
        .required("p50", number, "Half of them took at most so many milliseconds."),
        .required("p95", number, "95 % of them took at most so many milliseconds."),
        .required("p99", number, "99 % of them took at most so many milliseconds."),
    ]
    private static let requests = JSONSchema.Field.required("requests", .integer(example: 1_000), "How many.")

    private static let endpoint = JSONSchema.object(
        [
            .required("endpoint", .text(example: "GET /api/v1/connections"), "Method and route; `other` for the rest."),
            .required("method", JSONSchema.text(example: "GET").orNull, "The method."),
            .required("route", JSONSchema.text(example: "/api/v1/connections").orNull, "The route."), requests,
        ] + counts)
    private static let day = JSONSchema.object(
        [.required("date", .day, "The day, in UTC."), requests] + counts + latencies)
    private static let point = JSONSchema.object(
        [.required("at", .time, "When the stretch begins."), requests] + counts + latencies)
    private static let subject = JSONSchema.object(
        [
            .required("kind", .text(example: "api_key"), "What kind of actor."),
            .required("id", JSONSchema.id.orNull, "Their id."),
            .required("name", JSONSchema.text(example: "billing").orNull, "What they are called now."), requests,
        ] + counts)

    private static let figures = JSONSchema.object(
        [
            .required("start_date", .time, "From when on."), .required("end_date", .time, "Until when."),
            .required("unit", .text(example: "hour"), "The length of a stretch of the series."),
            .required("total_requests", .integer(example: 1_000), "How many."),
        ] + counts + latencies + [
            .required("total_bytes", .integer(example: 512_000), "How much was answered."),
            .required(
                "requests_by_status", .map(to: .integer(example: 990), example: ["2xx": 990]), "How many by hundred."),
            .required("requests_by_endpoint", .list(of: endpoint), "By endpoint, the most used first."),
            .required("requests_by_day", .list(of: day), "By day."),
            .required("series", .list(of: point), "By stretch of time."),
            .required("top_keys", .list(of: subject), "By actor, the busiest first."),
        ]
    ).named("Usage")
}
