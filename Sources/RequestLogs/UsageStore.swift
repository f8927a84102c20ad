import DatabaseKit
import Domain
import TimeKit

/// The figures of one organization, as far as the one who asks may see them, from roll-ups alone: how many requests there
/// were does not matter for how long it takes.
struct UsageStore: Sendable {
    let database: Database
    let world: World
    let settings: RequestLogs.Settings
    let directory: ActorDirectory
    let scope: OrganizationScope

    /// How many endpoints and subjects are told apart in an answer.
    static let mostEndpoints = 50
    static let mostSubjects = 50

    func figures(_ question: UsageQuestion) throws -> UsageFigures {
        let plan = plan(question)
        let subjects = try subjects(question)
        var total = Tally()
        var points: [Timestamp: Tally] = [:]
        var days: [Timestamp: Tally] = [:]
        var hundreds: [Int: Int] = [:]
        for part in try parts(plan, subjects) {
            total.add(part.tally)
            points[plan.unit.floor(part.at), default: Tally()].add(part.tally)
            days[UsageUnit.day.floor(part.at), default: Tally()].add(part.tally)
            hundreds[part.hundred, default: 0] += part.tally.requests
        }
        return UsageFigures(
            since: plan.since, until: plan.until, unit: plan.unit, total: total,
            series: Self.series(plan.since, plan.until, plan.unit, points),
            byDay: Self.series(plan.since, plan.until, .day, days),
            byEndpoint: try endpoints(plan, subjects), bySubject: try bySubject(plan, subjects),
            byStatus: hundreds.sorted { $0.key < $1.key }.map { (hundred: $0.key, requests: $0.value) })
    }

    /// All of a stretch of time counted together, and nothing told apart.
    func total(_ question: UsageQuestion) throws -> Tally {
        var total = Tally()
        for part in try parts(plan(question), subjects(question)) { total.add(part.tally) }
        return total
    }

    private func plan(_ question: UsageQuestion) -> UsagePlan {
        let today = UsageUnit.day.floor(world.now())
        return UsagePlan(
            question, minutesSince: today - .days(settings.minuteDays), hoursSince: today - .days(settings.hourDays))
    }

    /// Whose rows are read: those of the whole organization, or those of each one that is meant or may be seen.
    private func subjects(_ question: UsageQuestion) throws -> [[UInt8]] {
        let visible = try directory.visible(to: scope)
        if let actor = question.actor { return visible?.contains(actor) ?? true ? [actor] : [] }
        return visible.map { $0.sorted { $0.lexicographicallyPrecedes($1) } } ?? [UsageCell.everybody]
    }

    /// Every unit of a stretch, with nothing where there was no request.
    private static func series(
        _ since: Timestamp, _ until: Timestamp, _ unit: UsageUnit, _ tallies: [Timestamp: Tally]
    ) -> [UsageFigures.Point] {
        stride(from: unit.floor(since).seconds, to: until.seconds, by: Int64.Stride(unit.seconds)).map { seconds in
            let at = Timestamp(seconds: seconds)
            return UsageFigures.Point(at: at, tally: tallies[at] ?? Tally())
        }
    }

    // MARK: Rows

    private struct Part {
        let at: Timestamp
        let hundred: Int
        let tally: Tally
    }

    private func parts(_ plan: UsagePlan, _ subjects: [[UInt8]]) throws -> [Part] {
        try read(plan, subjects, .none) { stretch, condition in
            """
            SELECT u.at, u.hundred, u.requests, u.microseconds, u.bytes, u.latency
              FROM \(unescaped: stretch.unit.table) u
             WHERE \(condition)
             LIMIT 200000
            """
        }.map { row in
            let hundred: Int = try row.get("hundred")
            var tally = try Self.tally(row, isFailed: hundred >= 4)
            tally.latency = LatencyHistogram(stored: try row.get("latency"))
            return Part(at: try row.get("at"), hundred: hundred, tally: tally)
        }
    }

    private func endpoints(_ plan: UsagePlan, _ subjects: [[UInt8]]) throws -> [UsageFigures.Endpoint] {
        let tallies = try labelled(plan, subjects, .endpoint)
        let sorted = tallies.filter { $0.key != KnownRoutes.rest }.sorted(by: Self.busiest)
        var rest = tallies[KnownRoutes.rest] ?? Tally()
        for other in sorted.dropFirst(Self.mostEndpoints) { rest.add(other.value) }
        let named = sorted.prefix(Self.mostEndpoints).map { label, tally in
            let parts = label.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return UsageFigures.Endpoint(method: parts[0], route: parts.count > 1 ? parts[1] : "", tally: tally)
        }
        return named + (rest.requests > 0 ? [UsageFigures.Endpoint(method: "", route: "", tally: rest)] : [])
    }

    private func bySubject(_ plan: UsagePlan, _ subjects: [[UInt8]]) throws -> [UsageFigures.Subject] {
        // The whole organization is broken down by subject; rows of one subject are those of one.
        let tallies = try labelled(plan, [UsageCell.everybody], .subject)
        let wanted = tallies.compactMap { label, tally in
            SubjectLabel.read(label).map { (kind: $0.kind, id: $0.id, tally: tally) }
        }.filter { subjects == [UsageCell.everybody] || subjects.contains($0.id) }
        let busiest = wanted.sorted { one, other in
            one.tally.requests != other.tally.requests
                ? one.tally.requests > other.tally.requests : one.id.lexicographicallyPrecedes(other.id)
        }.prefix(Self.mostSubjects)
        let names = try directory.names(of: Set(busiest.map(\.id)), by: scope)
        return busiest.map { UsageFigures.Subject(kind: $0.kind, id: $0.id, name: names[$0.id], tally: $0.tally) }
    }

    /// The rows of a breakdown, summed by their label.
    private func labelled(
        _ plan: UsagePlan, _ subjects: [[UInt8]], _ breakdown: UsageCell.Breakdown
    ) throws -> [String: Tally] {
        let rows = try read(plan, subjects, breakdown) { stretch, condition in
            """
            SELECT u.label, u.hundred >= 4 AS is_failed, SUM(u.requests) AS requests,
                   SUM(u.microseconds) AS microseconds, SUM(u.bytes) AS bytes
              FROM \(unescaped: stretch.unit.table) u
             WHERE \(condition)
             GROUP BY u.label, is_failed
             LIMIT 20000
            """
        }
        var tallies: [String: Tally] = [:]
        for row in rows {
            tallies[try row.get("label"), default: Tally()].add(
                try Self.tally(row, isFailed: try row.get("is_failed")))
        }
        return tallies
    }

    /// The rows of all stretches of a plan, by one statement.
    private func read(
        _ plan: UsagePlan, _ subjects: [[UInt8]], _ breakdown: UsageCell.Breakdown,
        _ statement: (UsagePlan.Stretch, SQL) -> SQL
    ) throws -> [Row] {
        guard !subjects.isEmpty else { return [] }
        var union = SQL.StringInterpolation(literalCapacity: 1_024, interpolationCount: 16)
        for (index, stretch) in plan.stretches.enumerated() {
            union.appendLiteral(index == 0 ? "(" : ") UNION ALL (")
            union.appendInterpolation(
                statement(
                    stretch,
                    """
                    u.organization_id = \(scope.organization) AND u.subject IN (\(list: subjects))
                       AND u.breakdown = \(breakdown.rawValue) AND u.at >= \(stretch.since) AND u.at < \(stretch.until)
                    """))
        }
        union.appendLiteral(")")
        return try database.rows(SQL(stringInterpolation: union))
    }

    private static func tally(_ row: Row, isFailed: Bool) throws -> Tally {
        var tally = Tally()
        tally.requests = try row.get("requests")
        tally.failed = isFailed ? tally.requests : 0
        tally.microseconds = try row.get("microseconds")
        tally.bytes = try row.get("bytes")
        return tally
    }

    private static func busiest(_ one: (key: String, value: Tally), _ other: (key: String, value: Tally)) -> Bool {
        one.value.requests != other.value.requests ? one.value.requests > other.value.requests : one.key < other.key
    }
}
