/// Cuts the bytes of a template into tokens.
///
/// Every newline ends a piece of text, so that the lines of the file can be judged afterwards.
struct Scanner {
    private let file: String
    private let bytes: [UInt8]
    private var cursor = 0
    private var place = Place(line: 1, column: 1)
    private var opening = Array("{{".utf8)
    private var closing = Array("}}".utf8)
    private var tokens: [Token] = []

    init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
    }

    /// All tokens, in order, together covering every byte.
    mutating func scan() throws(TemplateError) -> [Token] {
        while cursor < bytes.count {
            if found(opening, at: cursor) {
                try scanTag()
            } else {
                scanText()
            }
        }
        return tokens
    }

    private mutating func scanText() {
        var end = cursor
        while end < bytes.count, !found(opening, at: end) {
            end += 1
            if bytes[end - 1] == .newline { break }
        }
        add(.text, "", upTo: end)
    }

    private mutating func scanTag() throws(TemplateError) {
        var start = cursor + opening.count
        var ending = closing
        let sign: UInt8 = start < bytes.count ? bytes[start] : 0
        let kind = found(closing, at: start) ? .hole : Token.Kind(sign: sign)
        if kind != .hole { start += 1 }
        if sign == UInt8(ascii: "{") { ending.insert(UInt8(ascii: "}"), at: 0) }
        if kind == .delimiters { ending.insert(sign, at: 0) }
        guard let end = (start..<max(start, bytes.count)).first(where: { found(ending, at: $0) }) else {
            throw failure("this tag is never closed, \"\(text(ending[...]))\" is missing")
        }
        let content = trimmed(start..<end)
        switch kind {
        case .comment: add(kind, "", upTo: end + ending.count)
        case .delimiters:
            try changeDelimiters(content)
            add(kind, "", upTo: end + ending.count)
        default: add(kind, try name(content, kind), upTo: end + ending.count)
        }
    }

    /// The name in a tag, without the blanks that may stand between an asterisk and the rest.
    private func name(_ content: ArraySlice<UInt8>, _ kind: Token.Kind) throws(TemplateError) -> String {
        var content = content
        if content.first == UInt8(ascii: "*"), [.partial, .parent, .close].contains(kind) {
            let rest = trimmed(content.startIndex + 1..<content.endIndex)
            guard !rest.isEmpty else { throw failure("a tag without a name") }
            content = [UInt8(ascii: "*")] + rest
        }
        guard let first = content.first else { throw failure("a tag without a name") }
        guard !content.contains(where: \.isSpace) else {
            throw failure("\"\(text(content.prefix(40)))\" has a blank in a name")
        }
        if kind == .hole, Token.Kind(sign: first) != .hole {
            throw failure("\"\(text(content.prefix(1)))\" must follow the opening delimiter at once")
        }
        return text(content)
    }

    private mutating func changeDelimiters(_ content: ArraySlice<UInt8>) throws(TemplateError) {
        let pair = content.split(whereSeparator: \.isSpace)
        guard pair.count == 2, !content.contains(UInt8(ascii: "=")) else {
            throw failure("new delimiters are two words without \"=\", with a blank between")
        }
        opening = Array(pair[0])
        closing = Array(pair[1])
    }

    private mutating func add(_ kind: Token.Kind, _ name: String, upTo end: Int) {
        tokens.append(Token(kind: kind, name: name, range: cursor..<end, place: place))
        while cursor < end {
            if bytes[cursor] == .newline {
                place = Place(line: place.line + 1, column: 1)
            } else if bytes[cursor] & 0xC0 != 0x80 {
                place.column += 1
            }
            cursor += 1
        }
    }

    private func found(_ word: [UInt8], at index: Int) -> Bool {
        guard index + word.count <= bytes.count, bytes[index] == word[0] else { return false }
        return word.indices.allSatisfy { bytes[index + $0] == word[$0] }
    }

    private func trimmed(_ range: Range<Int>) -> ArraySlice<UInt8> {
        var slice = bytes[range].drop(while: \.isSpace)
        while let last = slice.last, last.isSpace { slice.removeLast() }
        return slice
    }

    private func text(_ slice: ArraySlice<UInt8>) -> String { String(decoding: slice, as: UTF8.self) }

    private func failure(_ sentence: String) -> TemplateError { TemplateError(.syntax, file, at: place, sentence) }
}
