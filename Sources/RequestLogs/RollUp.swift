import Domain
import TimeKit

/// What a row of a roll-up counts.
struct UsageCell: Hashable, Sendable {
    /// How the requests of a subject are broken down.
    enum Breakdown: UInt8, Sendable {
        case none, subject, endpoint
    }

    /// Sixteen zeros stand for the whole organization.
    static let everybody = [UInt8](repeating: 0, count: 16)

    let organization: [UInt8]
    let subject: [UInt8]
    let breakdown: Breakdown
    let at: Timestamp
    let label: String
    let hundred: Int

    /// The order in which rows are written, so that two writers never wait for each other in a circle.
    static func precedes(_ one: UsageCell, _ other: UsageCell) -> Bool {
        if one.organization != other.organization {
            return one.organization.lexicographicallyPrecedes(other.organization)
        }
        if one.subject != other.subject { return one.subject.lexicographicallyPrecedes(other.subject) }
        if one.breakdown != other.breakdown { return one.breakdown.rawValue < other.breakdown.rawValue }
        if one.at != other.at { return one.at < other.at }
        if one.label != other.label { return one.label.utf8.lexicographicallyPrecedes(other.label.utf8) }
        return one.hundred < other.hundred
    }
}

/// The requests of a batch, counted as the roll-ups count them.
///
/// Each request is counted in five rows of each unit: of the organization all together, by subject and by endpoint; and of
/// its subject all together and by endpoint. So every figure is read from rows of one kind.
struct RollUp {
    /// What requests of one kind have in common; there are far fewer kinds than requests.
    private struct Kind: Hashable {
        let organization: Identifier<Organization>
        let actorKind: Actor.Kind
        let actorID: [UInt8]?
        let method: String
        let route: String
        let minute: Timestamp
        let hundred: Int
    }

    private var kinds: [Kind: Tally] = [:]

    /// Counts a request.
    mutating func count(_ request: LoggedRequest) {
        let kind = Kind(
            organization: request.organization, actorKind: request.actorKind, actorID: request.actorID,
            method: request.method, route: request.route, minute: UsageUnit.minute.floor(request.at),
            hundred: request.status / 100)
        kinds[kind, default: Tally()].count(request)
    }

    /// The rows of a unit, in the order of writing.
    ///
    /// - Parameter label: what an endpoint is called in a stretch of time; the rest of too many share one name.
    func rows(
        of unit: UsageUnit, label: (_ endpoint: String, Identifier<Organization>, Timestamp) throws -> String
    ) rethrows -> [(cell: UsageCell, tally: Tally)] {
        var cells: [UsageCell: Tally] = [:]
        for (kind, tally) in kinds {
            let at = unit.floor(kind.minute)
            let endpoint = try label("\(kind.method) \(kind.route)", kind.organization, at)
            let subject = Self.subject(kind.actorID)
            var bare = tally
            bare.latency = LatencyHistogram()
            func add(_ subject: [UInt8], _ breakdown: UsageCell.Breakdown, _ label: String, _ tally: Tally) {
                let cell = UsageCell(
                    organization: kind.organization.bytes, subject: subject, breakdown: breakdown, at: at, label: label,
                    hundred: kind.hundred)
                cells[cell, default: Tally()].add(tally)
            }
            add(UsageCell.everybody, .none, "", tally)
            add(UsageCell.everybody, .subject, SubjectLabel.text(kind.actorKind, subject), bare)
            add(UsageCell.everybody, .endpoint, endpoint, bare)
            add(subject, .none, "", tally)
            add(subject, .endpoint, endpoint, bare)
        }
        return cells.sorted { UsageCell.precedes($0.key, $1.key) }.map { (cell: $0.key, tally: $0.value) }
    }

    /// Those without an id of their own count as one subject, which is not the whole organization.
    private static func subject(_ id: [UInt8]?) -> [UInt8] {
        guard let id, id.count == 16 else { return [UInt8](repeating: 0xff, count: 16) }
        return id
    }
}

extension Tally {
    /// Counts a request.
    mutating func count(_ request: LoggedRequest) {
        requests += 1
        if request.status >= 400 { failed += 1 }
        microseconds += request.duration.microseconds
        bytes += Int64(request.bytes)
        latency.count(microseconds: request.duration.microseconds)
    }
}
