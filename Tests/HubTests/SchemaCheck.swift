import Foundation
import JSONKit

/// Judges a value by a schema of the API's description: the keywords of JSON Schema 2020-12 that it uses, and no others.
///
/// Stricter than the standard in one thing: an object of an answer may hold only what is described, so that a member which
/// nobody has written down is found.
struct SchemaCheck {
    let document: JSON
    private(set) var faults: [String] = []

    init(_ document: JSON) { self.document = document }

    /// What a reference stands for.
    func resolved(_ schema: JSON) -> JSON? {
        guard let reference = schema["$ref"]?.text else { return schema }
        let steps = reference.split(separator: "/").dropFirst().map {
            String($0.replacing("~1", with: "/").replacing("~0", with: "~"))
        }
        return steps.reduce(document) { (found: JSON?, step) in found?[step] }
    }

    mutating func check(_ value: JSON, _ schema: JSON, at place: String = "") {
        guard let schema = resolved(schema) else { return fault(place, "its schema is not there") }
        for keyword in schema.members ?? [] {
            switch keyword.name {
            case "type": checkType(value, keyword.value, place)
            case "enum":
                if keyword.value.elements?.contains(value) != true {
                    fault(place, "\(value) is none of \(keyword.value)")
                }
            case "anyOf": checkAny(value, keyword.value.elements ?? [], place)
            case "minLength", "maxLength", "pattern", "format": checkText(value, keyword, place)
            case "minimum", "maximum": checkNumber(value, keyword, place)
            case "items":
                for (index, element) in (value.elements ?? []).enumerated() {
                    check(element, keyword.value, at: "\(place)/\(index)")
                }
            case "maxItems":
                if value.elements?.count ?? 0 > keyword.value.wholeNumber ?? 0 { fault(place, "is too long a list") }
            case "minItems":
                if let count = value.elements?.count, count < keyword.value.wholeNumber ?? 0 {
                    fault(place, "is too short a list")
                }
            case "required":
                for name in keyword.value.elements?.compactMap(\.text) ?? []
                where value.members != nil && value[name] == nil {
                    fault(place, "lacks \(name)")
                }
            case "properties": checkMembers(value, schema, place)
            case "additionalProperties", "propertyNames", "maxProperties", "description": break
            default: fault(place, "nobody knows \(keyword.name)")
            }
        }
    }

    private mutating func fault(_ place: String, _ what: String) { faults.append("\(place): \(what)") }

    private mutating func checkType(_ value: JSON, _ type: JSON, _ place: String) {
        let allowed = type.text.map { [$0] } ?? type.elements?.compactMap(\.text) ?? []
        let kinds: [String] =
            switch value {
            case .null: ["null"]
            case .bool: ["boolean"]
            case .integer: ["integer", "number"]
            case .number: ["number"]
            case .string: ["string"]
            case .array: ["array"]
            case .object: ["object"]
            }
        if Set(allowed).isDisjoint(with: kinds) { fault(place, "is \(kinds[0]), not \(allowed)") }
    }

    private mutating func checkAny(_ value: JSON, _ kinds: [JSON], _ place: String) {
        let found = kinds.map { kind -> [String] in
            var one = SchemaCheck(document)
            one.check(value, kind, at: place)
            return one.faults
        }
        if !found.contains(where: \.isEmpty) { faults += found.min { $0.count < $1.count } ?? [] }
    }

    private mutating func checkText(_ value: JSON, _ keyword: JSON.Member, _ place: String) {
        guard case .string(let text) = value else { return }
        let count = Int64(text.unicodeScalars.count)
        let holds: Bool =
            switch keyword.name {
            case "minLength": count >= keyword.value.wholeNumber ?? 0
            case "maxLength": count <= keyword.value.wholeNumber ?? 0
            case "pattern": text.range(of: keyword.value.text ?? "", options: .regularExpression) != nil
            default: hasFormat(text, keyword.value.text ?? "")
            }
        if !holds { fault(place, "“\(text)” fails \(keyword.name) \(keyword.value)") }
    }

    private func hasFormat(_ text: String, _ format: String) -> Bool {
        switch format {
        case "uuid": text.wholeMatch(of: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) != nil
        case "date-time": text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/) != nil
        case "date": text.wholeMatch(of: /\d{4}-\d\d-\d\d/) != nil
        case "uri": text.contains("://")
        case "ipv4": text.wholeMatch(of: /\d{1,3}(\.\d{1,3}){3}/) != nil
        case "ipv6": text.wholeMatch(of: /[0-9a-f:.]+/) != nil && text.contains(":")
        default: false
        }
    }

    private mutating func checkNumber(_ value: JSON, _ keyword: JSON.Member, _ place: String) {
        let number: Double? =
            switch value {
            case .integer(let whole): Double(whole)
            case .number(let number): number
            default: nil
            }
        guard let number, let bound = keyword.value.wholeNumber else { return }
        let holds = keyword.name == "minimum" ? number >= Double(bound) : number <= Double(bound)
        if !holds { fault(place, "\(number) is beyond the \(keyword.name) \(bound)") }
    }

    private mutating func checkMembers(_ value: JSON, _ schema: JSON, _ place: String) {
        for member in value.members ?? [] {
            if let own = schema["properties"]?[member.name] {
                check(member.value, own, at: "\(place)/\(member.name)")
            } else if schema["additionalProperties"] == nil || schema["additionalProperties"] == false {
                fault(place, "has \(member.name), which is not described")
            }
        }
    }
}
