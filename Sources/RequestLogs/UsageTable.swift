import AdminShell
import Domain
import HTTPKit
import TimeKit

/// The figures as a table.
extension RequestLogs {
    /// One line for each span of time, as it was counted.
    func usageTable(_ question: UsageQuestion, _ call: Call) throws -> Response {
        let figures = try figures(question, by: call.scope())
        let head = [
            "start", "requests", "succeeded", "failed", "success_rate", "average_ms", "p50_ms", "p95_ms", "p99_ms",
            "bytes",
        ]
        return Response.csv(head, named: "usage-by-\(figures.unit.rawValue)") { write in
            for point in figures.series { try write(Self.cells(point)) }
        }
    }

    private static func cells(_ point: UsageFigures.Point) -> [String] {
        let tally = point.tally
        let measured = [tally.successRate, tally.averageMilliseconds] + [0.5, 0.95, 0.99].map(tally.milliseconds)
        return [point.at.rfc3339, "\(tally.requests)", "\(tally.succeeded)", "\(tally.failed)"]
            + measured.map { $0.map { "\(($0 * 1_000).rounded() / 1_000)" } ?? "" } + ["\(tally.bytes)"]
    }
}
