import JSONKit

/// A member of an object as people read of it.
struct SchemaRow: Sendable, Equatable {
    /// Where it stands: `errors[].pointer`.
    let name: String
    let type: String
    let isOptional: Bool
    let meaning: String
}

extension JSONSchema {
    /// The members of an object and of what is in it, one below the other.
    func rows(below place: String = "", depth: Int = 0) -> [SchemaRow] {
        guard depth < 4 else { return [] }
        if fields.isEmpty { return element.map { $0.rows(below: place + "[]", depth: depth + 1) } ?? [] }
        return fields.flatMap { field -> [SchemaRow] in
            let name = place.isEmpty ? field.name : "\(place).\(field.name)"
            return [
                SchemaRow(name: name, type: field.schema.words, isOptional: !field.isRequired, meaning: field.meaning)
            ]
                + field.schema.rows(below: name, depth: depth + 1)
        }
    }

    /// What a list is made of; nil for anything else.
    private var element: JSONSchema? {
        let kinds = definition["type"]?.elements?.compactMap(\.text) ?? [definition["type"]?.text ?? ""]
        return kinds.contains("array") ? parts.first : nil
    }

    /// What the value may be, in a few words.
    var words: String {
        if let words = definition["enum"]?.elements {
            return "one of " + words.map { $0.text ?? "null" }.joined(separator: ", ")
        }
        if definition["anyOf"] != nil { return parts.map(\.words).joined(separator: " or ") + nullWords }
        let kinds = definition["type"]?.elements?.compactMap(\.text) ?? [definition["type"]?.text].compactMap(\.self)
        return kinds.isEmpty ? "anything" : kinds.map(words(of:)).joined(separator: " or ")
    }

    /// A schema that may be null besides names that kind only in JSON.
    private var nullWords: String {
        let kinds = definition["anyOf"]?.elements?.count ?? 0
        return kinds > parts.count ? " or null" : ""
    }

    private func words(of kind: String) -> String {
        switch kind {
        case "string": formatWords ?? "text" + range("minLength", "maxLength", " characters")
        case "integer": "whole number" + range("minimum", "maximum", "")
        case "number": "number"
        case "boolean": "true or false"
        case "array":
            "list of " + (element?.words ?? "anything")
                + (definition["maxItems"].map { ", at most \(plain($0))" } ?? "")
        case "object": name ?? "object"
        default: kind
        }
    }

    private var formatWords: String? {
        switch definition["format"]?.text {
        case "uuid": "UUID"
        case "date-time": "time"
        case "date": "day"
        case "uri": "address"
        default: nil
        }
    }

    private func range(_ least: String, _ most: String, _ unit: String) -> String {
        switch (definition[least], definition[most]) {
        case (let least?, let most?): ", \(plain(least)) to \(plain(most))\(unit)"
        case (let least?, nil): ", at least \(plain(least))\(unit)"
        case (nil, let most?): ", at most \(plain(most))\(unit)"
        case (nil, nil): ""
        }
    }

    private func plain(_ number: JSON) -> String { number.wholeNumber.map(String.init) ?? "" }
}
