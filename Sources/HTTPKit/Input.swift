import JSONKit
import LogKit

/// What a caller sent, read field by field, whether it came as a form or as JSON.
///
/// Reading collects every refusal instead of stopping at the first; ``problem`` then names them all, fields that nobody
/// asked for included. A nested field is named with a dot: `setup.bot_token` is `{"setup": {"bot_token": …}}` in JSON and
/// the field of that name in a form.
public struct Input: Sendable {
    private enum Source {
        case form(Form)
        case json(JSON)
    }

    private let source: Source
    private var asked: Set<String> = []
    private var errors: [Problem.FieldError] = []

    /// Fields of a form. Spaces around a value are dropped, and an empty value counts as none.
    public init(_ form: Form) { source = .form(form) }

    /// Members of a JSON object.
    ///
    /// - Throws: `Problem` 400 when it is no object.
    public init(_ json: JSON) throws(Problem) {
        guard case .object = json else { throw Problem(400, "malformed_json", "The body must be a JSON object.") }
        source = .json(json)
    }

    // MARK: Reading

    /// A text that must be given, of a length counted in code points; blanks alone are no text.
    public mutating func text(_ name: String, _ length: ClosedRange<Int> = 1...200) -> String? {
        required(name, optionalText(name, length))
    }

    /// A text that may be left out.
    public mutating func optionalText(_ name: String, _ length: ClosedRange<Int> = 1...200) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else { return refused(name, "wrong_type", "This must be a text.") }
        // In code points, as the database counts: one grapheme may hold any number of them.
        let count = text.trimmed.isEmpty ? 0 : text.unicodeScalars.count
        guard length.contains(count) else {
            let rule =
                count < length.lowerBound
                ? "This needs at least \(length.lowerBound) characters."
                : "This takes at most \(length.upperBound) characters."
            return refused(name, count < length.lowerBound ? "too_short" : "too_long", rule)
        }
        return text
    }

    /// A text, or a whole number taken as its digits, that may be left out.
    public mutating func textOrNumber(_ name: String, _ length: ClosedRange<Int> = 1...200) -> String? {
        if case .integer(let number)? = value(name) { return String(number) }
        return optionalText(name, length)
    }

    /// A text that must not be seen again, exactly as typed, spaces included, of at most 4 096 bytes.
    public mutating func secret(_ name: String) -> Secret<String>? {
        guard let value = value(name, isTrimmed: false) else { return nil }
        guard case .string(let text) = value else { return refused(name, "wrong_type", "This must be a text.") }
        guard text.utf8.count <= 4_096 else { return refused(name, "too_long", "This takes at most 4 096 bytes.") }
        return Secret(text)
    }

    /// A truth that may be left out; in a form a checked box is true.
    public mutating func truth(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        switch (source, value) {
        case (_, .bool(let truth)): return truth
        case (.form, .string(let text)) where text == "on" || text == "true" || text == "1": return true
        case (.form, .string(let text)) where text == "false" || text == "0": return false
        default: return refused(name, "wrong_type", "This must be true or false.")
        }
    }

    /// A whole number within a range that may be left out.
    public mutating func number(_ name: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = value(name) else { return nil }
        let number: Int64?
        switch (source, value) {
        case (_, .integer(let whole)): number = whole
        // JSON knows one kind of number: 5.0 is 5 (JSON Schema 2020-12, Validation §6.1.1).
        case (.json, .number(let fraction)): number = Int64(exactly: fraction)
        case (.form, .string(let text)): number = Int64(text)
        default: number = nil
        }
        guard let number else { return refused(name, "wrong_type", "This must be a whole number.") }
        guard range.contains(number) else {
            return refused(name, "out_of_range", "This must lie between \(range.lowerBound) and \(range.upperBound).")
        }
        return number
    }

    /// Texts that may be left out: an array in JSON, a repeated field in a form.
    public mutating func texts(_ name: String, atMost limit: Int = 100) -> [String]? {
        asked.insert(name)
        let values: [JSON]
        switch source {
        case .form(let form):
            let given = form.all(name).map { String($0.trimmed) }.filter { !$0.isEmpty }
            guard !given.isEmpty else { return nil }
            values = given.map(JSON.string)
        case .json:
            guard let value = value(name) else { return nil }
            guard case .array(let elements) = value else { return refused(name, "wrong_type", "This must be a list.") }
            values = elements
        }
        guard values.count <= limit else { return refused(name, "too_many", "This takes at most \(limit) entries.") }
        let texts = values.compactMap(\.text)
        guard texts.count == values.count else { return refused(name, "wrong_type", "Each entry must be a text.") }
        return texts
    }

    /// The members of a JSON object that may be left out and whose names are the caller's own: none of them is unknown.
    public mutating func members(_ name: String) -> [JSON.Member]? {
        guard let value = value(name) else { return nil }
        guard case .object(let members) = value else { return refused(name, "wrong_type", "This must be an object.") }
        return members
    }

    /// Notes that fields below this name are read by dotted names: what stands here must be an object, or null.
    public mutating func requireObject(_ name: String) {
        guard case .json(let json) = source, let value = Self.lookUp(name, in: json) else { return }
        if case .object = value { return }
        asked.insert(name)
        if value != .null { refuse(name, "wrong_type", "This must be an object.") }
    }

    /// Whether a field of JSON is `null`, which in a merge patch means “as if it had never been set” (RFC 7396).
    public func isNull(_ name: String) -> Bool {
        guard case .json(let json) = source else { return false }
        return Self.lookUp(name, in: json) == .null
    }

    /// The names given below a nested field: those of `setup` for `setup.bot_token`.
    public func names(below name: String) -> [String] {
        switch source {
        case .form(let form):
            form.names.filter { $0.hasPrefix(name + ".") }.map { String($0.dropFirst(name.count + 1)) }
        case .json(let json):
            (json[name]?.members ?? []).map(\.name)
        }
    }

    /// Whether a field was given at all, `null` included.
    public func isGiven(_ name: String) -> Bool {
        switch source {
        case .form(let form): form[name] != nil
        case .json(let json): Self.lookUp(name, in: json) != nil
        }
    }

    /// A value parsed into a type of the domain, refused with the sentence given when the type does not take it.
    public mutating func parsed<Value>(
        _ name: String, orSay sentence: String, _ length: ClosedRange<Int> = 1...200, by parse: (String) -> Value?
    ) -> Value? {
        guard let text = optionalText(name, length) else { return nil }
        guard let value = parse(text) else { return refused(name, "invalid", sentence) }
        return value
    }

    // MARK: Refusing

    /// Demands a value that was read as one that may be left out.
    public mutating func required<Value>(_ name: String, _ value: Value?) -> Value? {
        guard value == nil, !errors.contains(where: { $0.field == name }) else { return value }
        return refused(name, "required", "This is needed.")
    }

    /// Notes that a field is refused.
    public mutating func refuse(_ name: String, _ code: String, _ detail: String) {
        let error = Problem.FieldError(field: name, code: code, detail: detail)
        if !errors.contains(error) { errors.append(error) }
    }

    /// Every refusal so far, as one problem; nil when there is none. What was sent twice although it can be said once is a
    /// malformed request (400): whoever checks one of the two may not be who uses the other.
    ///
    /// Of unknown fields the first twenty are named, by their first hundred characters: an answer must not grow with what
    /// was sent.
    public var problem: Problem? {
        let foreign = unknown.prefix(20).map { name in
            Problem.FieldError(
                field: String(name.unicodeScalars.prefix(100)), code: "unknown_field", detail: "There is no such field."
            )
        }
        let all = errors + foreign
        guard !all.isEmpty else { return nil }
        var problem = Problem.invalid(all)
        if all.contains(where: { $0.code == Self.duplicate }) {
            (problem.status, problem.code) = (400, "duplicate_field")
        }
        return problem
    }

    /// Whether nothing was refused and nothing unknown was sent.
    public var isComplete: Bool { problem == nil }

    /// Refuses whatever was sent, where nothing is taken.
    ///
    /// - Throws: ``refusal``.
    public func requireNothing() throws(Problem) {
        guard isComplete else { throw refusal }
    }

    /// What to throw when one field decides what the others mean and is itself refused: those named are not called
    /// unknown.
    public func refusalIgnoring(_ names: String...) -> Problem {
        var copy = self
        copy.asked.formUnion(names)
        return copy.refusal
    }

    /// What to throw once ``isComplete`` is false or a field that was required is nil.
    public var refusal: Problem {
        problem ?? .invalid([])
    }

    // MARK: -

    private static let duplicate = "duplicate"

    private mutating func refused<Value>(_ name: String, _ code: String, _ detail: String) -> Value? {
        refuse(name, code, detail)
        return nil
    }

    private mutating func value(_ name: String, isTrimmed: Bool = true) -> JSON? {
        asked.insert(name)
        switch source {
        case .form(let form):
            let values = form.all(name)
            if values.count > 1 { refuse(name, Self.duplicate, "This was sent more than once.") }
            let first = values.first.map { isTrimmed ? String($0.trimmed) : $0 }
            return first.flatMap { $0.isEmpty ? nil : .string($0) }
        case .json(let json):
            guard let value = Self.lookUp(name, in: json), value != .null else { return nil }
            return value
        }
    }

    private static func lookUp(_ name: String, in json: JSON) -> JSON? {
        name.split(separator: ".").reduce(json) { (value: JSON?, part) in value?[String(part)] }
    }

    private var unknown: [String] {
        switch source {
        case .form(let form):
            form.names.filter { !asked.contains($0) && $0 != CSRF.fieldName && $0 != FormNonce.fieldName }
        case .json(let json): Self.unknown(in: json, below: "", asked)
        }
    }

    private static func unknown(in json: JSON, below prefix: String, _ asked: Set<String>) -> [String] {
        (json.members ?? []).flatMap { member -> [String] in
            let name = prefix + member.name
            if asked.contains(name) { return [] }
            guard asked.contains(where: { $0.hasPrefix(name + ".") }), case .object = member.value else {
                return [name]
            }
            return unknown(in: member.value, below: name + ".", asked)
        }
    }
}
