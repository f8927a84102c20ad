import TemplateKit
import TimeKit

extension Timestamp {
    /// The value of the partial `time`: relative, with the exact moment for who asks.
    public func view(now: Timestamp) -> TemplateValue {
        ["datetime": .text(rfc3339), "exact": .text(exact), "relative": .text(relative(to: now))]
    }

    /// `21 November 2026, 11:24:05 UTC`
    public var exact: String {
        let parts = Calendar(self)
        let months = [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
            "December",
        ]
        let time = rfc3339.dropFirst(11).prefix(8)
        return "\(parts.day) \(months[parts.month - 1]) \(parts.year), \(time) UTC"
    }

    /// `4 min ago`, `yesterday`, `in 6 days`: the unit that a person would say.
    public func relative(to now: Timestamp) -> String {
        let seconds = (now - self).components.seconds
        let distance = abs(seconds)
        let words: String
        switch distance {
        case ..<45: return "just now"
        case ..<5_400: words = "\(max(1, (distance + 30) / 60)) min"
        case ..<79_200: words = "\((distance + 1_800) / 3_600) h"
        case ..<129_600: return seconds > 0 ? "yesterday" : "tomorrow"
        default: words = Self.longWords((distance + 43_200) / 86_400)
        }
        return seconds > 0 ? "\(words) ago" : "in \(words)"
    }

    private static func longWords(_ days: Int64) -> String {
        switch days {
        case ..<60: "\(days) days"
        case ..<700: "\((days + 15) / 30) months"
        default: "\((days + 180) / 365) years"
        }
    }
}

extension Duration {
    /// `214 ms`, `1.2 s`: the unit that a person would say.
    public var words: String {
        let count = milliseconds
        return count < 1_000 ? "\(count) ms" : "\(count / 1_000).\(count % 1_000 / 100) s"
    }
}
