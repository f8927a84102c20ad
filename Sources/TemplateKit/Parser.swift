/// Reads the bytes of a template into its tree.
struct Parser {
    /// The longest template that is read, in bytes.
    static let longest = 1 << 20

    private let file: String
    private let bytes: [UInt8]
    private let tokens: [Token]
    private var next = 0
    private var stray: [Place] = []

    /// Reads a template; throws on the first breach of the rules.
    static func parse(file: String, bytes: [UInt8]) throws(TemplateError) -> Template {
        guard bytes.count <= longest else {
            throw TemplateError(.tooLarge, file, "is longer than \(longest) bytes")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw TemplateError(.syntax, file, "is not valid UTF-8")
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let bytes = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes
        var scanner = Scanner(file: file, bytes: bytes)
        let outline = try Outline(file: file, bytes: bytes, tokens: scanner.scan())
        var parser = Parser(file: file, bytes: bytes, tokens: outline.tokens)
        let body = try parser.body(upTo: outline.tokens.count)
        return Template(file: file, body: body, stray: parser.stray)
    }

    private init(file: String, bytes: [UInt8], tokens: [Token]) {
        self.file = file
        self.bytes = bytes
        self.tokens = tokens
    }

    /// The nodes before a token, which is where an enclosing tag closes or the file ends.
    private mutating func body(upTo end: Int) throws(TemplateError) -> [Node] {
        var nodes: [Node] = []
        while next < end {
            let token = tokens[next]
            next += 1
            switch token.kind {
            case .text: if !token.standsAlone { nodes.append(.text(literal(from: token, upTo: end))) }
            case .hole, .raw: nodes.append(.hole(Hole(name: try name(of: token), isRaw: token.kind == .raw)))
            case .section, .inverted: nodes.append(.section(try section(token)))
            case .partial: nodes.append(.inclusion(try inclusion(token, overrides: [:])))
            case .parent: nodes.append(.inclusion(try inclusion(token, overrides: try overrides(token))))
            case .block: nodes.append(.block(try block(token)))
            case .close, .comment, .delimiters: break
            }
        }
        return nodes
    }

    /// One literal for this piece of text and those that follow it with nothing written between.
    private mutating func literal(from token: Token, upTo end: Int) -> Literal {
        var text = Array(bytes[token.range])
        while next < end {
            let other = tokens[next]
            if other.kind == .text {
                guard other.standsAlone || other.startsLine || text.last != .newline else { break }
                if !other.standsAlone { text += bytes[other.range] }
            } else if other.kind != .comment, other.kind != .delimiters {
                break
            }
            next += 1
        }
        return Literal(bytes: text, startsLine: token.startsLine)
    }

    private func name(of token: Token) throws(TemplateError) -> Name {
        try name(token.name, at: token.place)
    }

    private func name(_ text: String, at place: Place) throws(TemplateError) -> Name {
        guard text != "." else { return Name(parts: [], place: place) }
        let isPath = text.utf8.contains(UInt8(ascii: "."))
        let parts = isPath ? text.split(separator: ".", omittingEmptySubsequences: false).map(String.init) : [text]
        guard !parts.contains("") else {
            throw TemplateError(.syntax, file, at: place, "\"\(text)\" has an empty part between its dots")
        }
        return Name(parts: parts, place: place)
    }

    private mutating func section(_ token: Token) throws(TemplateError) -> Section {
        Section(name: try name(of: token), isInverted: token.kind == .inverted, body: try body(of: token))
    }

    private func inclusion(_ token: Token, overrides: [String: Block]) throws(TemplateError) -> Inclusion {
        let target: Inclusion.Target =
            if token.name.hasPrefix("*") {
                .dynamic(try name(String(token.name.dropFirst()), at: token.place))
            } else {
                .fixed(token.name)
            }
        let indent = token.standsAlone ? token.indent.map { Array(bytes[$0]) } : nil
        return Inclusion(target: target, place: token.place, indent: indent, overrides: overrides)
    }

    /// The blocks inside a parent. Text around them is passed over, as the specification asks; other tags are refused,
    /// since what they would write is lost.
    private mutating func overrides(_ parent: Token) throws(TemplateError) -> [String: Block] {
        let end = parent.partner ?? tokens.count
        var blocks: [String: Block] = [:]
        while next < end {
            let token = tokens[next]
            next += 1
            switch token.kind {
            case .block:
                guard blocks[token.name] == nil else {
                    throw TemplateError(.syntax, file, at: token.place, "block \"\(token.name)\" is given twice")
                }
                blocks[token.name] = try block(token)
            case .text: if !bytes[token.range].allSatisfy(\.isSpace) { stray.append(token.place) }
            case .comment, .delimiters, .close: break
            default: throw TemplateError(.syntax, file, at: token.place, "only blocks may stand inside a parent")
            }
        }
        return blocks
    }

    private mutating func block(_ token: Token) throws(TemplateError) -> Block {
        let close = tokens[token.partner ?? next]
        let first = token.nextLine.flatMap { firstIndent(in: $0..<max($0, close.range.lowerBound)) }
        let indent = first ?? token.indent.map { Array(bytes[$0]) } ?? []
        return Block(
            name: token.name, place: token.place, file: file, body: try body(of: token), indent: indent,
            intrinsic: first?.count ?? 0, endsLine: close.standsAlone)
    }

    private mutating func body(of token: Token) throws(TemplateError) -> [Node] {
        try body(upTo: token.partner ?? tokens.count)
    }

    /// The blanks before the first thing that stands in a range beginning with a line.
    private func firstIndent(in range: Range<Int>) -> [UInt8]? {
        guard let thing = bytes[range].firstIndex(where: { !$0.isSpace }) else { return nil }
        let blanks = bytes[range.lowerBound..<thing].reversed().prefix(while: \.isBlank)
        return Array(blanks.reversed())
    }
}
