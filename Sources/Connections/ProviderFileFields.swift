import JSONKit

/// The fields of a provider file.
extension ProviderFile {
    /// The fields; nil when one of them is a mistake.
    func fields(_ top: Object, _ mistakes: inout Mistakes) -> [ProviderField]? {
        let before = mistakes.found.count
        let values = mistakes.note { () throws(ProviderFileError) in try list(top, "fields", atMost: 40) } ?? []
        var fields: [ProviderField] = []
        for (index, value) in values.enumerated() {
            mistakes.note { () throws(ProviderFileError) in
                let field = try field("/fields/\(index)", value)
                guard !fields.contains(where: { $0.name == field.name }) else {
                    throw wrong(at(index), "name", "there is a field \(field.name) already.")
                }
                fields.append(field)
            }
        }
        guard mistakes.found.count == before else { return nil }
        mistakes.note { () throws(ProviderFileError) in try checkAlternatives(fields) }
        return fields
    }

    private func at(_ index: Int) -> Object { Object(pointer: "/fields/\(index)", members: [:]) }

    private func checkAlternatives(_ fields: [ProviderField]) throws(ProviderFileError) {
        for (index, field) in fields.enumerated() {
            guard field.isRequired || field.alternatives.isEmpty else {
                throw wrong(at(index), "unless", "unless is for fields that are required.")
            }
            for other in field.alternatives {
                guard other != field.name, fields.contains(where: { $0.name == other }) else {
                    throw wrong(at(index), "unless", "there is no other field \(other).")
                }
            }
        }
    }

    /// `"unless": "bot_token"`, or several of which one is enough.
    private func alternatives(_ object: Object) throws(ProviderFileError) -> [String] {
        guard object.members["unless"]?.elements == nil else { return try texts(object, "unless", atMost: 10) }
        return try optionalText(object, "unless").map { [$0] } ?? []
    }

    private func field(_ pointer: String, _ value: JSON) throws(ProviderFileError) -> ProviderField {
        let object = try object(
            pointer, value,
            [
                "name", "label", "kind", "required", "pattern", "refusal", "help", "default", "options", "minimum",
                "maximum", "width", "hosts", "unless", "permission",
            ])
        guard let kind = ProviderField.Kind(rawValue: try text(object, "kind")) else {
            throw wrong(
                object, "kind", "kind is one of \(ProviderField.Kind.allCases.map(\.rawValue).joined(separator: ", "))."
            )
        }
        let name = try text(object, "name")
        guard Spelling.isKey(name) else {
            throw wrong(object, "name", "a name is lower-case letters, digits and underscores.")
        }
        guard !["access_token", "refresh_token", "redirect_uri", "granted_account"].contains(name) else {
            throw wrong(object, "name", "\(name) is what the hub itself fills in; call the field token.")
        }
        var field = ProviderField(
            name: name, label: try text(object, "label"), kind: kind,
            isRequired: try truth(object, "required", else: false),
            pattern: try pattern(object), refusal: try optionalText(object, "refusal"),
            help: try optionalText(object, "help"), standard: try optionalText(object, "default"),
            options: try options(object, kind), range: try range(object, kind), width: try width(object),
            hosts: try fieldHosts(object, kind), alternatives: try alternatives(object))
        field.permission = try permission(object, kind)
        field.isPermitted = field.permission == nil
        if kind == .boolean, field.isRequired {
            throw wrong(object, "required", "a boolean is always there: unchecked is false.")
        }
        try check(field, object)
        return field
    }

    /// A default that its own field would refuse could never be stored, and a secret one would be known to everybody.
    private func check(_ field: ProviderField, _ object: Object) throws(ProviderFileError) {
        guard let standard = field.standard else { return }
        guard field.kind != .secret else { throw wrong(object, "default", "a secret has no default.") }
        if let objection = field.objection(to: standard) {
            throw wrong(object, "default", "the default is refused: \(objection)")
        }
    }

    /// Where an address that is typed may lead.
    private func fieldHosts(
        _ object: Object, _ kind: ProviderField.Kind
    ) throws(ProviderFileError) -> [HostPattern] {
        guard let texts = try optionalTexts(object, "hosts") else { return [] }
        guard kind == .url || kind == .secret, !texts.isEmpty else {
            throw wrong(object, "hosts", "hosts are for addresses, of kind url or secret, and at least one.")
        }
        return try texts.enumerated().map { (index, text) throws(ProviderFileError) in
            guard let host = HostPattern(text) else {
                throw wrong(
                    object, "hosts/\(index)",
                    "a host is a name in lower case such as api.example.com, *.example.com, or * for any.")
            }
            return host
        }
    }

    /// What the operator must permit. Nobody permits it to what an organization describes for itself.
    private func permission(
        _ object: Object, _ kind: ProviderField.Kind
    ) throws(ProviderFileError) -> ProviderPermission? {
        guard let text = try optionalText(object, "permission") else { return nil }
        guard kind == .boolean, let permission = ProviderPermission(rawValue: text) else {
            let known = ProviderPermission.allCases.map(\.rawValue).joined(separator: ", ")
            throw wrong(object, "permission", "permission is for a boolean, and one of \(known).")
        }
        return permission
    }

    private func pattern(_ object: Object) throws(ProviderFileError) -> Pattern? {
        guard let text = try optionalText(object, "pattern") else { return nil }
        do throws(PatternError) {
            return try Pattern(text)
        } catch {
            throw wrong(object, "pattern", "this is no regular expression that we take: \(error.sentence).")
        }
    }

    private func range(_ object: Object, _ kind: ProviderField.Kind) throws(ProviderFileError) -> ClosedRange<Int> {
        for bound in ["minimum", "maximum"] where kind != .number && object.members[bound] != nil {
            throw wrong(object, bound, "\(bound) is for numbers.")
        }
        let (low, high) = (try number(object, "minimum", else: 0), try number(object, "maximum", else: 1_000_000_000))
        guard low <= high else { throw wrong(object, "minimum", "minimum is above maximum, which is \(high).") }
        return low...high
    }

    private func width(_ object: Object) throws(ProviderFileError) -> String? {
        guard let width = try optionalText(object, "width") else { return nil }
        guard ["short", "medium", "wide"].contains(width) else {
            throw wrong(object, "width", "width is short, medium or wide.")
        }
        return width
    }

    private func options(
        _ object: Object, _ kind: ProviderField.Kind
    ) throws(ProviderFileError) -> [ProviderField.Option] {
        guard kind == .select else {
            guard object.members["options"] == nil else {
                throw wrong(object, "options", "options are for kind select.")
            }
            return []
        }
        let options = try list(object, "options").enumerated().map { (index, value) throws(ProviderFileError) in
            let option = try self.object("\(object.pointer)/options/\(index)", value, ["value", "label"])
            return ProviderField.Option(value: try text(option, "value"), label: try text(option, "label"))
        }
        guard !options.isEmpty else { throw wrong(object, "options", "options must hold at least one to choose.") }
        return options
    }
}
