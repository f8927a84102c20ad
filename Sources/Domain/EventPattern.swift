/// The name of a kind of event, such as `payment.succeeded`: words of letters, digits and `_`, joined by dots.
public struct EventName: Hashable, Sendable, CustomStringConvertible {
    /// The name as written.
    public let description: String

    /// Reads a name of at most 128 characters; nil when it is none.
    public init?(_ text: String) {
        guard (1...128).contains(text.utf8.count),
            text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ Self.isWord($0) })
        else { return nil }
        description = text
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
                default: false
                }
            }
    }
}

/// Which kinds of events somebody wants: one by its name, all that begin alike (`custom.*`), or all (`*`).
public struct EventPattern: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable {
        case all
        case below(String)
        case one(String)
    }

    private let kind: Kind

    /// Reads a pattern; nil unless it is `*`, a name, or a name and `.*`.
    public init?(_ text: String) {
        if text == "*" {
            kind = .all
        } else if text.hasSuffix(".*"), let name = EventName(String(text.dropLast(2))) {
            kind = .below(name.description + ".")
        } else if let name = EventName(text) {
            kind = .one(name.description)
        } else {
            return nil
        }
    }

    /// Whether events of this name are wanted.
    public func matches(_ name: EventName) -> Bool {
        switch kind {
        case .all: true
        case .below(let start): name.description.hasPrefix(start)
        case .one(let wanted): name.description == wanted
        }
    }

    /// The pattern as written.
    public var description: String {
        switch kind {
        case .all: "*"
        case .below(let start): start + "*"
        case .one(let name): name
        }
    }
}
