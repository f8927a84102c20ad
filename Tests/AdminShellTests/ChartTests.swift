import Foundation
import TemplateKit
import Testing
import TimeKit

@testable import AdminShell

/// Renders a chart's partial by itself, and the svg in it.
private func drawn(_ template: String, _ view: TemplateValue) throws -> String {
    let library = try TemplateLibrary(ShellTemplates.sources)
    return String(decoding: try library.render(template, view), as: UTF8.self)
}

private func moment(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

@Suite struct NumbersInWords {
    @Test("Numbers are grouped by three with spaces that do not break")
    func grouped() {
        #expect(
            [0, 7, 999, 1_000, 1_284_310].map(\.grouped) == [
                "0", "7", "999", "1\u{202f}000", "1\u{202f}284\u{202f}310",
            ])
        #expect((-1_234).grouped == "−1\u{202f}234")
        #expect(Int.min.grouped.hasPrefix("−9\u{202f}223"))
        #expect(1.counted("request", "requests") == "1 request")
        #expect(0.counted("request", "requests") == "0 requests")
    }

    @Test(
        "A share is 100 % or 0 % only when it is all or nothing",
        arguments: [
            (0, 0, "—"), (0, 5, "0 %"), (5, 5, "100 %"), (9_994, 10_000, "99.94 %"), (1, 2, "50 %"),
            (999_999, 1_000_000, "99.99 %"), (1, 1_000_000, "0.01 %"), (7, 5, "100 %"), (-1, 5, "0 %"),
            (.max - 1, .max, "100 %"), (1, 3, "33.33 %"), (1, 10, "10 %"),
        ])
    func shares(part: Int, whole: Int, words: String) {
        #expect(Share(part, of: whole).words == words)
    }

    @Test(
        "Durations are said in the unit that a person would say",
        arguments: [
            (0, "0 ms"), (20, "under 0.1 ms"), (50, "0.1 ms"), (3_140, "3.1 ms"), (9_949, "9.9 ms"), (9_950, "10 ms"),
            (214_499, "214 ms"), (999_499, "999 ms"), (999_500, "1 s"), (1_249_000, "1.2 s"), (59_949_000, "59.9 s"),
            (59_950_000, "1 min"), (7_200_000_000, "120 min"), (-5, "0 ms"),
        ])
    func durations(microseconds: Int64, words: String) {
        #expect(Duration.microseconds(microseconds).latency == words)
    }

    @Test("Coordinates never say that they are no number")
    func digits() {
        #expect(Digits.text(.nan) == "0")
        #expect(Digits.text(.infinity).allSatisfy { $0.isNumber || $0 == "." })
        #expect(Digits.text(1.005, places: 1) == "1")
        #expect([0.05, -0.5, 33.333_3, 100, 2.50].map { Digits.text($0) } == ["0.05", "-0.5", "33.33", "100", "2.5"])
    }
}

@Suite struct Axes {
    @Test(
        "Lines for amounts stand at steps of 1, 2 and 5",
        arguments: [
            (0, ["0", "1"]), (1, ["0", "1"]), (3, ["0", "1", "2", "3"]), (5, ["0", "2", "4", "6"]),
            (23, ["0", "10", "20", "30"]), (100, ["0", "50", "100"]),
            (4_120, ["0", "2\u{202f}000", "4\u{202f}000", "6\u{202f}000"]), (41_000, ["0", "20 k", "40 k", "60 k"]),
            (1_000_000, ["0", "0.5 M", "1 M"]), (2_300_000_000, ["0", "1 bn", "2 bn", "3 bn"]),
        ] as [(Double, [String])])
    func counts(highest: Double, labels: [String]) {
        #expect(AmountAxis(reaching: highest, .count).lines.map(\.label) == labels)
    }

    @Test(
        "Lines for durations are in one unit",
        arguments: [
            (0, ["0", "0.001 ms"]), (0.4, ["0", "0.1 ms", "0.2 ms", "0.3 ms", "0.4 ms"]),
            (3.1, ["0", "1 ms", "2 ms", "3 ms", "4 ms"]),
            (870, ["0", "500 ms", "1000 ms"]), (2_400, ["0", "1 s", "2 s", "3 s"]),
        ] as [(Double, [String])])
    func durations(highest: Double, labels: [String]) {
        let said = AmountAxis(reaching: highest, .milliseconds).lines.map(\.label)
        #expect(highest == 870 ? said == ["0", "0.5 s", "1 s"] : said == labels)
    }

    @Test("Whatever the amounts, the axis holds them within five lines")
    func holds() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let highest =
                Double.random(in: 0...10, using: &random)
                * Double(UInt64(1) << UInt64.random(in: 0...60, using: &random))
            for unit in [AmountAxis.Unit.count, .milliseconds] {
                let axis = AmountAxis(reaching: highest, unit)
                #expect(axis.top >= highest && (1...4).contains(axis.intervals), "\(highest)")
                #expect((0...1).contains(axis.place(of: highest)))
            }
        }
        for broken in [Double.nan, .infinity, -.infinity, -5] {
            #expect(AmountAxis(reaching: broken, .count).lines.map(\.label) == ["0", "1"])
        }
    }

    @Test(
        "Words for times stand at round times, few enough for a phone",
        arguments: [
            ("2026-11-21T11:24:00Z", 1, 60, ["11:30", "11:45", "12:00", "12:15"]),
            ("2026-11-20T12:00:00Z", 60, 24, ["12:00", "18:00", "21 Nov", "06:00"]),
            ("2026-11-14T12:00:00Z", 60, 168, ["15 Nov", "17 Nov", "19 Nov", "21 Nov"]),
            ("2026-10-23T00:00:00Z", 1_440, 30, ["26 Oct", "2 Nov", "9 Nov", "16 Nov"]),
            ("2026-10-24T00:00:00Z", 1_440, 90, ["1 Nov", "1 Dec", "2027"]),
            ("2026-01-01T00:00:00Z", 1_440, 365, ["2026", "1 Apr", "1 Jul", "1 Oct"]),
        ])
    func marks(start: String, minutes: Int, count: Int, labels: [String]) throws {
        let axis = TimeAxis(start: try moment(start), span: .minutes(minutes))
        #expect(axis.marks(count).filter { !$0.isFine }.map(\.label) == labels)
    }

    @Test("Words for times never stand closer than they are long, on a phone and on a wide page")
    func distances() throws {
        let start = try moment("2026-03-28T23:00:00Z")
        for minutes in [1, 5, 60, 360, 1_440] {
            for count in 1...400 {
                let span = minutes == 1_440 ? try moment("2026-03-28T00:00:00Z") : start
                let marks = TimeAxis(start: span, span: .minutes(minutes)).marks(count)
                for (shown, room) in [(marks.filter { !$0.isFine }, 0.22), (marks, 0.099)] {
                    for (one, next) in zip(shown, shown.dropFirst()) {
                        #expect(Double(next.index - one.index) / Double(count) >= room, "\(minutes) \(count)")
                    }
                }
            }
        }
    }

    @Test("A span says when it was, and what it is called")
    func names() throws {
        let hours = TimeAxis(start: try moment("2026-11-21T00:00:00Z"), span: .hours(1))
        #expect(hours.name(14) == "21 Nov, 14:00" && hours.noun == "hour")
        let days = TimeAxis(start: try moment("2026-11-21T00:00:00Z"), span: .days(1))
        #expect(
            days.name(0) == "Sat 21 Nov" && days.name(1) == "Sun 22 Nov" && days.noun == "day" && days.pace == "by day")
        #expect(TimeAxis(start: days.start, span: .hours(6)).noun == "6 hours")
        #expect(TimeAxis(start: days.start, span: .hours(6)).pace == "every 6 hours")
        #expect(TimeAxis(start: days.start, span: .zero).noun == "minute")
    }
}

@Suite struct Drawings {
    let times: TimeAxis

    init() throws { times = TimeAxis(start: try moment("2026-11-21T12:00:00Z"), span: .hours(1)) }

    private func svg(_ page: String) throws -> String {
        let start = try #require(page.range(of: "<svg")?.lowerBound)
        let end = try #require(page.range(of: "</svg>\n</div>\n<div class=\"chart-foot\">")?.lowerBound)
        return String(page[start..<end])
    }

    @Test("Two bars, the second with failures on top")
    func bars() throws {
        let chart = BarChart(times, [.init(succeeded: 2, failed: 0), .init(succeeded: 1, failed: 3)])
        let page = try drawn("chart-bars", chart.view(id: "requests"))
        #expect(
            try svg(page) == """
                <svg class="chart chart-plot" width="100%" height="196" role="img" aria-labelledby="requests-summary">
                <line class="axis" x1="0" x2="100%" y1="168" y2="168"/><text x="-8" y="172" text-anchor="end">0</text>
                <line class="axis" x1="0" x2="100%" y1="128" y2="128"/><text x="-8" y="132" text-anchor="end">1</text>
                <line class="axis" x1="0" x2="100%" y1="88" y2="88"/><text x="-8" y="92" text-anchor="end">2</text>
                <line class="axis" x1="0" x2="100%" y1="48" y2="48"/><text x="-8" y="52" text-anchor="end">3</text>
                <line class="axis" x1="0" x2="100%" y1="8" y2="8"/><text x="-8" y="12" text-anchor="end">4</text>
                <text x="25%" y="188" text-anchor="middle">12:00</text>
                <text x="75%" y="188" text-anchor="middle">13:00</text>
                <g class="slot"><title>21 Nov, 12:00: 2 requests</title><rect class="stripe" x="0%" y="8" width="50%" height="160"/><rect class="fill-accent" x="22%" y="88" width="6%" height="80" rx="1.5"/></g>
                <g class="slot"><title>21 Nov, 13:00: 4 requests, 3 failed</title><rect class="stripe" x="50%" y="8" width="50%" height="160"/><rect class="fill-accent" x="72%" y="129.5" width="6%" height="38.5" rx="1.5"/><rect class="fill-bad" x="72%" y="8" width="6%" height="120" rx="1.5"/></g>

                """)
        #expect(
            page.contains(
                "<p class=\"small muted\" id=\"requests-summary\">6 requests, 3 failed. The most in one hour: 4, 21 Nov, 13:00.</p>"
            ))
        #expect(
            page.contains(
                "<tr><th scope=\"row\">21 Nov, 13:00</th><td class=\"number\">4</td><td class=\"number\">1</td><td class=\"number is-bad\">3</td></tr>"
            ))
    }

    @Test("Nothing at all is a level axis and a sentence, for no span and for spans of zeros")
    func nothing() throws {
        for points in [[], [BarChart.Point(succeeded: 0, failed: 0), .init(succeeded: -4, failed: -1)]] {
            let page = try drawn("chart-bars", BarChart(times, points).view(id: "x"))
            #expect(page.contains("No requests in this time."))
            #expect(!page.contains("fill-accent") && !page.contains("fill-bad"))
        }
        let page = try drawn("chart-lines", LineChart(times, [.init("p50", .strong, [nil, nil])]).view(id: "x"))
        #expect(page.contains("Nothing was measured in this time.") && !page.contains("polyline"))
        #expect(try drawn("chart-lines", LineChart(times, []).view(id: "x")).contains("Nothing was measured"))
    }

    @Test("A line breaks where nothing was measured, and a measurement alone is a dot")
    func lines() throws {
        let chart = LineChart(
            times,
            [
                .init("p50", .strong, [.milliseconds(1), .milliseconds(2), nil, .milliseconds(4)]),
                .init("p99", .dashed, [nil]),
            ])
        let page = try drawn("chart-lines", chart.view(id: "x"))
        #expect(
            page.contains("<svg width=\"100%\" height=\"196\" viewBox=\"0 0 1000 196\" preserveAspectRatio=\"none\">"))
        #expect(
            page.contains(
                "<polyline class=\"stroke stroke-strong\" points=\"125,128 375,88\" vector-effect=\"non-scaling-stroke\"/>"
            ))
        #expect(page.contains("<circle class=\"dot dot-strong\" cx=\"87.5%\" cy=\"8\" r=\"2.5\"/>"))
        #expect(page.contains("<title>21 Nov, 13:00: p50 2 ms</title>"))
        #expect(page.contains("<title>21 Nov, 14:00: no requests</title>"))
        #expect(page.contains("p50 was highest with 4 ms, 21 Nov, 15:00."))
        #expect(
            page.contains(
                "<tr><th scope=\"row\">21 Nov, 14:00</th><td class=\"number\">—</td><td class=\"number\">—</td></tr>"))
    }

    @Test("Bars of a ranking are as long as their share of the longest")
    func ranking() throws {
        let ranking = Ranking(
            of: "Endpoint", columns: ["Failed"],
            [
                .init("GET /a", href: "/x?a=1&b=2", isCode: true, amount: 200, failed: 50, cells: ["50"]),
                .init("<script>", note: "& more", amount: 50), .init("none", amount: 0, failed: 9),
            ])
        let page = try drawn("chart-ranking", ranking.view)
        #expect(page.contains("<a href=\"/x?a=1&amp;b=2\">GET /a</a>"))
        #expect(
            page.contains(
                "<rect class=\"fill-accent\" width=\"75%\" height=\"4\" rx=\"1\"/><rect class=\"fill-bad\" x=\"75%\" width=\"25%\" height=\"4\" rx=\"1\"/>"
            ))
        #expect(page.contains("&lt;script&gt;") && !page.contains("<script>"))
        #expect(page.contains("<td class=\"number\" data-label=\"Failed\">—</td></tr>"))
    }

    @Test("A sparkline runs from edge to edge, and a value alone is level")
    func sparkline() throws {
        let page = try drawn("chart-spark", Sparkline([0, 4, 2], label: "6 \"requests\"").view)
        #expect(page.contains("points=\"0,34 50,2 100,18\"") && page.contains("aria-label=\"6 &quot;requests&quot;\""))
        #expect(try drawn("chart-spark", Sparkline([7], label: "").view).contains("points=\"0,2 100,2\""))
        #expect(try drawn("chart-spark", Sparkline([0, 0], label: "").view).contains("points=\"0,34 100,34\""))
        #expect(!(try drawn("chart-spark", Sparkline([], label: "").view).contains("polyline")))
    }

    // MARK: Whatever the numbers

    /// Every number that an svg says as a coordinate: x, y, width, height, and those of points.
    private func coordinates(_ page: String, _ names: String...) -> [Double] {
        names.flatMap { name in
            page.components(separatedBy: " \(name)=\"").dropFirst().flatMap { rest in
                rest.prefix { $0 != "\"" }.split { " ,%".contains($0) }.map { Double($0) ?? .nan }
            }
        }
    }

    @Test("No amount, however large or odd, leaves the plot")
    func invariants() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            let size = 1 << Int.random(in: 0...62, using: &random)
            let points = (0..<Int.random(in: 1...200, using: &random)).map { _ in
                BarChart.Point(
                    succeeded: Int.random(in: 0...3, using: &random) == 0 ? 0 : .random(in: 0...size, using: &random),
                    failed: Int.random(in: 0...1, using: &random) == 0 ? 0 : .random(in: 0...size, using: &random))
            }
            let bars = try svg(drawn("chart-bars", BarChart(times, points).view(id: "x")))
            expectInside(bars)
            let values = points.map { $0.failed == 0 ? nil : Duration.microseconds($0.succeeded) }
            let lines = try svg(drawn("chart-lines", LineChart(times, [.init("p50", .plain, values)]).view(id: "x")))
            expectInside(lines)
            let coordinates = coordinates(lines, "points")
            #expect(coordinates.allSatisfy { $0.isFinite && (0...1_000).contains($0) })
        }
    }

    private func expectInside(_ svg: String) {
        for rect in svg.split(separator: "<rect").dropFirst() {
            let rect = String(rect)
            let x = coordinates(rect, "x")[0]
            let y = coordinates(rect, "y")[0]
            #expect(x >= 0 && x + coordinates(rect, "width")[0] <= 100.02, "\(rect)")
            #expect(y >= Plot.headroom - 0.02 && y + coordinates(rect, "height")[0] <= Plot.foot + 0.02, "\(rect)")
        }
        for circle in svg.split(separator: "<circle").dropFirst() {
            #expect((0...100).contains(coordinates(String(circle), "cx")[0]))
            #expect((Plot.headroom...Plot.foot).contains(coordinates(String(circle), "cy")[0]))
        }
        #expect(!svg.contains("nan") && !svg.contains("inf"))
    }
}
