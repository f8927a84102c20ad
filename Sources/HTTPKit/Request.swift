import JSONKit
import TimeKit

/// Fields that the gateway adds to every answer, so that the hub need not send them.
public struct GatewayFields: OptionSet, Sendable {
    /// A bit for each.
    public let rawValue: UInt8

    /// Fields by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Those by which browsers keep a page to itself and which are the same on every answer.
    public static let security = GatewayFields(rawValue: 1)
    /// The id of the request, which the gateway made.
    public static let requestID = GatewayFields(rawValue: 2)
}

/// A request as the gateway handed it over, limits checked, nothing decoded but the path.
///
/// Nobody changes it and many hold it, so it is an object: a copy of its fifteen fields at each step of its way costs as
/// much as finding out who asks.
public final class Request: Sendable {
    /// What is asked for.
    public let method: Method
    /// The prefix under which the site mounts the hub: empty, or `/hub`.
    public let mount: String
    /// The path below the mount prefix.
    public let path: Path
    /// The query without its question mark, as it came.
    public let rawQuery: String
    /// The header fields; the gateway's own parameters are not among them.
    public let headers: Headers
    /// The body, as many bytes as were announced; none where it is ``incoming``.
    public let body: [UInt8]
    /// The body of a request that is passed on, still to be read; nil for all others.
    public let incoming: IncomingBody?
    /// The client's address as nginx vouches for it; forwarding headers are never read.
    public let remoteAddress: String
    /// Whether TLS is in front.
    public let isSecure: Bool
    /// What the gateway adds to the answer.
    public let gatewayFields: GatewayFields
    /// The id that stands in logs and answers; from nginx, else made here.
    public let id: String
    /// When the request was taken up.
    public let received: Timestamp

    /// A request; the defaults serve tests.
    public init(
        _ method: Method = .get, path: Path, mount: String = "", query: String = "", headers: Headers = [:],
        body: [UInt8] = [], incoming: IncomingBody? = nil, remoteAddress: String = "127.0.0.1", isSecure: Bool = false,
        gatewayFields: GatewayFields = [], id: String = "test", received: Timestamp = .now()
    ) {
        self.method = method
        self.mount = mount
        self.path = path
        rawQuery = query
        self.headers = headers
        self.body = body
        self.incoming = incoming
        self.remoteAddress = remoteAddress
        self.isSecure = isSecure
        self.gatewayFields = gatewayFields
        self.id = id
        self.received = received
    }

    /// The same request with another query.
    public func asking(_ query: String) -> Request {
        Request(
            method, path: path, mount: mount, query: query, headers: headers, body: body, incoming: incoming,
            remoteAddress: remoteAddress, isSecure: isSecure, gatewayFields: gatewayFields, id: id,
            received: received)
    }

    /// The query taken apart; a broken escape is refused.
    public func query() throws(Problem) -> Form {
        guard let form = Form(urlencoded: rawQuery) else {
            throw Problem(400, "malformed_query", "The query has a broken percent-escape or too many parameters.")
        }
        return form
    }

    /// The value of a cookie.
    public func cookie(_ name: String) -> String? {
        for header in headers.all("cookie") {
            if let value = Cookies.value(of: name, in: header) { return value }
        }
        return nil
    }

    /// The media type of the body in lower case, without parameters.
    public var mediaType: String {
        let value = headers["content-type"] ?? ""
        switch value {
        // Written as most write it, it is taken as it is.
        case "", "application/json", "application/x-www-form-urlencoded": return value
        default: return value.prefix { $0 != ";" }.trimmed.lowercased()
        }
    }

    /// The body as a form, urlencoded or multipart.
    public func form() throws(Problem) -> Form {
        guard !body.isEmpty else { return .empty }
        let form: Form?
        switch mediaType {
        case "application/x-www-form-urlencoded": form = Form(urlencoded: body)
        case "multipart/form-data": form = Multipart.fields(of: body, contentType: headers["content-type"] ?? "")
        default:
            throw Problem(415, "unsupported_media_type", "This address takes a form.")
        }
        guard let form else { throw Problem(400, "malformed_form", "The body is not a form we can read.") }
        return form
    }

    /// The body as JSON: `application/json` in UTF-8 only, and for PATCH the media type of merge patches too (RFC 7396 §4).
    public func json() throws(Problem) -> JSON {
        let charset = Multipart.parameter("charset", of: headers["content-type"] ?? "")?.lowercased() ?? "utf-8"
        let isJSON =
            mediaType == "application/json" || (method == .patch && mediaType == "application/merge-patch+json")
        guard isJSON, charset == "utf-8" else {
            throw Problem(415, "unsupported_media_type", "Send the body as application/json in UTF-8.")
        }
        do throws(JSONError) {
            return try JSON(parsing: body)
        } catch {
            switch error {
            case .malformed: throw Problem(400, "malformed_json", "The body is not JSON.")
            case .tooDeep: throw Problem(400, "malformed_json", "The body nests deeper than \(JSON.depthLimit) levels.")
            case .duplicateName: throw Problem(400, "malformed_json", "An object of the body has a name twice.")
            }
        }
    }
}
