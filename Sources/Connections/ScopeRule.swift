/// Scopes that a granted one stands for, where a service names fewer, or others, than were asked for.
///
/// Shopify answers `write_products` to who asked for `read_products` too, and Google calls `email` by an address.
struct ScopeRule: Sendable {
    /// A scope as the service names it, with at most one `*` for any text.
    let granted: String
    /// What it stands for; `*` is the text that matched.
    let covers: [String]

    /// The scopes that a granted one stands for by this rule.
    func covered(by scope: String) -> [String] {
        guard let star = granted.firstIndex(of: "*") else { return scope == granted ? covers : [] }
        let (head, tail) = (granted[..<star], granted[granted.index(after: star)...])
        guard scope.utf8.count >= head.utf8.count + tail.utf8.count, scope.hasPrefix(head), scope.hasSuffix(tail) else {
            return []
        }
        let middle = String(scope.dropFirst(head.count).dropLast(tail.count))
        return covers.map { $0.replacing("*", with: middle) }
    }
}

extension ProviderOAuth {
    /// What was asked for and not granted, in the order it was asked for.
    ///
    /// - Parameter granted: nil when the service did not say, which means all of it.
    ///
    /// > OPTIONAL, if identical to the scope requested by the client; otherwise, REQUIRED.     RFC 6749 §5.1
    func missing(of requested: [String], granted: [String]?) -> [String] {
        guard let granted else { return [] }
        let covered = granted + granted.flatMap { scope in impliedScopes.flatMap { $0.covered(by: scope) } }
        // Microsoft answers in another case than it was asked in.
        let known = Set(covered.map { $0.lowercased() })
        return requested.filter { !known.contains($0.lowercased()) }
    }
}
