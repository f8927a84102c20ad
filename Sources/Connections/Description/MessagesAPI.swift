import AdminShell
import HTTPKit
import JSONKit

/// Messages and events of calendars as the API's description has them.
extension MessageRoute {
    /// What scripts can do at this address; nil for pages.
    public var api: APIPath? {
        switch self {
        case .page, .eventPage: nil
        case .listJSON: Self.messagesAPI
        case .eventsJSON: Self.eventsAPI
        case .json: Self.messageAPI
        }
    }

    private static let tag = APITag(
        "Messages", "What is sent over connections: messages by chat and mail, and events in calendars.")

    private static let messagesAPI = APIPath(
        "/api/v1/connections/{connection}/messages", tag, parameters: [ConnectionRoute.name],
        [
            .get: APIOperation(
                "listMessages", "Lists what was sent over a connection, the newest first.",
                parameters: [.query("status", .word(of: MessageStatus.self), "Those in this state only.")],
                answers: .list(of: message)),
            .post: APIOperation(
                "sendMessage", "Sends a message.",
                details:
                    "What a service takes differs: lengths, whether there is a recipient, a subject or HTML. What it would refuse is refused here, by field.",
                parameters: [wait],
                body: .body(
                    .optional(
                        "to", .any(of: .text(1...254, example: "ana@example.org"), .integer(example: 42)),
                        "Whom it is for; the connection's own recipient when left out."),
                    .required("text", .words(1...1_000_000, example: "The printer is on fire."), "What it says."),
                    .optional("subject", .text(0...998, example: "Printer"), "The subject, where messages have one."),
                    .optional(
                        "html", .text(0...1_000_000, example: "<p>The printer is on fire.</p>"),
                        "The same in HTML, where messages have it.")),
                answers: accepted, sent, problems: trouble),
        ])

    private static let eventsAPI = APIPath(
        "/api/v1/connections/{connection}/calendar-events", tag, parameters: [ConnectionRoute.name],
        [
            .post: APIOperation(
                "createCalendarEvent", "Puts an event into a calendar.",
                parameters: [wait],
                body: .body(
                    .required("summary", .words(1...1_024, example: "Fire drill"), "What it is called."),
                    .required("start", moment, "When it begins: a day, or a time."),
                    .required("end", moment, "When it ends; of whole days the first one after it."),
                    .optional(
                        "time_zone",
                        .text(
                            1...87, pattern: "^[A-Za-z]{1,20}(/[A-Za-z0-9_+-]{1,32}){0,2}$", example: "Europe/Ljubljana"
                        ), "The zone of times without an offset."),
                    .optional("description", .words(1...8_192, example: "Everybody out."), "What it is about."),
                    .optional(
                        "attendees", .list(of: .text(3...254, example: "ana@example.org"), atMost: 200),
                        "Who is invited.")),
                answers: accepted, sent, problems: trouble)
        ])

    private static let messageAPI = APIPath(
        "/api/v1/messages/{id}", tag, isVersioned: true,
        [.get: APIOperation("getMessage", "Says what became of a message, never what it says.", answers: .ok(message))])

    private static let wait = APIParameter.query(
        "wait", .word(of: ["true", "false"]), "Answers once the service took it, after one attempt.")
    private static let moment = JSONSchema.text(
        10...40, pattern: #"^\d{4}-\d{2}-\d{2}"#, example: "2026-11-21T10:00:00+01:00")

    private static let accepted = APIAnswer.accepted(message, "It is in the queue.")
    private static let sent = APIAnswer.created(message, "The service took it (with `wait=true`, or as a repetition).")

    private static let trouble = [
        APIProblem(409, "not_connected", "The connection has no credentials."),
        APIProblem(409, "connection_disabled", "The connection is disabled."),
        ConnectionRoute.undecryptable, ConnectionRoute.unknownProvider,
        APIProblem(422, "not_supported", "The service takes nothing of this kind."),
        APIProblem(422, "message_refused", "The service refuses it."),
        APIProblem(
            502, "failed", "The service could not be asked, or nobody knows whether it took it; other codes say why."),
    ]

    private static let message = JSONSchema.object(
        .required("id", .id, "The message's id."),
        .required("connection_id", .id, "Over which connection it goes."),
        .required("provider", ProviderSchema.key, "The provider's key."),
        .required("kind", .text(example: "message"), "What it is."),
        .required("status", .word(of: MessageStatus.self), "What became of it."),
        .required("to", JSONSchema.text(example: "a***@example.org").orNull, "Whom it is for, in part."),
        .required("provider_id", JSONSchema.text(example: "4711").orNull, "The service's own id for it."),
        .required("attempts", .integer(0...1_000, example: 1), "How often it was tried."),
        .required(
            "error",
            JSONSchema.object(
                .required("code", .text(example: "refused"), "A stable word."),
                .required("detail", .text(example: "chat not found"), "What the service said.")
            ).orNull, "Why it was not sent."),
        .required("next_attempt_at", JSONSchema.time.orNull, "When it is tried again."),
        .required("requested_by", .text(example: "billing"), "Who asked for it."),
        .required("created_at", .time, "When it was asked for."),
        .required("updated_at", .time, "When its state changed last."),
        .required("sent_at", JSONSchema.time.orNull, "When the service took it.")
    ).named("Message")
}
