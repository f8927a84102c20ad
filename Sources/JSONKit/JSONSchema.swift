/// What a JSON value may be, in the words of JSON Schema 2020-12, which OpenAPI 3.1 takes as they are.
///
/// A schema carries an example that it allows itself, so that the example of a whole body follows from those of its
/// fields. One with a name is written once and referred to wherever it stands.
public struct JSONSchema: Sendable, Equatable {
    /// A member of an object.
    public struct Field: Sendable, Equatable {
        /// The member's name.
        public let name: String
        /// What its value may be.
        public let schema: JSONSchema
        /// What it means, in one sentence.
        public let meaning: String
        /// Whether the object always has it.
        public let isRequired: Bool

        /// A member that is always there.
        public static func required(_ name: String, _ schema: JSONSchema, _ meaning: String) -> Field {
            Field(name: name, schema: schema, meaning: meaning, isRequired: true)
        }

        /// A member that may be left out.
        public static func optional(_ name: String, _ schema: JSONSchema, _ meaning: String) -> Field {
            Field(name: name, schema: schema, meaning: meaning, isRequired: false)
        }
    }

    /// The keywords, in the order in which people read them.
    public private(set) var keywords: [JSON.Member]
    /// Under which name the schema stands in a document; nil when it stands where it is used.
    public private(set) var name: String?
    /// A value that the schema allows.
    public private(set) var example: JSON
    /// The members of an object, for those who show it.
    public let fields: [Field]
    /// What the schema is made of: the schemas of fields, of elements, of values, or of the kinds that it may be.
    public let parts: [JSONSchema]

    private init(_ keywords: [JSON.Member], example: JSON, fields: [Field] = [], parts: [JSONSchema] = []) {
        self.keywords = keywords
        self.example = example
        self.fields = fields
        self.parts = parts
    }

    // MARK: As JSON

    /// The schema as it stands where it is used: whole, or a reference to its name.
    public var json: JSON {
        name.map { ["$ref": .string("#/components/schemas/\($0)")] } ?? .object(keywords)
    }

    /// The schema whole, even if it has a name.
    public var definition: JSON { .object(keywords) }

    /// Every schema with a name, this one and those that it is made of.
    public var named: [String: JSONSchema] {
        let own = name.map { [$0: self] } ?? [:]
        return parts.reduce(into: own) { found, part in found.merge(part.named) { first, _ in first } }
    }

    // MARK: Values

    /// A text whose length is counted in code points.
    public static func text(
        _ length: ClosedRange<Int>? = nil, pattern: String? = nil, format: String? = nil, example: String
    ) -> JSONSchema {
        var keywords: [JSON.Member] = [.init("type", "string")]
        if let length {
            keywords += [.init("minLength", JSON(length.lowerBound)), .init("maxLength", JSON(length.upperBound))]
        }
        if let pattern { keywords.append(.init("pattern", .string(pattern))) }
        if let format { keywords.append(.init("format", .string(format))) }
        return JSONSchema(keywords, example: .string(example))
    }

    /// A text with something in it, as every name must have: blanks alone are no text.
    public static func words(_ length: ClosedRange<Int>, example: String) -> JSONSchema {
        text(length, pattern: #"\S"#, example: example)
    }

    /// A UUID.
    public static let id = text(format: "uuid", example: "01981f0e-7a3c-7d10-9c4b-5e8f2a6b7c8d")

    /// A time as the hub writes it: RFC 3339 in UTC with milliseconds.
    public static let time = text(
        pattern: #"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"#, format: "date-time",
        example: "2026-11-21T10:00:00.000Z")

    /// A time as the hub takes it: RFC 3339 with any offset.
    public static let anyTime = text(1...40, format: "date-time", example: "2027-01-31T00:00:00Z")

    /// A day.
    public static let day = text(format: "date", example: "2026-11-21")

    /// A full address.
    public static func url(example: String) -> JSONSchema { text(format: "uri", example: example) }

    /// A whole number; those beyond 2^53 do not stand in JSON.
    public static func integer(_ range: ClosedRange<Int64>? = nil, example: Int64) -> JSONSchema {
        var keywords: [JSON.Member] = [.init("type", "integer")]
        if let range {
            keywords += [.init("minimum", .integer(range.lowerBound)), .init("maximum", .integer(range.upperBound))]
        }
        return JSONSchema(keywords, example: .integer(example))
    }

    /// Any number.
    public static func number(atLeast least: Int64? = nil, example: Double) -> JSONSchema {
        let bound = least.map { [JSON.Member("minimum", .integer($0))] } ?? []
        return JSONSchema([.init("type", "number")] + bound, example: .number(example))
    }

    /// True or false.
    public static func truth(example: Bool = true) -> JSONSchema {
        JSONSchema([.init("type", "boolean")], example: .bool(example))
    }

    /// One of some words.
    public static func word(of words: [String]) -> JSONSchema {
        JSONSchema(
            [.init("type", "string"), .init("enum", .array(words.map(JSON.string)))], example: JSON(words.first))
    }

    /// One of the words of a type.
    public static func word<Word: CaseIterable & RawRepresentable<String>>(of type: Word.Type) -> JSONSchema {
        word(of: type.allCases.map(\.rawValue))
    }

    /// Nothing but null.
    public static let null = JSONSchema([.init("type", "null")], example: .null)

    /// Anything at all.
    public static let anything = JSONSchema([], example: ["any": "value"])

    // MARK: Made of others

    /// A list.
    public static func list(of element: JSONSchema, atLeast least: Int? = nil, atMost most: Int? = nil) -> JSONSchema {
        var keywords: [JSON.Member] = [.init("type", "array"), .init("items", element.json)]
        if let least { keywords.append(.init("minItems", JSON(least))) }
        if let most { keywords.append(.init("maxItems", JSON(most))) }
        return JSONSchema(keywords, example: .array([element.example]), parts: [element])
    }

    /// An object that answers hold. It may gain members, which clients leave aside.
    public static func object(_ fields: Field...) -> JSONSchema { object(fields, isClosed: false) }

    /// The same of fields that several share.
    public static func object(_ fields: [Field]) -> JSONSchema { object(fields, isClosed: false) }

    /// An object that is sent: a member that is not named here is refused.
    public static func body(_ fields: Field...) -> JSONSchema { object(fields, isClosed: true) }

    /// An object of the fields of several others, in their order.
    public func joined(with more: Field...) -> JSONSchema {
        Self.object(fields + more, isClosed: keywords.contains { $0.name == "additionalProperties" })
    }

    /// An object whose names are not known beforehand.
    public static func map(
        to value: JSONSchema, names pattern: String? = nil, atMost most: Int? = nil, example: JSON
    ) -> JSONSchema {
        var keywords: [JSON.Member] = [.init("type", "object"), .init("additionalProperties", value.json)]
        if let pattern { keywords.append(.init("propertyNames", ["pattern": .string(pattern)])) }
        if let most { keywords.append(.init("maxProperties", JSON(most))) }
        return JSONSchema(keywords, example: example, parts: [value])
    }

    /// One of some kinds of value.
    public static func any(of kinds: JSONSchema...) -> JSONSchema {
        JSONSchema(
            [.init("anyOf", .array(kinds.map(\.json)))], example: kinds.first?.example ?? .null, parts: kinds)
    }

    private static func object(_ fields: [Field], isClosed: Bool) -> JSONSchema {
        var keywords: [JSON.Member] = [.init("type", "object")]
        let properties = fields.map { field -> JSON.Member in
            let own = (field.schema.json.members ?? []).filter { $0.name != "description" }
            return .init(field.name, .object(own + [.init("description", .string(field.meaning))]))
        }
        keywords.append(.init("properties", .object(properties)))
        let required = fields.filter(\.isRequired).map { JSON.string($0.name) }
        if !required.isEmpty { keywords.append(.init("required", .array(required))) }
        if isClosed { keywords.append(.init("additionalProperties", false)) }
        return JSONSchema(
            keywords, example: .object(fields.map { .init($0.name, $0.schema.example) }), fields: fields,
            parts: fields.map(\.schema))
    }

    // MARK: Otherwise the same

    /// The same or null.
    public var orNull: JSONSchema {
        guard name == nil, let type = definition["type"]?.text else {
            return JSONSchema(
                [.init("anyOf", [json, ["type": "null"]])], example: example, fields: fields, parts: [self])
        }
        let widened = keywords.map { keyword -> JSON.Member in
            switch keyword.name {
            case "type": .init("type", [.string(type), "null"])
            case "enum": .init("enum", .array((keyword.value.elements ?? []) + [.null]))
            default: keyword
            }
        }
        return JSONSchema(widened, example: example, fields: fields, parts: parts)
    }

    /// The same under a name, by which a document holds it once.
    public func named(_ name: String) -> JSONSchema {
        var copy = self
        copy.name = name
        return copy
    }

    /// The same with another example.
    public func example(_ value: JSON) -> JSONSchema {
        var copy = self
        copy.example = value
        return copy
    }

    /// The same with a sentence about it.
    public func described(_ sentence: String) -> JSONSchema {
        var copy = self
        copy.keywords.append(.init("description", .string(sentence)))
        return copy
    }
}
