import TemplateKit

/// The part that charts over time share: lines for amounts, words for times, and a place for each span.
///
/// Widths are percentages and heights are pixels. So a chart fills whatever column it stands in while its words keep the
/// size of all words; a picture scaled by its `viewBox` would shrink them on a phone to what nobody can read. Words for
/// amounts stand left of the plot, in the padding that the style sheet gives `.chart-plot`.
struct Plot {
    /// Room above the topmost line, so that its word is not cut.
    static let headroom = 8.0
    /// From the topmost line to the foot.
    static let height = 160.0
    /// The whole with the words beneath.
    static let total = headroom + height + 28

    static var foot: Double { headroom + height }

    let amounts: AmountAxis
    let times: TimeAxis
    let count: Int

    /// How far down an amount stands, in pixels.
    func y(_ amount: Double) -> Double { Self.headroom + (1 - amounts.place(of: amount)) * Self.height }

    /// The middle of a span, from 0 to 1.
    func middle(_ index: Int) -> Double { (Double(index) + 0.5) / Double(max(1, count)) }

    /// What the partial `chart-axes` is told.
    var axes: TemplateValue {
        let lines: [TemplateValue] = amounts.lines.map { line in
            let y = y(line.amount)
            return ["y": .text(Digits.text(y)), "text_y": .text(Digits.text(y + 4)), "label": .text(line.label)]
        }
        let marks: [TemplateValue] = times.marks(count).map { mark in
            [
                "x": .text(Digits.text(middle(mark.index) * 100)), "label": .text(mark.label),
                "is_fine": .bool(mark.isFine),
            ]
        }
        return [
            "lines": .list(lines), "marks": .list(marks), "height": .text(Digits.text(Self.total)),
            "marks_y": .text(Digits.text(Self.foot + 20)),
        ]
    }

    /// The stripe that belongs to a span, over its whole height, for whoever points at it.
    func stripe(_ index: Int, title: String) -> [String: TemplateValue] {
        [
            "title": .text(title), "stripe_x": .text(Digits.text(Double(index) / Double(count) * 100)),
            "stripe_width": .text(Digits.text(100 / Double(count))), "stripe_y": .text(Digits.text(Self.headroom)),
            "stripe_height": .text(Digits.text(Self.height)),
        ]
    }
}
