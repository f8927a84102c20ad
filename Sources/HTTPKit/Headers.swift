/// The header fields of a message, in the order they came, names compared without case (RFC 9110 §5.1).
public struct Headers: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private var fields: [(name: String, value: String)]
    /// Fields that many messages share, written once.
    private var prepared: PreparedHeaders?

    /// No fields.
    public init() { fields = [] }

    /// Fields as written, in order.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { (name: $0.0.lowercased(), value: $0.1) }
    }

    /// Fields whose names are in lower case already, as the gateway hands them over.
    package init(lowercased fields: [(name: String, value: String)]) { self.fields = fields }

    /// The first value of a field.
    public subscript(name: String) -> String? {
        get {
            let name = Self.lowercased(name)
            return fields.first { $0.name == name }?.value ?? prepared?.fields.first { $0.name == name }?.value
        }
        set {
            let name = Self.lowercased(name)
            fields.removeAll { $0.name == name }
            if let newValue { fields.append((name, newValue)) }
        }
    }

    /// Every value of a field; nginx passes a header that came twice as two parameters.
    public func all(_ name: String) -> [String] {
        let name = Self.lowercased(name)
        return (fields + (prepared?.fields ?? [])).filter { $0.name == name }.map(\.value)
    }

    /// Adds a field, keeping those of the same name.
    public mutating func add(_ name: String, _ value: String) {
        fields.append((Self.lowercased(name), value))
    }

    /// Sets a field unless it is there.
    public mutating func setDefault(_ name: String, _ value: String) {
        if self[name] == nil { add(name, value) }
    }

    /// Adds fields that many messages share, none of which is there already; they cost nothing to write.
    public mutating func include(_ shared: PreparedHeaders) {
        prepared = shared
    }

    /// Calls for each field in order, those that are shared last.
    public func forEach(_ body: (_ name: String, _ value: String) throws -> Void) rethrows {
        for field in fields { try body(field.name, field.value) }
        for field in prepared?.fields ?? [] { try body(field.name, field.value) }
    }

    /// Appends the header block, a line a field, as a gateway wants it.
    ///
    /// A line break in a value would begin a header of somebody else's choosing, so such a field is left out.
    package func write(to block: inout [UInt8]) {
        for (name, value) in fields where !value.utf8.contains(where: { $0 == 0x0d || $0 == 0x0a || $0 == 0 }) {
            block.append(contentsOf: name.utf8)
            block.append(contentsOf: ": ".utf8)
            block.append(contentsOf: value.utf8)
            block.append(contentsOf: "\r\n".utf8)
        }
        if let prepared { block.append(contentsOf: prepared.block) }
    }

    /// Most names are written in lower case already, and then nothing is copied.
    private static func lowercased(_ name: String) -> String {
        name.utf8.contains { (0x41...0x5a).contains($0) } ? name.lowercased() : name
    }

    /// The same fields in the same order.
    public static func == (one: Headers, other: Headers) -> Bool {
        one.fields.elementsEqual(other.fields, by: ==)
            && (one.prepared?.block ?? []) == (other.prepared?.block ?? [])
    }
}

/// Header fields that many messages share, their lines written once.
public final class PreparedHeaders: Sendable {
    let fields: [(name: String, value: String)]
    let block: [UInt8]

    /// Fields as the program writes them, names in lower case.
    public init(_ fields: [(String, String)]) {
        self.fields = fields.map { (name: $0.0, value: $0.1) }
        block = fields.flatMap { Array("\($0.0): \($0.1)\r\n".utf8) }
    }
}
