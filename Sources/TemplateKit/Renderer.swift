/// Walks a tree and writes bytes; made for one page and thrown away.
struct Renderer {
    /// How deep templates may include each other.
    static let deepestInclusion = 64
    /// How deep sections, blocks and inclusions may stand in each other, all templates counted; guards the stack.
    static let deepest = 256
    /// How many bodies may be rendered for one page.
    static let mostBodies = 1_000_000
    /// How large a page may grow, in bytes.
    static let longest = 16 << 20

    private let templates: [String: Template]
    private let isStrict: Bool
    private var file: String
    private(set) var output: [UInt8] = []
    /// The context stack, the innermost value last.
    private var stack: [TemplateValue]
    /// The blocks handed over by the parents around this place, the outermost first.
    private var frames: [[String: Block]] = []
    /// What each line begins with.
    private var indent: [UInt8] = []
    /// How many blanks each line loses before it receives `indent`.
    private var dedent = 0
    /// Whether a line of the template has begun and still wants its `indent`.
    private var isPending = true
    private var inclusions = 0
    private var depth = 0
    private var bodies = 0

    init(templates: [String: Template], isStrict: Bool, file: String, stack: [TemplateValue]) {
        self.templates = templates
        self.isStrict = isStrict
        self.file = file
        self.stack = stack
        output.reserveCapacity(16 << 10)
    }

    /// Renders the nodes of a template.
    mutating func render(_ nodes: [Node]) throws(TemplateError) {
        bodies += 1
        depth += 1
        guard bodies <= Self.mostBodies, output.count <= Self.longest else {
            throw TemplateError(.tooLarge, file, "the page grows too large")
        }
        guard depth <= Self.deepest else {
            throw TemplateError(.tooLarge, file, "more than \(Self.deepest) tags stand in each other")
        }
        for node in nodes {
            switch node {
            case .text(let literal): write(literal)
            case .hole(let hole): try write(hole)
            case .section(let section): try render(section)
            case .inclusion(let inclusion): try render(inclusion)
            case .block(let block): try render(block)
            }
        }
        depth -= 1
    }

    private mutating func render(_ section: Section) throws(TemplateError) {
        let value = try value(of: section.name)
        guard value.isSomething != section.isInverted else { return }
        if section.isInverted { return try render(section.body) }
        guard case .list(let items) = value else {
            stack.append(value)
            try render(section.body)
            stack.removeLast()
            return
        }
        for item in items {
            stack.append(item)
            try render(section.body)
            stack.removeLast()
        }
    }
}

// Partials, parents and blocks.
extension Renderer {
    private mutating func render(_ inclusion: Inclusion) throws(TemplateError) {
        guard let template = try template(for: inclusion) else { return }
        guard inclusions < Self.deepestInclusion else {
            throw failure(.tooLarge, inclusion.place, "templates include each other \(inclusions) times here")
        }
        let outer = (file: file, indent: indent, dedent: dedent)
        if let own = inclusion.indent {
            indent += own.dropFirst(dedent)
            isPending = true
        } else {
            beginLine()
            indent = []
        }
        dedent = 0
        file = template.file
        inclusions += 1
        if !inclusion.overrides.isEmpty { frames.append(inclusion.overrides) }
        try render(template.body)
        if !inclusion.overrides.isEmpty { frames.removeLast() }
        inclusions -= 1
        (file, indent, dedent) = outer
        isPending = inclusion.indent != nil
    }

    private func template(for inclusion: Inclusion) throws(TemplateError) -> Template? {
        switch inclusion.target {
        case .fixed(let name):
            if let template = templates[name] { return template }
            guard isStrict else { return nil }
            throw failure(.unknownTemplate, inclusion.place, "unknown template \"\(name)\"")
        case .dynamic(let name):
            let value = try value(of: name)
            if case .text(let text) = value, let template = templates[text] { return template }
            guard isStrict, value != .null else { return nil }
            throw failure(.unknownTemplate, inclusion.place, "what \"\(name.text)\" holds is no template's name")
        }
    }

    /// Renders what the outermost parent gave for a block, or else its default.
    ///
    /// What was given sees the parents around the place where it is written, not those it is put into: a card inside a
    /// page's body may have a title of its own though the layout's title is given, too.
    private mutating func render(_ block: Block) throws(TemplateError) {
        for (level, frame) in frames.enumerated() {
            guard let given = frame[block.name] else { continue }
            let outer = (file: file, indent: indent, dedent: dedent, frames: frames)
            file = given.file
            indent += block.indent.dropFirst(dedent)
            dedent = given.intrinsic
            frames = Array(frames[..<level])
            try render(given.body)
            (file, indent, dedent, frames) = outer
            isPending = block.endsLine
            return
        }
        try render(block.body)
    }
}

// Values.
extension Renderer {
    /// Looks a name up.
    ///
    /// > Walk the context stack from top to bottom, finding the first context that is a hash containing the name as a
    /// > key. If any name parts were retained, each should be resolved against a context stack containing only the
    /// > result from the former resolution.     Mustache specification, interpolation
    private func value(of name: Name) throws(TemplateError) -> TemplateValue {
        guard let first = name.parts.first else { return stack[stack.count - 1] }
        var level = stack.count - 1
        while level >= 0 {
            if case .object(let members) = stack[level], let found = members[first] {
                return name.parts.count == 1 ? found : try member(of: found, name)
            }
            level -= 1
        }
        guard isStrict else { return .null }
        throw failure(.unknownName, name.place, "unknown name \"\(name.text)\"")
    }

    /// Follows the later parts of a dotted name; from `null` everything is `null`.
    private func member(of value: TemplateValue, _ name: Name) throws(TemplateError) -> TemplateValue {
        var value = value
        for (index, part) in name.parts.enumerated().dropFirst() {
            switch value {
            case .null: return .null
            case .object(let members):
                if let found = members[part] {
                    value = found
                    continue
                }
                guard isStrict else { return .null }
                throw failure(.unknownName, name.place, "unknown name \"\(name.text)\"")
            default:
                guard isStrict else { return .null }
                let owner = name.parts[..<index].joined(separator: ".")
                let sentence = "\"\(owner)\" is \(value.kind), not an object, and has no \"\(part)\""
                throw failure(.wrongKind, name.place, sentence)
            }
        }
        return value
    }

    private func failure(_ code: TemplateError.Code, _ place: Place, _ sentence: String) -> TemplateError {
        TemplateError(code, file, at: place, sentence)
    }
}

// Writing.
extension Renderer {
    private mutating func write(_ hole: Hole) throws(TemplateError) {
        let value = try value(of: hole.name)
        beginLine()
        switch value {
        case .null: break
        case .text(let text):
            if hole.isRaw { output.append(contentsOf: text.utf8) } else { output.appendEscaped(text) }
        case .number(let number): output.append(contentsOf: String(number).utf8)
        case .decimal(let number): output.append(contentsOf: number.description.utf8)
        case .bool(let truth): output.append(contentsOf: (truth ? "true" : "false").utf8)
        case .list, .object:
            guard isStrict else { break }
            throw failure(
                .wrongKind, hole.name.place, "\"\(hole.name.text)\" is \(value.kind) and cannot be written out")
        }
    }

    /// Gives the line that has begun its indentation, once.
    private mutating func beginLine() {
        guard isPending else { return }
        isPending = false
        if !indent.isEmpty { output.append(contentsOf: indent) }
    }

    private mutating func write(_ literal: Literal) {
        guard !indent.isEmpty || dedent > 0 else {
            output.append(contentsOf: literal.bytes)
            isPending = literal.endsLine
            return
        }
        var start = 0
        for end in literal.lineEnds {
            beginLine()
            if dedent > 0, start > 0 || literal.startsLine {
                let most = min(start + dedent, end)
                while start < most, literal.bytes[start].isBlank { start += 1 }
            }
            output.append(contentsOf: literal.bytes[start..<end])
            start = end
            isPending = true
        }
        isPending = literal.endsLine
    }
}

extension [UInt8] {
    /// Appends text as it may stand in HTML, in an element or between the quotes of an attribute.
    mutating func appendEscaped(_ text: String) {
        guard Self.hasMarkup(text) else { return append(contentsOf: text.utf8) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "\""): append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "'"): append(contentsOf: "&#39;".utf8)
            default: append(byte)
            }
        }
    }

    private static func hasMarkup(_ text: String) -> Bool {
        let bytes = text.utf8.span
        for index in bytes.indices where bytes[index].isMarkup { return true }
        return false
    }
}

extension UInt8 {
    /// Whether HTML could read this byte as something other than text.
    fileprivate var isMarkup: Bool {
        switch self {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        default: false
        }
    }
}
