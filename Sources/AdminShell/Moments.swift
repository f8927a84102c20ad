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
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November",
            "December",
        ]
        let time = rfc3339.dropFirst(11).prefix(8)
        return "\(parts.day) \(months[parts.month - 1]) \(parts.year), \(time) UTC"
    }

    /// `4 min ago`, `yesterday`, `in 6 days`: the unit that a person would say.
    ///
    /// `public/hub.js` says the same words while a page stays open; a page must not change its mind at the first minute.
    public func relative(to now: Timestamp) -> String {
        let distance = (now - self).milliseconds
        let isPast = distance >= 0
        let seconds = (distance.magnitude + 500) / 1_000
        guard seconds >= 45 else { return isPast ? "just now" : "now" }
        let (unit, length) = Self.units.first { seconds >= $0.length } ?? ("min", 60)
        let count = max(1, seconds / length)
        if unit == "day", count == 1 { return isPast ? "yesterday" : "tomorrow" }
        let words = "\(count) \(unit)\(Self.isPlural(unit, count) ? "s" : "")"
        return isPast ? "\(words) ago" : "in \(words)"
    }

    private static let units: [(unit: String, length: UInt64)] = [
        ("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("h", 3_600), ("min", 60),
    ]

    private static func isPlural(_ unit: String, _ count: UInt64) -> Bool {
        unit != "h" && unit != "min" && count != 1
    }
}

extension Duration {
    /// `214 ms`, `1.2 s`: the unit that a person would say.
    public var words: String {
        let count = milliseconds
        if count < 1 { return "under 1 ms" }
        return count < 1_000 ? "\(count) ms" : "\(count / 1_000).\(count % 1_000 / 100) s"
    }
}
