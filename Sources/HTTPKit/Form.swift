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
        let text = String(text)
        self.init(text.utf8.span)
    }

    /// Reads `a=b&c=d` as it was sent; nil besides when it is not UTF-8.
    init?(urlencoded bytes: [UInt8]) {
        guard (try? UTF8Span(validating: bytes.span)) != nil else { return nil }
        self.init(bytes.span)
    }

    /// Reads bytes that are known to be UTF-8, one after the other: every call of the token endpoint waits for this.
    private init?(_ bytes: Span<UInt8>) {
        pairs = []
        var start = 0
        while start < bytes.count {
            var end = start
            var cut: Int?
            while end < bytes.count, bytes[end] != UInt8(ascii: "&") {
                if cut == nil, bytes[end] == UInt8(ascii: "=") { cut = end }
                end += 1
            }
            if start < end {
                let value = cut.map { $0 + 1 } ?? end
                guard pairs.count < 1_000,
                    let name = Percent.decode(bytes.extracting(start..<(cut ?? end)), plusIsSpace: true),
                    let value = Percent.decode(bytes.extracting(value..<end), plusIsSpace: true)
                else { return nil }
                pairs.append((name, value))
            }
            start = end + 1
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
