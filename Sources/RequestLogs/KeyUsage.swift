import AdminShell
import Domain
import HTTPKit
import TemplateKit
import TimeKit

/// What a key was used for, to stand on its own page.
extension RequestLogs {
    /// The last thirty days of a key as the partial `key-usage` shows them; nil for whoever may not see them.
    ///
    /// - Parameter mount: where the site is mounted, for the links.
    /// - Throws: `DatabaseError`.
    public func keyUsage(
        _ key: Identifier<APIKey>, by scope: OrganizationScope, mount: String
    ) throws -> TemplateValue? {
        guard scope.allows(.read(.usage)) else { return nil }
        let now = world.now()
        let figures = try figures(UsageQuestion(since: now - .days(30), until: now, actor: key.bytes), by: scope)
        let total = figures.total
        let usage = FilterAddress(mount + RequestLogsRoute.usage.path, .empty)
        let log = FilterAddress(mount + RequestLogsRoute.log.path, .empty)
        let days = figures.byDay.map(\.tally.requests)
        let most = (days.max() ?? 0).grouped
        return [
            "spark": Sparkline(
                days, label: "\(total.requests.counted("request", "requests")) in 30 days, at most \(most) in a day."
            ).view,
            "has_requests": .bool(total.requests > 0),
            "figures": [
                ["label": "Requests", "value": .text(total.requests.grouped)],
                ["label": "Succeeded", "value": .text(Share(total.succeeded, of: total.requests).words)],
                [
                    "label": "95 % within",
                    "value": .text(total.milliseconds(at: 0.95).map { Duration.milliseconds($0).latency } ?? "—"),
                ],
            ],
            "href": .text(usage.setting([("range", RecentRange.month.rawValue), ("api_key_id", key.text)])),
            "log_href": scope.allows(.read(.requestLogs))
                ? .text(log.setting([("api_key_id", key.text)])) : .null,
        ]
    }

    /// The last 24 hours of an organization for its overview; nil for whoever may not see them.
    ///
    /// - Throws: `DatabaseError`.
    public func lastDay(_ scope: OrganizationScope) throws -> LastDay? {
        guard scope.allows(.read(.usage)) else { return nil }
        let now = world.now()
        let figures = try figures(UsageQuestion(since: now - .hours(24), until: now), by: scope)
        return LastDay(
            requests: figures.total.requests, failed: figures.total.failed,
            p95: figures.total.milliseconds(at: 0.95).map { Duration.milliseconds($0) },
            chart: UsageSpans(figures).requests)
    }

    /// The requests of 24 hours.
    public struct LastDay: Sendable {
        /// How many.
        public let requests: Int
        /// How many of them failed.
        public let failed: Int
        /// What 95 % of them took at most; nil of none.
        public let p95: Duration?
        /// How many there were in each hour.
        public let chart: BarChart
    }
}
