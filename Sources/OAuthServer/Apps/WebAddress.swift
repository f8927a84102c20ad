/// An `http` or `https` address, taken apart as far as it must be judged.
struct WebAddress: Sendable {
    /// The host in lower case; one of IPv6 with its brackets.
    let host: String

    /// Reads an address whose characters were found to be those of an address.
    static func parse(_ text: String) -> Result<WebAddress, RedirectURI.Refusal> {
        guard let start = text.firstRange(of: "://") else { return .failure(.relative) }
        let rest = text[start.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if authority.contains("@") { return .failure(.user) }
        let (host, port) = split(authority)
        guard isHost(host) else { return .failure(.host) }
        guard port.map({ (1...65_535).contains(Int($0) ?? 0) && $0.allSatisfy(\.isNumber) }) ?? true else {
            return .failure(.port)
        }
        let path = rest.dropFirst(authority.count).prefix { $0 != "?" }
        let hasDots = path.split(separator: "/").contains { step in
            let plain = step.lowercased().replacing("%2e", with: ".")
            return plain == "." || plain == ".."
        }
        return hasDots ? .failure(.dots) : .success(WebAddress(host: String(host)))
    }

    /// Whether a text is an address that a person can be shown as a link: `https` or `http`, of at most 500 bytes.
    static func isLink(_ text: String) -> Bool {
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), text.utf8.count <= 500,
            text.utf8.allSatisfy(isCharacter), hasWholeEscapes(text), case .success = parse(text)
        else { return false }
        return true
    }

    /// Whether a byte may stand in a URI (RFC 3986 §2).
    static func isCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "-._~:/?#[]@!$&'()*+,;=%".utf8.contains(byte)
        }
    }

    /// Whether every `%` is followed by two hexadecimal digits.
    static func hasWholeEscapes(_ text: String) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy { part in
            part.prefix(2).count == 2 && part.prefix(2).allSatisfy { $0.isASCII && $0.isHexDigit }
        }
    }

    /// Whether a text is a scheme in lower case (RFC 3986 §3.1).
    static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7a).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x61...0x7a, 0x2b, 0x2d, 0x2e: true
            default: false
            }
        }
    }

    private static func split(_ authority: Substring) -> (host: Substring, port: Substring?) {
        let isLiteral = authority.hasPrefix("[")
        let end = isLiteral ? authority.firstIndex(of: "]").map(authority.index(after:)) : authority.firstIndex(of: ":")
        guard let end, end < authority.endIndex else { return (authority, nil) }
        guard authority[end] == ":" else { return (authority, nil) }
        return (authority[..<end], authority[authority.index(after: end)...])
    }

    /// Whether a text is a name or an address of a host, in lower case.
    private static func isHost(_ text: Substring) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        if text.hasPrefix("[") {
            return text.hasSuffix("]") && text.dropFirst().dropLast().contains(":")
                && text.dropFirst().dropLast().utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x61...0x66, 0x3a, 0x2e: true
                    default: false
                    }
                }
        }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x61...0x7a, 0x2d, 0x5f: true
                    default: false
                    }
                }
        }
    }
}
