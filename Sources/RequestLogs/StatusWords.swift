import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// How an answer is told.
extension LoggedRequest {
    /// What the partial `state` is told: the number, or the number with its words.
    func state(inFull: Bool = false) -> TemplateValue {
        let tone =
            switch status {
            case ..<300: "good"
            case ..<400: "off"
            case ..<500: "warn"
            default: "bad"
            }
        let phrase = Status(status).phrase
        let word = inFull && phrase != "Status \(status)" ? "\(status) \(phrase)" : "\(status)"
        return ["tone": .text(tone), "word": .text(word)]
    }

    /// What became of it and what can be done, for people.
    var meaning: String {
        switch status {
        case ..<300: "It succeeded."
        case ..<400: "It was led to another address."
        case 400, 413, 415, 422:
            "It was refused for what was sent. The answer named what is wrong; change that and send it again."
        case 401: "Its credential was not accepted. Check that the whole key is sent and that the key still works."
        case 403: "Its key may not do this. Give the key the right it needs, or allow the address it is used from."
        case 404: "There is nothing at this address, or nothing of this organization. Check the id in the path."
        case 405: "This address does not take this method."
        case 409, 412, 428: "Something had changed meanwhile. Read it again, then send the change once more."
        case 429: "It was over a limit. Wait as long as Retry-After said, or give the key a higher limit."
        case 502, 504: "The service behind this connection did not answer as it should. Test the connection."
        case 503: "The hub could not take it just then. Sending it again later is safe where the method is."
        case 500...: "The hub failed. Send it again; if it fails again, hand the request id to whoever runs the hub."
        default: "It was refused."
        }
    }

    /// Where it was met, for people.
    var surfaceName: String {
        switch surface {
        case .api: "Interface of the hub"
        case .gate: "Site behind the gate"
        }
    }

    /// The address with parameters in braces, or the path where the route is not known.
    var place: String { route.isEmpty ? path : route }
}

extension Actor.Kind {
    /// What it is called on pages of this room.
    var label: String {
        switch self {
        case .user: "Person"
        case .apiKey: "API key"
        case .siteToken: "Token of the site"
        case .oauthApp: "App"
        case .platformKey: "Platform key"
        case .commandLine: "Command line"
        case .hub: "The hub"
        }
    }
}

extension Timestamp {
    /// `21 Nov, 17:56:38`, in UTC.
    var clock: String {
        let parts = Calendar(self)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(parts.day) \(months[parts.month - 1]), \(rfc3339.dropFirst(11).prefix(8))"
    }
}

/// `321 B`, `1.2 kB`, `4 MB`.
func bytesInWords(_ count: Int) -> String {
    let tenths: (Double) -> String = { size in
        let tenths = Int((size * 10).rounded())
        return size >= 10 || tenths % 10 == 0 ? "\(Int(size.rounded()))" : "\(tenths / 10).\(tenths % 10)"
    }
    switch count {
    case ..<1_000: return "\(count) B"
    case ..<999_500: return "\(tenths(Double(count) / 1e3)) kB"
    case ..<999_500_000: return "\(tenths(Double(count) / 1e6)) MB"
    default: return "\(tenths(Double(count) / 1e9)) GB"
    }
}
