import ThreadKit

/// A regular expression of a provider file, compiled once and shared by all lanes.
///
/// It compares scalars, not what Unicode calls equal: a KELVIN SIGN is no `K` to the service that reads the token.
final class Pattern: Sendable {
    /// As it stands in the file.
    let text: String
    /// Behind a lock, since the standard library does not promise that an expression may be shared.
    private let regex: Lock<Regex<AnyRegexOutput>>

    /// A pattern; nil when the text is no regular expression.
    init?(_ text: String) {
        guard let regex = try? Regex(text) else { return nil }
        self.text = text
        self.regex = Lock(regex.matchingSemantics(.unicodeScalar).asciiOnlyCharacterClasses())
    }

    /// Whether the whole value matches.
    func matches(_ value: String) -> Bool {
        regex.withLock { (try? $0.wholeMatch(in: value)) != nil }
    }
}
