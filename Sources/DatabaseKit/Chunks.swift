/// Cuts many rows into statements of few lengths, since each length is a statement of its own to be prepared and kept.
public enum Chunks {
    /// The lengths, the longest first; of the few rows that most statements have, each number is one of them.
    public static let lengths = [64, 16, 8, 4, 3, 2, 1]

    /// Slices of these items, in order, each of one of the ``lengths``.
    public static func of<Item>(_ items: [Item]) -> [ArraySlice<Item>] {
        var slices: [ArraySlice<Item>] = []
        var rest = items[...]
        for length in lengths {
            while rest.count >= length {
                slices.append(rest.prefix(length))
                rest = rest.dropFirst(length)
            }
        }
        return slices
    }
}

extension SQL {
    /// Parts of a statement with words between them: rows of values, say.
    public init(joining parts: some Collection<SQL>, by words: StaticString) {
        self.init(
            text: parts.map(\.text).joined(separator: "\(words)"), values: parts.flatMap(\.values))
    }
}
