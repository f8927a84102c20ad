extension [Scope] {
    /// What a credential may do, in words that follow “may”.
    public var sentence: String {
        let words = map(\.words)
        guard let last = words.last, words.count > 1 else { return words.first ?? "do nothing" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}

extension Scope {
    /// The right in words that follow “may”; one that is not the hub's own is named as it is written.
    public var words: String {
        if self == .everything { return "do everything" }
        guard Resource(rawValue: resource) != nil else { return "use \(self)" }
        let thing =
            Self.things[resource]
            ?? resource.replacing("_", with: " ").replacing("api", with: "API").replacing("oauth", with: "OAuth")
        switch action {
        case "read": return "read \(thing)"
        case "write": return "change \(thing)"
        case "*": return "read and change \(thing)"
        default: return "use \(self)"
        }
    }

    /// What is no plural.
    private static let things = [
        "audit": "the audit log", "organization": "the organization", "request_logs": "the request log",
        "usage": "usage figures",
    ]
}
