/// The header fields of a message, in the order they came, names compared without case (RFC 9110 §5.1).
public struct Headers: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private var fields: [(name: String, value: String)]

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
            return fields.first { $0.name == name }?.value
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
        return fields.filter { $0.name == name }.map(\.value)
    }

    /// Adds a field, keeping those of the same name.
    public mutating func add(_ name: String, _ value: String) {
        fields.append((Self.lowercased(name), value))
    }

    /// Sets a field unless it is there.
    public mutating func setDefault(_ name: String, _ value: String) {
        if self[name] == nil { add(name, value) }
    }

    /// Calls for each field in order.
    public func forEach(_ body: (_ name: String, _ value: String) throws -> Void) rethrows {
        for field in fields { try body(field.name, field.value) }
    }

    /// Most names are written in lower case already, and then nothing is copied.
    private static func lowercased(_ name: String) -> String {
        name.utf8.contains { (0x41...0x5a).contains($0) } ? name.lowercased() : name
    }

    /// The same fields in the same order.
    public static func == (one: Headers, other: Headers) -> Bool {
        one.fields.elementsEqual(other.fields, by: ==)
    }
}
