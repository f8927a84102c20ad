import AdminShell
import TimeKit

/// The series of figures as charts, in spans that are wide enough to be seen.
struct UsageSpans {
    /// The spans' axis.
    let times: TimeAxis
    /// What was counted in each.
    let tallies: [Tally]

    /// The most spans that are drawn one by one: beyond, several are one.
    private static let most = 96
    /// How many hours are drawn as one when there are too many, each dividing the day so that spans begin at midnight.
    private static let hours = [2, 3, 4, 6, 8, 12, 24]

    /// Spans as they were counted, or some hours together: a week is drawn in spans of six hours.
    init(_ figures: UsageFigures) {
        let unit = Duration.seconds(figures.unit.seconds)
        let points = figures.series
        let start = points.first?.at ?? figures.unit.floor(figures.since)
        guard figures.unit == .hour, points.count > Self.most else {
            times = TimeAxis(start: start, span: unit)
            tallies = points.map(\.tally)
            return
        }
        let joined = Self.hours.first { points.count / $0 <= 32 } ?? 24
        let length = Int64(joined) * 3_600
        let first = start.seconds / length
        var sums: [Tally] = []
        for point in points {
            let index = Int(point.at.seconds / length - first)
            while sums.count <= index { sums.append(Tally()) }
            sums[index].add(point.tally)
        }
        times = TimeAxis(start: Timestamp(seconds: first * length), span: .seconds(length))
        tallies = sums
    }

    /// How many requests there were in each span.
    var requests: BarChart {
        BarChart(times, tallies.map { BarChart.Point(succeeded: $0.succeeded, failed: $0.failed) })
    }

    /// How long they took.
    var latency: LineChart {
        LineChart(
            times,
            [
                .init("p50", .plain, at(0.5)), .init("p95", .strong, at(0.95)), .init("p99", .dashed, at(0.99)),
            ])
    }

    private func at(_ part: Double) -> [Duration?] {
        tallies.map { tally in tally.milliseconds(at: part).map { Duration.milliseconds($0) } }
    }
}
