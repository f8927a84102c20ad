import Testing

/// A change that makes a provider file wrong, and what must be said of it.
struct Mistake: Sendable, CustomTestStringConvertible {
    let from: String
    let to: String
    /// Line and column.
    let place: String
    let words: String
    var testDescription: String { "\(from) → \(to)" }

    init(_ from: String, _ to: String, _ place: String, _ words: String) {
        (self.from, self.to, self.place, self.words) = (from, to, place, words)
    }
}
