/// A text with holes `{name}`, taken apart once: a name is lower-case letters, digits, underscores and dots.
struct HoledText: Sendable {
    private enum Part: Sendable {
        case text(Substring)
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
        parts = Self.parts(of: text)
    }

    /// Walks over the bytes: provider files have such texts in many places, some filled for every call.
    private static func parts(of text: String) -> [Part] {
        var parts: [Part] = []
        let bytes = text.utf8
        var (written, place) = (bytes.startIndex, bytes.startIndex)
        while let open = bytes[place...].firstIndex(of: 0x7b) {
            place = bytes.index(after: open)
            let end = bytes[place...].firstIndex { !isName($0) } ?? bytes.endIndex
            guard end != place, end != bytes.endIndex, bytes[end] == 0x7d else { continue }
            parts.append(.text(text[written..<open]))
            parts.append(.hole(String(text[place..<end])))
            written = bytes.index(after: end)
            place = written
        }
        parts.append(.text(text[written...]))
        return parts
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7a, 0x30...0x39, 0x5f, 0x2e: true
        default: false
        }
    }

    /// The names of the holes, in order.
    var names: [String] {
        parts.compactMap { if case .hole(let name) = $0 { name } else { nil } }
    }

    /// The text with each hole filled; a hole without a value becomes nothing.
    func filled(_ value: (String) -> String?) -> String {
        parts.reduce(into: "") { filled, part in
            switch part {
            case .text(let text): filled += text
            case .hole(let name): filled += value(name) ?? ""
            }
        }
    }

    /// The text with each hole filled.
    ///
    /// - Throws: ``Empty`` for the first hole without a value that may not stay empty.
    func filled(
        from values: [String: String], _ write: (String) -> String = { $0 }
    ) throws(Empty) -> String {
        for name in names where values[name]?.isEmpty != false && !optional.contains(name) { throw Empty(hole: name) }
        return filled { values[$0].map(write) }
    }
}
