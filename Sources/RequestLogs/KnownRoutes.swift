import DatabaseKit
import Domain
import ThreadKit
import TimeKit

/// Which endpoints of an organization are told apart within an hour and within a day: the first so many, whatever a site
/// behind the gate calls its own. The rest count together, so that nobody's inventions make the figures grow.
///
/// Each process keeps what it has seen and asks the roll-ups where it has seen nothing, so several processes together may
/// tell a few more apart.
final class KnownRoutes: Sendable {
    /// How many are told apart within an hour.
    static let perHour = 200
    /// How many are told apart within a day.
    static let perDay = 400
    /// The name of all others.
    static let rest = ""

    private struct Place: Hashable {
        let organization: Identifier<Organization>
        let at: Timestamp
        let unit: UsageUnit
    }

    private let seen = Lock<[Place: Set<String>]>([:])

    /// How many stretches of organizations are kept in mind; then all are forgotten, and asked for again.
    private static let mostPlaces = 2_000

    /// What an endpoint is called in a stretch of time of a unit.
    func label(
        _ endpoint: String, _ organization: Identifier<Organization>, _ at: Timestamp, _ unit: UsageUnit,
        in database: Database
    ) throws -> String {
        // A minute's endpoints are those of its hour.
        let wide: UsageUnit = unit == .day ? .day : .hour
        let place = Place(organization: organization, at: wide.floor(at), unit: wide)
        var known = seen.withLock { $0[place] }
        if known == nil {
            known = try Self.stored(place, in: database)
        }
        guard var known else { return Self.rest }
        let label = String(endpoint.unicodeScalars.prefix(180))
        let isKnown = known.contains(label)
        if !isKnown, known.count < (wide == .day ? Self.perDay : Self.perHour) { known.insert(label) }
        let kept = known
        seen.withLock { seen in
            if seen.count >= Self.mostPlaces { seen = [:] }
            seen[place] = kept
        }
        return kept.contains(label) ? label : Self.rest
    }

    private static func stored(_ place: Place, in database: Database) throws -> Set<String> {
        let rows = try database.rows(
            """
            SELECT DISTINCT label
              FROM \(unescaped: place.unit.table)
             WHERE organization_id = \(place.organization) AND subject = \(UsageCell.everybody)
               AND breakdown = \(UsageCell.Breakdown.endpoint.rawValue) AND at = \(place.at)
             LIMIT 2000
            """)
        return Set(try rows.map { try $0.get("label", as: String.self) }).subtracting([rest])
    }
}
