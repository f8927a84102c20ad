import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// Which requests are wanted, as the query says it; what is left out does not matter.
struct LogFilter: Sendable, Equatable {
    /// How an answer was, as `status` says it.
    enum Outcome: Sendable, Equatable {
        /// `failed`: 400 and above.
        case failed
        /// `succeeded`: below 400.
        case succeeded
        /// `4xx`: a hundred of them, by the first digit.
        case hundred(Int)
        /// `404`: exactly this one.
        case exactly(Int)

        /// Reads the word in the query.
        init?(_ text: String) {
            switch text {
            case "failed": self = .failed
            case "succeeded": self = .succeeded
            default:
                if text.utf8.count == 3, text.hasSuffix("xx"), let digit = Int(text.prefix(1)), (1...5).contains(digit)
                {
                    self = .hundred(digit)
                } else if text.utf8.count == 3, let status = Int(text), (100...599).contains(status) {
                    self = .exactly(status)
                } else {
                    return nil
                }
            }
        }

        /// The word in the query.
        var text: String {
            switch self {
            case .failed: "failed"
            case .succeeded: "succeeded"
            case .hundred(let digit): "\(digit)xx"
            case .exactly(let status): "\(status)"
            }
        }
    }

    /// Requests with this key.
    var key: Identifier<APIKey>?
    /// Requests of this app: an app is known by its id alone.
    var app: [UInt8]?
    /// Requests about this connection.
    var connection: Identifier<Connection>?
    /// From this moment on.
    var since: Timestamp?
    /// Before this moment.
    var until: Timestamp?
    /// How the answer was.
    var outcome: Outcome?
    /// Where the path begins so.
    var path: String?
    /// At this route, as the log writes it.
    var route: String?
    /// With this method.
    var method: String?
    /// The request of this id.
    var requestID: String?

    /// Everything.
    init() {}

    /// Reads the fields of a query; refusals are noted in the input.
    ///
    /// `start_date` and `end_date` take a time in RFC 3339, a day, or milliseconds since 1970 as seed 1 sends them; a day
    /// belongs to the range whole.
    init(_ query: inout Input) {
        key = query.parsed("api_key_id", orSay: "Write the id of a key.") { Identifier<APIKey>($0) }
        app = query.parsed("oauth_app_id", orSay: "Write the id of an app.") { Identifier<OAuthApp>($0)?.bytes }
        connection = query.parsed("connection_id", orSay: "Write the id of a connection.") {
            Identifier<Connection>($0)
        }
        (since, until) = Moments.range(&query)
        outcome = query.parsed(
            "status", orSay: "Write failed, succeeded, a status such as 404, or a class such as 4xx.", by: Outcome.init)
        path = query.parsed("path", orSay: "Write the beginning of a path, such as /api/v1/connections.", 1...500) {
            $0.hasPrefix("/") ? $0 : nil
        }
        route = query.parsed("route", orSay: "Write a route such as /api/v1/connections/{id}.", 1...200) {
            $0.hasPrefix("/") ? $0 : nil
        }
        method = query.parsed("method", orSay: "Write a method such as GET.", 1...16, by: Self.method)
        let sentence = "Write the id of a request, as X-Request-Id says it."
        let id = query.parsed("request_id", orSay: sentence, 1...64, by: Self.visible)
        let search = query.parsed("q", orSay: sentence, 1...64, by: Self.visible)
        requestID = id ?? search
    }

    /// Whether anything is left out.
    var isActive: Bool { self != LogFilter() }

    private static func method(_ text: String) -> String? {
        let upper = text.uppercased()
        return upper.utf8.allSatisfy { (0x41...0x5a).contains($0) || $0 == 0x2d } ? upper : nil
    }

    private static func visible(_ text: String) -> String? {
        text.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? text : nil
    }
}

/// Moments as queries of this room write them.
enum Moments {
    static let sentence = "Write a day as 2027-01-31, a time as 2027-01-31T00:00:00Z, or milliseconds since 1970."

    /// `start_date` and `end_date`; a range that ends before it begins is refused.
    static func range(_ query: inout Input) -> (since: Timestamp?, until: Timestamp?) {
        let since = query.parsed("start_date", orSay: sentence) { moment($0) ?? day($0) }
        let until = query.parsed("end_date", orSay: sentence) { moment($0) ?? day($0).map { $0 + .days(1) } }
        if let since, let until, until <= since {
            query.refuse("end_date", "out_of_range", "The range must end after it begins.")
        }
        return (since, until)
    }

    private static func moment(_ text: String) -> Timestamp? {
        let found =
            Timestamp(rfc3339: text)
            ?? Int64(text).flatMap { $0 >= 0 && $0 < 1 << 48 ? $0 : nil }.map {
                Timestamp(microseconds: $0 * 1_000)
            }
        return found.map(bounded)
    }

    private static func day(_ text: String) -> Timestamp? {
        Timestamp(rfc3339: text + "T00:00:00Z").map(bounded)
    }

    /// A moment that a column can be compared with.
    private static func bounded(_ moment: Timestamp) -> Timestamp {
        min(max(moment, Timestamp(seconds: 0)), .latest)
    }
}
