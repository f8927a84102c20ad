import TemplateKit

/// The most of something, each with a bar as long as its amount, those that failed at its end in red.
///
/// It is a table: the bars repeat what the cells say.
public struct Ranking: Sendable {
    /// One line.
    public struct Line: Sendable {
        let label: String
        let note: String?
        let href: String?
        let isCode: Bool
        let amount: Int
        let failed: Int
        let cells: [String]

        /// A line by its name.
        ///
        /// - Parameters:
        ///   - note: a second line in muted text.
        ///   - href: where the name leads.
        ///   - isCode: whether the name is written as code.
        ///   - amount: how long the bar is.
        ///   - failed: how much of it is red.
        ///   - cells: what stands in the further columns.
        public init(
            _ label: String, note: String? = nil, href: String? = nil, isCode: Bool = false, amount: Int,
            failed: Int = 0,
            cells: [String] = []
        ) {
            self.label = label
            self.note = note
            self.href = href
            self.isCode = isCode
            self.amount = max(0, amount)
            self.failed = min(max(0, failed), self.amount)
            self.cells = cells
        }
    }

    let what: String
    let measure: String
    let columns: [String]
    let lines: [Line]

    /// A ranking: what is ranked, by what, and what further columns are called.
    public init(of what: String, by measure: String = "Requests", columns: [String] = [], _ lines: [Line]) {
        self.what = what
        self.measure = measure
        self.columns = columns
        self.lines = lines
    }

    /// What the partial `chart-ranking` is told.
    public var view: TemplateValue {
        let longest = Double(max(1, lines.map(\.amount).max() ?? 1))
        return [
            "what": .text(what), "measure": .text(measure), "columns": .list(columns.map { .text($0) }),
            "lines": .list(lines.map { view(of: $0, longest: longest) }),
        ]
    }

    private func view(of line: Line, longest: Double) -> TemplateValue {
        let whole = Double(line.amount) / longest * 100
        let bad = Double(line.failed) / longest * 100
        return [
            "label": .text(line.label), "note": TemplateValue(line.note), "href": TemplateValue(line.href),
            "is_code": .bool(line.isCode), "amount": .text(line.amount.grouped),
            "cells": .list(
                columns.enumerated().map { index, column in
                    [
                        "label": .text(column),
                        "text": .text(line.cells.indices.contains(index) ? line.cells[index] : "—"),
                    ]
                }),
            "good": line.amount > line.failed ? ["width": .text(Digits.text(whole - bad))] : .null,
            "bad": line.failed > 0
                ? ["x": .text(Digits.text(whole - bad)), "width": .text(Digits.text(bad))] : .null,
        ]
    }
}
