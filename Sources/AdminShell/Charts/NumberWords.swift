import TimeKit

/// Numbers as people read them.
extension BinaryInteger {
    /// The digits in groups of three: `1 284 310`, with narrow spaces that do not break.
    public var grouped: String {
        let digits = String(magnitude)
        let groups = digits.enumerated().map { index, digit in
            index > 0 && (digits.count - index) % 3 == 0 ? "\u{202f}\(digit)" : "\(digit)"
        }
        return (self < 0 ? "−" : "") + groups.joined()
    }

    /// The number with its noun: `1 request`, `4 120 requests`.
    public func counted(_ one: String, _ many: String) -> String {
        "\(grouped) \(self == 1 ? one : many)"
    }
}

/// A part of a whole.
public struct Share: Sendable, Equatable {
    /// The part, from 0 to 1; nil when there is no whole to speak of.
    public let fraction: Double?

    /// A part of a whole; more than the whole counts as the whole, less than nothing as nothing.
    public init(_ part: Int, of whole: Int) {
        fraction = whole > 0 ? min(1, max(0, Double(part) / Double(whole))) : nil
    }

    /// `99.94 %`, with as many decimals as tell it from all and from none; a dash without a whole.
    ///
    /// Only all is called 100 % and only none is called 0 %: one failure in a million is still seen.
    public var words: String {
        guard let fraction else { return "—" }
        if fraction == 0 || fraction == 1 { return "\(Int(fraction) * 100) %" }
        let hundredths = min(9_999, max(1, Int((fraction * 10_000).rounded())))
        return "\(Digits.text(Double(hundredths) / 100)) %"
    }
}

extension Duration {
    /// `0.4 ms`, `3.1 ms`, `214 ms`, `1.2 s`, `2 min`: two digits where there are two to be had.
    public var latency: String {
        let count = max(0, microseconds)
        switch count {
        case 0..<50: return count == 0 ? "0 ms" : "under 0.1 ms"
        case 50..<9_950: return "\(Digits.text(Double(count) / 1_000, places: 1)) ms"
        case 9_950..<999_500: return "\((count + 500) / 1_000) ms"
        case 999_500..<59_950_000: return "\(Digits.text(Double(count) / 1_000_000, places: 1)) s"
        default: return "\(((count + 30_000_000) / 60_000_000).grouped) min"
        }
    }
}

/// Numbers in few digits.
enum Digits {
    /// A number with at most `places` decimals, none at the end that is zero.
    ///
    /// What is no number, or beyond what 64 bits can count, is held at zero or at the end: a coordinate or a label must
    /// never say `nan`.
    static func text(_ number: Double, places: Int = 2) -> String {
        let unit = (0..<places).reduce(1) { product, _ in product * 10 }
        let scaled = (number.isNaN ? 0 : number * Double(unit)).rounded()
        let count = Int64(max(-9e18, min(9e18, scaled)))
        var fraction = String(count.magnitude % UInt64(unit) + UInt64(unit)).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        let whole = "\(count < 0 ? "-" : "")\(count.magnitude / UInt64(unit))"
        return fraction.isEmpty ? whole : "\(whole).\(fraction)"
    }
}
