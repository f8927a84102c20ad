/// A schema that somebody else wrote, in the words of JSON Schema 2020-12 that can be judged by the value alone.
///
/// A keyword that is not known is a mistake rather than a silent promise: `pattern` is among them, since an expression of a
/// stranger's can take for ever. What only describes (`title`, `format`, `examples`, …) is kept and not judged.
public struct SchemaRule: Sendable, Equatable {
    /// Why a schema cannot be used.
    public struct Mistake: Error, Equatable {
        /// Where in the schema, as a JSON Pointer (RFC 6901).
        public let pointer: String
        /// What is wrong there, in a sentence.
        public let detail: String
    }

    /// What a value breaks.
    public struct Fault: Sendable, Equatable {
        /// Where in the value, its steps joined by dots; empty for the whole.
        public let place: String
        /// What would be right, in a sentence.
        public let detail: String
    }

    private let root: JSON

    /// How deep a schema may be, how many steps a judgement may take, and how many of them inside one another: a schema
    /// may refer to itself without end.
    private static let deepest = 32
    private static let mostSteps = 100_000
    fileprivate static let deepestJudgement = 200

    /// Reads a schema.
    public init(_ json: JSON) throws(Mistake) {
        root = json
        try Self.check(json, at: "", root: json, depth: 0)
    }

    /// The schema as it was written.
    public var json: JSON { root }

    /// What a value breaks, at most so many faults.
    public func faults(in value: JSON, atMost limit: Int = 20) -> [Fault] {
        var judge = Judge(root: root, limit: limit, steps: Self.mostSteps)
        judge.judge(value, by: root, at: "")
        // What was broken off inside `not` would otherwise look like something that fits.
        return judge.isBrokenOff ? [Judge.brokenOff] : judge.faults
    }

    // MARK: Reading

    private static let annotations: Set<String> = [
        "$schema", "$id", "$comment", "title", "description", "examples", "example", "default", "deprecated",
        "readOnly", "writeOnly", "format", "contentMediaType",
    ]
    private static let types: Set<String> = ["null", "boolean", "integer", "number", "string", "array", "object"]

    private static func check(_ schema: JSON, at pointer: String, root: JSON, depth: Int) throws(Mistake) {
        guard depth < deepest else { throw Mistake(pointer: pointer, detail: "This is nested too deep.") }
        if case .bool = schema { return }
        guard let members = schema.members else {
            throw Mistake(pointer: pointer, detail: "A schema is an object, true or false.")
        }
        for member in members {
            try check(member, at: step(pointer, member.name), root: root, depth: depth)
        }
    }

    private static func step(_ pointer: String, _ name: String) -> String {
        "\(pointer)/\(name.replacing("~", with: "~0").replacing("/", with: "~1"))"
    }

    private static func check(_ member: JSON.Member, at place: String, root: JSON, depth: Int) throws(Mistake) {
        let value = member.value
        switch member.name {
        case "type":
            let words = value.text.map { [$0] } ?? value.elements?.compactMap(\.text) ?? []
            try demand(
                !words.isEmpty && types.isSuperset(of: words), place, "This is the name of a type, or a list of them.")
        case "enum": try demand(value.elements?.isEmpty == false, place, "This is a list of values.")
        case "const": break
        case "required":
            try demand(
                value.elements.map { $0.allSatisfy { $0.text != nil } } ?? false, place, "This is a list of names.")
        case "properties", "$defs":
            try demand(value.members != nil, place, "This is an object of schemas.")
            for one in value.members ?? [] {
                try check(one.value, at: step(place, one.name), root: root, depth: depth + 1)
            }
        case "additionalProperties", "items", "not", "propertyNames", "contains":
            try check(value, at: place, root: root, depth: depth + 1)
        case "anyOf", "allOf", "oneOf", "prefixItems":
            try demand(value.elements?.isEmpty == false, place, "This is a list of schemas.")
            for (index, one) in (value.elements ?? []).enumerated() {
                try check(one, at: "\(place)/\(index)", root: root, depth: depth + 1)
            }
        case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
            try demand((value.wholeNumber ?? -1) >= 0, place, "This is a whole number, 0 or more.")
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
            try demand(value.quantity != nil, place, "This is a number.")
        case "multipleOf": try demand((value.quantity ?? 0) > 0, place, "This is a number above 0.")
        case "uniqueItems": try demand(value.truth != nil, place, "This is true or false.")
        case "$ref":
            try demand(
                value.text.map { target(of: $0, in: root) != nil } ?? false, place,
                "This leads to #, or to #/$defs/ and a name that is there.")
        default:
            try demand(
                annotations.contains(member.name), place, "The keyword “\(member.name.prefix(40))” is not known here.")
        }
    }

    private static func demand(_ holds: Bool, _ place: String, _ detail: String) throws(Mistake) {
        guard holds else { throw Mistake(pointer: place, detail: detail) }
    }

    fileprivate static func target(of reference: String, in root: JSON) -> JSON? {
        if reference == "#" { return root }
        guard reference.hasPrefix("#/$defs/") else { return nil }
        let name = reference.dropFirst(8).replacing("~1", with: "/").replacing("~0", with: "~")
        return root["$defs"]?[String(name)]
    }
}

/// Holds a value against a schema, keyword by keyword.
private struct Judge {
    let root: JSON
    let limit: Int
    var steps: Int
    var depth = 0
    var isBrokenOff = false
    var faults: [SchemaRule.Fault] = []

    mutating func judge(_ value: JSON, by schema: JSON, at place: String) {
        steps -= 1
        guard faults.count < limit else { return }
        guard steps > 0, depth < SchemaRule.deepestJudgement else {
            isBrokenOff = true
            return fault(place, Self.brokenOff.detail)
        }
        depth += 1
        defer { depth -= 1 }
        if schema == .bool(false) { return fault(place, "This must not be here.") }
        for keyword in schema.members ?? [] { judge(value, by: keyword, of: schema, at: place) }
    }

    static let brokenOff = SchemaRule.Fault(place: "", detail: "This takes too long to judge.")

    private mutating func fault(_ place: String, _ detail: String) {
        if faults.count < limit { faults.append(.init(place: place, detail: detail)) }
    }

    private mutating func demand(_ holds: Bool, _ place: String, _ detail: String) {
        if !holds { fault(place, detail) }
    }

    private mutating func judge(_ value: JSON, by keyword: JSON.Member, of schema: JSON, at place: String) {
        let asked = keyword.value
        switch keyword.name {
        case "type":
            let types = asked.text.map { [$0] } ?? asked.elements?.compactMap(\.text) ?? []
            demand(
                types.contains(where: value.isOf), place, "This must be of the type \(types.joined(separator: " or "))."
            )
        case "enum":
            demand(asked.elements?.contains(where: value.equals) ?? false, place, "This is none of the values allowed.")
        case "const": demand(value.equals(asked), place, "This must be the one value allowed.")
        case "$ref":
            if let target = asked.text.flatMap({ SchemaRule.target(of: $0, in: root) }) {
                judge(value, by: target, at: place)
            }
        case "allOf": for one in asked.elements ?? [] { judge(value, by: one, at: place) }
        case "anyOf": demand(fits(value, asked) > 0, place, "This fits none of the forms allowed.")
        case "oneOf": demand(fits(value, asked) == 1, place, "This must fit exactly one of the forms allowed.")
        case "not": demand(fits(value, .array([asked])) == 0, place, "This has a form that is not allowed.")
        default:
            switch value {
            case .string(let text): judge(text, by: keyword, at: place)
            case .integer, .number: judge(value.quantity ?? 0, by: keyword, at: place)
            case .array(let elements): judge(elements, by: keyword, of: schema, at: place)
            case .object(let members): judge(members, by: keyword, of: schema, at: place)
            case .null, .bool: break
            }
        }
    }

    /// How many of some schemas a value fits.
    private mutating func fits(_ value: JSON, _ schemas: JSON) -> Int {
        var count = 0
        for schema in schemas.elements ?? [] {
            var other = Judge(root: root, limit: 1, steps: steps, depth: depth)
            other.judge(value, by: schema, at: "")
            steps = other.steps
            isBrokenOff = isBrokenOff || other.isBrokenOff
            if other.faults.isEmpty { count += 1 }
        }
        return count
    }

    private mutating func judge(_ text: String, by keyword: JSON.Member, at place: String) {
        let bound = Int(keyword.value.wholeNumber ?? 0)
        steps -= text.utf8.count / 64
        switch keyword.name {
        case "minLength": demand(text.unicodeScalars.count >= bound, place, "This needs at least \(bound) characters.")
        case "maxLength": demand(text.unicodeScalars.count <= bound, place, "This takes at most \(bound) characters.")
        default: break
        }
    }

    private mutating func judge(_ number: Double, by keyword: JSON.Member, at place: String) {
        let bound = keyword.value.quantity ?? 0
        switch keyword.name {
        case "minimum": demand(number >= bound, place, "This must be at least \(bound).")
        case "maximum": demand(number <= bound, place, "This must be at most \(bound).")
        case "exclusiveMinimum": demand(number > bound, place, "This must be more than \(bound).")
        case "exclusiveMaximum": demand(number < bound, place, "This must be less than \(bound).")
        case "multipleOf":
            let quotient = number / bound
            // 0.3 is a multiple of 0.1, although not as binary fractions have it.
            let error = abs(quotient - quotient.rounded())
            demand(error <= 1e-9 * max(1, abs(quotient)), place, "This must be a multiple of \(bound).")
        default: break
        }
    }

    private mutating func judge(
        _ elements: [JSON], by keyword: JSON.Member, of schema: JSON, at place: String
    ) {
        let bound = Int(keyword.value.wholeNumber ?? 0)
        switch keyword.name {
        case "minItems": demand(elements.count >= bound, place, "This needs at least \(bound) entries.")
        case "maxItems": demand(elements.count <= bound, place, "This takes at most \(bound) entries.")
        case "uniqueItems" where keyword.value == .bool(true):
            steps -= elements.count
            let texts = Set(elements.map { String(decoding: $0.bytes, as: UTF8.self) })
            demand(texts.count == elements.count, place, "No entry may be there twice.")
        case "prefixItems":
            for (index, pair) in zip(elements, keyword.value.elements ?? []).enumerated() {
                judge(pair.0, by: pair.1, at: Self.step(place, "\(index)"))
            }
        case "items":
            let start = schema["prefixItems"]?.elements?.count ?? 0
            for (index, element) in elements.enumerated().dropFirst(start) {
                judge(element, by: keyword.value, at: Self.step(place, "\(index)"))
            }
        case "contains":
            demand(
                elements.contains { fits($0, .array([keyword.value])) > 0 }, place, "No entry is of the kind asked for."
            )
        default: break
        }
    }

    private mutating func judge(
        _ members: [JSON.Member], by keyword: JSON.Member, of schema: JSON, at place: String
    ) {
        let bound = Int(keyword.value.wholeNumber ?? 0)
        switch keyword.name {
        case "minProperties": demand(members.count >= bound, place, "This needs at least \(bound) members.")
        case "maxProperties": demand(members.count <= bound, place, "This takes at most \(bound) members.")
        case "required":
            let names = Set(members.map(\.name))
            steps -= members.count
            for name in (keyword.value.elements ?? []).compactMap(\.text) where !names.contains(name) {
                fault(Self.step(place, name), "This is needed.")
            }
        case "properties":
            let rules = keyword.value.byName
            steps -= rules.count
            for member in members {
                if let schema = rules[member.name] {
                    judge(member.value, by: schema, at: Self.step(place, member.name))
                }
            }
        case "propertyNames":
            for member in members { judge(.string(member.name), by: keyword.value, at: Self.step(place, member.name)) }
        case "additionalProperties":
            let rules = schema["properties"]?.byName ?? [:]
            steps -= rules.count
            for member in members where rules[member.name] == nil {
                if keyword.value == .bool(false) {
                    fault(Self.step(place, member.name), "There is no such member.")
                } else {
                    judge(member.value, by: keyword.value, at: Self.step(place, member.name))
                }
            }
        default: break
        }
    }

    private static func step(_ place: String, _ name: String) -> String {
        place.isEmpty ? String(name.prefix(100)) : "\(place).\(name.prefix(100))"
    }
}

extension JSON {
    /// A number of either kind; nil for anything else.
    fileprivate var quantity: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// Whether it is of a type by its name; a number without fraction is an integer.
    fileprivate func isOf(_ type: String) -> Bool {
        switch self {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .number(let number): type == "number" || type == "integer" && number == number.rounded()
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    /// The members of an object, to be looked up often.
    fileprivate var byName: [String: JSON] {
        Dictionary((members ?? []).map { ($0.name, $0.value) }) { first, _ in first }
    }

    private static func agree(_ members: [JSON.Member], _ others: [String: JSON]) -> Bool {
        members.allSatisfy { member in others[member.name].map(member.value.equals) ?? false }
    }

    /// Equality as the standard has it: 1 is 1.0, and the order of members does not count.
    fileprivate func equals(_ other: JSON) -> Bool {
        switch (self, other) {
        case (.integer, .integer), (.null, .null), (.bool, .bool), (.string, .string): self == other
        case (.integer, .number), (.number, .integer), (.number, .number): quantity == other.quantity
        case (.array(let one), .array(let two)): one.count == two.count && zip(one, two).allSatisfy { $0.equals($1) }
        case (.object(let one), .object(let two)):
            one.count == two.count && Self.agree(one, other.byName)
        default: false
        }
    }
}
