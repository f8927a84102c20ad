import HTTPKit
import JSONKit

/// A form in which some fields hold JSON, as the body that a script would send, so that both are read by the same reader.
struct FormJSON {
    /// Fields that hold JSON objects.
    let objects: [String]
    /// Boxes to tick.
    var truths: [String] = []

    /// The body; an empty field is left out, an empty object is `null`, and a box that is not ticked is false.
    ///
    /// - Throws: `Problem` 422 that names each field which is no JSON object.
    func body(_ form: Form) throws(Problem) -> JSON {
        var members: [JSON.Member] = []
        var errors: [Problem.FieldError] = []
        for name in form.names where name != CSRF.fieldName && name != FormNonce.fieldName && !truths.contains(name) {
            let text = String((form[name] ?? "").trimmed)
            if !objects.contains(name) {
                if !text.isEmpty { members.append(.init(name, .string(text))) }
            } else if text.isEmpty {
                members.append(.init(name, .null))
            } else if let value = try? JSON(parsing: Array(text.utf8)), case .object = value {
                members.append(.init(name, value))
            } else {
                errors.append(
                    .init(
                        field: name, code: "malformed_json", detail: "This must be a JSON object, such as {\"a\": 1}."))
            }
        }
        guard errors.isEmpty else { throw Problem.invalid(errors) }
        return .object(members + truths.map { .init($0, .bool(form[$0] == "true")) })
    }

    /// The problem with faults inside an object noted at its field.
    func folded(_ problem: Problem) -> Problem {
        var copy = problem
        copy.errors = problem.errors.map { error in
            guard let name = objects.first(where: { error.field.hasPrefix($0 + ".") }) else { return error }
            return .init(
                field: name, code: error.code, detail: "\(error.field.dropFirst(name.count + 1)): \(error.detail)")
        }
        return copy
    }

    /// A value as one may edit it.
    static func text(_ json: JSON?) -> String { json.map { HighlightedJSON($0).text } ?? "" }
}
