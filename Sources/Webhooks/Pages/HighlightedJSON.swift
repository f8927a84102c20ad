import JSONKit
import TemplateKit

/// A JSON value as it is read: a line for each member, and each kind of thing with a colour of its own.
struct HighlightedJSON: Sendable {
    /// The most pieces that are coloured; what is longer is shown in one colour.
    private static let most = 6_000

    private var pieces: [(kind: String, text: String)] = []
    private var plain = ""

    init(_ json: JSON) {
        write(json, indent: 0)
        end()
    }

    /// The whole text.
    var text: String { pieces.map(\.text).joined() }

    /// What the partial `json` is told.
    var view: TemplateValue {
        guard pieces.count <= Self.most else { return [["kind": "plain", "text": .text(text)]] }
        return .list(pieces.map { ["kind": .text($0.kind), "text": .text($0.text)] })
    }

    private mutating func write(_ json: JSON, indent: Int) {
        switch json {
        case .object(let members) where !members.isEmpty:
            plain += "{"
            for (index, member) in members.enumerated() {
                line(indent + 1, isFirst: index == 0)
                add("name", Self.quoted(member.name))
                plain += ": "
                write(member.value, indent: indent + 1)
            }
            plain += "\n" + Self.blanks(indent) + "}"
        case .array(let elements) where !elements.isEmpty:
            plain += "["
            for (index, element) in elements.enumerated() {
                line(indent + 1, isFirst: index == 0)
                write(element, indent: indent + 1)
            }
            plain += "\n" + Self.blanks(indent) + "]"
        case .object: plain += "{}"
        case .array: plain += "[]"
        case .string(let text): add("text", Self.quoted(text))
        case .integer, .number: add("number", String(decoding: json.bytes, as: UTF8.self))
        case .bool, .null: add("word", String(decoding: json.bytes, as: UTF8.self))
        }
    }

    private mutating func line(_ indent: Int, isFirst: Bool) {
        plain += (isFirst ? "\n" : ",\n") + Self.blanks(indent)
    }

    private mutating func add(_ kind: String, _ text: String) {
        end()
        pieces.append((kind, text))
    }

    private mutating func end() {
        guard !plain.isEmpty else { return }
        pieces.append(("plain", plain))
        plain = ""
    }

    private static func blanks(_ count: Int) -> String { String(repeating: "  ", count: count) }

    /// As JSON writes it, but for `<`, which needs no escape where the template escapes it.
    private static func quoted(_ text: String) -> String {
        String(decoding: JSON.string(text).bytes, as: UTF8.self).replacing("\\u003c", with: "<")
    }
}
