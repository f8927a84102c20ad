import FoundationEssentials
import HTTPKit
import LogKit

/// Why the settings cannot be used, in one sentence each.
struct SettingsError: Error, CustomStringConvertible {
    let complaints: [String]
    var description: String { complaints.joined(separator: " ") }
}

/// The settings as given, each with where it came from.
struct Settings: Sendable {
    /// A setting's text and its source, as `hub doctor` prints it.
    struct Entry: Sendable {
        let text: String
        let source: String
    }

    private let entries: [Setting: Entry]
    /// Clients of services, which provider files name (seed 3).
    private let services: [String: Entry]

    /// Reads the environment, over the file that `HUB_CONFIG` names.
    ///
    /// - Throws: ``SettingsError`` naming every unknown name and unreadable line at once.
    init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        cores: Int = ProcessInfo.processInfo.processorCount
    )
        throws(SettingsError)
    {
        var complaints: [String] = []
        var entries: [Setting: Entry] = [:]
        for setting in Setting.allCases {
            if let standard = setting.standard(cores: cores) {
                entries[setting] = Entry(text: standard, source: "default")
            }
        }
        var services: [String: Entry] = [:]
        for (name, text, source) in Self.file(environment["HUB_CONFIG"], &complaints) + Self.variables(environment) {
            if Self.isServiceVariable(name) {
                services[name] = Entry(text: text, source: source)
                continue
            }
            guard let setting = Setting(rawValue: name) else {
                complaints.append("\(name) (\(source)) is not a setting of this hub.")
                continue
            }
            entries[setting] = Entry(text: text, source: source)
        }
        guard complaints.isEmpty else { throw SettingsError(complaints: complaints) }
        self.entries = entries
        self.services = services
    }

    /// Whether a name is that of a service's client, such as `SHOPIFY_CLIENT_ID`: nothing else of the environment can be
    /// had by a provider file.
    static func isServiceVariable(_ name: String) -> Bool {
        guard let end = ["_CLIENT_ID", "_CLIENT_SECRET"].first(where: name.hasSuffix), !name.hasPrefix("HUB_") else {
            return false
        }
        let service = name.utf8.dropLast(end.utf8.count)
        return (1...81).contains(service.count) && service.first.map(isCapital) == true
            && service.allSatisfy { isCapital($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isCapital(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }

    /// The names of clients in an environment, which processes of the hub are started with.
    static func serviceVariables(
        in environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> [String] {
        environment.keys.filter(isServiceVariable).sorted()
    }

    /// What a service's client was given as; nil for none, and for an empty one.
    func serviceVariable(_ name: String) -> Secret<String>? {
        services[name].flatMap { $0.text.isEmpty ? nil : Secret($0.text) }
    }

    /// The clients of services that are given, and where each came from, as `hub doctor` prints them.
    var serviceSources: [(name: String, source: String)] {
        services.filter { !$0.value.text.isEmpty }.sorted { $0.key < $1.key }.map { ($0.key, $0.value.source) }
    }

    /// What a setting was given as; nil when it was not and has no default.
    subscript(setting: Setting) -> Entry? { entries[setting] }

    /// The text of a setting that must be given.
    func text(_ setting: Setting) throws(SettingsError) -> String {
        guard let entry = entries[setting] else {
            throw SettingsError(complaints: ["\(setting.rawValue) is not set: \(setting.meaning)"])
        }
        return entry.text
    }

    /// A whole number within a range.
    func number(_ setting: Setting, _ range: ClosedRange<Int>) throws(SettingsError) -> Int {
        let text = try text(setting)
        guard let number = Int(text), range.contains(number) else {
            throw complaint(setting, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Yes or no.
    func truth(_ setting: Setting) throws(SettingsError) -> Bool {
        switch try text(setting).lowercased() {
        case "yes", "true", "1": return true
        case "no", "false", "0": return false
        default: throw complaint(setting, "must be yes or no")
        }
    }

    /// What is wrong with a setting; its text is not repeated, since it may hold a password.
    func complaint(_ setting: Setting, _ what: String) -> SettingsError {
        SettingsError(complaints: ["\(setting.rawValue) (\(entries[setting]?.source ?? "not set")) \(what)."])
    }

    /// Whether a variable of the environment is meant for the hub.
    private static func isOurs(_ name: String) -> Bool {
        (name.hasPrefix("HUB_") && name != "HUB_CONFIG") || name == Setting.siteURL.rawValue
    }

    private static func variables(_ environment: [String: String]) -> [(String, String, String)] {
        environment.filter { isOurs($0.key) || isServiceVariable($0.key) }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value, "environment") }
    }

    private static func file(_ path: String?, _ complaints: inout [String]) -> [(String, String, String)] {
        guard let path else { return [] }
        guard let data = try? Data(contentsOf: URL(filePath: path)), let text = String(validating: data, as: UTF8.self)
        else {
            complaints.append("The file \(path) that HUB_CONFIG names cannot be read.")
            return []
        }
        var found: [(String, String, String)] = []
        // CR LF is one character to Swift, and no line break to a search for LF.
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let trimmed = line.trimmed
            if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
            guard let cut = trimmed.firstIndex(of: "=") else {
                complaints.append("\(path):\(index + 1) is no line of the form NAME=value.")
                continue
            }
            let name = trimmed[..<cut].trimmed
            let value = trimmed[trimmed.index(after: cut)...].trimmed
            found.append((String(name), String(value), "\(path):\(index + 1)"))
        }
        return found
    }
}
