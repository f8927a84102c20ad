import HTTPKit
import JSONKit

/// Why a client does not get what it asked for, in the words of RFC 6749 and those that extend it.
///
/// > error REQUIRED. A single ASCII error code … error_description OPTIONAL. Human-readable ASCII text providing additional
/// > information, used to assist the client developer in understanding the error that occurred.     RFC 6749 §5.2
public struct OAuthError: Error, Presentable, Equatable {
    /// The registered word.
    public enum Code: String, Sendable {
        /// A parameter is missing, malformed or given twice.
        case invalidRequest = "invalid_request"
        /// It is not known who asks.
        case invalidClient = "invalid_client"
        /// The code or the token opens nothing, or not for this client.
        case invalidGrant = "invalid_grant"
        /// This client may not do that.
        case unauthorizedClient = "unauthorized_client"
        /// No such grant is given here.
        case unsupportedGrantType = "unsupported_grant_type"
        /// A scope is unknown, or more than was granted.
        case invalidScope = "invalid_scope"
        /// The person, or the hub, has said no.
        case accessDenied = "access_denied"
        /// Only codes are given.
        case unsupportedResponseType = "unsupported_response_type"
        /// Something went wrong on our side.
        case serverError = "server_error"
        /// Not just now.
        case temporarilyUnavailable = "temporarily_unavailable"
        /// The resource is none, or more than was granted (RFC 8707 §2).
        case invalidTarget = "invalid_target"
        /// Nobody has typed the code yet (RFC 8628 §3.5).
        case authorizationPending = "authorization_pending"
        /// The device asks too often (RFC 8628 §3.5).
        case slowDown = "slow_down"
        /// The device code has ended (RFC 8628 §3.5).
        case expiredToken = "expired_token"
        /// The bearer token opens nothing (RFC 6750 §3.1).
        case invalidToken = "invalid_token"
        /// A redirect URI cannot be registered (RFC 7591 §3.2.2).
        case invalidRedirectURI = "invalid_redirect_uri"
        /// Something else cannot be registered (RFC 7591 §3.2.2).
        case invalidClientMetadata = "invalid_client_metadata"
    }

    /// The registered word.
    public let code: Code
    /// A sentence for the client's author: printable ASCII without `"` and `\` (RFC 6749 §5.2), never a secret.
    public let hint: String
    /// The status of the answer, where there is one.
    public let status: Status
    /// Headers that belong to the answer.
    public let headers: Headers

    /// An error with a hint for the client's author.
    public init(_ code: Code, _ hint: String, status: Status = 400, headers: Headers = [:]) {
        self.code = code
        self.hint = Self.plain(hint)
        self.status = status
        self.headers = headers
    }

    /// The answer of an endpoint that clients call.
    public func response() -> Response {
        var response = Response.json(
            ["error": .string(code.rawValue), "error_description": .string(hint)], status: status)
        headers.forEach { response.headers.add($0, $1) }
        response.headers["cache-control"] = "no-store"
        response.headers["pragma"] = "no-cache"
        return response
    }

    /// The same for an address that is no OAuth endpoint.
    public var problem: Problem { Problem(status, code.rawValue, hint, headers: headers) }

    /// > Values for the "error_description" parameter MUST NOT include characters outside the set
    /// > %x20-21 / %x23-5B / %x5D-7E.     RFC 6749 §5.2
    private static func plain(_ text: String) -> String {
        String(
            decoding: text.utf8.map { (0x20...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c ? $0 : 0x27 },
            as: UTF8.self)
    }
}
