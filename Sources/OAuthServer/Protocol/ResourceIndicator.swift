import HTTPKit

/// For which server a token is meant (RFC 8707).
enum ResourceIndicator {
    /// How many a request may name, and how long each may be.
    private static let most = 8
    private static let longest = 500

    /// Reads the `resource` parameters of a request: addresses of this site, since nobody else takes this hub's tokens.
    ///
    /// > Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986]. The URI MUST NOT include a fragment
    /// > component.     RFC 8707 §2
    static func list(_ sent: [String], at origin: String) throws(OAuthError) -> [String] {
        guard sent.count <= most else {
            throw OAuthError(.invalidTarget, "At most \(most) resources can be named at once.")
        }
        var found: [String] = []
        for text in sent where !found.contains(text) {
            guard isAbsolute(text) else {
                throw OAuthError(
                    .invalidTarget,
                    "A resource is an absolute URI without a fragment, such as https://site.example/api.")
            }
            guard text == origin || text.hasPrefix(origin + "/") else {
                throw OAuthError(.invalidTarget, "A resource is named that takes no tokens of this server.")
            }
            found.append(text)
        }
        return found
    }

    /// The resources of a request that narrows what was granted; all of these when it names none.
    static func narrowed(
        _ sent: [String], within granted: [String], at origin: String
    ) throws(OAuthError) -> [String] {
        let wanted = try list(sent, at: origin)
        guard !wanted.isEmpty else { return granted }
        guard granted.isEmpty || wanted.allSatisfy(granted.contains) else {
            throw OAuthError(.invalidTarget, "A resource is named that was not granted.")
        }
        return wanted
    }

    /// Resources as they are kept: each is without spaces.
    static func list(joined text: String) -> [String] { text.split(separator: " ").map(String.init) }

    /// Whether a token that is meant for these may be used at an address of this site.
    ///
    /// A resource stands for everything below it; none named means whatever takes this hub's tokens.
    static func covers(_ resources: [String], _ address: @autoclosure () -> String) -> Bool {
        guard !resources.isEmpty else { return true }
        let address = address()
        return resources.contains { isBelow(address, $0) }
    }

    private static func isBelow(_ address: String, _ resource: String) -> Bool {
        guard address.hasPrefix(resource) else { return false }
        let rest = address.dropFirst(resource.count)
        return rest.isEmpty || resource.hasSuffix("/") || rest.first == "/" || rest.first == "?"
    }

    /// A scheme, a colon and something after it, in the characters of RFC 3986.
    private static func isAbsolute(_ text: String) -> Bool {
        guard (3...longest).contains(text.utf8.count), let colon = text.firstIndex(of: ":") else { return false }
        let scheme = text[..<colon].utf8
        guard let first = scheme.first, first | 0x20 >= 0x61, first | 0x20 <= 0x7a,
            scheme.allSatisfy({ isSchemeCharacter($0) })
        else { return false }
        let rest = text[text.index(after: colon)...].utf8
        let isWeb = ["https", "http"].contains(text[..<colon].lowercased())
        if isWeb, !rest.starts(with: "//".utf8) || rest.count < 3 || rest.dropFirst(2).first == UInt8(ascii: "/") {
            return false
        }
        return !rest.isEmpty && rest.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"#<>\\^`{|}".utf8.contains($0) }
    }

    private static func isSchemeCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2d, 0x2e: true
        default: false
        }
    }
}
