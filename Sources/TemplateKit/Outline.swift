/// Joins opening tags with their closing ones, and finds the lines that vanish because only tags stand on them.
struct Outline {
    /// How deep sections, parents and blocks may stand in each other within one file.
    static let deepest = 64

    private let file: String
    private let bytes: [UInt8]
    private(set) var tokens: [Token]

    init(file: String, bytes: [UInt8], tokens: [Token]) throws(TemplateError) {
        self.file = file
        self.bytes = bytes
        self.tokens = tokens
        try pair()
        var start = 0
        for index in tokens.indices where index == tokens.count - 1 || endsLine(tokens[index]) {
            judgeLine(start...index)
            start = index + 1
        }
    }

    private mutating func pair() throws(TemplateError) {
        var open: [Int] = []
        for index in tokens.indices {
            let token = tokens[index]
            if token.kind.isOpening {
                guard open.count < Self.deepest else {
                    throw failure(token, "more than \(Self.deepest) tags stand in each other here")
                }
                open.append(index)
            } else if token.kind == .close {
                guard let opener = open.popLast() else { throw failure(token, "\"/\(token.name)\" closes nothing") }
                guard tokens[opener].name == token.name else {
                    let line = tokens[opener].place.line
                    throw failure(token, "\"/\(token.name)\" cannot close \"\(tokens[opener].name)\" of line \(line)")
                }
                tokens[index].partner = opener
                tokens[opener].partner = index
            }
        }
        if let opener = open.last { throw failure(tokens[opener], "\"\(tokens[opener].name)\" is never closed") }
    }

    private func endsLine(_ token: Token) -> Bool {
        token.kind == .text && bytes[token.range.upperBound - 1] == .newline
    }

    private mutating func judgeLine(_ line: ClosedRange<Int>) {
        tokens[line.lowerBound].startsLine = true
        let tags = line.filter { tokens[$0].kind != .text }
        guard let first = tags.first, isBlank(line.lowerBound..<first) else { return }
        let indent = tokens[line.lowerBound].range.lowerBound..<tokens[first].range.lowerBound
        tokens[first].indent = indent
        guard isBlank(line.lowerBound..<line.upperBound + 1), vanishes(tags) else { return }
        for index in line {
            tokens[index].standsAlone = true
            tokens[index].indent = indent
            tokens[index].nextLine = tokens[line.upperBound].range.upperBound
        }
    }

    /// Whether all text among these tokens is blank.
    private func isBlank(_ some: Range<Int>) -> Bool {
        some.allSatisfy { tokens[$0].kind != .text || bytes[tokens[$0].range].allSatisfy(\.isSpace) }
    }

    /// Whether a line with just these tags leaves no trace.
    ///
    /// One tag does unless it writes a value. The tags of inheritance do together, as in `{{<parent}}{{$block}}`, but
    /// a block that opens and closes on its line is a place within that line, unless its parent opened there too.
    private func vanishes(_ tags: [Int]) -> Bool {
        guard tags.allSatisfy({ tokens[$0].kind.mayStandAlone }) else { return false }
        guard tags.count > 1 else { return true }
        var parents = 0
        for index in tags {
            let token = tokens[index]
            let opener = token.kind == .close ? token.partner ?? index : index
            switch (token.kind, tokens[opener].kind) {
            case (.comment, _): break
            case (.parent, _): parents += 1
            case (.block, _): if parents == 0, let end = token.partner, end <= tags[tags.count - 1] { return false }
            case (.close, .parent): parents -= opener >= tags[0] ? 1 : 0
            case (.close, .block): break
            default: return false
            }
        }
        return tags.contains { tokens[$0].kind != .comment }
    }

    private func failure(_ token: Token, _ sentence: String) -> TemplateError {
        TemplateError(.syntax, file, at: token.place, sentence)
    }
}
