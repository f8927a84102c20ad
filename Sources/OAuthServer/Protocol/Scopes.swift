import Domain

extension Scope {
    /// The most rights that a request may name.
    private static let most = 100

    /// The rights that a client asks for; nil when it says nothing.
    ///
    /// > scope = scope-token *( SP scope-token ) … The strings are case sensitive … order does not matter.
    /// >     RFC 6749 §3.3
    static func asked(_ text: String?) throws(OAuthError) -> [Scope]? {
        guard let text else { return nil }
        var found: [Scope] = []
        for word in text.utf8.split(separator: UInt8(ascii: " ")) {
            guard let scope = Scope(String(Substring(word))), found.count < most else {
                throw OAuthError(.invalidScope, "Scopes are words such as connections:read, separated by spaces.")
            }
            if !found.contains(scope) { found.append(scope) }
        }
        return found.isEmpty ? nil : found
    }
}

extension [Scope] {
    /// Whether each of these is covered by one of the others.
    func areCovered(by others: [Scope]) -> Bool { allSatisfy { scope in others.contains { $0.covers(scope) } } }
}
