import DatabaseKit
import Domain
import HTTPKit
import TimeKit

/// Which entries are wanted, as the query says it; what is left out does not matter.
struct AuditFilter: Sendable, Equatable {
    /// Words in the name of who acted or of what was acted on.
    var search: String?
    /// The name of who acted, or their id.
    var actor: String?
    /// What was done, such as `connection.created`.
    var action: String?
    /// What kind of thing it was done to, such as `connection`.
    var objectKind: String?
    /// In which request, by its id.
    var requestID: String?
    /// From this moment on.
    var since: Timestamp?
    /// Before this moment.
    var until: Timestamp?

    /// Everything.
    init() {}

    /// Reads the fields of a query; refusals are noted in the input.
    ///
    /// `since` and `until` take a time in RFC 3339 or a day, and a day belongs to the range whole.
    init(_ query: inout Input) {
        search = query.optionalText("search", 1...100)
        actor = query.optionalText("actor", 1...254)
        action = query.parsed("action", orSay: "Write an action as connection.created.", 1...64, by: Self.word)
        objectKind = query.parsed("object_kind", orSay: "Write a kind as api_key.", 1...32, by: Self.word)
        requestID = query.parsed("request_id", orSay: "Write the id of a request.", 1...64) { text in
            text.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? text : nil
        }
        let sentence = "Write a day as 2027-01-31 or a time as 2027-01-31T00:00:00Z."
        since = query.parsed("since", orSay: sentence) { Timestamp(rfc3339: $0) ?? Self.day($0) }.map(Self.bounded)
        until = query.parsed("until", orSay: sentence) { Timestamp(rfc3339: $0) ?? Self.day($0).map { $0 + .days(1) } }
            .map(Self.bounded)
    }

    /// Whether anything is left out.
    var isActive: Bool { self != AuditFilter() }

    /// The entries' condition on `e`.
    var condition: SQL {
        var sql: SQL = "TRUE"
        if let search {
            sql = "\(sql) AND (e.object_name LIKE \(Self.pattern(search)) OR e.actor_name LIKE \(Self.pattern(search)))"
        }
        if let actor {
            let isThem: SQL =
                if let id = Identifier<User>(actor) { "e.actor_id = \(id)" } else { "e.actor_name = \(actor)" }
            sql = "\(sql) AND \(isThem)"
        }
        if let action { sql = "\(sql) AND e.action = \(action)" }
        if let objectKind { sql = "\(sql) AND e.object_kind = \(objectKind)" }
        if let requestID { sql = "\(sql) AND e.request_id = \(requestID)" }
        if let since { sql = "\(sql) AND e.occurred_at >= \(since) AND e.id >= \(Self.bound(since - Self.slack))" }
        if let until { sql = "\(sql) AND e.occurred_at < \(until) AND e.id < \(Self.bound(until + Self.slack))" }
        return sql
    }

    /// An entry's id is made an instant before its time is taken.
    private static let slack = Duration.seconds(10)

    /// The least id of a moment: ids begin with their time, so that a range of time is a range of the index.
    static func bound(_ moment: Timestamp) -> [UInt8] {
        let milliseconds = UInt64(max(0, moment.milliseconds))
        return (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64($0))) }
            + [UInt8](repeating: 0, count: 10)
    }

    private static func pattern(_ search: String) -> String {
        let literal = search.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
        return "%\(literal)%"
    }

    private static func word(_ text: String) -> String? {
        text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x61...0x7a, 0x5f, 0x2e: true
            default: false
            }
        } ? text : nil
    }

    /// A moment that a column can be compared with: the four digits of a year end somewhere.
    private static func bounded(_ moment: Timestamp) -> Timestamp {
        min(max(moment, Timestamp(seconds: 0)), .latest)
    }

    private static func day(_ text: String) -> Timestamp? {
        Timestamp(rfc3339: text + "T00:00:00Z")
    }
}
