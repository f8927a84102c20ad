import JSONKit

/// The ways in which common programs write the same JSON.
enum Reserializing {
    /// How a text is written.
    private struct Style {
        var comma = ","
        var colon = ":"
        var isSorted = false
        var isASCII = false
        var indent: Int?
        var escapesSlash = false
    }

    /// Every text that is tried: compact as JavaScript writes it, with blanks as Python does, sorted, escaped, indented.
    static func texts(of json: JSON) -> [[UInt8]] {
        let plain = Style()
        let python = Style(comma: ", ", colon: ": ", isASCII: true)
        let pythonPlain = Style(comma: ", ", colon: ": ")
        var styles = [plain, python, pythonPlain]
        styles += styles.map { style in
            var copy = style
            copy.isSorted = true
            return copy
        }
        styles += [
            Style(isASCII: true), Style(isASCII: true, escapesSlash: true), Style(colon: ": ", indent: 2),
            Style(colon: ": ", indent: 4),
        ]
        return styles.map { style in
            var text = ""
            write(json, style, 0, into: &text)
            return Array(text.utf8)
        }
    }

    private static func write(_ json: JSON, _ style: Style, _ level: Int, into text: inout String) {
        switch json {
        case .object(let members) where !members.isEmpty:
            let ordered = style.isSorted ? members.sorted { $0.name < $1.name } : members
            text += "{"
            for (index, member) in ordered.enumerated() {
                separate(index, style, level + 1, into: &text)
                text += quoted(member.name, style) + style.colon
                write(member.value, style, level + 1, into: &text)
            }
            end(style, level, into: &text)
            text += "}"
        case .array(let elements) where !elements.isEmpty:
            text += "["
            for (index, element) in elements.enumerated() {
                separate(index, style, level + 1, into: &text)
                write(element, style, level + 1, into: &text)
            }
            end(style, level, into: &text)
            text += "]"
        case .string(let string): text += quoted(string, style)
        default: text += String(decoding: json.bytes, as: UTF8.self)
        }
    }

    private static func separate(_ index: Int, _ style: Style, _ level: Int, into text: inout String) {
        if let indent = style.indent {
            text += (index == 0 ? "\n" : ",\n") + String(repeating: " ", count: indent * level)
        } else if index > 0 {
            text += style.comma
        }
    }

    private static func end(_ style: Style, _ level: Int, into text: inout String) {
        if let indent = style.indent { text += "\n" + String(repeating: " ", count: indent * level) }
    }

    private static func quoted(_ string: String, _ style: Style) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{08}": text += "\\b"
            case "\u{0c}": text += "\\f"
            case "/" where style.escapesSlash: text += "\\/"
            case _ where scalar.value < 0x20 || style.isASCII && scalar.value > 0x7e:
                for unit in String(scalar).utf16 { text += escape(unit) }
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
