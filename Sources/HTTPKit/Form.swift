/// Names and values of a query or of a form, in the order they came.
///
/// > The application/x-www-form-urlencoded format     URL Standard §5
public struct Form: Sendable, Equatable {
    /// Every pair, in order.
    public private(set) var pairs: [(name: String, value: String)]

    /// Nothing given.
    public static let empty = Form(pairs: [])

    /// Pairs as given.
    public init(pairs: [(name: String, value: String)]) { self.pairs = pairs }

    /// Names and values as given.
    public init(_ pairs: [(String, String)]) { self.init(pairs: pairs.map { (name: $0.0, value: $0.1) }) }

    /// Reads `a=b&c=d`; nil when an escape is broken or there are more than 1 000 pairs.
    public init?(urlencoded text: some StringProtocol) {
        pairs = []
        for part in text.split(separator: "&") {
            guard pairs.count < 1_000 else { return nil }
            let cut = part.firstIndex(of: "=")
            let name = Percent.decode(part[..<(cut ?? part.endIndex)], plusIsSpace: true)
            let value = Percent.decode(cut.map { part[part.index(after: $0)...] } ?? "", plusIsSpace: true)
            guard let name, let value else { return nil }
            pairs.append((name, value))
        }
    }

    /// The first value of a name.
    public subscript(name: String) -> String? {
        pairs.first { $0.name == name }?.value
    }

    /// Every value of a name.
    public func all(_ name: String) -> [String] {
        pairs.filter { $0.name == name }.map(\.value)
    }

    /// The names that were given, each once, in order.
    public var names: [String] {
        var seen: Set<String> = []
        return pairs.map(\.name).filter { seen.insert($0).inserted }
    }

    /// The pairs in the urlencoded form, `+` never used for a space.
    public var urlencoded: String {
        pairs.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }.joined(separator: "&")
    }

    /// The same pairs in the same order.
    public static func == (one: Form, other: Form) -> Bool {
        one.pairs.elementsEqual(other.pairs, by: ==)
    }
}
