import DatabaseKit
import Domain
import TimeKit

/// Where rows are found in the order of their ids, and by which index.
///
/// The server's own choice rests on guesses that grow worse with the table, so each statement names its index.
protocol NewestPlace {
    /// `deliveries` or `events`.
    var table: SQL { get }
    /// The index in which ids stand in order, and what its columns before the id are.
    var whole: (index: SQL, conditions: [SQL]) { get }
    /// The same for rows of one type: an index and alternatives of conditions, each of which has its ids in order.
    func ofType(_ type: String) -> (index: SQL, alternatives: [SQL])
}

/// The deliveries of a webhook, in one state or in all, or those of an event.
struct DeliveryPlace: NewestPlace {
    let filter: LogStore.Filter

    init(_ filter: LogStore.Filter) { self.filter = filter }

    let table: SQL = "deliveries"

    var whole: (index: SQL, conditions: [SQL]) {
        var conditions: [SQL] = []
        if let event = filter.event { conditions.append("event_id = \(event)") }
        if let webhook = filter.webhook { conditions.append("webhook_id = \(webhook)") }
        if let state = filter.state { conditions.append("state = \(state.rawValue)") }
        if filter.event != nil { return ("FORCE INDEX (pair)", conditions) }
        guard filter.webhook != nil else { return ("FORCE INDEX (PRIMARY)", conditions) }
        return (filter.state == nil ? "FORCE INDEX (list)" : "FORCE INDEX (by_state)", conditions)
    }

    func ofType(_ type: String) -> (index: SQL, alternatives: [SQL]) {
        let states = filter.state.map { [$0] } ?? DeliveryRecord.State.allCases
        return (
            "FORCE INDEX (by_type)",
            states.map { "webhook_id = \(filter.webhook) AND type = \(type) AND state = \($0.rawValue)" }
        )
    }
}

/// The events of an organization.
struct EventPlace: NewestPlace {
    let organization: Identifier<Organization>

    init(_ organization: Identifier<Organization>) { self.organization = organization }

    let table: SQL = "events"

    var whole: (index: SQL, conditions: [SQL]) {
        ("FORCE INDEX (list)", ["organization_id = \(organization)"])
    }

    func ofType(_ type: String) -> (index: SQL, alternatives: [SQL]) {
        ("FORCE INDEX (by_type)", ["organization_id = \(organization) AND type = \(type)"])
    }
}

/// The ids of the newest rows of a place, found without reading any that are not wanted.
struct Newest<Place: NewestPlace> {
    let place: Place
    /// Which types, when those can be named; nil for all, or for so many that what is read is mostly wanted.
    let types: [String]?
    let pattern: EventPattern?
    let since: [UInt8]?
    let until: [UInt8]?
    let last: [UInt8]?

    init(
        _ place: Place, types: [String]?, pattern: EventPattern?, since: [UInt8]? = nil, until: [UInt8]? = nil,
        after last: [UInt8]?
    ) {
        self.place = place
        self.types = types
        self.pattern = pattern
        self.since = since
        self.until = until
        self.last = last
    }

    /// A statement that gives so many ids, the newest first.
    func statement(_ limit: Int) -> SQL {
        guard let types else {
            var (index, conditions) = place.whole
            if let pattern { conditions.append(pattern.condition(on: "x")) }
            return part(index, conditions, limit)
        }
        let parts = types.flatMap { type in
            let (index, alternatives) = place.ofType(type)
            return alternatives.map { part(index, [$0], limit) }
        }
        switch parts.count {
        case 0: return "SELECT NULL AS id LIMIT 0"
        case 1: return parts[0]
        default: return "(\(SQL(joining: parts, by: ") UNION ALL ("))) ORDER BY id DESC LIMIT \(limit)"
        }
    }

    private func part(_ index: SQL, _ conditions: [SQL], _ limit: Int) -> SQL {
        var conditions = conditions
        // Ids begin with the time of making.
        if let since { conditions.append("id >= \(since)") }
        if let until { conditions.append("id < \(until)") }
        if let last { conditions.append("id < \(last)") }
        let condition: SQL = conditions.isEmpty ? "TRUE" : SQL(joining: conditions, by: " AND ")
        return "SELECT id FROM \(place.table) x \(index) WHERE \(condition) ORDER BY id DESC LIMIT \(limit)"
    }
}

extension Timestamp {
    /// The lowest id that something made at this time can have.
    var lowest: [UInt8] { Identifier<Delivery>(lowestAt: self).bytes }
}

extension EventPattern {
    /// A condition on `d.type`.
    var condition: SQL { condition(on: "d") }

    /// A condition on the column `type` of a table by its short name.
    func condition(on table: StaticString) -> SQL {
        let text = description
        if text == "*" { return "TRUE" }
        guard text.hasSuffix(".*") else { return "\(unescaped: "\(table)").type = \(text)" }
        // The name holds nothing that LIKE takes for more than itself but `_`.
        return "\(unescaped: "\(table)").type LIKE \(text.dropLast().replacing("_", with: "\\_") + "%")"
    }

    /// At most so many types are looked for one by one.
    private static let mostTypes = 32

    /// The types that there are of this pattern; nil when it wants all, or when there are too many to name.
    ///
    /// - Parameter next: the first type that there is between two words, both left out.
    func types(_ next: (_ start: String, _ end: String) throws -> String?) rethrows -> [String]? {
        let text = description
        if text == "*" { return nil }
        guard text.hasSuffix(".*") else { return [text] }
        let start = String(text.dropLast())
        // What begins with `custom.` stands before `custom/`.
        let end = "\(text.dropLast(2))/"
        var types: [String] = []
        while let type = try next(types.last ?? start, end) {
            types.append(type)
            if types.count > Self.mostTypes { return nil }
        }
        return types
    }
}
