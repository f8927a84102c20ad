/// An address to which an app may have the browser sent, exactly as it was registered.
///
/// > authorization servers MUST utilize exact string matching except for port numbers in localhost redirection URIs of
/// > native apps     RFC 9700 §2.1
struct RedirectURI: Hashable, Sendable, CustomStringConvertible {
    /// What a text lacks to be such an address.
    enum Refusal: String, Error {
        case malformed, relative, fragment, user, scheme, plain, localhost, host, port, dots, tooLong
    }

    /// What leads there.
    enum Kind: Sendable {
        /// A site over TLS.
        case site
        /// A program on the same machine, at any port (RFC 8252 §7.3).
        case loopback
        /// A program by a scheme of its own (RFC 8252 §7.1).
        case privateScheme
    }

    /// The most bytes that one has.
    static let longest = 2_000

    /// The address as it was registered.
    let text: String
    /// What leads there.
    let kind: Kind
    /// Whom a person would be sent to, in a word or two: a host, or a scheme.
    let place: String

    /// Reads an address that somebody wants to register.
    init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= Self.longest else { throw .tooLong }
        guard text.utf8.allSatisfy(WebAddress.isCharacter), WebAddress.hasWholeEscapes(text) else { throw .malformed }
        guard !text.contains("#") else { throw .fragment }
        guard let colon = text.firstIndex(of: ":"), WebAddress.isScheme(text[..<colon]) else { throw .relative }
        let scheme = text[..<colon]
        self.text = text
        if scheme == "https" || scheme == "http" {
            // Otherwise its host would be read from somewhere behind, and a browser would go elsewhere.
            guard text[colon...].hasPrefix("://") else { throw .malformed }
            let parts = try Self.parts(of: text)
            guard scheme == "https" || Self.loopbacks.contains(parts.host) else {
                throw parts.host == "localhost" ? .localhost : .plain
            }
            kind = scheme == "https" ? .site : .loopback
            place = scheme == "https" ? parts.host : "this device"
        } else {
            // A scheme without a dot may be anybody's, and a browser's own are among them: javascript, data, file.
            guard scheme.contains("."), text[colon...].count > 2 else { throw .scheme }
            kind = .privateScheme
            place = String(scheme)
        }
    }

    /// The same as ``text``.
    var description: String { text }

    /// Whether an address that a client sent is this one: the same byte for byte, but for the port of a loopback address.
    ///
    /// > The authorization server MUST allow any port to be specified at the time of the request for loopback IP redirect
    /// > URIs.     RFC 8252 §7.3
    func matches(_ sent: String) -> Bool {
        if sent.utf8.elementsEqual(text.utf8) { return true }
        guard kind == .loopback, let mine = Self.withoutPort(text), let theirs = Self.withoutPort(sent) else {
            return false
        }
        return mine.utf8.elementsEqual(theirs.utf8)
    }

    // MARK: -

    private static let loopbacks: Set<String> = ["127.0.0.1", "[::1]"]

    /// A loopback address without its port; nil when it is none or its port is no port.
    private static func withoutPort(_ text: String) -> String? {
        for host in loopbacks {
            let start = "http://\(host)"
            guard text.hasPrefix(start) else { continue }
            let rest = text.dropFirst(start.count)
            guard rest.hasPrefix(":") else { return text }
            let port = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard (1...65_535).contains(Int(port) ?? 0) else { return nil }
            return start + rest.dropFirst(1 + port.count)
        }
        return nil
    }

    private static func parts(of text: String) throws(Refusal) -> WebAddress {
        switch WebAddress.parse(text) {
        case .success(let address): return address
        case .failure(let refusal): throw refusal
        }
    }
}

extension RedirectURI.Refusal {
    /// What would be right.
    var sentence: String {
        switch self {
        case .malformed: "This is no address; other than ASCII letters it takes percent-escapes."
        case .relative: "Write the whole address, such as https://app.example/callback."
        case .fragment: "An address to come back to has no part after #."
        case .user: "An address to come back to names no user before @."
        case .scheme: "Use https, or a scheme of your own with a dot in it, such as com.example.app:/callback."
        case .plain: "Use https; http is for 127.0.0.1 and [::1] alone."
        case .localhost:
            "Write 127.0.0.1 or [::1] instead of localhost, which may be another machine’s; any port will do."
        case .host: "The host is none; write it in lower case, without a wildcard."
        case .port: "The port is none."
        case .dots: "Leave out the steps . and .. of the path: browsers do, and then it is another address."
        case .tooLong: "This is longer than \(RedirectURI.longest) characters."
        }
    }
}
