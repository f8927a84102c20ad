/// A tag, or a piece of text no longer than its line.
struct Token {
    /// What a token is; tags by the sign that follows the opening delimiter.
    enum Kind {
        case text
        case hole
        case raw
        case section
        case inverted
        case close
        case partial
        case parent
        case block
        case comment
        case delimiters

        /// The kind of a tag whose content begins with this byte; a hole begins with none of them.
        init(sign: UInt8) {
            self =
                switch sign {
                case UInt8(ascii: "{"), UInt8(ascii: "&"): .raw
                case UInt8(ascii: "#"): .section
                case UInt8(ascii: "^"): .inverted
                case UInt8(ascii: "/"): .close
                case UInt8(ascii: ">"): .partial
                case UInt8(ascii: "<"): .parent
                case UInt8(ascii: "$"): .block
                case UInt8(ascii: "!"): .comment
                case UInt8(ascii: "="): .delimiters
                default: .hole
                }
        }

        /// Whether the tag waits for a closing one.
        var isOpening: Bool {
            switch self {
            case .section, .inverted, .parent, .block: true
            default: false
            }
        }

        /// Whether the tag vanishes with its line when it stands alone there.
        var mayStandAlone: Bool {
            switch self {
            case .text, .hole, .raw: false
            default: true
            }
        }
    }

    let kind: Kind
    let name: String
    /// The bytes of the whole token, delimiters included.
    let range: Range<Int>
    let place: Place
    /// The other end: of an opening tag the closing one, and the reverse.
    var partner: Int?
    /// Whether the token begins a line of the file.
    var startsLine = false
    /// Whether the token is a tag on a line that holds nothing but tags and blanks, or such blanks themselves.
    var standsAlone = false
    /// The blanks before the first tag of the line, if nothing else stands before this one.
    var indent: Range<Int>?
    /// For a tag that stands alone: where the next line begins.
    var nextLine: Int?

    init(kind: Kind, name: String = "", range: Range<Int>, place: Place) {
        self.kind = kind
        self.name = name
        self.range = range
        self.place = place
    }
}

extension UInt8 {
    static let newline = UInt8(ascii: "\n")

    /// A space or a tab.
    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
    /// A blank or an end of line.
    var isSpace: Bool { isBlank || self == .newline || self == UInt8(ascii: "\r") }
}
