import JSONKit
import TimeKit

/// What a provider file tells of a service besides how it is called: what is shown of it, and what ends when.
extension ProviderFile {
    /// What is asked every hour.
    func sync(_ top: Object, _ fields: [ProviderField]) throws(ProviderFileError) -> [ProviderSync] {
        guard top.members["sync"] != nil else { return [] }
        return try list(top, "sync", atMost: 5).enumerated().map { (index, value) throws(ProviderFileError) in
            let object = try object("/sync/\(index)", value, Self.callMembers.union(["facts"]))
            let tokens = top.members["oauth"] == nil ? [] : ["access_token"]
            return ProviderSync(
                call: try httpCall(object, fields: fields, tokens: tokens), facts: try facts(object, "facts"))
        }
    }

    /// When addresses of the service stop working.
    func sunsets(_ top: Object) throws(ProviderFileError) -> [ProviderSunset] {
        guard top.members["sunset"] != nil else { return [] }
        return try list(top, "sunset", atMost: 10).enumerated().map { (index, value) throws(ProviderFileError) in
            let object = try object("/sunset/\(index)", value, ["date", "href", "sentence"])
            guard let date = Timestamp(day: try text(object, "date")) else {
                throw wrong(object, "date", "date is a day such as 2026-11-21.")
            }
            let href = try text(object, "href")
            guard href.hasPrefix("https://") else { throw wrong(object, "href", "href must begin with https://.") }
            return ProviderSunset(date: date, href: href, sentence: try text(object, "sentence"))
        }
    }

    /// The field that says when credentials end.
    func ends(_ top: Object, _ fields: [ProviderField]) throws(ProviderFileError) -> String? {
        guard let name = try optionalText(top, "ends") else { return nil }
        guard fields.contains(where: { $0.name == name && $0.kind == .date }) else {
            throw wrong(top, "ends", "there is no field \(name) of kind date.")
        }
        return name
    }

    /// The steps of setting the service up; their only hole is the hub's own redirect address.
    func guide(_ top: Object) throws(ProviderFileError) -> [String] {
        let guide = try texts(top, "guide", atMost: 20)
        for (index, step) in guide.enumerated() {
            for hole in Holes.names(in: step) where hole != "redirect_uri" {
                throw wrong(top, "guide/\(index)", "the only hole of a guide is {redirect_uri}.")
            }
            guard top.members["oauth"] != nil || !step.contains("{redirect_uri}") else {
                throw wrong(
                    top, "guide/\(index)", "there is a redirect address only where people sign in: oauth is missing.")
            }
        }
        return guide
    }
}
