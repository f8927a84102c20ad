import HTTPKit
import JSONKit
import TimeKit

/// Texts with holes `{name}`, as provider files have them.
enum Holes {
    /// The names of the holes, in order.
    static func names(in text: String) -> [String] {
        HoledText(text).names
    }

    /// The text with each hole filled; a hole without a value becomes nothing.
    static func fill(_ text: String, _ value: (String) -> String?) -> String {
        HoledText(text).filled(value)
    }

    /// An address with its holes filled: a value becomes one part of a path or a query and no more.
    ///
    /// A hole at the very beginning is a whole address of the set-up, which its field has judged; provider files have such
    /// holes for those fields only. What is left empty, or is no address over HTTPS, makes none that can be called.
    static func address(_ template: String, _ values: [String: String]) -> String {
        guard template.hasPrefix("{"), let first = names(in: template).first else {
            return fill(template) { values[$0].map { Percent.encodeSegment($0) } }
        }
        guard let base = values[first], base.hasPrefix("https://") else { return "" }
        let rest = template.dropFirst(first.count + 2)
        guard !rest.isEmpty else { return base }
        return (base.hasSuffix("/") ? base.dropLast() : base[...]) + address(String(rest), values)
    }
}

extension Timestamp {
    /// The beginning of a day in UTC, written 2026-11-21; nil for anything else.
    init?(day text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2d }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            let moment = Calendar(year: year, month: month, day: day).timestamp
        else { return nil }
        self = moment
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
