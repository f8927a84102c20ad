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
    static func read(
        _ provider: Provider, _ input: inout Input, stored: ConnectionView? = nil, isForm: Bool
    ) -> SetUp {
        var open: [String: String] = [:]
        var secrets = stored?.secrets.values ?? [:]
        if let stored, !isForm { open = stored.values.filter { provider.field($0.key)?.kind != .secret } }
        for field in provider.fields {
            let name = "setup.\(field.name)"
            let isKept = field.kind == .secret ? secrets[field.name] != nil : open[field.name] != nil
            guard let value = value(of: field, name, &input) else {
                // A null takes away what may be left out.
                if !isForm, input.isGiven(name), !field.isRequired { (open[field.name], secrets[field.name]) = (nil, nil) }
                if let standard = field.standard, !isKept, !isForm { open[field.name] = standard }
                if field.isRequired, !isKept, open[field.name] == nil { _ = input.required(name, String?.none) }
                continue
            }
            if let objection = field.objection(to: value) { input.refuse(name, "invalid", objection) }
            if field.kind == .secret { secrets[field.name] = value } else { open[field.name] = value }
        }
        return SetUp(open: open, secrets: secrets)
    }

    private static func value(of field: ProviderField, _ name: String, _ input: inout Input) -> String? {
        if field.kind == .secret { return input.secret(name).map { $0.reveal { $0.trimmedEnds } } }
        return input.textOrNumber(name, 1...2_000)
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
    fileprivate var trimmedEnds: String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(self[first...last])
    }
}
