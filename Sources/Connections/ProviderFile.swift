import JSONKit

/// What is wrong with a provider file, and where.
public struct ProviderFileError: Error, CustomStringConvertible, Sendable {
    /// The file.
    public let file: String
    /// Line and column.
    public let place: JSONFile.Place
    /// The JSON Pointer of what is wrong, or of what is missing.
    let pointer: String
    /// What is wrong, in one sentence.
    public let sentence: String

    /// `telegram.json:12:9: …`
    public var description: String { "\(file):\(place): \(sentence)" }
}

/// What a provider file turned out to be.
struct ProviderReading: Sendable {
    /// The service; nil when there is a mistake.
    let provider: Provider?
    /// The mistakes, in the order of the file.
    let mistakes: [ProviderFileError]
}

/// Notes mistakes and goes on, so that whoever writes a file sees all of them at once.
struct Mistakes {
    var found: [ProviderFileError] = []

    /// What a part of the file says; nil when it is a mistake.
    @discardableResult
    mutating func note<Part>(_ read: () throws(ProviderFileError) -> Part) -> Part? {
        do throws(ProviderFileError) {
            return try read()
        } catch {
            found.append(error)
            return nil
        }
    }
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
    /// - Throws: the first mistake.
    static func read(
        _ name: String, _ bytes: [UInt8], besides taken: [String: String] = [:], for audience: Audience = .site
    ) throws(ProviderFileError) -> Provider {
        let reading = check(name, bytes, besides: taken, for: audience)
        guard let provider = reading.provider else { throw reading.mistakes[0] }
        return provider
    }

    /// Reads a file for whoever writes it: with every mistake rather than the first alone.
    static func check(
        _ name: String, _ bytes: [UInt8], besides taken: [String: String] = [:], for audience: Audience = .site
    ) -> ProviderReading {
        do throws(JSONFile.Failure) {
            let file = try JSONFile(parsing: bytes)
            return ProviderFile(name: name, file: file, audience: audience).reading(besides: taken)
        } catch {
            return ProviderReading(
                provider: nil,
                mistakes: [
                    ProviderFileError(file: name, place: error.place, pointer: "", sentence: error.error.sentence)
                ])
        }
    }

    private static let members: Set<String> = [
        "key", "name", "kind", "category", "tile", "summary", "guide", "docs", "fields", "hosts", "test", "oauth",
        "message", "calendar", "channels", "proxy", "sync", "sunset", "ends", "verified", "note",
    ]

    private func reading(besides taken: [String: String]) -> ProviderReading {
        var mistakes = Mistakes()
        let value = file.value
        let top: Object
        do throws(ProviderFileError) {
            top = try object("", value)
        } catch {
            return ProviderReading(provider: nil, mistakes: [error])
        }
        for member in value.members ?? [] where !Self.members.contains(member.name) {
            mistakes.found.append(wrong(top, member.name, "there is no member \(member.name) here."))
        }
        let face = self.face(top, besides: taken, &mistakes)
        let fields = self.fields(top, &mistakes)
        // With a field missing, everything that names it would seem a mistake, too.
        let provider = fields.flatMap { self.provider(top, face, $0, &mistakes) }
        return ProviderReading(provider: mistakes.found.isEmpty ? provider : nil, mistakes: mistakes.found)
    }

    /// What people see of the service, and what it is called.
    private struct Face {
        var key = ""
        var name = ""
        var kind = Provider.Kind.apiKey
        var category = ""
        var tile = Provider.Tile(letters: "", color: "")
        var summary = ""
        var guide: [String] = []
        var documentation: Provider.Documentation?
        var isVerified = true
        var note: String?
    }

    private func face(_ top: Object, besides taken: [String: String], _ mistakes: inout Mistakes) -> Face {
        var face = Face()
        mistakes.note { () throws(ProviderFileError) in face.key = try key(top, besides: taken) }
        mistakes.note { () throws(ProviderFileError) in face.name = try text(top, "name", atMost: 60) }
        mistakes.note { () throws(ProviderFileError) in face.kind = try kind(top) }
        mistakes.note { () throws(ProviderFileError) in face.category = try text(top, "category", atMost: 60) }
        mistakes.note { () throws(ProviderFileError) in face.tile = try tile(top) }
        mistakes.note { () throws(ProviderFileError) in face.summary = try text(top, "summary", atMost: 300) }
        mistakes.note { () throws(ProviderFileError) in face.guide = try guide(top) }
        mistakes.note { () throws(ProviderFileError) in face.documentation = try documentation(top) }
        mistakes.note { () throws(ProviderFileError) in face.isVerified = try truth(top, "verified", else: true) }
        mistakes.note { () throws(ProviderFileError) in face.note = try optionalText(top, "note") }
        return face
    }

    private func provider(
        _ top: Object, _ face: Face, _ fields: [ProviderField], _ mistakes: inout Mistakes
    ) -> Provider? {
        let tests = mistakes.note { () throws(ProviderFileError) -> [ProviderTest] in
            try self.tests(top, fields: fields)
        }
        let oauth = mistakes.note { () throws(ProviderFileError) -> ProviderOAuth? in
            try self.oauth(top, fields: fields)
        }
        let sync = mistakes.note { () throws(ProviderFileError) -> [ProviderSync] in try self.sync(top, fields) } ?? []
        let urls = [oauth??.revocation?.call.url].compactMap(\.self) + sync.map(\.call.url)
        let hosts = mistakes.note { () throws(ProviderFileError) -> [String] in
            try self.hosts(top, tests ?? [], besides: urls, fields)
        }
        var provider = Provider(
            key: face.key, name: face.name, kind: face.kind, category: face.category, tile: face.tile,
            summary: face.summary, guide: face.guide, documentation: face.documentation, fields: fields,
            hosts: hosts ?? [], tests: tests ?? [], oauth: oauth ?? nil, isVerified: face.isVerified, note: face.note)
        provider.isOwn = audience == .organization
        provider.sync = sync
        mistakes.note { () throws(ProviderFileError) in provider.message = try message(top, fields: fields) }
        mistakes.note { () throws(ProviderFileError) in provider.calendar = try calendar(top, fields: fields) }
        mistakes.note { () throws(ProviderFileError) in provider.channels = try channels(top, fields: fields) }
        mistakes.note { () throws(ProviderFileError) in
            let tokens = top.members["oauth"] == nil ? [] : ["access_token"]
            provider.proxy = try proxy(top, fields: fields, hosts: provider.hosts, tokens: tokens)
        }
        mistakes.note { () throws(ProviderFileError) in provider.sunsets = try sunsets(top) }
        mistakes.note { () throws(ProviderFileError) in provider.ends = try ends(top, fields) }
        return tests == nil ? nil : provider
    }

    private func key(_ top: Object, besides taken: [String: String]) throws(ProviderFileError) -> String {
        let key = try text(top, "key")
        guard Spelling.isKey(key), key != "new" else {
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
        let pointer = "\(object.pointer)/\(member)"
        return ProviderFileError(file: name, place: file.place(of: pointer), pointer: pointer, sentence: sentence)
    }

    /// An object; with every member known when it is told which there are.
    func object(
        _ pointer: String, _ value: JSON?, _ known: Set<String>? = nil
    ) throws(ProviderFileError) -> Object {
        guard let members = value?.members else {
            throw ProviderFileError(
                file: name, place: file.place(of: pointer), pointer: pointer,
                sentence: pointer.isEmpty ? "a provider is an object." : "there must be an object at \(pointer).")
        }
        let object = Object(
            pointer: pointer, members: Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first })
        if let known, let unknown = members.first(where: { !known.contains($0.name) }) {
            throw wrong(object, unknown.name, "there is no member \(unknown.name) here.")
        }
        return object
    }

    func text(
        _ object: Object, _ member: String, atMost limit: Int = 4_000
    ) throws(ProviderFileError) -> String {
        guard let text = try optionalText(object, member) else { throw wrong(object, member, "\(member) is missing.") }
        guard text.unicodeScalars.count <= limit else {
            throw wrong(object, member, "\(member) is longer than \(limit) characters.")
        }
        return text
    }

    func optionalText(_ object: Object, _ member: String) throws(ProviderFileError) -> String? {
        guard let value = object.members[member] else { return nil }
        guard let text = value.text, !text.isEmpty else { throw wrong(object, member, "\(member) must be a text.") }
        // Plain text is told by its bytes: what Unicode says of a character is looked up for the others alone.
        guard
            text.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
                || text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
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
