import Domain
import JSONKit
import TimeKit

/// A service that can be connected, as its provider file describes it.
public struct Provider: Sendable {
    /// What kind of credential the service takes (seed 0).
    public enum Kind: String, Sendable, CaseIterable {
        /// Somebody signs in there and grants access.
        case oauth2
        /// One token of a bot.
        case botToken = "bot_token"
        /// One key.
        case apiKey = "api_key"
        /// A name of a key and its secret.
        case keySecret = "key_secret"
        /// Whatever the service asks for.
        case credentials
        /// An address that takes messages; whoever knows it may send.
        case webhook

        /// The kind in words.
        var words: String {
            switch self {
            case .oauth2: "Sign-in"
            case .botToken: "Bot token"
            case .apiKey: "API key"
            case .keySecret: "Key and secret"
            case .credentials: "Server and sign-in"
            case .webhook: "Webhook address"
            }
        }
    }

    /// Two letters on a colour of the house's palette.
    struct Tile: Sendable {
        static let colors: Set<String> = [
            "green", "olive", "amber", "orange", "red", "rose", "plum", "violet", "indigo", "blue", "sky", "teal",
            "slate",
            "ink",
        ]

        let letters: String
        let color: String
    }

    /// A link to the service's own documentation.
    struct Documentation: Sendable {
        let href: String
        let label: String
    }

    /// The key by which scripts name it.
    public let key: String
    /// The name by which people know it.
    public let name: String
    /// What kind of credential it takes.
    public let kind: Kind
    let category: String
    let tile: Tile
    /// The letters of its tile.
    public var tileLetters: String { tile.letters }
    /// The colour of its tile, a word of the house's palette.
    public var tileColor: String { tile.color }
    let summary: String
    let guide: [String]
    let documentation: Documentation?
    var fields: [ProviderField]
    /// The hosts to which a call may carry these credentials; `*.example.com` stands for those below it.
    ///
    /// Such a host may begin with a hole for a field that cannot hold a dot, `{shop}.myshopify.com`, or be the hole of a
    /// field that holds a whole address, `{base_url}`: ``allows(_:_:)`` answers for the values of a set-up.
    let hosts: [String]
    /// The service's cheapest read, and others where that lacks a value: the first that has all of its values is made.
    let tests: [ProviderTest]
    /// How people sign in there; nil where credentials are pasted.
    let oauth: ProviderOAuth?
    /// Whether its facts were checked against the service's own documents.
    let isVerified: Bool
    let note: String?
    /// How it takes messages; nil when it takes none.
    var message: ProviderMessage?
    /// How it takes events of a calendar; nil when it takes none.
    var calendar: ProviderCalendar?
    /// How its channels are read and written; nil when it has none.
    var channels: ProviderChannels?
    /// What is asked every hour, for what is worth showing of it.
    var sync: [ProviderSync] = []
    /// When addresses of the service stop working.
    var sunsets: [ProviderSunset] = []
    /// The date of the set-up on which its credentials end.
    var ends: String?
    /// Whether an organization described it for itself.
    var isOwn = false

    /// The service's cheapest read.
    var test: ProviderTest { tests[0] }

    /// The path that the service sends people back to (A2-06).
    ///
    /// Each provider has one of its own, so that an answer of one service is never taken for another's. Where an
    /// organization names the service, by an own provider or by the addresses of a set-up, each connection has one of its
    /// own: two such services may mean each other harm.
    ///
    /// > BCP: clients that interact with multiple authorization servers use distinct redirect URIs     RFC 9700 §4.4.2.2
    ///
    /// - Parameter connection: nil before there is one.
    /// - Returns: nil where there is none yet.
    func redirectPath(for connection: Identifier<Connection>?) -> String? {
        guard oauth != nil else { return nil }
        guard hasOwnRedirects else { return ConnectionRoute.callback(provider: key, nil).path }
        return connection.map { ConnectionRoute.callback(provider: key, $0).path }
    }

    /// How calls are passed on to it; nil where it has no interface over HTTP.
    var proxy: ProviderProxy?

    /// The same where the operator of the hub permits this and nothing else.
    func permitting(_ permissions: Set<ProviderPermission>) -> Provider {
        var provider = self
        provider.fields = fields.map { field in
            var field = field
            field.isPermitted = field.permission.map { permissions.contains($0) } ?? true
            return field
        }
        return provider
    }

    /// A field by its name.
    func field(_ name: String) -> ProviderField? {
        fields.first { $0.name == name }
    }
}

/// What only the operator of the hub can permit: a field that stands for it cannot be switched on without.
public enum ProviderPermission: String, CaseIterable, Sendable {
    /// To talk to a server whoever vouches for it, and be it nobody.
    case anyCertificate = "any_certificate"
}

/// A field of a set-up: what it is called, what it takes, and whether it is a secret.
struct ProviderField: Sendable {
    /// How a value is entered.
    enum Kind: String, Sendable, CaseIterable {
        case text
        case secret
        case select
        case email
        case url
        case number
        /// Yes or no; a form that does not send it says no.
        case boolean
        /// Several lines.
        case textarea
        /// A day, written 2026-11-21.
        case date
    }

    struct Option: Sendable {
        let value: String
        let label: String
    }

    let name: String
    let label: String
    let kind: Kind
    let isRequired: Bool
    /// What the whole value must match.
    let pattern: Pattern?
    /// What is said when it does not.
    let refusal: String?
    let help: String?
    let standard: String?
    let options: [Option]
    let range: ClosedRange<Int>
    let width: String?
    /// Where the value, a whole address, may lead; empty for a value that is none.
    var hosts: [HostPattern] = []
    /// Other fields, one of which makes this one unneeded where it is given.
    var alternatives: [String] = []
    /// What must be permitted before it can be switched on; nil for nothing.
    var permission: ProviderPermission?
    /// Whether that is so.
    var isPermitted = true

    /// Why a value is refused; nil when it is taken.
    func objection(to value: String) -> String? {
        switch kind {
        case .select where !options.contains(where: { $0.value == value }):
            return "Choose one of \(options.map(\.value).joined(separator: ", "))."
        case .number:
            guard let number = Int(value), range.contains(number) else {
                return "This must be a whole number from \(range.lowerBound) to \(range.upperBound)."
            }
        case .email where !Self.isAddress(value): return "This is no e-mail address."
        case .url where !(value.hasPrefix("https://") || value.hasPrefix("http://")):
            return "This must begin with https:// or http://."
        case .boolean where value != "true" && value != "false": return "This must be true or false."
        case .boolean where value == "true" && !isPermitted: return "Whoever runs this hub does not permit this."
        case .date where Timestamp(day: value) == nil: return "This must be a day such as 2026-11-21."
        default: break
        }
        if !hosts.isEmpty, let objection = HostPattern.objection(to: value, hosts) { return objection }
        // A secret may be a key of several lines; anything else with a line break would break the header or mail it goes into.
        guard kind == .secret || !value.unicodeScalars.contains(where: isForbidden) else {
            return kind == .textarea
                ? "This may hold no control characters but line breaks."
                : "This may hold no line breaks and no other control characters."
        }
        guard let pattern, !pattern.matches(value) else { return nil }
        return refusal ?? "This has not the form that the service gives it."
    }

    private func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        let isLineBreak = scalar == "\n" || scalar == "\r" || scalar == "\t"
        return scalar.properties.generalCategory == .control && !(kind == .textarea && isLineBreak)
    }

    /// A value as scripts see it, truths as such.
    func json(_ value: String) -> JSON { kind == .boolean ? .bool(value == "true") : .string(value) }

    /// A value as people see it.
    func words(_ value: String) -> String { kind == .boolean ? (value == "true" ? "yes" : "no") : value }

    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && !$0.contains(where: \.isWhitespace) }
    }
}
