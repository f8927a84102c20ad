/// Where the program is asked to listen.
public enum ListeningAddress: Equatable, Sendable, CustomStringConvertible {
    /// A unix socket at this absolute path, at most 107 bytes.
    case path(String)
    /// A numeric address and a port; port 0 lets the kernel choose.
    case tcp(host: String, port: UInt16)
    /// The first socket that systemd passes, descriptor 3.
    case systemd
    /// A socket that was opened before and is descriptor 0.
    ///
    /// > The Web server leaves a single file descriptor, FCGI_LISTENSOCK_FILENO, open when the application begins
    /// > execution.     FastCGI specification §2.2
    case standardInput

    /// Reads a setting: `path:/run/hub.sock` or the path alone, `tcp:127.0.0.1:9000`, `tcp:[::1]:9000`, `systemd`, `fd:0`.
    ///
    /// Host names are refused, since what a name means can change behind one's back.
    public init(setting: String) throws(ProcessError) {
        let refusal = ProcessError(.badSetting, "cannot listen on \"\(setting.prefix(120))\": \(Self.expected)")
        switch setting {
        case "systemd": self = .systemd
        case "fd:0": self = .standardInput
        case _ where setting.hasPrefix("tcp:"):
            guard let address = Self.tcp(setting.dropFirst(4)) else { throw refusal }
            self = address
        default:
            let path = setting.hasPrefix("path:") ? String(setting.dropFirst(5)) : setting
            guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count <= 107, !path.utf8.contains(0) else {
                throw refusal
            }
            self = .path(path)
        }
    }

    /// The setting that names this address.
    public var description: String {
        switch self {
        case .path(let path): "path:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
        case .systemd: "systemd"
        case .standardInput: "fd:0"
        }
    }

    private static let expected =
        "expected path:/absolute/path of at most 107 bytes, tcp:127.0.0.1:9000, tcp:[::1]:9000, systemd or fd:0"

    private static func tcp(_ text: Substring) -> ListeningAddress? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, host.contains(":") == bracketed,
            host.utf8.allSatisfy({ $0 == 0x2E || $0 == 0x3A || Character(Unicode.Scalar($0)).isHexDigit })
        else { return nil }
        return .tcp(host: String(host), port: port)
    }
}
