import AdminShell
import HTTPKit
import JSONKit

/// The audit log as the API's description has it.
extension AuditRoute {
    /// What scripts can do at this address; nil for the page.
    public var api: APIPath? {
        switch self {
        case .log: nil
        case .logJSON: Self.logAPI
        }
    }

    private static let tag = APITag(
        "Audit log", "Who did what, and when. It is only read here; nothing of it can be changed.")

    private static let logAPI = APIPath(
        "/api/v1/audit-log", tag,
        [
            .get: APIOperation(
                "listAuditEntries", "Lists what was done, the newest first.",
                details: "With `Accept: text/csv` or `?format=csv` every entry that matches comes as a table.",
                parameters: [
                    .query(
                        "search", .words(1...100, example: "telegram"),
                        "Words in the name of who acted or of what was acted on."),
                    .query(
                        "actor", .words(1...254, example: "ana@acme.example"), "The name of who acted, or their id."),
                    .query(
                        "action", .text(1...64, pattern: "^[a-z0-9_.]+$", example: "connection.created"),
                        "What was done."),
                    .query(
                        "object_kind", .text(1...32, pattern: "^[a-z0-9_.]+$", example: "connection"),
                        "What kind of thing it was done to."),
                    .query("since", moment, "From this time or day on."),
                    .query("until", moment, "Before this time, or to the end of this day."),
                    .query("format", .word(of: ["csv"]), "The same as `Accept: text/csv`."),
                ], answers: .list(of: entry, isTable: true))
        ])

    private static let moment = JSONSchema.any(of: .day, .anyTime)

    private static let entry = JSONSchema.object(
        .required("id", .id, "The entry's id."),
        .required("occurred_at", .time, "When."),
        .required("actor", actor, "Who."),
        .required("action", .text(example: "connection.created"), "What was done."),
        .required("object", object, "What it was done to."),
        .required(
            "details", .anything.example(["provider": "telegram"]),
            "What else is known of it; values that changed stand as `from` and `to`."),
        .required(
            "remote_address", .text(example: "203.0.113.9"), "Where the request came from; empty for the hub itself."),
        .required("request_id", .text(example: "4f0c9f0e2b7d4a6c8e1f3a5b7c9d0e1f"), "The id of the request.")
    ).named("AuditEntry")

    private static let actor = JSONSchema.object(
        .required(
            "kind", .word(of: ["user", "api_key", "site_token", "oauth_app", "platform_key", "command_line", "hub"]),
            "What kind of actor."),
        .required("id", JSONSchema.id.orNull, "Their id; null for the command line and the hub."),
        .required("name", .text(example: "ana@acme.example"), "Their name at that time."))

    private static let object = JSONSchema.object(
        .required("kind", .text(example: "connection"), "What kind of thing."),
        .required("id", JSONSchema.id.orNull, "Its id, where it has one."),
        .required("name", .text(example: "Telegram “alerts”"), "Its name at that time."))
}
