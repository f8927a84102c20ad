import JSONKit

/// What is wrong with a provider file, and where.
public struct ProviderFileError: Error, CustomStringConvertible, Sendable {
    /// The file.
    public let file: String
    /// Line and column.
    public let place: JSONFile.Place
    /// What is wrong, in one sentence.
    public let sentence: String

    /// `telegram.json:12:9: …`
    public var description: String { "\(file):\(place): \(sentence)" }
}

/// Reads a provider file strictly: a member that is missing, unknown or of the wrong kind is an error with its place.
struct ProviderFile {
    private let name: String
    private let file: JSONFile

    /// Reads the provider of a file.
    static func read(_ name: String, _ bytes: [UInt8]) throws(ProviderFileError) -> Provider {
        let file: JSONFile
        do throws(JSONFile.Failure) {
            file = try JSONFile(parsing: bytes)
        } catch {
            throw ProviderFileError(file: name, place: error.place, sentence: "this is not JSON.")
        }
        return try ProviderFile(name: name, file: file).provider()
    }

    private init(name: String, file: JSONFile) {
        self.name = name
        self.file = file
    }

    private func provider() throws(ProviderFileError) -> Provider {
        let top = try object(
            "", file.value,
            ["key", "name", "kind", "category", "tile", "summary", "guide", "docs", "fields", "test", "verified", "note"])
        let key = try text(top, "key")
        guard key.wholeMatch(of: /[a-z][a-z0-9_]{0,63}/) != nil else {
            throw wrong(top, "key", "a key is lower-case letters, digits and underscores.")
        }
        guard let kind = Provider.Kind(rawValue: try text(top, "kind")) else {
            throw wrong(top, "kind", "kind is one of \(Provider.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        let fields = try list(top, "fields").enumerated().map { (index, value) throws(ProviderFileError) in
            try field("/fields/\(index)", value)
        }
        return Provider(
            key: key, name: try text(top, "name"), kind: kind, category: try text(top, "category"), tile: try tile(top),
            summary: try text(top, "summary"), guide: try texts(top, "guide"), documentation: try documentation(top),
            fields: fields, test: try test(top, fields: fields), isVerified: try truth(top, "verified", else: true),
            note: try optionalText(top, "note"))
    }

    private func tile(_ top: Object) throws(ProviderFileError) -> Provider.Tile {
        let tile = try object("/tile", top.members["tile"], ["letters", "color"])
        let color = try text(tile, "color")
        guard Provider.Tile.colors.contains(color) else {
            throw wrong(tile, "color", "color is one of \(Provider.Tile.colors.sorted().joined(separator: ", ")).")
        }
        let letters = try text(tile, "letters")
        guard (1...2).contains(letters.count) else { throw wrong(tile, "letters", "letters are one or two.") }
        return Provider.Tile(letters: letters, color: color)
    }

    private func documentation(_ top: Object) throws(ProviderFileError) -> Provider.Documentation? {
        guard let value = top.members["docs"] else { return nil }
        let docs = try object("/docs", value, ["href", "label"])
        let href = try text(docs, "href")
        guard href.hasPrefix("https://") else { throw wrong(docs, "href", "href must begin with https://.") }
        return Provider.Documentation(href: href, label: try text(docs, "label"))
    }

    private func field(_ pointer: String, _ value: JSON) throws(ProviderFileError) -> ProviderField {
        let field = try object(
            pointer, value,
            [
                "name", "label", "kind", "required", "pattern", "refusal", "help", "default", "options", "minimum",
                "maximum", "width",
            ])
        guard let kind = ProviderField.Kind(rawValue: try text(field, "kind")) else {
            throw wrong(field, "kind", "kind is one of \(ProviderField.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        let name = try text(field, "name")
        guard name.wholeMatch(of: /[a-z][a-z0-9_]{0,63}/) != nil else {
            throw wrong(field, "name", "a name is lower-case letters, digits and underscores.")
        }
        let pattern = try optionalText(field, "pattern")
        if let pattern, (try? Regex(pattern)) == nil { throw wrong(field, "pattern", "this is no regular expression.") }
        return ProviderField(
            name: name, label: try text(field, "label"), kind: kind, isRequired: try truth(field, "required", else: false),
            pattern: pattern, refusal: try optionalText(field, "refusal"), help: try optionalText(field, "help"),
            standard: try optionalText(field, "default"), options: try options(field, kind),
            range: try number(field, "minimum", else: 0)...number(field, "maximum", else: 1_000_000_000),
            width: try width(field))
    }

    private func width(_ field: Object) throws(ProviderFileError) -> String? {
        guard let width = try optionalText(field, "width") else { return nil }
        guard ["short", "medium", "wide"].contains(width) else {
            throw wrong(field, "width", "width is short, medium or wide.")
        }
        return width
    }

    private func options(_ field: Object, _ kind: ProviderField.Kind) throws(ProviderFileError) -> [ProviderField.Option] {
        guard kind == .select else { return [] }
        return try list(field, "options").enumerated().map { (index, value) throws(ProviderFileError) in
            let option = try object("\(field.pointer)/options/\(index)", value, ["value", "label"])
            return ProviderField.Option(value: try text(option, "value"), label: try text(option, "label"))
        }
    }

    // MARK: The test

    private func test(_ top: Object, fields: [ProviderField]) throws(ProviderFileError) -> ProviderTest {
        let test = try object(
            "/test", top.members["test"],
            ["kind", "method", "url", "headers", "bearer", "basic", "success", "error", "access", "metadata"])
        let call: ProviderTest.Call
        switch try text(test, "kind") {
        case "http": call = .http(try http(test, fields: fields))
        case "aws_caller_identity": call = .awsCallerIdentity
        case "smtp": call = .smtp
        default: throw wrong(test, "kind", "kind is http, aws_caller_identity or smtp.")
        }
        let metadata = try list(test, "metadata").enumerated().map { (index, value) throws(ProviderFileError) in
            let fact = try object("/test/metadata/\(index)", value, ["label", "path"])
            return ProviderTest.Fact(label: try text(fact, "label"), path: try text(fact, "path"))
        }
        return ProviderTest(call: call, access: try text(test, "access"), metadata: metadata)
    }

    private func http(_ test: Object, fields: [ProviderField]) throws(ProviderFileError) -> ProviderTest.HTTPCall {
        let url = try text(test, "url")
        guard url.hasPrefix("https://"), let host = url.dropFirst(8).split(separator: "/").first, !host.contains("{") else {
            throw wrong(test, "url", "url must begin with https:// and a fixed host.")
        }
        for hole in Holes.names(in: url) where !fields.contains(where: { $0.name == hole }) {
            throw wrong(test, "url", "there is no field \(hole).")
        }
        let success = try object("/test/success", test.members["success"], ["status", "path", "equals"])
        let condition = try optionalText(success, "path").map { ($0, success.members["equals"] ?? .null) }
        let basic = try optionalTexts(test, "basic")
        guard basic == nil || basic?.count == 2 else { throw wrong(test, "basic", "basic is a user and a password.") }
        let headers = test.members["headers"]?.members ?? []
        return ProviderTest.HTTPCall(
            method: try text(test, "method"), url: url, headers: headers.map { ($0.name, $0.value.text ?? "") },
            bearer: try optionalText(test, "bearer"), basic: basic.map { ($0[0], $0[1]) },
            statuses: (success.members["status"]?.elements ?? []).compactMap { $0.wholeNumber.map { Int($0) } },
            condition: condition, error: try optionalText(test, "error"))
    }
}

// MARK: Reading members

extension ProviderFile {
    /// An object and where it stands.
    private struct Object {
        let pointer: String
        let members: [String: JSON]
    }

    private func wrong(_ object: Object, _ member: String, _ sentence: String) -> ProviderFileError {
        ProviderFileError(file: name, place: file.place(of: "\(object.pointer)/\(member)"), sentence: sentence)
    }

    private func object(
        _ pointer: String, _ value: JSON?, _ known: Set<String>
    ) throws(ProviderFileError) -> Object {
        guard let members = value?.members else {
            throw ProviderFileError(
                file: name, place: file.place(of: pointer), sentence: "there must be an object \(pointer.isEmpty ? "" : "at \(pointer)").")
        }
        let object = Object(pointer: pointer, members: Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first })
        if let unknown = members.first(where: { !known.contains($0.name) }) {
            throw wrong(object, unknown.name, "there is no member \(unknown.name) here.")
        }
        return object
    }

    private func text(_ object: Object, _ member: String) throws(ProviderFileError) -> String {
        guard let text = try optionalText(object, member) else { throw wrong(object, member, "\(member) is missing.") }
        return text
    }

    private func optionalText(_ object: Object, _ member: String) throws(ProviderFileError) -> String? {
        guard let value = object.members[member] else { return nil }
        guard let text = value.text, !text.isEmpty else { throw wrong(object, member, "\(member) must be a text.") }
        return text
    }

    private func optionalTexts(_ object: Object, _ member: String) throws(ProviderFileError) -> [String]? {
        guard object.members[member] != nil else { return nil }
        return try texts(object, member)
    }

    private func texts(_ object: Object, _ member: String) throws(ProviderFileError) -> [String] {
        let values = try list(object, member)
        let texts = values.compactMap(\.text)
        guard texts.count == values.count else { throw wrong(object, member, "\(member) must be a list of texts.") }
        return texts
    }

    private func list(_ object: Object, _ member: String) throws(ProviderFileError) -> [JSON] {
        guard let list = object.members[member]?.elements else { throw wrong(object, member, "\(member) must be a list.") }
        return list
    }

    private func truth(_ object: Object, _ member: String, else standard: Bool) throws(ProviderFileError) -> Bool {
        guard let value = object.members[member] else { return standard }
        guard let truth = value.truth else { throw wrong(object, member, "\(member) must be true or false.") }
        return truth
    }

    private func number(_ object: Object, _ member: String, else standard: Int) throws(ProviderFileError) -> Int {
        guard let value = object.members[member] else { return standard }
        guard let number = value.wholeNumber else { throw wrong(object, member, "\(member) must be a whole number.") }
        return Int(number)
    }
}
