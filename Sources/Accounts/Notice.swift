import JSONKit

/// Something that needs somebody, as an e-mail says it.
public struct Notice: Sendable, Equatable {
    /// One line.
    public let subject: String
    /// What happened, and what to do.
    public let text: String
    /// What it is about, as pages are found: the kind of the thing, such as `webhook`, and its id as text.
    public let about: (kind: String, id: String)

    /// The kinds of events of which organizations are told.
    public static let types = [
        "webhook.failing", "webhook.disabled", "connection.needs_reauth", "api_key.expiring",
        "oauth_app.token_reused",
    ]

    /// The words for one of the hub's own events; nil when nobody is told of it.
    public init?(_ type: String, _ data: JSON) {
        func said(_ name: String) -> String? { data[name]?.text.map(Self.line).flatMap { $0.isEmpty ? nil : $0 } }
        switch type {
        case "webhook.failing":
            let name = said("description") ?? said("url") ?? ""
            subject = "A webhook takes nothing: \(name)"
            text = """
                For an hour every attempt to deliver to \(said("url") ?? "it") has failed.

                What could not be delivered is tried again for a while. After five days of nothing but failures the webhook
                is disabled.
                """
        case "webhook.disabled":
            let reason: String
            switch said("disabled_reason") {
            case "gone": reason = "Its receiver answered 410: it wants no more."
            case "failing": reason = "For five days nothing but failures came of it."
            // Whoever did it by hand knows.
            default: return nil
            }
            subject = "A webhook was disabled: \(said("description") ?? said("url") ?? "")"
            text = """
                Nothing is delivered any more to \(said("url") ?? "it"). \(reason)

                Enable it once its receiver is ready again, and replay what it has missed.
                """
        case "connection.needs_reauth":
            let name = "\(said("provider") ?? "") (\(said("name") ?? ""))"
            subject = "A connection must be signed in again: \(name)"
            text = """
                The connection \(name) does not work any more until somebody signs in again.
                \(said("detail") ?? "")
                """
        case "api_key.expiring":
            subject = "An API key ends soon: \(said("name") ?? "")"
            text = """
                The key \(said("name") ?? "") (…\(said("last_four") ?? "")) ends at \(said("expires_at") ?? "a time near").

                Roll it, or give what uses it another key before then.
                """
        case "oauth_app.token_reused":
            subject = "Somebody has stolen a token of an app: \(said("name") ?? "")"
            text = """
                What \(said("name") ?? "an app") could do for \(said("user") ?? "somebody") was ended, since something that
                can be used once came a second time: a copy of it is in other hands, or the app keeps its tokens badly.

                Whoever uses the app must let it in again. Ask its author before you do, when it happens more than once.
                """
        default: return nil
        }
        let kind = String(type.prefix { $0 != "." })
        about = (kind, data["\(kind)_id"]?.text ?? "")
    }

    /// Whether both say the same.
    public static func == (one: Notice, other: Notice) -> Bool {
        one.subject == other.subject && one.text == other.text && one.about == other.about
    }

    /// Words of somebody's own on one line, as long as a subject bears.
    private static func line(_ text: String) -> String {
        let plain = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : String($0) }
        return String(plain.joined().prefix(120))
    }
}
