/// The header fields of a message, in the order they came, names compared without case (RFC 9110 §5.1).
public struct Headers: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [Field]
    /// Fields that many messages share, written once.
    package private(set) var prepared: PreparedHeaders?

    /// One field.
    package struct Field: Sendable, Equatable {
        /// Its name, in lower case.
        package let name: String
        /// Its value.
        package let value: String

        package init(lowercased name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// No fields.
    public init() { fields = [] }

    /// Fields as written, in order.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = []
        // Every answer gets some more on its way.
        if !elements.isEmpty { fields.reserveCapacity(elements.count + 4) }
        for (name, value) in elements { fields.append(Field(lowercased: Self.lowercased(name), value)) }
    }

    /// Fields whose names are in lower case already, as the gateway hands them over.
    package init(_ fields: [Field]) { self.fields = fields }

    /// The first value of a field.
    public subscript(name: String) -> String? {
        get {
            let name = Self.lowercased(name)
            for index in fields.indices where fields[index].name == name { return fields[index].value }
            return prepared?.fields.first { $0.name == name }?.value
        }
        set {
            let name = Self.lowercased(name)
            fields.removeAll { $0.name == name }
            if let newValue { fields.append(Field(lowercased: name, newValue)) }
        }
    }

    /// Every value of a field; nginx passes a header that came twice as two parameters.
    public func all(_ name: String) -> [String] {
        let name = Self.lowercased(name)
        var values: [String] = []
        for field in fields where field.name == name { values.append(field.value) }
        for field in prepared?.fields ?? [] where field.name == name { values.append(field.value) }
        return values
    }

    /// Adds a field, keeping those of the same name.
    public mutating func add(_ name: String, _ value: String) {
        fields.append(Field(lowercased: Self.lowercased(name), value))
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

    /// Most names are written in lower case already, and then nothing is copied.
    private static func lowercased(_ name: String) -> String {
        let isLower = unsafe name.utf8.withContiguousStorageIfAvailable { unsafe isLowercase($0) }
        return isLower == true ? name : name.lowercased()
    }

    /// To the end whatever is found, so that many bytes are looked at in one step.
    private static func isLowercase(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var capitals: UInt8 = 0
        for place in bytes.indices {
            let byte = unsafe bytes[place]
            capitals |= byte &- 0x41 < 26 ? 1 : 0
        }
        return capitals == 0
    }

    /// The same fields in the same order.
    public static func == (one: Headers, other: Headers) -> Bool {
        one.fields == other.fields
            && (one.prepared?.fields ?? []).elementsEqual(other.prepared?.fields ?? [], by: ==)
    }
}

/// Header fields that many messages share, as lines of the program's own text: nobody counts who holds them, which all
/// threads would do for each message.
public struct PreparedHeaders: Sendable {
    /// The lines, as they were given.
    package let parts: (StaticString, StaticString, StaticString)

    /// Fields as they stand in a message, names in lower case, each with its line break; in up to three parts.
    public init(_ first: StaticString, _ second: StaticString = "", _ third: StaticString = "") {
        parts = (first, second, third)
    }

    /// The fields taken apart, for the few who look.
    var fields: [(name: String, value: String)] {
        "\(parts.0)\(parts.1)\(parts.2)".split(separator: "\r\n").map { line in
            let name = line.prefix { $0 != ":" }
            return (String(name), String(line.dropFirst(name.count + 2)))
        }
    }
}
