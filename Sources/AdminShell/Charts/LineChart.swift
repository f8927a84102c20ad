import TemplateKit
import TimeKit

/// How long things took in each span of time, one line for each share of them.
public struct LineChart: Sendable {
    /// How a line is drawn; each differs from the others in more than its colour.
    public enum Stroke: String, Sendable {
        /// The line that matters most.
        case strong
        /// A line beside it.
        case plain
        /// A line that is seen last.
        case dashed
    }

    /// One line.
    public struct Series: Sendable {
        let name: String
        let stroke: Stroke
        let values: [Duration?]

        /// A line by its name; nil where nothing was measured, and there the line is broken.
        public init(_ name: String, _ stroke: Stroke, _ values: [Duration?]) {
            self.name = name
            self.stroke = stroke
            self.values = values
        }

        func milliseconds(_ index: Int) -> Double? {
            guard values.indices.contains(index), let value = values[index] else { return nil }
            return max(0, Double(value.microseconds) / 1_000)
        }
    }

    let times: TimeAxis
    let series: [Series]

    /// A chart of lines in the order of time.
    public init(_ times: TimeAxis, _ series: [Series]) {
        self.times = times
        self.series = series
    }

    private var count: Int { series.map(\.values.count).max() ?? 0 }

    /// What the partial `chart-lines` is told.
    ///
    /// - Parameter id: what the ids of this chart's elements begin with, one of a kind on its page.
    public func view(id: String) -> TemplateValue {
        let highest = series.flatMap { line in line.values.indices.compactMap(line.milliseconds) }.max() ?? 0
        let plot = Plot(amounts: AmountAxis(reaching: highest, .milliseconds), times: times, count: count)
        return [
            "id": .text(id), "axes": plot.axes, "summary": .text(summary), "noun": .text(times.noun),
            "view_box": .text("0 0 \(Int(Self.breadth)) \(Digits.text(Plot.total))"),
            "height": .text(Digits.text(Plot.total)),
            "lines": .list(series.map { view(of: $0, in: plot) }),
            "stripes": .list((0..<count).map { .object(plot.stripe($0, title: title($0))) }),
            "names": .list(series.map { .text($0.name) }),
            "rows": .list(
                (0..<count).map { index in
                    [
                        "name": .text(times.name(index)),
                        "cells": .list(series.map { .text(words($0, index)) }),
                    ]
                }),
        ]
    }

    /// The chart in one sentence: of the line that matters most.
    public var summary: String {
        guard let line = series.first(where: { $0.stroke == .strong }) ?? series.first else { return Self.nothing }
        let measured = line.values.indices.compactMap { index in line.values[index].map { (index, $0) } }
        guard let slowest = measured.max(by: { $0.1 < $1.1 }) else { return Self.nothing }
        return "\(line.name) was highest with \(slowest.1.latency), \(times.name(slowest.0))."
    }

    private static let nothing = "Nothing was measured in this time."

    private func words(_ line: Series, _ index: Int) -> String {
        line.values.indices.contains(index) ? line.values[index]?.latency ?? "—" : "—"
    }

    private func title(_ index: Int) -> String {
        let measured = series.filter { $0.milliseconds(index) != nil }.map { "\($0.name) \(words($0, index))" }
        return "\(times.name(index)): \(measured.isEmpty ? "no requests" : measured.joined(separator: ", "))"
    }

    /// The lines' own coordinates, stretched to the width of the plot.
    private static let breadth = 1_000.0

    /// The unbroken parts of a line; a part of one point alone is a dot.
    private func view(of line: Series, in plot: Plot) -> TemplateValue {
        var parts: [[Int]] = []
        for index in line.values.indices where line.milliseconds(index) != nil {
            if parts.last?.last == index - 1 { parts[parts.count - 1].append(index) } else { parts.append([index]) }
        }
        let strokes = parts.filter { $0.count > 1 }.map { part in
            part.map { index in
                let x = Digits.text(plot.middle(index) * Self.breadth)
                return "\(x),\(Digits.text(plot.y(line.milliseconds(index) ?? 0)))"
            }.joined(separator: " ")
        }
        let dots: [TemplateValue] = parts.filter { $0.count == 1 }.flatMap { $0 }.map { index in
            [
                "x": .text(Digits.text(plot.middle(index) * 100)),
                "y": .text(Digits.text(plot.y(line.milliseconds(index) ?? 0))),
            ]
        }
        return [
            "name": .text(line.name), "stroke": .text(line.stroke.rawValue), "parts": .list(strokes.map { .text($0) }),
            "dots": .list(dots),
        ]
    }
}
