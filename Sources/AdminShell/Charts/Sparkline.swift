import TemplateKit

/// The course of a number in the height of a word or two, without axes.
public struct Sparkline: Sendable {
    let values: [Int]
    let label: String

    /// Values in the order of time, and the sentence for who does not see them.
    public init(_ values: [Int], label: String) {
        self.values = values.map { max(0, $0) }
        self.label = label
    }

    /// What the partial `chart-spark` is told.
    public var view: TemplateValue {
        let highest = Double(max(1, values.max() ?? 0))
        // A value alone is a level line.
        let drawn = values.count == 1 ? values + values : values
        let points = drawn.enumerated().map { index, value in
            let x = Double(index) / Double(max(1, drawn.count - 1)) * 100
            let y = Self.height - 2 - Double(value) / highest * (Self.height - 4)
            return "\(Digits.text(x)),\(Digits.text(y))"
        }
        let height = Digits.text(Self.height)
        return [
            "label": .text(label), "height": .text(height), "view_box": .text("0 0 100 \(height)"),
            "line": points.isEmpty ? .null : .text(points.joined(separator: " ")),
            "area": points.isEmpty ? .null : .text("0,\(height) \(points.joined(separator: " ")) 100,\(height)"),
        ]
    }

    private static let height = 36.0
}
