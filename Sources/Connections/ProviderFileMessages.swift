/// The members `message` and `calendar` of a provider file: what the service takes.
extension ProviderFile {
    /// `"message": {"kind": "slack"}`
    func message(_ top: Object, fields: [ProviderField]) throws(ProviderFileError) -> ProviderMessage? {
        guard let value = top.members["message"] else { return nil }
        let message = try object("/message", value, ["kind", "version"])
        guard let kind = ProviderMessage.Kind(rawValue: try text(message, "kind")) else {
            throw wrong(
                message, "kind",
                "kind is one of \(ProviderMessage.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        try require(kind.needs, fields: fields, top, of: message)
        if kind == .discord || kind == .teamsWorkflow,
            fields.contains(where: { $0.name == "webhook_url" && $0.hosts.isEmpty })
        {
            throw wrong(message, "kind", "the field webhook_url needs hosts, so that it leads nowhere else.")
        }
        let version = try optionalText(message, "version")
        guard version.map({ $0.wholeMatch(of: /v[0-9]{1,3}\.[0-9]{1,2}/) != nil }) ?? true else {
            throw wrong(message, "version", "a version is written like v23.0.")
        }
        return ProviderMessage(kind: kind, version: version)
    }

    /// `"calendar": {"kind": "google"}`
    func calendar(_ top: Object, fields: [ProviderField]) throws(ProviderFileError) -> ProviderCalendar? {
        guard let value = top.members["calendar"] else { return nil }
        let calendar = try object("/calendar", value, ["kind"])
        guard let kind = ProviderCalendar(rawValue: try text(calendar, "kind")) else {
            throw wrong(
                calendar, "kind",
                "kind is one of \(ProviderCalendar.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        try require(kind.needs, fields: fields, top, of: calendar)
        return kind
    }

    /// What is sent needs these values: fields of the set-up, or the token of whoever signed in.
    func require(
        _ needs: [[String]], fields: [ProviderField], _ top: Object, of object: Object
    ) throws(ProviderFileError) {
        let there = Set(fields.map(\.name) + (top.members["oauth"] == nil ? [] : ["access_token"]))
        for group in needs where there.isDisjoint(with: group) {
            throw wrong(object, "kind", "this kind needs a field \(group.joined(separator: " or ")).")
        }
    }
}
