/// A right, written `resource:action`, with `*` allowed as the action: `connections:read`, `webhooks:*`, `admin:*`.
///
/// `admin:*` holds every right. Resources that the hub does not know are kept and compared like its own, since a site may
/// give its keys scopes of its own.
public struct Scope: Hashable, Sendable, CustomStringConvertible {
    /// What the right is about.
    public let resource: String
    /// What may be done with it, or `*`.
    public let action: String

    /// Reads a scope; nil unless it is two words of `a-z 0-9 _ -`, the second one possibly `*`.
    public init?(_ text: String) {
        let marks = text.utf8
        guard let colon = marks.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let (resource, action) = (text[..<colon], text[marks.index(after: colon)...])
        guard Self.isWord(resource), action.utf8.elementsEqual("*".utf8) || Self.isWord(action) else { return nil }
        self.resource = String(resource)
        self.action = String(action)
    }

    private init(_ resource: String, _ action: String) {
        self.resource = resource
        self.action = action
    }

    /// Reading of a resource.
    public static func read(_ resource: Resource) -> Scope { Scope(resource.rawValue, "read") }
    /// Writing of a resource.
    public static func write(_ resource: Resource) -> Scope { Scope(resource.rawValue, "write") }
    /// Every right there is.
    public static let everything = Scope("admin", "*")

    /// The scope as written.
    public var description: String { "\(resource):\(action)" }

    /// Whether holding this scope means holding the other.
    public func covers(_ other: Scope) -> Bool {
        self == .everything || (resource == other.resource && (action == "*" || action == other.action))
    }

    private static func isWord(_ text: Substring) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7a, 0x5f, 0x2d: true
                default: false
                }
            }
    }
}

/// The resources of the hub's own interface.
public enum Resource: String, CaseIterable, Sendable {
    case connections
    case credentials
    case messages
    case channels
    case apiKeys = "api_keys"
    case webhooks
    case events
    case oauthApps = "oauth_apps"
    case requestLogs = "request_logs"
    case usage
    case audit
    case organization
    case providers
}

/// What a member of an organization may do.
public enum Role: String, CaseIterable, Sendable {
    /// Everything, including giving the organization away.
    case owner
    /// Everything inside the organization.
    case admin
    /// Reads, and keys of their own.
    case member
    /// Reads, never a secret.
    case support

    /// The rights that come with the role.
    public var scopes: [Scope] {
        switch self {
        case .owner, .admin: [.everything]
        case .member: Self.readable + [.write(.apiKeys)]
        case .support: Self.readable
        }
    }

    /// Whether the role holds a right.
    public func allows(_ scope: Scope) -> Bool {
        scopes.contains { $0.covers(scope) }
    }

    private static let readable = Resource.allCases.filter { $0 != .credentials }.map(Scope.read)
}

extension Scope {
    /// Scopes as they are stored: words separated by spaces, as OAuth writes them (RFC 6749 §3.3).
    public static func list(stored text: String) -> [Scope] {
        text.utf8.split(separator: UInt8(ascii: " ")).compactMap { Scope(String(Substring($0))) }
    }
}

extension [Scope] {
    /// As ``Scope/list(stored:)`` reads them.
    public var stored: String { map(\.description).joined(separator: " ") }
}
