import TemplateKit

/// How many things there were in each span of time, those that failed on top in red.
public struct BarChart: Sendable {
    /// One span.
    public struct Point: Sendable, Equatable {
        let succeeded: Int
        let failed: Int

        /// What happened in a span; less than nothing counts as nothing.
        public init(succeeded: Int, failed: Int) {
            self.succeeded = max(0, succeeded)
            self.failed = max(0, failed)
        }

        /// All of them, held at the largest number there is.
        var total: Int {
            let (sum, overflow) = succeeded.addingReportingOverflow(failed)
            return overflow ? .max : sum
        }
    }

    let times: TimeAxis
    let points: [Point]
    private let one: String
    private let many: String

    /// A chart of points in the order of time, and what one and many of the things are called.
    public init(_ times: TimeAxis, _ points: [Point], one: String = "request", many: String = "requests") {
        self.times = times
        self.points = points
        self.one = one
        self.many = many
    }

    /// What the partial `chart-bars` is told.
    ///
    /// - Parameter id: what the ids of this chart's elements begin with, one of a kind on its page.
    public func view(id: String) -> TemplateValue {
        let plot = Plot(
            amounts: AmountAxis(reaching: points.map { Double($0.total) }.max() ?? 0, .count), times: times,
            count: points.count)
        return [
            "id": .text(id), "axes": plot.axes, "summary": .text(summary), "noun": .text(times.noun),
            "things": .text(many),
            "bars": .list(points.indices.map { view(of: $0, in: plot) }),
            "rows": .list(points.enumerated().map { view(of: $1, named: times.name($0)) }),
            "succeeded": .text(sum(\.succeeded).grouped), "failed": .text(sum(\.failed).grouped),
        ]
    }

    /// The chart in one sentence.
    public var summary: String {
        guard let busiest = points.indices.max(by: { points[$0].total < points[$1].total }), sum(\.total) > 0 else {
            return "No \(many) in this time."
        }
        let failed = sum(\.failed)
        let ofThem = failed == 0 ? "none failed" : "\(failed.grouped) failed"
        return "\(sum(\.total).counted(one, many)), \(ofThem). "
            + "The most in \(times.noun.contains(" ") ? times.noun : "one \(times.noun)"): \(points[busiest].total.grouped), \(times.name(busiest))."
    }

    private func sum(_ part: (Point) -> Int) -> Int {
        points.reduce(0) { sum, point in
            let (more, overflow) = sum.addingReportingOverflow(part(point))
            return overflow ? .max : more
        }
    }

    private func view(of point: Point, named name: String) -> TemplateValue {
        [
            "name": .text(name), "total": .text(point.total.grouped), "succeeded": .text(point.succeeded.grouped),
            "failed": .text(point.failed.grouped), "has_failed": .bool(point.failed > 0),
        ]
    }

    private func view(of index: Int, in plot: Plot) -> TemplateValue {
        let point = points[index]
        let failed = point.failed == 0 ? "" : ", \(point.failed.grouped) failed"
        var members = plot.stripe(index, title: "\(times.name(index)): \(point.total.counted(one, many))\(failed)")
        let width = min(6, 100 / Double(points.count) * (points.count > 60 ? 0.8 : 0.68))
        members["x"] = .text(Digits.text(plot.middle(index) * 100 - width / 2))
        members["width"] = .text(Digits.text(width))
        let (good, bad) = Self.heights(of: point, in: plot.amounts)
        members["good"] = Self.view(from: Plot.foot - good, good)
        members["bad"] = Self.view(from: Plot.foot - good - (good > 0 ? Self.gap : 0) - bad, bad)
        return .object(members)
    }

    private static func view(from y: Double, _ height: Double) -> TemplateValue {
        height > 0 ? ["y": .text(Digits.text(y)), "height": .text(Digits.text(height))] : .null
    }

    /// Between what succeeded and what failed, in pixels.
    private static let gap = 1.5

    /// How high the two parts stand, in pixels: together as high as the total, and what is there at all is seen.
    private static func heights(of point: Point, in axis: AmountAxis) -> (good: Double, bad: Double) {
        let whole = axis.place(of: Double(point.total)) * Plot.height
        let failed = axis.place(of: Double(point.failed)) * Plot.height
        guard point.succeeded > 0 else { return (0, point.failed > 0 ? max(2.5, failed) : 0) }
        guard point.failed > 0 else { return (max(1.5, whole), 0) }
        let bad = min(max(2.5, failed), Plot.height - 3)
        return (max(1.5, whole - bad - gap), bad)
    }
}
