/// What a request asks for (RFC 9110 §9).
///
/// Its name is no raw value: each request looks into its route's table of methods, and a raw value is hashed as a text.
public enum Method: Sendable, Hashable, CaseIterable {
    /// Read.
    case get
    /// Read, headers only.
    case head
    /// Create or act.
    case post
    /// Replace.
    case put
    /// Change in part.
    case patch
    /// Remove.
    case delete
    /// Ask what is allowed.
    case options
    /// Read by what the body says. No address takes it, and that is what whoever tries it is told: a method that is not
    /// known at all would be 501.
    case query

    /// A method by its name, in capitals; nil when it is none that is known here.
    public init?(_ name: String) {
        switch name {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "PATCH": self = .patch
        case "DELETE": self = .delete
        case "OPTIONS": self = .options
        case "QUERY": self = .query
        default: return nil
        }
    }

    /// Its name as it stands in a request line.
    public var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .query: "QUERY"
        }
    }

    /// Whether the method promises to change nothing (RFC 9110 §9.2.1).
    public var isSafe: Bool {
        self == .get || self == .head || self == .options || self == .query
    }
}

/// The status of an answer (RFC 9110 §15).
public struct Status: Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// Three digits.
    public let code: Int

    /// A status by its number.
    public init(integerLiteral code: Int) { self.code = code }
    /// A status by its number.
    public init(_ code: Int) { self.code = code }

    /// The words that stand beside the number in RFC 9110 §15 and the registry.
    public var phrase: String {
        switch code {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 409: "Conflict"
        case 410: "Gone"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Status \(code)"
        }
    }
}
