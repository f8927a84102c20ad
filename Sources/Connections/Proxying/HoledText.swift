/// A text with holes `{name}`, taken apart once, when its provider file is read.
struct HoledText: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case text(String)
        case hole(String)
    }

    /// A hole for which there is no value.
    struct Empty: Error {
        let hole: String
    }

    /// The text as written, which shows no value.
    let text: String
    private let parts: [Part]
    private let optional: Set<String>

    /// - Parameter optional: names of holes that may stay empty.
    init(_ text: String, optional: Set<String> = []) {
        self.text = text
        self.optional = optional
        var parts: [Part] = []
        var rest = text[...]
        while let match = rest.firstMatch(of: /\{([a-z0-9_.]+)\}/) {
            parts.append(.text(String(rest[..<match.range.lowerBound])))
            parts.append(.hole(String(match.output.1)))
            rest = rest[match.range.upperBound...]
        }
        self.parts = parts + [.text(String(rest))]
    }

    /// The text with each hole filled.
    ///
    /// - Throws: ``Empty`` for the first hole without a value that may not stay empty.
    func filled(
        from values: [String: String], _ write: (String) -> String = { $0 }
    ) throws(Empty) -> String {
        var filled = ""
        for part in parts {
            switch part {
            case .text(let text): filled += text
            case .hole(let name):
                if let value = values[name], !value.isEmpty {
                    filled += write(value)
                } else if !optional.contains(name) {
                    throw Empty(hole: name)
                }
            }
        }
        return filled
    }
}
