import LogKit

/// Where the database is and as whom to enter it, read from one line.
///
/// `mysql://user:password@host:port/name?socket=/path/to.sock&tls=required&ca=/path/to.pem`, also with `mariadb://`.
/// Each part is percent-decoded. With `socket` the host may be empty and is not used; without it the connection is
/// always TCP, also to `localhost`, so that a URL means the same on every machine.
public struct DatabaseURL: Sendable, CustomStringConvertible {
    /// How the way to the server is protected.
    public enum TLS: String, Sendable {
        /// Refuse to speak without TLS, and check the certificate against the host's name.
        case required
        /// Plain text: for a socket, loopback or a network that is itself protected.
        case off
    }

    /// The account's name.
    public let user: String
    /// The account's password; empty when none was given.
    public let password: Secret<String>
    /// The host's name or address, without brackets; empty when only a socket was given.
    public let host: String
    /// The TCP port, 3306 unless given.
    public let port: Int
    /// The database's name.
    public let name: String
    /// The path of the server's unix socket, if that is the way in.
    public let socket: String?
    /// Unless given, ``TLS/off`` through a socket or to this machine itself, ``TLS/required`` to any other.
    public let tls: TLS
    /// The file of certificates to trust; the system's when nil.
    public let ca: String?

    /// The URL without its password.
    public var description: String {
        let place = socket.map { "/\(name)?socket=\($0)" } ?? "\(host):\(port)/\(name)"
        return "mysql://\(user)@\(place)"
    }

    /// Reads a URL; what is wrong is named by its part and never quoted, since the password stands next to it.
    public init(_ text: String) throws(InvalidDatabaseURL) {
        var rest = text[...]
        guard let scheme = ["mysql://", "mariadb://"].first(where: { rest.hasPrefix($0) }) else {
            throw InvalidDatabaseURL(part: "scheme", reason: "must be mysql:// or mariadb://")
        }
        rest.removeFirst(scheme.count)
        guard !rest.contains("#") else {
            throw InvalidDatabaseURL(part: "fragment", reason: "is not used; write # as %23")
        }
        let query = rest.firstIndex(of: "?").map { rest[rest.index(after: $0)...] } ?? ""
        let path = rest.prefix { $0 != "?" }
        guard let slash = path.firstIndex(of: "/") else {
            throw InvalidDatabaseURL(part: "database", reason: "is missing: end the URL with /name")
        }
        let authority = Authority(path[..<slash])
        user = try Self.decoded(authority.user, part: "user")
        password = Secret(try Self.decoded(authority.password, part: "password"))
        host = try Self.decoded(authority.host, part: "host")
        name = try Self.decoded(path[path.index(after: slash)...], part: "database")
        let options = try Self.options(query)
        socket = options["socket"]
        ca = options["ca"]
        let isLocal = socket != nil || host == "localhost" || host == "::1" || host.hasPrefix("127.")
        guard let tls = options["tls"].map(TLS.init(rawValue:)) ?? (isLocal ? .off : .required) else {
            throw InvalidDatabaseURL(part: "tls", reason: "must be required or off")
        }
        self.tls = tls
        let port = authority.port.map { Int($0) ?? 0 } ?? 3306
        guard (1...65_535).contains(port) else {
            throw InvalidDatabaseURL(part: "port", reason: "must be a number from 1 to 65535")
        }
        self.port = port
        try check()
    }

    private func check() throws(InvalidDatabaseURL) {
        guard !user.isEmpty else { throw InvalidDatabaseURL(part: "user", reason: "is missing") }
        guard !name.isEmpty, !name.contains("/"), name.utf8.count <= 64 else {
            throw InvalidDatabaseURL(part: "database", reason: "must be one name of at most 64 bytes")
        }
        if let socket {
            // > sun_path … 108 bytes with the terminating null     unix(7)
            guard socket.hasPrefix("/"), socket.utf8.count < 108 else {
                throw InvalidDatabaseURL(part: "socket", reason: "must be an absolute path shorter than 108 bytes")
            }
        } else if host.isEmpty {
            throw InvalidDatabaseURL(part: "host", reason: "is missing, and there is no socket either")
        }
    }

    private static func options(_ query: Substring) throws(InvalidDatabaseURL) -> [String: String] {
        var options: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let name = String(pair.prefix { $0 != "=" })
            guard ["socket", "tls", "ca"].contains(name) else {
                throw InvalidDatabaseURL(part: "query", reason: "knows only socket, tls and ca")
            }
            guard options[name] == nil else { throw InvalidDatabaseURL(part: name, reason: "is given twice") }
            options[name] = try decoded(pair.dropFirst(name.count + 1), part: name)
        }
        return options
    }

    /// Percent-decodes one part; control characters are refused, since C strings would end at a null.
    private static func decoded(_ text: Substring, part: String) throws(InvalidDatabaseURL) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(nibble), let low = rest.popFirst().flatMap(nibble) else {
                throw InvalidDatabaseURL(part: part, reason: "has a % without two hexadecimal digits; write % as %25")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else { throw InvalidDatabaseURL(part: part, reason: "must be UTF-8 without control characters") }
        return decoded
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}

/// `user:password@host:port`, still percent-encoded.
private struct Authority {
    var user: Substring
    var password: Substring = ""
    var host: Substring
    var port: Substring?

    /// Splits at the last `@` and at the first `:`, so that an unencoded `@` in a password does no harm.
    init(_ text: Substring) {
        let at = text.lastIndex(of: "@")
        user = at.map { text[..<$0] } ?? ""
        host = at.map { text[text.index(after: $0)...] } ?? text
        if let colon = user.firstIndex(of: ":") {
            password = user[user.index(after: colon)...]
            user = user[..<colon]
        }
        let bracket = host.hasPrefix("[") ? host.firstIndex(of: "]") : nil
        if let colon = host.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            port = host[host.index(after: colon)...]
            host = host[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    }
}

/// A database URL that cannot be used; says which part is wrong and never what it held.
public struct InvalidDatabaseURL: Error, Equatable, CustomStringConvertible {
    /// `scheme`, `user`, `password`, `host`, `port`, `database`, `query`, `socket`, `tls`, `ca` or `fragment`.
    public let part: String
    /// What is asked of it.
    public let reason: String

    /// One sentence for whoever wrote the setting.
    public var description: String { "the database URL's \(part) \(reason)" }
}
