import Domain
import HTTPKit
import JSONKit
import LogKit

/// The values of a set-up, split into what may be shown and what is sealed.
struct SetUp: Sendable {
    /// Values that may be shown.
    let open: [String: String]
    /// Values that are sealed.
    let secrets: [String: String]

    /// Reads the fields of a provider below `setup`; refusals are noted in the input.
    ///
    /// - Parameter stored: the set-up that is kept already: a secret that is not sent again stays, and so does everything
    ///   that a script leaves out. A form sends all its fields, so there an open field left empty is one taken away.
    /// - Parameter given: fields that the hub's settings give where all of them are left out.
    static func read(
        _ provider: Provider, _ input: inout Input, stored: ConnectionView? = nil, isForm: Bool,
        given: Set<String> = []
    ) -> SetUp {
        let kept = stored.map { SetUp(keeping: $0) } ?? SetUp(open: [:], secrets: [:])
        var (open, secrets) = (kept.open, kept.secrets)
        for field in provider.fields {
            let name = "setup.\(field.name)"
            // A field that its file has made a secret since is sealed with the others.
            if field.kind == .secret, let shown = open.removeValue(forKey: field.name) {
                secrets[field.name] = secrets[field.name] ?? shown
            }
            if let value = value(of: field, name, &input, isForm: isForm) {
                if let objection = field.objection(to: value) { input.refuse(name, "invalid", objection) }
                if field.kind == .secret { secrets[field.name] = value } else { open[field.name] = value }
                continue
            }
            // A null takes away, and so does an open field that a form leaves empty.
            let isTakenAway = isForm ? field.kind != .secret : input.isGiven(name)
            if isTakenAway { (open[field.name], secrets[field.name]) = (nil, nil) }
            guard open[field.name] == nil, secrets[field.name] == nil else { continue }
            if let standard = field.standard, !isForm, stored == nil || field.isRequired { open[field.name] = standard }
        }
        let read = SetUp(open: open, secrets: secrets)
        let isGiven = given.allSatisfy { read.all[$0] == nil }
        for field in provider.missing(read.all) where !(isGiven && given.contains(field.name)) {
            _ = input.required("setup.\(field.name)", String?.none)
        }
        if stored != nil, read.isElsewhere(than: kept, provider) { refuseKept(provider, kept, read, &input) }
        return read
    }

    /// Whether secrets would go to other hosts than before; of a service whose file is gone nothing goes anywhere.
    func isElsewhere(than before: SetUp, _ provider: Provider?) -> Bool {
        provider?.hostFields.contains { all[$0] != before.all[$0] } ?? false
    }

    /// Whoever may change an address and not read secrets must not have them sent to a host of their own.
    private static func refuseKept(_ provider: Provider, _ kept: SetUp, _ read: SetUp, _ input: inout Input) {
        for field in provider.fields where field.kind == .secret && field.hosts.isEmpty {
            let name = "setup.\(field.name)"
            guard let secret = kept.secrets[field.name], read.secrets[field.name] == secret else { continue }
            guard input.secret(name)?.reveal({ $0.isEmpty }) ?? true else { continue }
            input.refuse(name, "address_changed", "Enter this again: the address that it is sent to has changed.")
        }
    }

    private static func value(
        of field: ProviderField, _ name: String, _ input: inout Input, isForm: Bool
    ) -> String? {
        switch field.kind {
        case .secret: break
        // A form says nothing of a box that is not checked.
        case .boolean: return (input.truth(name) ?? (isForm ? false : nil)).map { $0 ? "true" : "false" }
        case .textarea: return input.optionalText(name, 1...20_000)
        case .text, .select, .email, .url, .number, .date: return input.textOrNumber(name, 1...2_000)
        }
        guard let value = input.secret(name)?.reveal({ $0.trimmedEnds }) else { return nil }
        guard value.isEmpty else { return value }
        input.refuse(name, "too_short", "This needs at least one character.")
        return nil
    }

    /// All values, secrets among them.
    var all: [String: String] { open.merging(secrets) { _, secret in secret } }

    /// The set-up once it is disconnected: what makes the hub known to the service stays where people sign in, a key that
    /// opens it by itself goes.
    func withoutKeys(of provider: Provider?) -> SetUp {
        guard let provider, provider.oauth != nil else { return SetUp(open: open, secrets: [:]) }
        let keys = Set(provider.keys.map(\.name))
        let isKey = { (name: String) in keys.contains(name) }
        return SetUp(open: open.filter { !isKey($0.key) }, secrets: secrets.filter { !isKey($0.key) })
    }

    /// What may be shown, as it is stored.
    var openJSON: JSON {
        .object(open.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) })
    }

    /// What is sealed, as bytes; nil when there is nothing to seal.
    var secretBytes: [UInt8]? {
        guard !secrets.isEmpty else { return nil }
        return JSON.object(secrets.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }).bytes
    }

    /// Reads sealed values back.
    static func secrets(of bytes: [UInt8]) throws -> [String: String] {
        var values: [String: String] = [:]
        for member in try JSON(parsing: bytes).members ?? [] { values[member.name] = member.value.text }
        return values
    }
}

extension String {
    /// The text without white space at its ends, such as the line break of a token that was copied with it.
    var trimmedEnds: String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
