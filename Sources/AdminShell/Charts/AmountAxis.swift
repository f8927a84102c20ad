/// A vertical axis that begins at zero and ends at a round number, with a line at each round step between.
struct AmountAxis: Sendable, Equatable {
    /// What is counted.
    enum Unit: Sendable {
        /// Whole things.
        case count
        /// Milliseconds.
        case milliseconds
    }

    let unit: Unit
    /// From line to line: 1, 2 or 5 times a power of ten.
    let step: Double
    /// How many steps there are, at least one.
    let intervals: Int

    var top: Double { step * Double(intervals) }

    /// The least axis that holds an amount, in at most `most` steps.
    ///
    /// What is no number or below zero counts as zero, and of whole things there is no step below one.
    init(reaching highest: Double, _ unit: Unit, atMost most: Int = 4) {
        self.unit = unit
        let least: Double = unit == .count ? 1 : 0.001
        let wanted = highest.isFinite ? max(highest, 0) / Double(most) : 0
        step = max(least, Self.roundStep(above: max(wanted, least)))
        intervals = max(1, highest.isFinite ? Int((max(highest, 0) / step).rounded(.up)) : 1)
    }

    /// The least of 1, 2 and 5 times a power of ten that is not below a positive number.
    private static func roundStep(above number: Double) -> Double {
        var power = 1.0
        while power * 10 <= number { power *= 10 }
        while power > number { power /= 10 }
        // A hair of slack: a power reached by division may be off by its last digit.
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= number * 0.999_999_9 } ?? 10 * power
    }

    /// Where an amount stands, from 0 at the foot to 1 at the top.
    func place(of amount: Double) -> Double {
        amount.isFinite ? min(1, max(0, amount / top)) : 0
    }

    /// The amount of each line from the foot to the top, with its word.
    ///
    /// All words of one axis are in the same unit, chosen by its top.
    var lines: [(amount: Double, label: String)] {
        (0...intervals).map { index in
            let amount = step * Double(index)
            return (amount, index == 0 ? "0" : label(amount))
        }
    }

    private func label(_ amount: Double) -> String {
        switch unit {
        case .milliseconds:
            top < 1_000
                ? "\(Digits.text(amount, places: 3)) ms" : "\(Digits.text(amount / 1_000, places: 1)) s"
        case .count:
            switch top {
            case ..<10_000: Int(amount).grouped
            case ..<1e6: "\(Digits.text(amount / 1e3, places: 1)) k"
            case ..<1e9: "\(Digits.text(amount / 1e6, places: 1)) M"
            case ..<1e12: "\(Digits.text(amount / 1e9, places: 1)) bn"
            default: "\(Digits.text(amount / 1e12, places: 1)) tn"
            }
        }
    }
}
