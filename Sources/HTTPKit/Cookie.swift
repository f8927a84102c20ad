import TimeKit

/// Cookies as a browser sends them (RFC 6265 §5.4).
public enum Cookies {
    /// The value of a cookie in a `Cookie` header.
    public static func value(of name: String, in header: String) -> String? {
        for pair in header.split(separator: ";") {
            let trimmed = pair.trimmed
            guard let cut = trimmed.firstIndex(of: "="), trimmed[..<cut] == name else { continue }
            return String(trimmed[trimmed.index(after: cut)...])
        }
        return nil
    }
}

/// A cookie as the server sets it (RFC 6265 §4.1), always `HttpOnly` and `SameSite=Lax`.
///
/// `Lax` and not `Strict`: a browser that comes back from a provider's consent page does not send a strict cookie.
public struct SetCookie: Sendable, Equatable {
    let name: String
    let value: String
    let path: String
    let isSecure: Bool
    let maxAge: Duration?

    /// A cookie; without an age it ends with the browser session, and zero removes it.
    public init(name: String, value: String, path: String, isSecure: Bool, maxAge: Duration? = nil) {
        self.name = name
        self.value = value
        self.path = path
        self.isSecure = isSecure
        self.maxAge = maxAge
    }

    /// The value of the `Set-Cookie` header.
    public var header: String {
        var text = "\(name)=\(value); Path=\(path); HttpOnly; SameSite=Lax"
        if let maxAge { text += "; Max-Age=\(maxAge.components.seconds)" }
        if isSecure { text += "; Secure" }
        return text
    }
}
