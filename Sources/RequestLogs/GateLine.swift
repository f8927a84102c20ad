import Domain
import JSONKit
import TimeKit

/// A line of the log that nginx writes of a gated site, version 1: `escape=json`, one request a line.
///
/// The client decides what stands in most of it, so all of it is bounded and nothing of it is believed but what nginx and
/// the hub themselves put there: the organization and the key that the gate has answered with.
enum GateLine {
    /// What a line says.
    enum Finding {
        case request(LoggedRequest)
        /// Nobody was known: the gate refused it, or was not asked.
        case stranger
        /// No line of ours.
        case unreadable
    }

    /// Reads a line.
    static func read(_ bytes: [UInt8]) -> Finding {
        // nginx writes bytes above 127 as they came; what is no UTF-8 becomes U+FFFD instead of costing the line.
        let text = Array(String(decoding: bytes, as: UTF8.self).utf8)
        guard let line = try? JSON(parsing: text), line["v"] == 1, let at = moment(line["time"]) else {
            return .unreadable
        }
        guard let organization = line["org"]?.text.flatMap({ Identifier<Organization>($0) }),
            let bearer = bearer(line)
        else { return .stranger }
        let seconds = number(line["seconds"]) ?? 0
        let path = (line["uri"]?.text ?? "").prefix { $0 != "?" && $0 != "#" }
        let method = line["method"]?.text ?? ""
        let route = line["route"]?.text ?? ""
        return .request(
            LoggedRequest(
                at: at, organization: organization, surface: .gate, actorKind: bearer.kind, actorID: bearer.id,
                method: method, route: route.isEmpty ? "(site)" : route, path: String(path),
                status: Int(max(0, min(999, number(line["status"]) ?? 0))),
                duration: .microseconds(Int64(max(0, min(86_400, seconds)) * 1_000_000)),
                bytes: Int(max(0, min(1e15, number(line["bytes"]) ?? 0))), address: line["address"]?.text ?? "",
                userAgent: line["agent"]?.text ?? "", requestID: line["request_id"]?.text ?? "",
                code: line["code"]?.text ?? ""))
    }

    /// The key or the app that the gate has named.
    private static func bearer(_ line: JSON) -> (kind: Actor.Kind, id: [UInt8])? {
        if let key = line["key"]?.text.flatMap({ Identifier<APIKey>($0) }) { return (.apiKey, key.bytes) }
        return line["app"]?.text.flatMap { Identifier<OAuthApp>($0) }.map { (.oauthApp, $0.bytes) }
    }

    /// `$msec`: seconds with milliseconds. nginx has it from the clock; anything beyond this century is no line of ours.
    private static func moment(_ value: JSON?) -> Timestamp? {
        guard let seconds = number(value), (946_684_800...4_102_444_800).contains(seconds) else { return nil }
        return Timestamp(microseconds: Int64((seconds * 1_000_000).rounded()))
    }

    private static func number(_ value: JSON?) -> Double? {
        let number: Double? =
            switch value {
            case .integer(let whole): Double(whole)
            case .number(let number): number
            case .string(let text): Double(text)
            default: nil
            }
        return number.flatMap { $0.isFinite ? $0 : nil }
    }
}
