import DatabaseKit
import Domain
import TimeKit

/// A line of the request log.
struct LogEntry: Sendable {
    let id: Identifier<LoggedRequest>
    let request: LoggedRequest
    /// What the actor is called; nil when they are no longer known.
    let actorName: String?

    /// Whether the answer was a client's or a server's error.
    var isFailed: Bool { request.status >= 400 }
}

extension LogEntry {
    /// An entry for samples of pages.
    static let sample = LogEntry(
        id: Identifier(.real),
        request: LoggedRequest(
            at: Timestamp(seconds: 0), organization: Identifier(.real), surface: .api, actorKind: .apiKey,
            actorID: Identifier<APIKey>(.real).bytes, connection: Identifier(.real), method: "POST",
            route: "/api/v1/connections/{id}/test",
            path: "/api/v1/connections/0197c2f4-0000-7000-8000-000000000000/test",
            status: 422, duration: .milliseconds(12), bytes: 321, address: "203.0.113.9", userAgent: "curl/8.5.0",
            requestID: "9f86d081884c7d659f86d081884c7d65", code: "validation_failed"),
        actorName: "billing")
}
