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
    /// Whose word a file is.
    enum Audience: Sendable {
        /// Whoever runs the hub wrote it, for everybody.
        case site
        /// An organization wrote it for itself: it names public hosts only, and nothing of the hub's environment.
        case organization
    }

    let name: String
    let file: JSONFile
    let audience: Audience

    /// Reads the provider of a file.
    ///
    /// - Parameter taken: the keys that are taken already, and by which file.
    static func read(
        _ name: String, _ bytes: [UInt8], besides taken: [String: String] = [:], for audience: Audience = .site
    ) throws(ProviderFileError) -> Provider {
        let file: JSONFile
        do throws(JSONFile.Failure) {
            file = try JSONFile(parsing: bytes)
        } catch {
            throw ProviderFileError(file: name, place: error.place, sentence: error.error.sentence)
        }
        return try ProviderFile(name: name, file: file, audience: audience).provider(besides: taken)
    }

    private static let members: Set<String> = [
        "key", "name", "kind", "category", "tile", "summary", "guide", "docs", "fields", "hosts", "test", "oauth",
        "sync", "sunset", "ends", "message", "calendar", "proxy", "verified", "note",
    ]

    private func provider(besides taken: [String: String]) throws(ProviderFileError) -> Provider {
        let top = try object("", file.value, Self.members)
        let fields = try fields(top)
        let tests = try tests(top, fields: fields)
        var provider = Provider(
            key: try key(top, besides: taken), name: try text(top, "name"), kind: try kind(top),
            category: try text(top, "category"), tile: try tile(top), summary: try text(top, "summary"),
            guide: try texts(top, "guide", atMost: 20), documentation: try documentation(top), fields: fields,
            hosts: try hosts(top, tests, fields), tests: tests, oauth: try oauth(top, fields: fields),
            isVerified: try truth(top, "verified", else: true), note: try optionalText(top, "note"))
        provider.sync = try sync(top, fields)
        provider.sunsets = try sunsets(top)
        provider.ends = try ends(top, fields)
        provider.isOwn = audience == .organization
        provider.message = try message(top, fields: fields)
        provider.calendar = try calendar(top, fields: fields)
        provider.proxy = try proxy(
            top, fields: fields, hosts: provider.hosts, tokens: provider.oauth == nil ? [] : ["access_token"])
        try checkGuide(top, provider)
        return provider
    }

    private func key(_ top: Object, besides taken: [String: String]) throws(ProviderFileError) -> String {
        let key = try text(top, "key")
        guard key.wholeMatch(of: /[a-z][a-z0-9_]{0,63}/) != nil else {
            throw wrong(top, "key", "a key is lower-case letters, digits and underscores.")
        }
        if let other = taken[key] { throw wrong(top, "key", "\(other) describes \(key) already.") }
        return key
    }

    private func kind(_ top: Object) throws(ProviderFileError) -> Provider.Kind {
        guard let kind = Provider.Kind(rawValue: try text(top, "kind")) else {
            throw wrong(
                top, "kind", "kind is one of \(Provider.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return kind
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
}

extension JSONError {
    fileprivate var sentence: String {
        switch self {
        case .malformed: "this is not JSON."
        case .tooDeep: "this is nested deeper than \(JSON.depthLimit) levels."
        case .duplicateName: "an object has this name twice."
        }
    }
}

// MARK: Reading members

extension ProviderFile {
    /// An object and where it stands.
    struct Object {
        let pointer: String
        let members: [String: JSON]
    }

    func wrong(_ object: Object, _ member: String, _ sentence: String) -> ProviderFileError {
        ProviderFileError(file: name, place: file.place(of: "\(object.pointer)/\(member)"), sentence: sentence)
    }

    func object(
        _ pointer: String, _ value: JSON?, _ known: Set<String>
    ) throws(ProviderFileError) -> Object {
        guard let members = value?.members else {
            throw ProviderFileError(
                file: name, place: file.place(of: pointer),
                sentence: pointer.isEmpty ? "a provider is an object." : "there must be an object at \(pointer).")
        }
        let object = Object(
            pointer: pointer, members: Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first })
        if let unknown = members.first(where: { !known.contains($0.name) }) {
            throw wrong(object, unknown.name, "there is no member \(unknown.name) here.")
        }
        return object
    }

    func text(_ object: Object, _ member: String) throws(ProviderFileError) -> String {
        guard let text = try optionalText(object, member) else { throw wrong(object, member, "\(member) is missing.") }
        return text
    }

    func optionalText(_ object: Object, _ member: String) throws(ProviderFileError) -> String? {
        guard let value = object.members[member] else { return nil }
        guard let text = value.text, !text.isEmpty else { throw wrong(object, member, "\(member) must be a text.") }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw wrong(object, member, "\(member) holds a line break or another control character.")
        }
        return text
    }

    func optionalTexts(_ object: Object, _ member: String) throws(ProviderFileError) -> [String]? {
        guard object.members[member] != nil else { return nil }
        return try texts(object, member)
    }

    func texts(
        _ object: Object, _ member: String, atMost limit: Int = 100
    ) throws(ProviderFileError) -> [String] {
        let values = try list(object, member, atMost: limit)
        let texts = values.compactMap(\.text).filter { !$0.isEmpty }
        guard texts.count == values.count else { throw wrong(object, member, "\(member) must be a list of texts.") }
        return texts
    }

    func list(_ object: Object, _ member: String, atMost limit: Int = 100) throws(ProviderFileError) -> [JSON] {
        guard let list = object.members[member]?.elements else {
            throw wrong(object, member, "\(member) must be a list.")
        }
        guard list.count <= limit else { throw wrong(object, member, "\(member) has more than \(limit) elements.") }
        return list
    }

    func truth(_ object: Object, _ member: String, else standard: Bool) throws(ProviderFileError) -> Bool {
        guard let value = object.members[member] else { return standard }
        guard let truth = value.truth else { throw wrong(object, member, "\(member) must be true or false.") }
        return truth
    }

    func number(_ object: Object, _ member: String, else standard: Int) throws(ProviderFileError) -> Int {
        guard let value = object.members[member] else { return standard }
        guard let number = value.wholeNumber else { throw wrong(object, member, "\(member) must be a whole number.") }
        return Int(number)
    }
}
