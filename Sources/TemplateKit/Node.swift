/// A template, read: its tree, and the file it came from.
///
/// Classes, all immutable, keep a node one word wide, so that walking the tree copies no more than references.
final class Template: Sendable {
    let file: String
    let body: [Node]
    /// Text that stands inside a parent but outside its blocks, and is never written.
    let stray: [Place]

    init(file: String, body: [Node], stray: [Place]) {
        self.file = file
        self.body = body
        self.stray = stray
    }
}

/// One piece of a template.
enum Node: Sendable {
    case text(Literal)
    case hole(Hole)
    case section(Section)
    case inclusion(Inclusion)
    case block(Block)
}

/// Text that is written as it stands, apart from indentation.
final class Literal: Sendable {
    let bytes: [UInt8]
    /// Where each line ends, its newline included; the last is the end of the text.
    let lineEnds: [Int]
    /// Whether the first byte began a line of the file.
    let startsLine: Bool
    /// Whether the last byte is a newline.
    let endsLine: Bool

    init(bytes: [UInt8], startsLine: Bool) {
        self.bytes = bytes
        self.startsLine = startsLine
        endsLine = bytes.last == .newline
        var ends = bytes.indices.filter { bytes[$0] == .newline }.map { $0 + 1 }
        if !endsLine { ends.append(bytes.count) }
        lineEnds = ends
    }
}

/// A name as a template writes it, split at its dots; no parts stand for `.`, the item on top of the stack.
struct Name: Sendable {
    let parts: [String]
    let place: Place

    var text: String { parts.isEmpty ? "." : parts.joined(separator: ".") }
}

/// A place where a value is written.
final class Hole: Sendable {
    let name: Name
    let isRaw: Bool

    init(name: Name, isRaw: Bool) {
        self.name = name
        self.isRaw = isRaw
    }
}

/// A part that is rendered for each item of a value, or, inverted, when there is nothing.
final class Section: Sendable {
    let name: Name
    let isInverted: Bool
    let body: [Node]

    init(name: Name, isInverted: Bool, body: [Node]) {
        self.name = name
        self.isInverted = isInverted
        self.body = body
    }
}

/// A partial, or a parent with the blocks that are handed to it.
final class Inclusion: Sendable {
    /// Which template is meant: one that the file names, or one that the data names.
    enum Target: Sendable {
        case fixed(String)
        case dynamic(Name)
    }

    let target: Target
    let place: Place
    /// The blanks before a tag that stands alone on its line; nothing for one within a line.
    let indent: [UInt8]?
    let overrides: [String: Block]

    init(target: Target, place: Place, indent: [UInt8]?, overrides: [String: Block]) {
        self.target = target
        self.place = place
        self.indent = indent
        self.overrides = overrides
    }
}

/// A block: a parameter of the template it stands in, with its default; inside a parent, the argument handed over.
final class Block: Sendable {
    let name: String
    let place: Place
    let file: String
    let body: [Node]
    /// The indentation that a text put in this place receives on each line.
    let indent: [UInt8]
    /// How many blanks each line of the body loses when it is put in another place.
    let intrinsic: Int
    /// Whether the closing tag stands alone on its line, so that what follows begins a line.
    let endsLine: Bool

    init(
        name: String, place: Place, file: String, body: [Node], indent: [UInt8], intrinsic: Int, endsLine: Bool
    ) {
        self.name = name
        self.place = place
        self.file = file
        self.body = body
        self.indent = indent
        self.intrinsic = intrinsic
        self.endsLine = endsLine
    }
}
