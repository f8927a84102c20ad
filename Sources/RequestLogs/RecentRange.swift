import HTTPKit
import TemplateKit
import TimeKit

/// A stretch of time that ends now, as `range` in a page's address says it.
enum RecentRange: String, Sendable, CaseIterable {
    case hour = "1h"
    case day = "24h"
    case week = "7d"
    case month = "30d"
    case quarter = "90d"

    /// Those that the log offers.
    static let ofLog: [RecentRange] = [.hour, .day, .week]
    /// Those that figures are offered for.
    static let ofUsage: [RecentRange] = [.day, .week, .month, .quarter]

    var length: Duration {
        switch self {
        case .hour: .hours(1)
        case .day: .hours(24)
        case .week: .days(7)
        case .month: .days(30)
        case .quarter: .days(90)
        }
    }

    /// `24 hours`, to be read after “last” or “the”.
    var words: String {
        switch self {
        case .hour: "hour"
        case .day: "24 hours"
        case .week: "7 days"
        case .month: "30 days"
        case .quarter: "90 days"
        }
    }

    /// Reads the field; refusals are noted in the input.
    init?(_ query: inout Input) {
        let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
        guard let range = query.parsed("range", orSay: "Write one of \(known).", by: { RecentRange(rawValue: $0) })
        else { return nil }
        self = range
    }

    /// Links that choose a range, and by that end a choice of days.
    static func links(_ ranges: [RecentRange], chosen: RecentRange?, in address: FilterAddress) -> [TemplateValue] {
        ranges.map { range in
            [
                "label": .text("Last \(range.words)"), "current": .bool(range == chosen),
                "href": .text(
                    address.setting([("start_date", nil), ("end_date", nil), ("range", range.rawValue)])),
            ]
        }
    }
}
