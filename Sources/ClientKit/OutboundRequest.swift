import LogKit
import TimeKit

/// A call to be made. Nothing of it can be printed, since any part may carry a secret.
public struct OutboundRequest: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What the call asks for.
    public enum Method: String, Sendable {
        /// Read.
        case get = "GET"
        /// Read the header alone.
        case head = "HEAD"
        /// Add.
        case post = "POST"
        /// Replace.
        case put = "PUT"
        /// Change.
        case patch = "PATCH"
        /// Remove.
        case delete = "DELETE"
        /// Ask what is possible.
        case options = "OPTIONS"
    }

    /// What the call asks for.
    public var method: Method
    /// Where it goes; read by ``OutboundURL`` when it is sent.
    public var url: String
    /// Header fields in order. Those that frame the message (`Host`, `Content-Length`, …) are refused.
    public var headers: [(String, String)]
    /// The bytes sent along.
    public var body: [UInt8]?
    /// How long the whole call may take: name, connection, redirects and answer.
    public var deadline: Duration
    /// How long the name and the connection may take.
    public var connectDeadline: Duration
    /// How many bytes the body of the answer may have.
    public var responseLimit: Int
    /// How many bytes the header of the answer may have.
    public var headerLimit: Int
    /// Whether up to three redirects to https are followed, each judged as a call of its own.
    public var followsRedirects: Bool
    /// Whether the call is made on a connection of its own, so that libcurl never sends it a second time because a kept
    /// connection was closed: for what must not be done twice.
    public var isSentOnce = false
    /// Whether an answer with a longer body than ``responseLimit`` is one all the same, its body cut there and its
    /// connection closed; else it is an error. Heard by a ``Fleet`` alone.
    public var cutsResponse = false

    /// A call with the deadlines and limits that suit an API.
    public init(
        method: Method, url: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        deadline: Duration = .seconds(10), connectDeadline: Duration = .seconds(5), responseLimit: Int = 262_144,
        headerLimit: Int = 16_384, followsRedirects: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.connectDeadline = connectDeadline
        self.responseLimit = responseLimit
        self.headerLimit = headerLimit
        self.followsRedirects = followsRedirects
    }

    /// Adds a header field whose value is a secret.
    public mutating func addHeader(_ name: String, _ value: Secret<String>) {
        value.reveal { headers.append((name, $0)) }
    }

    /// The method alone.
    public var description: String { "<outbound \(method.rawValue)>" }
    /// The method alone.
    public var debugDescription: String { description }
    /// A mirror without children, so that `dump` stays silent.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A header field that is safe to send: a token as its name, and a value that cannot begin another line.
struct HeaderField {
    let name: String
    let value: String

    /// Checks a field against RFC 9110 §5.1 and §5.5. Throws `badHeader`, naming the field only when its name is a token.
    init(_ name: String, _ value: String) throws(ClientError) {
        guard !name.isEmpty, name.utf8.count <= 256, name.utf8.allSatisfy(Self.isToken) else {
            throw ClientError(.badHeader, detail: "a header name that is not a token")
        }
        guard !Self.framing.contains(name.lowercased()) else {
            throw ClientError(.badHeader, detail: "the header \(name), which frames the message or belongs to the hop")
        }
        guard value.utf8.count <= 16_384, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
            throw ClientError(.badHeader, detail: "a control character in the value of \(name), or too long a value")
        }
        self.name = name
        self.value = value
    }

    /// The field as libcurl wants it: an empty value is asked for by a semicolon, a colon alone would remove the field.
    var line: String {
        value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? "\(name);" : "\(name): \(value)"
    }

    /// > tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
    /// >     RFC 9110 §5.6.2
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Fields that decide where a message ends or who reads it.
    private static let framing: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer",
        "upgrade", "expect", "proxy-authorization", "http2-settings",
    ]
}

extension OutboundRequest {
    /// Why a header field could not be sent, in a sentence; nil when it could.
    public static func objection(toHeader name: String, _ value: String) -> String? {
        do throws(ClientError) {
            _ = try HeaderField(name, value)
            return nil
        } catch {
            return "A field's name is a word without spaces, its value has no control characters, and fields that frame"
                + " the message or belong to the hop cannot be set."
        }
    }
}
