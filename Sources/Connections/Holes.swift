import JSONKit

/// Texts with holes `{name}`, as provider files have them.
enum Holes {
    /// The names of the holes, in order.
    static func names(in text: String) -> [String] {
        text.matches(of: /\{([a-z0-9_.]+)\}/).map { String($0.output.1) }
    }

    /// The text with each hole filled; a hole without a value becomes nothing.
    static func fill(_ text: String, _ value: (String) -> String?) -> String {
        text.replacing(/\{([a-z0-9_.]+)\}/) { value(String($0.output.1)) ?? "" }
    }
}

extension JSON {
    /// The value at a dotted path: `result.0.name`.
    func at(_ path: String) -> JSON? {
        path.split(separator: ".").reduce(self) { (value: JSON?, step) in
            Int(step).flatMap { value?[$0] } ?? value?[String(step)]
        }
    }

    /// The value in words: yes and no for truths, nothing for null and for what is no single value.
    var words: String? {
        switch self {
        case .string(let text): text.isEmpty ? nil : text
        case .integer(let number): String(number)
        case .number(let number): "\(number)"
        case .bool(let truth): truth ? "yes" : "no"
        case .null, .array, .object: nil
        }
    }
}
